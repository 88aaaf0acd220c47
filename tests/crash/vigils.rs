//! Those who wait and those who wake them: one side sleeps while the other dies at every
//! instruction, and the other way round. What matters is whom the victim leaves asleep: a
//! wake-up whose waker is dead is not lost, nor one whose sleeper was killed when it had come.

use std::sync::atomic::Ordering::SeqCst;

use crate::abi::{OK, call};
use crate::bells;
use crate::board::NONE_YET;
use crate::gates;
use crate::listeners;
use crate::nouns::{Noun, Object};
use crate::outcomes::is;
use crate::parties;
use crate::permits;
use crate::player::{Player, Stage};
use crate::possessions;
use crate::readers;
use crate::several;
use crate::sleepers::{Cast, Role};
use crate::travel::{self, Lead};
use crate::victim::{Morning, Stand, Victim, nobody, stepped};
use crate::waiters;
use crate::world::{SEGMENT, World, ok};
use crate::{ring_sides, ring_waits};

const FOUNDER: usize = 0;
const VICTIM: usize = 1;
/// Who is there before the victim, and who comes behind it.
pub(crate) const HOLDER: usize = 2;
pub(crate) const FIRST: usize = 3;
const HELPER: usize = 7;
/// Participants for which there is room.
const ROOM: u32 = 12;

/// A scene with sleepers and a victim.
pub(crate) struct Vigil {
    pub(crate) name: &'static str,
    /// Much is as in another scene: played if it is named, or everything is asked for.
    pub(crate) is_variant: bool,
    pub(crate) noun: &'static Noun,
    /// Who is there before the victim, and sleeps or does not.
    pub(crate) holder: Option<&'static Role>,
    /// What the victim does first, at full speed.
    pub(crate) before: fn(&Object) -> Result<(), String>,
    /// Its call, and what that gives if it gets that far. `NONE_YET`: it sleeps until it dies.
    pub(crate) call: fn(&Object) -> i32,
    pub(crate) status: i32,
    /// Who sleeps when the victim calls, or comes behind it once it sleeps.
    pub(crate) sleepers: &'static [&'static Role],
    /// What lets the victim sleep no longer. `None`: it is the one who wakes.
    pub(crate) waker: Option<Others>,
    /// What happens once the sleepers are there, and before the call.
    pub(crate) ready: Others,
    /// What others do while the victim stands where it dies.
    pub(crate) meanwhile: Others,
    /// It does not die there, but goes on to the end of its call.
    pub(crate) lives: bool,
    /// What others do as soon as it is dead.
    pub(crate) aftermath: Others,
    /// What survivors must find.
    pub(crate) judge: fn(&mut Cast, Fate) -> Result<(), String>,
}

/// What others do at some point.
type Others = fn(&mut Cast) -> Result<(), String>;

/// How far the victim has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fate {
    /// Its call had returned.
    pub(crate) returned: bool,
    /// It had fallen asleep before it died.
    pub(crate) slept: bool,
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Vigil> {
    let of_locks = [permits::VIGILS, readers::VIGILS, possessions::VIGILS];
    let of_meetings = [bells::VIGILS, parties::VIGILS];
    let of_rings = [ring_waits::VIGILS, ring_sides::OF_SPSC, ring_sides::OF_FANIN];
    let of_more_rings = [ring_sides::OF_MPMC, ring_sides::OF_MESSAGES];
    let of_listeners = [several::VIGILS, listeners::VIGILS, waiters::VIGILS];
    let all = [gates::VIGILS].into_iter().chain(of_locks).chain(of_meetings);
    all.chain(of_rings).chain(of_more_rings).chain(of_listeners).flatten()
}

/// One without a victim.
pub(crate) const VIGIL: Vigil = Vigil {
    name: "",
    is_variant: false,
    noun: &crate::nouns::EVENT,
    holder: None,
    before: |_| Ok(()),
    call: |_| OK,
    status: OK,
    sleepers: &[],
    waker: None,
    ready: |_| Ok(()),
    meanwhile: |_| Ok(()),
    lives: false,
    aftermath: |_| Ok(()),
    judge: |_, _| Ok(()),
};

