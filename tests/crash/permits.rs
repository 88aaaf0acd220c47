//! Operations on semaphores, and those who wait for permits.

use crate::abi::{FOREVER, OK, TIMED_OUT, call};
use crate::gates::{PATIENCE_NS, called};
use crate::nouns::{Object, PERMITS, SEMAPHORE, TRACKED, permits};
use crate::operations::{Operation, PLAIN, Sight};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{Fate, HOLDER, VIGIL, Vigil, ask, helper};
use crate::world::{World, ok};

const TRACKED_OPERATION: Operation = Operation {
    noun: Some(&TRACKED),
    glance: |world| TRACKED.look(world, |semaphore| permits(semaphore.handle).map(drop)),
    outcome: all_permits_come_back,
    ..PLAIN
};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "semaphore_release",
        noun: Some(&SEMAPHORE),
        victim: |stage| called(stage, &SEMAPHORE, |_| Ok(()), |semaphore| release(semaphore, 2)),
        sight: |world, _| permits_are(world, 0, 2),
        outcome: semaphore_goes_on,
        ..PLAIN
    },
    Operation {
        name: "semaphore_acquire",
        noun: Some(&SEMAPHORE),
        victim: |stage| {
            called(stage, &SEMAPHORE, |semaphore| ok("release", release(semaphore, 2)), acquire)
        },
        sight: |world, _| permits_are(world, 2, 1),
        outcome: semaphore_goes_on,
        ..PLAIN
    },
    Operation {
        name: "tracked_acquire",
        victim: |stage| called(stage, &TRACKED, |_| Ok(()), acquire),
        ..TRACKED_OPERATION
    },
    Operation {
        name: "tracked_acquire_dead_holder",
        predecessor: Some(dies_holding_all),
        victim: |stage| called(stage, &TRACKED, |_| Ok(()), acquire),
        ..TRACKED_OPERATION
    },
    Operation {
        name: "tracked_release",
        victim: |stage| called(stage, &TRACKED, take_all, |semaphore| release(semaphore, 1)),
        ..TRACKED_OPERATION
    },
    Operation {
        name: "tracked_release_all",
        victim: |stage| called(stage, &TRACKED, take_all, |semaphore| release(semaphore, PERMITS)),
        ..TRACKED_OPERATION
    },
];

/// Waits for a permit, keeps it for a while, and gives it back.
pub(crate) const TAKER: Role = Role {
    wait: |semaphore, _| acquire(semaphore),
    leave: |semaphore, _| ok("release", release(semaphore, 1)),
    ..ROLE
};
/// Takes all permits, and gives them back.
pub(crate) const HOARDER: Role = Role {
    wait: |semaphore, _| take_all(semaphore).map_or(-1, |()| OK),
    leave: |semaphore, _| ok("release", release(semaphore, PERMITS)),
    ..ROLE
};

const PLAIN_VIGIL: Vigil = Vigil { noun: &SEMAPHORE, sleepers: &[&TAKER, &TAKER], ..VIGIL };
const TRACKED_VIGIL: Vigil =
    Vigil { noun: &TRACKED, sleepers: &[&TAKER, &TAKER], judge: all_get_one, ..VIGIL };
/// The victim waits for one of the permits that another has.
const TRACKED_SLEEPER: Vigil = Vigil { holder: Some(&HOARDER), call: acquire, ..TRACKED_VIGIL };

pub(crate) const VIGILS: &[Vigil] = &[
    Vigil {
        name: "semaphore_release_waiters",
        is_variant: true,
        call: |semaphore| release(semaphore, 1),
        judge: |cast, fate| come_from_nowhere(cast, fate, 1),
        ..PLAIN_VIGIL
    },
    Vigil {
        name: "semaphore_release_many",
        call: |semaphore| release(semaphore, 2),
        judge: |cast, fate| come_from_nowhere(cast, fate, 2),
        ..PLAIN_VIGIL
    },
    Vigil {
        name: "semaphore_acquire_woken",
        is_variant: true,
        call: acquire,
        waker: Some(|cast| helper(cast, |semaphore| ok("release", release(semaphore, 1)))),
        judge: |cast, fate| go_with_the_victim(cast, fate, 1),
        ..PLAIN_VIGIL
    },
    Vigil {
        name: "semaphore_acquire_woken_by_many",
        call: acquire,
        waker: Some(|cast| helper(cast, |semaphore| ok("release", release(semaphore, 2)))),
        judge: |cast, fate| go_with_the_victim(cast, fate, 2),
        ..PLAIN_VIGIL
    },
    Vigil {
        name: "semaphore_acquire_timeout",
        is_variant: true,
        call: acquire_hastily,
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        judge: |cast, _| {
            is("permits, and those who have got one", there_are(cast)?, 0)?;
            helper(cast, |semaphore| ok("release", release(semaphore, 1)))?;
            cast.settles()?;
            is("permits after a release", there_are(cast)?, 1)?;
            the_rest_get_one(cast)
        },
        ..PLAIN_VIGIL
    },
    Vigil {
        name: "tracked_release_waiters",
        before: take_all,
        call: |semaphore| release(semaphore, 1),
        ..TRACKED_VIGIL
    },
    Vigil {
        name: "tracked_release_many",
        is_variant: true,
        before: take_all,
        call: |semaphore| release(semaphore, PERMITS),
        ..TRACKED_VIGIL
    },
    // One that has none gives back another's.
    Vigil {
        name: "tracked_release_of_another",
        holder: Some(&HOARDER),
        call: |semaphore| release(semaphore, 1),
        judge: another_lost_one,
        ..TRACKED_VIGIL
    },
    Vigil {
        name: "tracked_acquire_woken",
        is_variant: true,
        waker: Some(|cast| cast.leaves(HOLDER)),
        ..TRACKED_SLEEPER
    },
    Vigil {
        name: "tracked_acquire_holder_dies",
        waker: Some(|cast| {
            cast.dies(HOLDER);
            Ok(())
        }),
        ..TRACKED_SLEEPER
    },
    Vigil {
        name: "tracked_acquire_timeout",
        is_variant: true,
        call: acquire_hastily,
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        judge: |cast, fate| {
            is("takers asleep", cast.asleep(), 2)?;
            cast.dies(HOLDER);
            cast.settles()?;
            all_get_one(cast, fate)
        },
        ..TRACKED_SLEEPER
    },
];

