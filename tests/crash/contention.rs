//! Operations on a mutex that others wait for. What matters is not what the
//! victim leaves in the segment but whom it leaves asleep: each scene has two
//! waiters, who come by the mutex or do not, and a barger, who takes it when it
//! happens to be free.

use crate::abi::{FOREVER, OK, TIMED_OUT};
use crate::locker::{self, Cast, Wanted};
use crate::outcomes::is;
use crate::player::{Player, Stage};
use crate::short::{Lock, Way};
use crate::travel::Lead;
use crate::victim::{Morning, Stand, Victim, nobody, stepped};
use crate::world::World;

const FOUNDER: usize = 0;
const VICTIM: usize = 1;
const FIRST: usize = 2;
const SECOND: usize = 3;
const BARGER: usize = 4;
const OWNER: usize = 5;
const OTHER_OWNER: usize = 6;
/// Participants for which there is room.
const ROOM: u32 = 8;

/// How long a victim waits that does not wait for ever: long enough to fall asleep
/// even when it is stepped.
const PATIENCE_NS: i64 = 300_000_000;

/// A mutex operation of the victim with others around.
pub(crate) struct Contention {
    pub(crate) name: &'static str,
    drama: Drama,
    way: Way,
}

#[derive(Clone, Copy)]
enum Drama {
    /// The victim unlocks, with both waiters asleep.
    Unlock(Then),
    /// The victim unlocks what it has waited for, with the waiters asleep who came
    /// before it got it: they watch an owner who is alive and gone.
    UnlockInherited,
    /// The victim locks and falls asleep, the waiters behind it.
    Lock(First, Barger),
    /// The same, but the victim does not wait for ever.
    GiveUp(First),
    /// The victim holds two mutexes, a waiter behind each, and unlocks one.
    UnlockOne,
    /// The victim has waited for one mutex, with a waiter behind it, and now waits for
    /// the other.
    LockOther,
}

/// What happens when the victim stands still in its unlock.
#[derive(Clone, Copy)]
enum Then {
    /// It dies; then the barger comes.
    Dies,
    /// The barger comes, this waiter dies, the barger leaves; then the victim dies.
    Waiter(usize),
}

/// How the owner for whom the victim waits comes to an end of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Unlocks,
    Dies,
}

/// What the barger does once the victim is dead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Barger {
    Absent,
    Unlocks,
    Dies,
}

/// All dramas, played in one way.
macro_rules! contentions {
    ($prefix:literal, $way:expr, $($name:literal: $drama:expr;)*) => {
        [$(Contention { name: concat!($prefix, $name), drama: $drama, way: $way }),*]
    };
    ($prefix:literal, $way:expr) => {
        contentions! {
            $prefix, $way,
            "unlock_waiters": Drama::Unlock(Then::Dies);
            "unlock_first_dies": Drama::Unlock(Then::Waiter(FIRST));
            "unlock_second_dies": Drama::Unlock(Then::Waiter(SECOND));
            "unlock_inherited": Drama::UnlockInherited;
            "lock_wait": Drama::Lock(First::Unlocks, Barger::Absent);
            "lock_wait_owner_dies": Drama::Lock(First::Dies, Barger::Absent);
            "lock_wait_barger": Drama::Lock(First::Unlocks, Barger::Unlocks);
            "lock_wait_barger_dies": Drama::Lock(First::Unlocks, Barger::Dies);
            "lock_wait_owner_dies_barger": Drama::Lock(First::Dies, Barger::Unlocks);
            "lock_wait_all_die": Drama::Lock(First::Dies, Barger::Dies);
            "lock_timeout": Drama::GiveUp(First::Unlocks);
            "lock_timeout_owner_dies": Drama::GiveUp(First::Dies);
            "unlock_one_of_two": Drama::UnlockOne;
            "lock_other": Drama::LockOther;
        }
    };
}

/// All of them: with nothing but calls, and with everybody taking the short way first.
pub(crate) fn all() -> impl Iterator<Item = &'static Contention> {
    CALLED.iter().chain(INLINED)
}

