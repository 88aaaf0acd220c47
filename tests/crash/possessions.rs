//! Locks that belong to processes. Who dies holding one is news to the next one that acquires
//! it, once: it is never lost, and nobody is told twice. Anybody may release it, and then it
//! is no news.

use std::ptr::null_mut;

use crate::abi::{FOREVER, OK, OWNER_DIED, TIMED_OUT, call};
use crate::gates::called;
use crate::nouns::{Object, PROCESS_LOCK};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{HOLDER, VIGIL, Vigil, ask};
use crate::world::{World, ok};

const ALONE: Operation = Operation { noun: Some(&PROCESS_LOCK), ..PLAIN };

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "process_lock_acquire",
        victim: |stage| called(stage, &PROCESS_LOCK, |_| Ok(()), acquire),
        glance: nobody_died,
        outcome: |world, death| goes_on(world, death, death.gives(OWNER_DIED)),
        ..ALONE
    },
    Operation {
        name: "process_lock_acquire_dead_owner",
        predecessor: Some(dies_holding),
        victim: |stage| called(stage, &PROCESS_LOCK, |_| Ok(()), acquire),
        status: OWNER_DIED,
        outcome: |world, death| goes_on(world, death, death.first.then_some(OWNER_DIED)),
        ..ALONE
    },
    Operation {
        name: "process_lock_release",
        victim: |stage| called(stage, &PROCESS_LOCK, |lock| ok("acquire", acquire(lock)), release),
        glance: nobody_died,
        outcome: |world, death| goes_on(world, death, death.gives(OK)),
        ..ALONE
    },
    Operation {
        name: "process_lock_release_dead_owner",
        predecessor: Some(dies_holding),
        victim: |stage| called(stage, &PROCESS_LOCK, |_| Ok(()), release),
        outcome: |world, death| goes_on(world, death, death.gives(OK)),
        ..ALONE
    },
];

/// Acquires it, keeps it for a while, and releases it.
const OWNER: Role = Role {
    wait: |lock, _| acquire(lock),
    leave: |lock, _| ok("lock_release", release(lock)),
    ..ROLE
};

const RELEASER: Vigil = Vigil {
    noun: &PROCESS_LOCK,
    sleepers: &[&OWNER, &OWNER],
    before: |lock| ok("lock_acquire", acquire(lock)),
    call: release,
    judge: |cast, fate| news_is_told(cast, 0, u32::from(!fate.returned)),
    ..VIGIL
};
const ACQUIRER: Vigil = Vigil {
    holder: Some(&OWNER),
    before: |_| Ok(()),
    call: |lock| match acquire(lock) {
        // Or the one before it is told.
        OWNER_DIED => OK,
        status => status,
    },
    ..RELEASER
};

pub(crate) const VIGILS: &[Vigil] = &[
    Vigil { name: "process_lock_release_waiters", ..RELEASER },
    // Another one's.
    Vigil {
        name: "process_lock_release_of_another",
        is_variant: true,
        holder: Some(&OWNER),
        before: |_| Ok(()),
        judge: |cast, _| {
            cast.dies(HOLDER);
            news_is_told(cast, 0, 1)
        },
        ..RELEASER
    },
    Vigil {
        name: "process_lock_acquire_woken",
        is_variant: true,
        waker: Some(|cast| cast.leaves(HOLDER)),
        judge: |cast, fate| news_is_told(cast, u32::from(fate.returned), 1),
        ..ACQUIRER
    },
    // Whoever was told of the first death may have died in turn.
    Vigil {
        name: "process_lock_acquire_holder_dies",
        waker: Some(|cast| {
            cast.dies(HOLDER);
            Ok(())
        }),
        judge: |cast, fate| news_is_told(cast, 1, 1 + u32::from(fate.slept)),
        ..ACQUIRER
    },
];

fn acquire(lock: &Object) -> i32 {
    call!(lock_acquire(lock.handle, FOREVER, null_mut()))
}

fn release(lock: &Object) -> i32 {
    call!(lock_release(lock.handle))
}

fn dies_holding(stage: Stage) -> Result<(), String> {
    ok("lock_acquire", acquire(&PROCESS_LOCK.open()?))?;
    stage.pause();
    Ok(())
}

/// While everybody lives, nobody is told of a death.
fn nobody_died(world: &World) -> Result<(), String> {
    PROCESS_LOCK.look(world, |lock| match call!(lock_acquire(lock.handle, 0, null_mut())) {
        OK => ok("lock_release", release(lock)),
        TIMED_OUT => Ok(()),
        OWNER_DIED => Err("told of the death of an owner who is alive".into()),
        status => ok("lock_acquire", status),
    })
}

/// The next one to acquire it gets `must_be`, if anything certain, and the one after that no
/// news.
fn goes_on(world: &World, death: &Death, must_be: Option<i32>) -> Result<(), String> {
    PROCESS_LOCK.look(world, |lock| {
        let status = acquire(lock);
        is("that it is acquired", [OK, OWNER_DIED].contains(&status), true)?;
        is("status of the survivor", status, must_be.unwrap_or(status))?;
        ok("lock_release", release(lock))?;
        ok("the next lock_acquire", acquire(lock))?;
        ok("lock_release", release(lock))
    })?;
    outcomes::unchanged(world, death)
}

/// All get it in turn, and one who comes in the end; so many of them with news, and then there
/// is no more.
fn news_is_told(cast: &mut Cast, least: u32, most: u32) -> Result<(), String> {
    cast.take_turns()?;
    let in_the_end = ask(cast, |lock| {
        let status = acquire(lock);
        ok("lock_release", release(lock))?;
        ok("the next lock_acquire", acquire(lock))?;
        ok("lock_release", release(lock)).map(|()| status as u32)
    })?;
    let statuses = [cast.statuses(), vec![in_the_end as i32]].concat();
    let told = statuses.iter().filter(|status| **status == OWNER_DIED).count() as u32;
    let acquired = statuses.iter().filter(|status| **status == OK).count() as u32;
    is("calls that acquired it", (told + acquired) as usize, statuses.len())?;
    match (least..=most).contains(&told) {
        true => Ok(()),
        false => Err(format!("{told} were told of a death, not {least} to {most}")),
    }
}
