//! Waits for a condition variable that are objects: begun, ended and given up.
//!
//! A waiter dies with the thread that made it, and then what it was notified of is for who
//! comes next. So it is when it is closed without having been asked.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::SeqCst};

use crate::abi::{FOREVER, OK, TIMED_OUT, Waitable, call};
use crate::bells::{self, NOTIFIED, notify_all, notify_one, one_is_notified};
use crate::gates::called;
use crate::nouns::{CONDVAR, Object};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::is;
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{FIRST, Fate, HOLDER, VIGIL, Vigil, helper};
use crate::world::ok;

/// The player's waiter.
static WAITER: AtomicPtr<std::ffi::c_void> = AtomicPtr::new(null_mut());
/// What is in order for one that was ready, and for none.
const NOT_READY: i32 = OK;
const READY_IN_VAIN: i32 = 1001;

/// Begins to wait, and ends its wait when it leaves, as one that has been notified.
const PATIENT: Role = Role { before: creates, leave: |_, _| finishes_notified(), ..ROLE };
/// The same for the older one of two waiters.
const PATIENT_TWICE: Role = Role { before: creates_two, ..PATIENT };
/// Ends its wait then if it had come out of it.
const POLLER: Role = Role { before: creates, wait: |_, _| poll(FOREVER), ..PATIENT };

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
    // It stands still while another one begins to wait, and all are notified.
    Vigil {
        name: "waiter_create_beside",
        before: |_| Ok(()),
        call: create_and_finish,
        meanwhile: |cast| {
            cast.comes_through(HOLDER, &PATIENT)?;
            helper(cast, |bell| ok("notify_all", notify_all(bell)))
        },
        judge: |cast, _| cast.leaves(HOLDER),
        ..BESIDE
    },
    // It stands still while a younger one goes that was ready before.
    Vigil {
        name: "waiter_finish_beside",
        status: NOTIFIED,
        sleepers: &[&POLLER],
        ready: |cast| {
            helper(cast, |bell| ok("notify_all", notify_all(bell)))?;
            cast.settles()
        },
        meanwhile: |cast| cast.leaves(FIRST),
        ..BESIDE
    },
    // It looks while an older one goes, and would be next but for another.
    Vigil {
        name: "waiter_poll_beside",
        holder: Some(&PATIENT_TWICE),
        call: |_| poll_and_finish(),
        status: NOT_READY,
        ready: |cast| helper(cast, |bell| ok("notify", call!(condvar_notify_many(bell.handle, 2)))),
        meanwhile: |cast| cast.leaves(HOLDER),
        ..BESIDE
    },
];

/// The victim stands still, and lives.
const BESIDE: Vigil =
    Vigil { noun: &CONDVAR, before: creates, call: |_| finish(), lives: true, ..VIGIL };

fn create(condvar: &Object) -> i32 {
    let mut waiter = null_mut();
    let status = call!(waiter_create(condvar.handle, &mut waiter));
    WAITER.store(waiter, SeqCst);
    status
}

/// Whether it is notified is its own good luck.
fn create_and_finish(condvar: &Object) -> i32 {
    match (create(condvar), finish()) {
        (OK, NOTIFIED | OK) => OK,
        (status, _) => status,
    }
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

fn creates_two(condvar: &Object) -> Result<(), String> {
    let mut younger = null_mut();
    creates(condvar)?;
    ok("waiter_create", call!(waiter_create(condvar.handle, &mut younger)))
}

fn finishes_notified() -> Result<(), String> {
    is("status of the finish of one that was notified", finish(), NOTIFIED)
}

fn poll(timeout_ns: i64) -> i32 {
    let waitable = Waitable { handle: WAITER.load(SeqCst), seen: 0 };
    call!(wait_any(&waitable, 1, timeout_ns, &mut 0))
}

/// Who is told that its wait may be finished has been notified.
fn poll_and_finish() -> i32 {
    match (poll(0), finish()) {
        (OK, NOTIFIED) => NOTIFIED,
        (OK, _) => READY_IN_VAIN,
        (TIMED_OUT, status) => status,
        (status, _) => status,
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
