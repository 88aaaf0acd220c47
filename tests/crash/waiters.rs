//! Waits for a condition variable that are objects: begun, ended and given up.
//!
//! A waiter dies with the thread that made it, and then what it was notified of is for who
//! comes next. So it is when it is closed without having been asked.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::SeqCst};

use crate::abi::{OK, call};
use crate::bells::{self, NOTIFIED, notify_one, one_is_notified};
use crate::gates::called;
use crate::nouns::{CONDVAR, Object};
use crate::operations::{Operation, PLAIN};
use crate::sleepers::Cast;
use crate::vigils::{Fate, VIGIL, Vigil, helper};
use crate::world::ok;

/// The player's waiter.
static WAITER: AtomicPtr<std::ffi::c_void> = AtomicPtr::new(null_mut());

const ALONE: Operation = Operation {
    noun: Some(&CONDVAR),
    outcome: bells::goes_on,
    fits_alone: false, // a waiter has a place of its own
    ..PLAIN
};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "waiter_create",
        victim: |stage| called(stage, &CONDVAR, |_| Ok(()), create),
        ..ALONE
    },
    Operation {
        name: "waiter_finish",
        victim: |stage| called(stage, &CONDVAR, creates, |_| finish()),
        ..ALONE
    },
    Operation {
        name: "waiter_finish_notified",
        victim: |stage| called(stage, &CONDVAR, is_notified, |_| finish()),
        status: NOTIFIED,
        ..ALONE
    },
    Operation {
        name: "waiter_close",
        victim: |stage| called(stage, &CONDVAR, is_notified, |_| close()),
        ..ALONE
    },
];

/// The victim has waited first, and ends its wait before two who wait too.
const FIRST_TO_GO: Vigil = Vigil {
    noun: &CONDVAR,
    sleepers: &[&bells::WAITER, &bells::WAITER],
    before: creates,
    call: |_| finish(),
    judge: next_is_notified,
    ..VIGIL
};
const NOTIFIED_FIRST: Vigil =
    Vigil { ready: |cast| helper(cast, |bell| ok("notify_one", notify_one(bell))), ..FIRST_TO_GO };

pub(crate) const VIGILS: &[Vigil] = &[
    // It comes behind them.
    Vigil { name: "waiter_create_waiters", before: |_| Ok(()), call: create, ..FIRST_TO_GO },
    Vigil { name: "waiter_finish_waiters", is_variant: true, ..FIRST_TO_GO },
    Vigil {
        name: "waiter_finish_notified_waiters",
        status: NOTIFIED,
        judge: |cast, fate| one_is_notified(cast, fate, true),
        ..NOTIFIED_FIRST
    },
    Vigil { name: "waiter_close_waiters", is_variant: true, call: |_| close(), ..FIRST_TO_GO },
    Vigil {
        name: "waiter_close_notified_waiters",
        call: |_| close(),
        judge: |cast, fate| one_is_notified(cast, fate, false),
        ..NOTIFIED_FIRST
    },
];

fn create(condvar: &Object) -> i32 {
    let mut waiter = null_mut();
    let status = call!(waiter_create(condvar.handle, &mut waiter));
    WAITER.store(waiter, SeqCst);
    status
}

fn creates(condvar: &Object) -> Result<(), String> {
    ok("waiter_create", create(condvar))
}

fn is_notified(condvar: &Object) -> Result<(), String> {
    creates(condvar)?;
    ok("notify_one", notify_one(condvar))
}

fn finish() -> i32 {
    let mut notified = false;
    match call!(waiter_finish(WAITER.load(SeqCst), &mut notified)) {
        OK if notified => NOTIFIED,
        status => status,
    }
}

fn close() -> i32 {
    call!(waiter_close(WAITER.load(SeqCst)))
}

/// The victim is gone, in whatever way: who notifies one notifies another.
fn next_is_notified(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    helper(cast, |bell| ok("notify_one", notify_one(bell)))?;
    cast.settles()?;
    one_is_notified(cast, fate, false)
}
