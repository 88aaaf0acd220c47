//! Players that fall asleep in a call, and whether they sleep longer than they should.
//!
//! The kernel does what it does for a dead thread before anybody can wait for its end. So
//! when the harness has done that, whoever was woken runs, and the others are woken by those
//! in turn: as soon as nobody runs, all is as it will be. Who still sleeps then is *poked*:
//! a signal ends its call. A call that gives anything but INTERRUPTED then has slept through
//! its time, and only a slice would have ended it. So a lost wake-up is found at once, and
//! slices, which come much later, hide none. One thing ends later than a thread, the hold of
//! its process on the segment. Who comes to look between the two naps, no longer each time
//! than it has waited already; so it is given as much time again.

use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crate::abi::INTERRUPTED;
use crate::board::{Board, watchdog};
use crate::nouns::{Noun, Object};
use crate::outcomes::is;
use crate::player::{Player, Stage, state_of};

/// What a sleeper has reached: it is about to call, has come out of it, has left.
const CALLING: u32 = 1;
const AWAKE: u32 = 2;
const LEFT: u32 = 3;
/// So often everybody must be seen asleep: for longer than the millisecond that a newcomer
/// naps to let somebody pass who starves.
const SIGHTINGS: u32 = 15;
const BETWEEN_SIGHTINGS: Duration = Duration::from_micros(100);
const SIGNAL: i32 = libc::SIGUSR1;

/// What a sleeper does.
pub(crate) struct Role {
    /// Before its call.
    pub(crate) before: fn(&Object) -> Result<(), String>,
    /// The call; and what is called after one that was interrupted.
    pub(crate) wait: fn(&Object, bool) -> i32,
    /// After it.
    pub(crate) leave: fn(&Object, i32) -> Result<(), String>,
}

/// One that waits, and that is all.
pub(crate) const ROLE: Role = Role { before: |_| Ok(()), wait: |_, _| 0, leave: |_, _| Ok(()) };

struct Sleeper {
    player: Player,
    seat: usize,
    /// It has been told to leave.
    is_leaving: bool,
}

/// The sleepers of a scene, and the object that they wait for.
pub(crate) struct Cast {
    pub(crate) noun: &'static Noun,
    sleepers: Vec<Sleeper>,
    /// How long somebody took to die whose death they may have to see.
    dying: Duration,
}

fn part(stage: Stage, noun: &Noun, role: &Role) -> Result<(), String> {
    let object = noun.open()?;
    expect_pokes();
    (role.before)(&object)?;
    stage.pause();
    let mut status = (role.wait)(&object, false);
    while status == INTERRUPTED {
        stage.seat().pokes.raise();
        status = (role.wait)(&object, true);
    }
    stage.seat().status.store(status, SeqCst);
    stage.pause();
    (role.leave)(&object, status)?;
    stage.pause();
    Ok(())
}

/// The signal ends a call, which is not begun again.
fn expect_pokes() {
    extern "C" fn poked(_: i32) {}
    let handler: extern "C" fn(i32) = poked;
    // SAFETY: a plain C structure; zero is a valid value of each field, no SA_RESTART.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    // SAFETY: a handler that does nothing.
    unsafe { libc::sigaction(SIGNAL, &action, null_mut()) };
}

impl Cast {
    pub(crate) fn new(noun: &'static Noun) -> Self {
        Self { noun, sleepers: Vec::new(), dying: Duration::ZERO }
    }

    /// A process whose call has to wait.
    pub(crate) fn falls_asleep(&mut self, seat: usize, role: &'static Role) -> Result<(), String> {
        self.calls(seat, role)?.player.falls_asleep()
    }

    /// A process that comes out of its call by itself.
    pub(crate) fn comes_through(&mut self, seat: usize, role: &'static Role) -> Result<(), String> {
        self.calls(seat, role)?.player.reaches(AWAKE)
    }

    /// A process that has to wait, or does not.
    pub(crate) fn comes(&mut self, seat: usize, role: &'static Role) -> Result<(), String> {
        self.calls(seat, role).map(|_| ())
    }

    /// A process that makes its call.
    fn calls(&mut self, seat: usize, role: &'static Role) -> Result<&mut Sleeper, String> {
        let sleeper = self.prepare(seat, role)?;
        sleeper.player.goes_on();
        Ok(sleeper)
    }

    fn prepare(&mut self, seat: usize, role: &'static Role) -> Result<&mut Sleeper, String> {
        let noun = self.noun;
        let player = Player::enter(seat, |stage| part(stage, noun, role));
        self.sleepers.push(Sleeper { player, seat, is_leaving: false });
        let sleeper = self.sleepers.last_mut().expect("pushed above");
        sleeper.player.reaches(CALLING)?;
        Ok(sleeper)
    }

    /// A process that is about to make its call, with all that it needs for that.
    pub(crate) fn prepares(&mut self, seat: usize, role: &'static Role) -> Result<(), String> {
        self.prepare(seat, role).map(|_| ())
    }

    /// It makes the call, and has to wait.
    pub(crate) fn begins(&mut self, seat: usize) -> Result<(), String> {
        let player = &mut self.sleeper(seat).player;
        player.goes_on();
        player.falls_asleep()
    }