pub(crate) fn acquire(semaphore: &Object) -> i32 {
    call!(semaphore_acquire(semaphore.handle, FOREVER))
}

pub(crate) fn acquire_hastily(semaphore: &Object) -> i32 {
    call!(semaphore_acquire(semaphore.handle, PATIENCE_NS))
}

pub(crate) fn release(semaphore: &Object, count: u32) -> i32 {
    call!(semaphore_release(semaphore.handle, count))
}

/// All permits that are left, without waiting.
fn drain(semaphore: &Object) -> Result<u32, String> {
    for taken in 0.. {
        match call!(semaphore_acquire(semaphore.handle, 0)) {
            TIMED_OUT => return Ok(taken),
            status => ok("semaphore_acquire", status)?,
        }
    }
    unreachable!("so many permits there are not")
}

pub(crate) fn take_all(semaphore: &Object) -> Result<(), String> {
    (0..PERMITS).try_for_each(|_| ok("semaphore_acquire", acquire(semaphore)))
}

pub(crate) fn dies_holding_all(stage: Stage) -> Result<(), String> {
    take_all(&TRACKED.open()?)?;
    stage.pause();
    Ok(())
}

fn permits_are(world: &World, before: u32, after: u32) -> Result<Sight, String> {
    match SEMAPHORE.look(world, |semaphore| permits(semaphore.handle))? {
        left if left == before => Ok(Sight::Before),
        left if left == after => Ok(Sight::After),
        left => Err(format!("the semaphore has {left} permits")),
    }
}

/// It has as many permits as it says, and takes more.
pub(crate) fn semaphore_goes_on(world: &World, death: &Death) -> Result<(), String> {
    SEMAPHORE.look(world, |semaphore| {
        let left = permits(semaphore.handle)?;
        is("permits that can be acquired", drain(semaphore)?, left)?;
        ok("semaphore_release", release(semaphore, 3))?;
        is("permits that can be acquired in the end", drain(semaphore)?, 3)
    })?;
    outcomes::unchanged(world, death)
}

/// What the dead held is free.
pub(crate) fn all_permits_come_back(world: &World, death: &Death) -> Result<(), String> {
    TRACKED.look(world, |semaphore| {
        is("permits after the death", permits(semaphore.handle)?, PERMITS)?;
        is("permits that can be acquired", drain(semaphore)?, PERMITS)?;
        is("permits when all are taken", permits(semaphore.handle)?, 0)?;
        ok("semaphore_release", release(semaphore, PERMITS))
    })?;
    outcomes::unchanged(world, death)
}

/// Permits that sleepers have, and those that are left: none while somebody sleeps.
pub(crate) fn there_are(cast: &mut Cast) -> Result<u32, String> {
    let left = ask(cast, |semaphore| permits(semaphore.handle))?;
    is("statuses of those who wait", cast.statuses(), vec![OK; cast.statuses().len()])?;
    if left > 0 {
        is("takers asleep beside a permit", cast.asleep(), 0)?;
    }
    Ok(left + cast.staying() as u32)
}

/// A release has given so many permits, or none.
pub(crate) fn come_from_nowhere(cast: &mut Cast, fate: Fate, count: u32) -> Result<(), String> {
    let all = there_are(cast)?;
    if fate.returned || all > 0 {
        is("permits after a release", all, count)?;
    }
    the_rest_get_one(cast)
}

/// Of so many permits the victim may have had one, and has it for sure if its call returned.
pub(crate) fn go_with_the_victim(cast: &mut Cast, fate: Fate, count: u32) -> Result<(), String> {
    let all = there_are(cast)?;
    let least = count - u32::from(fate.slept);
    let most = count - u32::from(fate.returned);
    if !(least..=most).contains(&all) {
        return Err(format!("{all} permits are there, not {least} to {most}"));
    }
    the_rest_get_one(cast)
}

pub(crate) fn the_rest_get_one(cast: &mut Cast) -> Result<(), String> {
    let asleep = cast.asleep() as u32;
    helper(cast, |semaphore| ok("semaphore_release", release(semaphore, asleep + 1)))?;
    cast.settles()?;
    is("takers asleep in the end", cast.asleep(), 0)?;
    cast.awake_leave().map(|_| ())
}

/// All permits are there, for the takers, and no more.
pub(crate) fn all_get_one(cast: &mut Cast, _: Fate) -> Result<(), String> {
    is("takers asleep", cast.asleep(), 0)?;
    let left = ask(cast, |semaphore| permits(semaphore.handle))?;
    is("permits left", left, PERMITS - cast.staying() as u32)?;
    cast.awake_leave()?;
    is("permits in the end", ask(cast, |semaphore| permits(semaphore.handle))?, PERMITS)
}

/// One taker has the other's permit, or nobody; the rest come when that goes.
fn another_lost_one(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    let asleep = cast.asleep();
    if fate.returned || asleep < 2 {
        is("takers asleep", asleep, 1)?;
    }
    cast.dies(HOLDER);
    cast.settles()?;
    is("takers asleep in the end", cast.asleep(), 0)?;
    cast.awake_leave().map(|_| ())
}