const CALLED: &[Contention] = &contentions!("", Way::Called);
const INLINED: &[Contention] = &contentions!("inlined_", Way::Inlined);

impl Contention {
    /// Plays the scene, the victim led by `lead` to where it dies.
    pub(crate) fn play(&self, lead: Lead) -> Result<(), String> {
        let mut founder = Player::enter(FOUNDER, founder);
        founder.reaches(1)?;
        let mut cast = Cast::new(self.way);
        match self.drama {
            Drama::Unlock(then) => unlock(&mut cast, then, lead)?,
            Drama::UnlockInherited => unlock_inherited(&mut cast, lead)?,
            Drama::Lock(first, barger) => lock(&mut cast, first, barger, lead)?,
            Drama::GiveUp(first) => give_up(&mut cast, first, lead)?,
            Drama::UnlockOne => unlock_one(&mut cast, lead)?,
            Drama::LockOther => lock_other(&mut cast, lead)?,
        }
        cast.all_get_it()?;
        founder.ends().map_err(|why| format!("founder: {why}"))?;
        cast.were_told()
    }
}

/// Has the segment open from before the first lock until after the last death.
fn founder(stage: Stage) -> Result<(), String> {
    let world = World::found(ROOM)?;
    stage.pause();
    for world in [world, world.turned()] {
        locker::lock_and_unlock(&world)?;
        is("status of the last lock", world.lock()?, OK)?;
        world.unlock()?;
    }
    world.verify()
}

fn unlock(cast: &mut Cast, then: Then, lead: Lead) -> Result<(), String> {
    let mut victim = Victim::enter(VICTIM, |stage| {
        let lock = Lock::of(World::open()?.mutex, cast.way)?;
        lock.take()?;
        stepped(stage, || lock.unlock())
    })?;
    waiters_come(cast)?;
    lead(&mut victim, &mut nobody)?;
    let held = if victim.stand == Stand::Returned { Some(false) } else { None };
    match then {
        Then::Dies => {
            victim.dies();
            cast.victim_dies(held);
            cast.enters_barging(BARGER)?;
        }
        Then::Waiter(waiter) => {
            cast.enters_barging(BARGER)?;
            if cast.holds(waiter) {
                cast.unlocks(waiter)?
            } else {
                cast.dies(waiter)
            }
            if cast.holds(BARGER) {
                cast.unlocks(BARGER)?;
            }
            victim.dies();
            cast.victim_dies(held);
        }
    }
    Ok(())
}

fn unlock_inherited(cast: &mut Cast, lead: Lead) -> Result<(), String> {
    cast.enters_holding(OWNER, Wanted::Mutex)?;
    let way = cast.way;
    let part = |stage: Stage| {
        let lock = Lock::of(World::open()?.mutex, way)?;
        lock.take()?;
        stepped(stage, || lock.unlock())
    };
    let mut victim = Victim::enter_behind_others(VICTIM, part, |victim| {
        victim.falls_asleep()?;
        waiters_come(cast)?;
        cast.unlocks(OWNER)
    })?;
    lead(&mut victim, &mut nobody)?;
    victim.dies();
    cast.victim_dies((victim.stand == Stand::Returned).then_some(false));
    Ok(())
}

fn lock(cast: &mut Cast, first: First, barger: Barger, lead: Lead) -> Result<(), String> {
    cast.enters_holding(OWNER, Wanted::Mutex)?;
    let mut victim = Victim::enter(VICTIM, |stage| {
        let lock = Lock::of(World::open()?.mutex, cast.way)?;
        stepped(stage, || lock.lock(FOREVER))
    })?;
    let mut slept = false;
    lead(&mut victim, &mut || {
        if !std::mem::replace(&mut slept, true) {
            waiters_come(cast)?;
            owner_goes(cast, first)?;
        }
        // Another may have been faster; the victim's turn comes again.
        cast.whoever_holds_unlocks().map(|()| Morning::Woken)
    })?;
    if !slept {
        waiters_come(cast)?;
    }
    if barger != Barger::Absent {
        cast.enters_barging(BARGER)?;
    }
    let held = if victim.stand == Stand::Returned { Some(true) } else { None };
    victim.dies();
    cast.victim_dies(held);
    if !slept {
        owner_goes(cast, first)?;
    }
    if barger == Barger::Dies && cast.holds(BARGER) {
        cast.dies(BARGER);
    }
    Ok(())
}