    /// Waits until nobody moves any more. Nobody sleeps then who should not.
    pub(crate) fn settles(&mut self) -> Result<(), String> {
        std::thread::sleep(std::mem::take(&mut self.dying) * 2);
        self.comes_to_rest()?;
        for number in 0..self.sleepers.len() {
            if self.sleepers[number].sleeps() {
                self.sleepers[number].is_poked()?;
                // It may have woken another as it came to look.
                self.comes_to_rest()?;
            }
        }
        Ok(())
    }

    /// One comes out of its sleep, and goes to sleep again behind the others.
    pub(crate) fn turns_over(&mut self, seat: usize) -> Result<(), String> {
        self.sleeper(seat).is_poked()?;
        self.comes_to_rest()
    }

    /// Waits until everybody sleeps, or has come out of its call.
    pub(crate) fn comes_to_rest(&mut self) -> Result<(), String> {
        let mut late = watchdog();
        let mut sightings = 0;
        while sightings < SIGHTINGS {
            let mut at_rest = true;
            for sleeper in &mut self.sleepers {
                sleeper.player.is_playing()?;
                at_rest &= !sleeper.sleeps() || state_of(sleeper.player.pid) == b'S';
            }
            sightings = if at_rest { sightings + 1 } else { 0 };
            if late() {
                return Err("the sleepers never come to rest".into());
            }
            std::thread::sleep(BETWEEN_SIGHTINGS);
        }
        Ok(())
    }

    /// What the call of a sleeper has given; `None`: it sleeps.
    pub(crate) fn status(&self, seat: usize) -> Option<i32> {
        let sleeper = self.sleepers.iter().find(|sleeper| sleeper.seat == seat)?;
        (!sleeper.sleeps()).then(|| sleeper.player.seat().status.load(SeqCst))
    }

    /// What all calls have given that are over.
    pub(crate) fn statuses(&self) -> Vec<i32> {
        self.sleepers.iter().filter_map(|sleeper| self.status(sleeper.seat)).collect()
    }

    /// How many still sleep.
    pub(crate) fn asleep(&self) -> usize {
        self.sleepers.iter().filter(|sleeper| sleeper.sleeps()).count()
    }

    /// How many have come out of their calls, and have not left.
    pub(crate) fn staying(&self) -> usize {
        self.sleepers.iter().filter(|sleeper| !sleeper.sleeps() && !sleeper.is_leaving).count()
    }

    /// All who have come out of their calls leave.
    pub(crate) fn awake_leave(&mut self) -> Result<u32, String> {
        let mut count = 0;
        for sleeper in self.sleepers.iter_mut().filter(|sleeper| !sleeper.sleeps()) {
            count += u32::from(!sleeper.is_leaving);
            sleeper.leaves()?;
        }
        Ok(count)
    }

    /// One that has come out of its call leaves.
    pub(crate) fn leaves(&mut self, seat: usize) -> Result<(), String> {
        self.sleeper(seat).leaves()
    }

    /// The sleeper dies where it is.
    pub(crate) fn dies(&mut self, seat: usize) {
        Board::get().doomed.store(seat as u32 + 1, SeqCst);
        let index = self.sleepers.iter().position(|sleeper| sleeper.seat == seat).expect("here");
        let mut sleeper = self.sleepers.remove(index);
        self.sees_die(|| sleeper.player.kill());
    }

    /// Somebody dies.
    pub(crate) fn sees_die(&mut self, kill: impl FnOnce()) {
        let start = Instant::now();
        kill();
        self.dying = self.dying.max(start.elapsed());
    }

    /// Who is awake leaves, until nobody sleeps any more.
    pub(crate) fn take_turns(&mut self) -> Result<(), String> {
        self.settles()?;
        while self.asleep() > 0 {
            if self.awake_leave()? == 0 {
                return Err(format!("{} sleep, and nobody is in their way", self.asleep()));
            }
            self.settles()?;
        }
        self.awake_leave()?;
        is("players inside together", Board::get().intrusions.load(SeqCst), 0)
    }

    fn sleeper(&mut self, seat: usize) -> &mut Sleeper {
        self.sleepers.iter_mut().find(|sleeper| sleeper.seat == seat).expect("on stage")
    }
}

impl Sleeper {
    fn sleeps(&self) -> bool {
        self.player.seat().reached.count() < AWAKE
    }

    fn leaves(&mut self) -> Result<(), String> {
        if std::mem::replace(&mut self.is_leaving, true) {
            return Ok(());
        }
        self.player.goes_on();
        self.player.reaches(LEFT)
    }

    /// Comes out of its call for the signal's sake, and falls asleep again.
    fn is_poked(&mut self) -> Result<(), String> {
        let pokes = &self.player.seat().pokes;
        let before = pokes.count();
        let mut late = watchdog();
        // More than once: one that comes while the sleeper is about to fall asleep is lost.
        let poke = || {
            // SAFETY: our own child, not yet waited for.
            unsafe { libc::kill(self.player.pid, SIGNAL) };
            !self.sleeps() || late()
        };
        match pokes.wait(before + 1, poke) {
            true => Ok(()),
            false if self.sleeps() => Err("a sleeper does not notice a signal".into()),
            false => {
                let status = self.player.seat().status.load(SeqCst);
                let which = self.seat;
                Err(format!("sleeper {which} was not woken; it came to look, and got {status}"))
            }
        }
    }
}