impl Vigil {
    /// Plays the scene, the victim led by `lead` to where it dies.
    pub(crate) fn play(&'static self, lead: Lead) -> Result<(), String> {
        let mut founder = Player::enter(FOUNDER, |stage| self.found(stage));
        founder.reaches(1)?;
        let mut cast = Cast::new(self.noun);
        if let Some(holder) = self.holder {
            cast.comes_through(HOLDER, holder)?;
        }
        let mut victim = Victim::enter(VICTIM, |stage| {
            let object = self.noun.open()?;
            (self.before)(&object)?;
            stepped(stage, || (self.call)(&object))
        })?;
        let slept = match self.waker {
            None => {
                self.sleepers_come(&mut cast)?;
                (self.ready)(&mut cast)?;
                let left_asleep = self.status == NONE_YET;
                let mut others = || if left_asleep { Ok(Morning::LeftAsleep) } else { nobody() };
                lead(&mut victim, &mut others)?;
                false
            }
            Some(wake) => self.lead_to_sleep(&mut victim, &mut cast, wake, lead)?,
        };
        (self.meanwhile)(&mut cast)?;
        if self.lives {
            travel::run(&mut victim, &mut || Ok(Morning::Woken))?;
            // Before its end wakes anybody.
            cast.settles()?;
        }
        let returned = victim.stand == Stand::Returned;
        if returned {
            is("status of the victim's call", victim.status(), self.status)?;
        }
        cast.sees_die(|| victim.dies());
        (self.aftermath)(&mut cast)?;
        if let (Some(wake), false) = (self.waker, slept) {
            self.sleepers_come(&mut cast)?;
            wake(&mut cast)?;
        }
        cast.settles()?;
        (self.judge)(&mut cast, Fate { returned, slept })?;
        drop((cast, victim));
        founder.ends().map_err(|why| format!("founder: {why}"))
    }

    /// The victim goes to sleep, others behind it, and is woken. Says whether it slept.
    fn lead_to_sleep(
        &self,
        victim: &mut Victim,
        cast: &mut Cast,
        wake: Others,
        lead: Lead,
    ) -> Result<bool, String> {
        let mut slept = false;
        lead(victim, &mut || {
            if std::mem::replace(&mut slept, true) {
                // Another may have been faster; the victim's turn comes again.
                self.sleepers_leave(cast)?;
            } else {
                self.sleepers_come(cast)?;
                wake(cast)?;
            }
            Ok(Morning::Woken)
        })?;
        Ok(slept)
    }

    fn sleepers_come(&self, cast: &mut Cast) -> Result<(), String> {
        let mut sleepers = (FIRST..).zip(self.sleepers);
        sleepers.try_for_each(|(seat, role)| cast.falls_asleep(seat, role))
    }

    /// Those leave who sleep no longer.
    fn sleepers_leave(&self, cast: &mut Cast) -> Result<(), String> {
        let seats = FIRST..FIRST + self.sleepers.len();
        seats.into_iter().try_for_each(|seat| match cast.status(seat) {
            Some(_) => cast.leaves(seat),
            None => Ok(()),
        })
    }

    /// Has the segment open from before the first call until everybody is gone; then that
    /// goes too, with all files that belong to it.
    fn found(&self, stage: Stage) -> Result<(), String> {
        let world = World::found(ROOM)?;
        self.noun.found(&world)?;
        stage.pause();
        world.lock_all()?;
        world.verify()?;
        ok("segment_unlink", call!(segment_unlink(SEGMENT.as_ptr())))
    }
}

/// A process that comes by, does something with the object, and leaves in good order.
pub(crate) fn helper(
    cast: &Cast,
    act: impl FnOnce(&Object) -> Result<(), String>,
) -> Result<(), String> {
    ask(cast, |object| act(object).map(|()| 0)).map(|_| ())
}

/// The same where something is to be found out.
pub(crate) fn ask(
    cast: &Cast,
    question: impl FnOnce(&Object) -> Result<u32, String>,
) -> Result<u32, String> {
    let noun = cast.noun;
    let mut helper = Player::enter(HELPER, |stage| {
        let answer = question(&noun.open()?)?;
        stage.seat().status.store(answer as i32, SeqCst);
        // SAFETY: ends the process as a program would that returns from main.
        unsafe { libc::exit(0) }
    });
    helper.ends().map_err(|why| format!("helper: {why}"))?;
    Ok(helper.seat().status.load(SeqCst) as u32)
}
