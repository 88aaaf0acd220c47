//! Operations on condition variables, and those who wait to be notified.

use crate::abi::{FOREVER, OK, TIMED_OUT, call};
use crate::gates::{PATIENCE_NS, called};
use crate::nouns::{CONDVAR, Object};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::{self, Death, is};
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{FIRST, Fate, VIGIL, Vigil, helper};
use crate::world::{World, ok};

const ALONE: Operation = Operation { noun: Some(&CONDVAR), outcome: goes_on, ..PLAIN };

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "notify_nobody",
        victim: |stage| called(stage, &CONDVAR, |_| Ok(()), notify_one),
        ..ALONE
    },
    Operation {
        name: "prepare_wait",
        victim: |stage| called(stage, &CONDVAR, |_| Ok(()), prepare),
        ..ALONE
    },
    Operation {
        name: "cancel_wait",
        victim: |stage| called(stage, &CONDVAR, |bell| ok("prepare", prepare(bell)), cancel),
        ..ALONE
    },
    // Notified by itself before it goes to sleep.
    Operation {
        name: "commit_wait_notified",
        victim: |stage| called(stage, &CONDVAR, is_notified, commit),
        ..ALONE
    },
];

/// Waits for a notification, in one call after the other if need be.
pub(crate) const WAITER: Role =
    Role { before: |bell| ok("prepare", prepare(bell)), wait: |bell, _| commit(bell), ..ROLE };

const WAITERS: &[&Role] = &[&WAITER, &WAITER, &WAITER];
const NOTIFIER: Vigil = Vigil { noun: &CONDVAR, sleepers: WAITERS, call: notify_one, ..VIGIL };
/// The victim waits first, with the mutex, and dies holding that or not.
const SLEEPER: Vigil = Vigil {
    noun: &CONDVAR,
    sleepers: &[&WAITER, &WAITER],
    before: lock,
    call: |bell| call!(condvar_wait(bell.handle, bell.world.mutex, FOREVER)),
    waker: Some(|cast| helper(cast, |bell| ok("notify_one", notify_one(bell)))),
    aftermath: |cast| helper(cast, |bell| bell.world.lock_all()),
    judge: |cast, fate| one_is_notified(cast, fate, fate.slept),
    ..VIGIL
};
/// It has prepared to wait, and goes to sleep, or does not.
const CANCELLER: Vigil = Vigil {
    noun: &CONDVAR,
    sleepers: &[&WAITER, &WAITER],
    before: |bell| ok("prepare", prepare(bell)),
    call: cancel,
    ..VIGIL
};

pub(crate) const VIGILS: &[Vigil] = &[
    Vigil {
        name: "notify_one_waiters",
        is_variant: true,
        judge: |cast, fate| are_notified(cast, fate, 1),
        ..NOTIFIER
    },
    // The one that a death wakes is not the oldest.
    Vigil {
        name: "notify_one_turned",
        ready: |cast| cast.turns_over(FIRST),
        judge: |cast, fate| are_notified(cast, fate, 1),
        ..NOTIFIER
    },
    Vigil {
        name: "notify_many_waiters",
        is_variant: true,
        call: |bell| call!(condvar_notify_many(bell.handle, 2)),
        judge: |cast, fate| are_notified(cast, fate, 2),
        ..NOTIFIER
    },
    Vigil {
        name: "notify_all_waiters",
        call: notify_all,
        judge: |cast, fate| are_notified(cast, fate, 3),
        ..NOTIFIER
    },
    Vigil { name: "condvar_wait_woken", ..SLEEPER },
    Vigil {
        name: "condvar_wait_all_woken",
        is_variant: true,
        waker: Some(|cast| helper(cast, |bell| ok("notify_all", notify_all(bell)))),
        judge: |cast, _| {
            is("waiters asleep", cast.asleep(), 0)?;
            the_rest_is_notified(cast)
        },
        ..SLEEPER
    },
    // The oldest that waits is dead before anybody is notified.
    Vigil {
        name: "condvar_wait_dies_first",
        waker: Some(|_| Ok(())),
        call: |bell| call!(condvar_wait(bell.handle, bell.world.mutex, PATIENCE_NS)),
        status: TIMED_OUT,
        judge: |cast, fate| {
            is("waiters asleep", cast.asleep(), 2)?;
            helper(cast, |bell| ok("notify_one", notify_one(bell)))?;
            cast.settles()?;
            one_is_notified(cast, fate, false)
        },
        ..SLEEPER
    },
    Vigil {
        name: "commit_wait_woken",
        is_variant: true,
        before: |bell| ok("prepare", prepare(bell)),
        call: commit,
        ..SLEEPER
    },
    Vigil {
        name: "commit_wait_timeout",
        is_variant: true,
        before: |bell| ok("prepare", prepare(bell)),
        call: |bell| call!(condvar_commit_wait(bell.handle, PATIENCE_NS)),
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        judge: |cast, fate| {
            is("waiters asleep", cast.asleep(), 2)?;
            helper(cast, |bell| ok("notify_one", notify_one(bell)))?;
            cast.settles()?;
            one_is_notified(cast, fate, false)
        },
        ..SLEEPER
    },
    Vigil {
        name: "cancel_wait_waiters",
        is_variant: true,
        judge: |cast, fate| {
            is("waiters asleep", cast.asleep(), 2)?;
            helper(cast, |bell| ok("notify_one", notify_one(bell)))?;
            cast.settles()?;
            one_is_notified(cast, fate, false)
        },
        ..CANCELLER
    },
    // It lives, and gives up while another notifies whoever is the oldest.
    Vigil {
        name: "cancel_wait_beside_notify",
        before: |bell| ok("prepare", prepare(bell)),
        call: |bell| match cancel(bell) {
            OK => OK,
            // Notified in vain: the next one's.
            NOTIFIED => notify_one(bell),
            status => status,
        },
        meanwhile: |cast| helper(cast, |bell| ok("notify_one", notify_one(bell))),
        lives: true,
        judge: |cast, fate| one_is_notified(cast, fate, false),
        ..CANCELLER
    },
    // What it was notified of in vain is the next one's.
    Vigil {
        name: "cancel_wait_notified",
        status: NOTIFIED,
        ready: |cast| helper(cast, |bell| ok("notify_one", notify_one(bell))),
        judge: |cast, fate| one_is_notified(cast, fate, true),
        ..CANCELLER
    },
    Vigil {
        name: "commit_wait_notified_waiters",
        is_variant: true,
        ready: |cast| helper(cast, |bell| ok("notify_one", notify_one(bell))),
        call: commit,
        judge: |cast, fate| one_is_notified(cast, fate, true),
        ..CANCELLER
    },
];

