//! Players that want the mutex while a victim is on stage.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::abi::OWNER_DIED;
use crate::board::{Board, now_ns, watchdog};
use crate::outcomes::is;
use crate::player::{Player, Stage};
use crate::short::{Lock, Way};
use crate::world::World;

/// What a locker has reached: it asks for the mutex, holds it, has given it back.
const ASKING: u32 = 1;
const HOLDING: u32 = 2;
const DONE: u32 = 3;

/// Which of the two mutexes a locker wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Mutex,
    Other,
}

/// A process that locks, holds until it is told to go on, unlocks and stays.
struct Locker {
    player: Player,
    seat: usize,
    asked_at_ns: u64,
    /// It has been told to go on.
    released: bool,
}

/// The lockers of a scene, and the deaths that they must be told of.
pub(crate) struct Cast {
    /// How all of them lock.
    pub(crate) way: Way,
    lockers: Vec<Locker>,
    /// Deaths of somebody who held the mutex for sure.
    deaths_holding: u32,
    /// Deaths of somebody who may have held it.
    deaths_unsure: u32,
    /// Since when nobody living has kept the others waiting.
    free_since_ns: u64,
}

fn part(stage: Stage, wanted: Wanted, way: Way) -> Result<(), String> {
    let world = World::open()?;
    let world = if wanted == Wanted::Other { world.turned() } else { world };
    let lock = Lock::of(world.mutex, way)?;
    stage.pause();
    let status = lock.take()?;
    let (board, seat) = (Board::get(), stage.seat());
    seat.held_at_ns.store(now_ns(), SeqCst);
    let inside = &board.inside[wanted as usize];
    let within = inside.swap(stage.seat as u32 + 1, SeqCst);
    if within != 0 && within != board.doomed.load(SeqCst) {
        board.intrusions.fetch_add(1, SeqCst);
    }
    stage.pause();
    inside.store(0, SeqCst);
    repair(&world, status)?;
    lock.give_back()?;
    stage.pause();
    Ok(())
}

/// Comes last, when all lockers are done: there may be news for nobody else.
pub(crate) fn lock_and_unlock(world: &World) -> Result<(), String> {
    let status = world.lock()?;
    repair(world, status)?;
    world.unlock()
}

/// Who is told of an owner's death sees to it that nobody is told again.
fn repair(world: &World, status: i32) -> Result<(), String> {
    if status == OWNER_DIED {
        Board::get().news.fetch_add(1, SeqCst);
        world.mark_consistent()?;
    }
    Ok(())
}

impl Cast {
    pub(crate) fn new(way: Way) -> Self {
        Self { way, lockers: Vec::new(), deaths_holding: 0, deaths_unsure: 0, free_since_ns: 0 }
    }

    /// A process that finds the mutex free and keeps it.
    pub(crate) fn enters_holding(&mut self, seat: usize, wanted: Wanted) -> Result<(), String> {
        self.enters(seat, wanted)?.player.reaches(HOLDING)
    }

    /// A process that finds the mutex taken and falls asleep waiting for it.
    pub(crate) fn enters_waiting(&mut self, seat: usize, wanted: Wanted) -> Result<(), String> {
        self.enters(seat, wanted)?.player.falls_asleep()
    }

    /// A process that comes by and takes the mutex if it is free, or else waits.
    pub(crate) fn enters_barging(&mut self, seat: usize) -> Result<(), String> {
        let barger = self.enters(seat, Wanted::Mutex)?;
        let soon = now_ns() + 3_000_000;
        while barger.player.seat().reached.count() < HOLDING && now_ns() < soon {
            rest();
        }
        Ok(())
    }

    fn enters(&mut self, seat: usize, wanted: Wanted) -> Result<&mut Locker, String> {
        let way = self.way;
        let player = Player::enter(seat, |stage| part(stage, wanted, way));
        self.lockers.push(Locker { player, seat, asked_at_ns: 0, released: false });
        let locker = self.lockers.last_mut().expect("pushed above");
        locker.player.reaches(ASKING)?;
        locker.player.goes_on();
        locker.asked_at_ns = now_ns();
        Ok(locker)
    }

