//! Operations on a mutex that others wait for. What matters is not what the
//! victim leaves in the segment but whom it leaves asleep: each scene has two
//! waiters, who come by the mutex or do not, and a barger, who takes it when it
//! happens to be free.

use crate::abi::{FOREVER, OK, call};
use crate::locker::{self, Cast};
use crate::outcomes::is;
use crate::player::{Player, Stage};
use crate::travel::Lead;
use crate::victim::{Morning, Stand, Victim, nobody, stepped};
use crate::world::World;

const FOUNDER: usize = 0;
const VICTIM: usize = 1;
const FIRST: usize = 2;
const SECOND: usize = 3;
const BARGER: usize = 4;
const OWNER: usize = 5;
/// Participants for which there is room.
const ROOM: u32 = 8;

/// A mutex operation of the victim with others around.
pub(crate) struct Contention {
    pub(crate) name: &'static str,
    drama: Drama,
}

#[derive(Clone, Copy)]
enum Drama {
    /// The victim unlocks, with both waiters asleep.
    Unlock(Then),
    /// The victim locks and falls asleep, the waiters behind it.
    Lock(First, Barger),
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

pub(crate) const CONTENTIONS: &[Contention] = &[
    Contention { name: "unlock_waiters", drama: Drama::Unlock(Then::Dies) },
    Contention { name: "unlock_first_dies", drama: Drama::Unlock(Then::Waiter(FIRST)) },
    Contention { name: "unlock_second_dies", drama: Drama::Unlock(Then::Waiter(SECOND)) },
    Contention { name: "lock_wait", drama: Drama::Lock(First::Unlocks, Barger::Absent) },
    Contention { name: "lock_wait_owner_dies", drama: Drama::Lock(First::Dies, Barger::Absent) },
    Contention { name: "lock_wait_barger", drama: Drama::Lock(First::Unlocks, Barger::Unlocks) },
    Contention { name: "lock_wait_barger_dies", drama: Drama::Lock(First::Unlocks, Barger::Dies) },
    Contention {
        name: "lock_wait_owner_dies_barger",
        drama: Drama::Lock(First::Dies, Barger::Unlocks),
    },
    Contention { name: "lock_wait_all_die", drama: Drama::Lock(First::Dies, Barger::Dies) },
];

impl Contention {
    /// Plays the scene, the victim led by `lead` to where it dies.
    pub(crate) fn play(&self, lead: Lead) -> Result<(), String> {
        let mut founder = Player::enter(FOUNDER, founder);
        founder.reaches(1)?;
        let mut cast = Cast::default();
        match self.drama {
            Drama::Unlock(then) => unlock(&mut cast, then, lead)?,
            Drama::Lock(first, barger) => lock(&mut cast, first, barger, lead)?,
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
    locker::lock_and_unlock(&world)?;
    is("status of the last lock", world.lock()?, OK)?;
    world.unlock()?;
    world.verify()
}

fn unlock(cast: &mut Cast, then: Then, lead: Lead) -> Result<(), String> {
    let mut victim = Victim::enter(VICTIM, |stage| {
        let world = World::open()?;
        world.lock()?;
        stepped(stage, || call!(mutex_unlock(world.mutex)))
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

fn lock(cast: &mut Cast, first: First, barger: Barger, lead: Lead) -> Result<(), String> {
    cast.enters_holding(OWNER)?;
    let mut victim = Victim::enter(VICTIM, |stage| {
        let world = World::open()?;
        stepped(stage, || call!(mutex_lock(world.mutex, FOREVER)))
    })?;
    let mut slept = false;
    lead(&mut victim, &mut || {
        if slept {
            // Somebody else was faster; the victim's turn comes again.
            return cast.whoever_holds_unlocks().map(|()| Morning::Woken);
        }
        slept = true;
        waiters_come(cast)?;
        owner_goes(cast, first).map(|()| Morning::Woken)
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

fn waiters_come(cast: &mut Cast) -> Result<(), String> {
    cast.enters_waiting(FIRST)?;
    cast.enters_waiting(SECOND)
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