fn prepare(bell: &Object) -> i32 {
    call!(condvar_prepare_wait(bell.handle))
}

fn commit(bell: &Object) -> i32 {
    call!(condvar_commit_wait(bell.handle, FOREVER))
}

fn cancel(bell: &Object) -> i32 {
    let mut notified = false;
    match call!(condvar_cancel_wait(bell.handle, &mut notified)) {
        OK if notified => NOTIFIED,
        status => status,
    }
}

/// Stands for a wait that is given up and had been notified.
pub(crate) const NOTIFIED: i32 = 1000;

pub(crate) fn notify_one(bell: &Object) -> i32 {
    call!(condvar_notify_one(bell.handle))
}

pub(crate) fn notify_all(bell: &Object) -> i32 {
    call!(condvar_notify_all(bell.handle))
}

fn is_notified(bell: &Object) -> Result<(), String> {
    ok("prepare", prepare(bell))?;
    ok("notify_one", notify_one(bell))
}

fn lock(bell: &Object) -> Result<(), String> {
    is("status of the lock", bell.world.lock()?, OK)
}

/// Whoever waits next is notified by the next who notifies, and not before.
pub(crate) fn goes_on(world: &World, death: &Death) -> Result<(), String> {
    CONDVAR.look(world, |bell| {
        ok("prepare", prepare(bell))?;
        let waited = call!(condvar_commit_wait(bell.handle, 0));
        is("status of who was not notified", waited, TIMED_OUT)?;
        ok("notify_one", notify_one(bell))?;
        ok("commit", call!(condvar_commit_wait(bell.handle, 0)))
    })?;
    outcomes::unchanged(world, death)
}

/// A notification wakes as many as it should, or nobody, and the oldest of them.
fn are_notified(cast: &mut Cast, fate: Fate, count: usize) -> Result<(), String> {
    let notified = cast.statuses().len();
    if fate.returned || notified > 0 {
        is("waiters notified", notified, count)?;
    }
    let oldest = (FIRST..FIRST + notified).all(|seat| cast.status(seat) == Some(OK));
    is("that they are the oldest", oldest, true)?;
    the_rest_is_notified(cast)
}

/// There was one notification. Whether it may have been the victim's depends on whether that
/// was `there` and lived; it was if the call returned.
pub(crate) fn one_is_notified(cast: &mut Cast, fate: Fate, there: bool) -> Result<(), String> {
    let notified = cast.statuses().len();
    let (least, most) = (usize::from(!there), usize::from(!(there && fate.returned)));
    if !(least..=most).contains(&notified) {
        return Err(format!("{notified} were notified, not {least} to {most}"));
    }
    if notified == 1 {
        is("status of the oldest", cast.status(FIRST), Some(OK))?;
    }
    the_rest_is_notified(cast)
}

fn the_rest_is_notified(cast: &mut Cast) -> Result<(), String> {
    helper(cast, |bell| ok("notify_all", notify_all(bell)))?;
    cast.settles()?;
    is("waiters asleep in the end", cast.asleep(), 0)?;
    is("statuses of those who wait", cast.statuses(), vec![OK; cast.statuses().len()])?;
    cast.awake_leave().map(|_| ())
}