    /// The victim dies: surely the owner of a mutex, surely not, or nobody knows.
    pub(crate) fn victim_dies(&mut self, held: Option<bool>) {
        self.free_since_ns = now_ns();
        self.count_death(held);
    }

    /// The locker gives the mutex back, which it holds.
    pub(crate) fn unlocks(&mut self, seat: usize) -> Result<(), String> {
        let locker = self.locker(seat);
        locker.released = true;
        locker.player.goes_on();
        locker.player.reaches(DONE)?;
        self.free_since_ns = now_ns();
        Ok(())
    }

    /// The locker dies where it is.
    pub(crate) fn dies(&mut self, seat: usize) {
        Board::get().doomed.store(seat as u32 + 1, SeqCst);
        let index = self.lockers.iter().position(|locker| locker.seat == seat).expect("on stage");
        let mut locker = self.lockers.remove(index);
        let held = locker.holds();
        self.free_since_ns = now_ns();
        locker.player.kill();
        // It may have got the mutex since the look above.
        self.count_death(held.then_some(true));
    }

    /// A locker that holds the mutex gives it back, if there is one.
    pub(crate) fn whoever_holds_unlocks(&mut self) -> Result<(), String> {
        match self.lockers.iter().find(|locker| locker.holds()).map(|locker| locker.seat) {
            Some(seat) => self.unlocks(seat),
            None => Ok(()),
        }
    }

    /// Whether the locker holds the mutex now.
    pub(crate) fn holds(&mut self, seat: usize) -> bool {
        self.locker(seat).holds()
    }

    /// Everybody who still waits gets the mutex, one after the other, and nobody is
    /// inside together with another.
    pub(crate) fn all_get_it(&mut self) -> Result<(), String> {
        let board = Board::get();
        while let Some(seat) = self.next_holder()? {
            let locker = self.locker(seat);
            let held_at_ns = locker.player.seat().held_at_ns.load(SeqCst);
            let asked_at_ns = locker.asked_at_ns;
            board.note_wait(held_at_ns.saturating_sub(asked_at_ns.max(self.free_since_ns)));
            self.unlocks(seat)?;
        }
        is("players inside together", board.intrusions.load(SeqCst), 0)
    }

    /// Owner death was news as often as there was reason.
    pub(crate) fn were_told(&self) -> Result<(), String> {
        // Who is told and then dies in turn leaves one piece of news for two deaths.
        let (least, most) = (self.deaths_holding.min(1), self.deaths_holding + self.deaths_unsure);
        match Board::get().news.load(SeqCst) {
            news if (least..=most).contains(&news) => Ok(()),
            news => Err(format!(
                "survivors were told of {news} deaths of an owner, not of {least} to {most}"
            )),
        }
    }

    /// Somebody who has the mutex and was not told to go on; `None` when all are done.
    fn next_holder(&mut self) -> Result<Option<usize>, String> {
        let mut late = watchdog();
        while self.lockers.iter().any(|locker| !locker.released) {
            for locker in &mut self.lockers {
                locker.player.is_playing()?;
                if locker.holds() {
                    return Ok(Some(locker.seat));
                }
            }
            if late() {
                return Err("hangs: living processes wait for the mutex and nobody gets it".into());
            }
            rest();
        }
        Ok(None)
    }

    fn locker(&mut self, seat: usize) -> &mut Locker {
        self.lockers.iter_mut().find(|locker| locker.seat == seat).expect("on stage")
    }

    fn count_death(&mut self, held: Option<bool>) {
        match held {
            Some(true) => self.deaths_holding += 1,
            Some(false) => {}
            None => self.deaths_unsure += 1,
        }
    }
}

impl Locker {
    fn holds(&self) -> bool {
        !self.released && self.player.seat().reached.count() == HOLDING
    }
}

fn rest() {
    std::thread::sleep(Duration::from_micros(20));
}
