//! Threads that wait for several objects at once. They take nothing, and no wake-up is theirs
//! alone: whoever waits for the same object beside them gets what there is, however many of
//! them are killed.

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering::SeqCst};

use crate::abi::{FOREVER, Handle, OK, TIMED_OUT, Waitable, call};
use crate::gates::{self, PATIENCE_NS, all_are_told, pulse_is_told, set_is_told};
use crate::nouns::{COUNT, EVENT, LATCH, Object, SEMAPHORE, TRACKED};
use crate::permits::{self, all_get_one, come_from_nowhere, go_with_the_victim};
use crate::sleepers::{ROLE, Role};
use crate::vigils::{HOLDER, VIGIL, Vigil, helper};
use crate::world::{handle, ok};

/// An event beside the object on stage, which nobody sets.
static BYSTANDER: AtomicPtr<std::ffi::c_void> = AtomicPtr::new(null_mut());

/// Waits for an event, or for another one.
const WAITER: Role = Role { before: bring_bystander, wait: |event, _| wait(event), ..ROLE };
/// Comes for a permit when there is one.
const TAKER: Role = Role {
    before: bring_bystander,
    wait: |semaphore, _| {
        loop {
            match wait(semaphore) {
                OK => {}
                status => return status,
            }
            match call!(semaphore_acquire(semaphore.handle, 0)) {
                TIMED_OUT => {}
                status => return status,
            }
        }
    },
    ..permits::TAKER
};
/// Waits for an event, or for a death.
const MOURNER: Role =
    Role { wait: |event, _| wait_for(&[event.handle, event.world.segment], FOREVER, 2), ..ROLE };

const SETTER: Vigil = Vigil {
    noun: &EVENT,
    sleepers: &[&WAITER, &gates::WAITER],
    call: gates::set,
    judge: set_is_told,
    ..VIGIL
};
const RELEASER: Vigil = Vigil {
    noun: &SEMAPHORE,
    sleepers: &[&TAKER, &permits::TAKER],
    call: |semaphore| permits::release(semaphore, 1),
    judge: |cast, fate| come_from_nowhere(cast, fate, 1),
    ..VIGIL
};
/// The victim waits for what it does not take, before two that would take it.
const SLEEPER: Vigil = Vigil {
    noun: &SEMAPHORE,
    sleepers: &[&permits::TAKER, &permits::TAKER],
    before: bring_bystander,
    call: wait,
    waker: Some(|cast| helper(cast, |object| ok("release", permits::release(object, 1)))),
    judge: |cast, fate| come_from_nowhere(cast, fate, 1),
    ..VIGIL
};

pub(crate) const VIGILS: &[Vigil] = &[
    Vigil { name: "any_event_set", ..SETTER },
    Vigil {
        name: "any_event_pulse",
        is_variant: true,
        sleepers: &[&WAITER, &WAITER],
        call: gates::pulse,
        judge: pulse_is_told,
        ..SETTER
    },
    Vigil {
        name: "any_latch_count_down",
        is_variant: true,
        noun: &LATCH,
        sleepers: &[&WAITER, &gates::LATCH_WAITER],
        call: |latch| gates::count_down(latch, COUNT),
        judge: gates::count_is_told,
        ..VIGIL
    },
    Vigil { name: "any_semaphore_release", ..RELEASER },
    Vigil {
        name: "any_semaphore_release_behind",
        is_variant: true,
        sleepers: &[&permits::TAKER, &TAKER],
        ..RELEASER
    },
    Vigil {
        name: "any_semaphore_release_many",
        is_variant: true,
        sleepers: &[&TAKER, &TAKER, &permits::TAKER],
        call: |semaphore| permits::release(semaphore, 2),
        judge: |cast, fate| come_from_nowhere(cast, fate, 2),
        ..RELEASER
    },
    // Who was woken for a permit dies with it, or before it has it.
    Vigil {
        name: "any_semaphore_acquirer_dies",
        sleepers: &[&TAKER, &permits::TAKER],
        call: permits::acquire,
        waker: Some(|cast| helper(cast, |object| ok("release", permits::release(object, 1)))),
        judge: |cast, fate| go_with_the_victim(cast, fate, 1),
        ..RELEASER
    },
    Vigil { name: "any_semaphore_sleeper_dies", ..SLEEPER },
    Vigil {
        name: "any_semaphore_sleeper_dies_by_many",
        is_variant: true,
        waker: Some(|cast| helper(cast, |object| ok("release", permits::release(object, 2)))),
        judge: |cast, fate| come_from_nowhere(cast, fate, 2),
        ..SLEEPER
    },
    Vigil {
        name: "any_semaphore_sleeper_gives_up",
        is_variant: true,
        call: |object| wait_for(&[object.handle, BYSTANDER.load(SeqCst)], PATIENCE_NS, 1),
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        judge: |cast, fate| {
            helper(cast, |object| ok("release", permits::release(object, 1)))?;
            cast.settles()?;
            come_from_nowhere(cast, fate, 1)
        },
        ..SLEEPER
    },
    Vigil {
        name: "any_event_sleeper_dies",
        is_variant: true,
        noun: &EVENT,
        sleepers: &[&gates::WAITER, &WAITER],
        waker: Some(|cast| helper(cast, |event| ok("event_set", gates::set(event)))),
        judge: all_are_told,
        ..SLEEPER
    },
    Vigil {
        name: "any_tracked_release",
        noun: &TRACKED,
        before: permits::take_all,
        judge: all_get_one,
        ..RELEASER
    },
    // If the holder dies too it is the second death, which may take a slice.
    Vigil {
        name: "any_tracked_sleeper_dies",
        noun: &TRACKED,
        holder: Some(&permits::HOARDER),
        sleepers: &[&TAKER, &permits::TAKER],
        waker: Some(|cast| cast.leaves(HOLDER)),
        judge: all_get_one,
        ..SLEEPER
    },
    // The victim is the one whose death is waited for.
    Vigil {
        name: "any_death",
        noun: &EVENT,
        sleepers: &[&MOURNER, &MOURNER],
        call: |event| call!(mutex_lock(event.world.mutex, FOREVER)),
        judge: all_are_told,
        ..VIGIL
    },
];

fn bring_bystander(object: &Object) -> Result<(), String> {
    let bystander =
        handle("event_create", |out| call!(event_create(object.world.segment, null(), out)))?;
    BYSTANDER.store(bystander, SeqCst);
    Ok(())
}

fn wait(object: &Object) -> i32 {
    wait_for(&[object.handle, BYSTANDER.load(SeqCst)], FOREVER, 1)
}

/// Waits for one of them, and gives its status; or something that is none, if others are said
/// to be ready than these.
fn wait_for(handles: &[Handle], timeout_ns: i64, must_be: u64) -> i32 {
    const OTHERS_ARE_READY: i32 = 1000;
    let all: Vec<_> = handles.iter().map(|handle| Waitable { handle: *handle, seen: 0 }).collect();
    let mut ready = 0;
    match call!(wait_any(all.as_ptr(), all.len(), timeout_ns, &mut ready)) {
        OK if ready != must_be => OTHERS_ARE_READY,
        status => status,
    }
}