fn give_up(cast: &mut Cast, first: First, lead: Lead) -> Result<(), String> {
    cast.enters_holding(OWNER, Wanted::Mutex)?;
    let mut victim = Victim::enter(VICTIM, |stage| {
        let lock = Lock::of(World::open()?.mutex, cast.way)?;
        stepped(stage, || lock.lock(PATIENCE_NS))
    })?;
    let mut slept = false;
    lead(&mut victim, &mut || {
        if !std::mem::replace(&mut slept, true) {
            waiters_come(cast)?;
        }
        Ok(Morning::Woken)
    })?;
    if !slept {
        waiters_come(cast)?;
    }
    if victim.stand == Stand::Returned {
        is("status of the victim's lock", victim.status(), TIMED_OUT)?;
    }
    victim.dies();
    cast.victim_dies(Some(false));
    owner_goes(cast, first)
}

fn unlock_one(cast: &mut Cast, lead: Lead) -> Result<(), String> {
    let mut victim = Victim::enter(VICTIM, |stage| {
        let (lock, other) = both(cast.way)?;
        lock.take()?;
        other.take()?;
        stepped(stage, || other.unlock())
    })?;
    cast.enters_waiting(FIRST, Wanted::Mutex)?;
    cast.enters_waiting(SECOND, Wanted::Other)?;
    lead(&mut victim, &mut nobody)?;
    victim.dies();
    cast.victim_dies(Some(true));
    cast.victim_dies((victim.stand == Stand::Returned).then_some(false));
    Ok(())
}

fn lock_other(cast: &mut Cast, lead: Lead) -> Result<(), String> {
    cast.enters_holding(OWNER, Wanted::Mutex)?;
    cast.enters_holding(OTHER_OWNER, Wanted::Other)?;
    let way = cast.way;
    let part = |stage: Stage| {
        let (lock, other) = both(way)?;
        lock.take()?;
        stepped(stage, || other.lock(FOREVER))
    };
    // The waiter behind the victim falls asleep under an owner who then leaves, alive.
    let mut victim = Victim::enter_behind_others(VICTIM, part, |victim| {
        victim.falls_asleep()?;
        cast.enters_waiting(FIRST, Wanted::Mutex)?;
        cast.unlocks(OWNER)
    })?;
    let mut slept = false;
    lead(&mut victim, &mut || {
        if !std::mem::replace(&mut slept, true) {
            cast.enters_waiting(SECOND, Wanted::Other)?;
            cast.unlocks(OTHER_OWNER)?;
        }
        // As in `lock`.
        cast.whoever_holds_unlocks().map(|()| Morning::Woken)
    })?;
    victim.dies();
    cast.victim_dies(Some(true));
    cast.victim_dies(if victim.stand == Stand::Returned { Some(true) } else { None });
    if !slept {
        cast.enters_waiting(SECOND, Wanted::Other)?;
        cast.unlocks(OTHER_OWNER)?;
    }
    Ok(())
}

/// The mutex and the other one.
fn both(way: Way) -> Result<(Lock, Lock), String> {
    let world = World::open()?;
    Ok((Lock::of(world.mutex, way)?, Lock::of(world.other, way)?))
}

fn waiters_come(cast: &mut Cast) -> Result<(), String> {
    cast.enters_waiting(FIRST, Wanted::Mutex)?;
    cast.enters_waiting(SECOND, Wanted::Mutex)
}

fn owner_goes(cast: &mut Cast, first: First) -> Result<(), String> {
    match first {
        First::Unlocks => cast.unlocks(OWNER),
        First::Dies => {
            cast.dies(OWNER);
            Ok(())
        }
    }
}
