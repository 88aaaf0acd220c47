//! Threads that listen: each sleeps in `poll` on a descriptor that an object has lent it.
//!
//! Some are killed as they begin to listen, listen again or leave; others listen to somebody
//! who is killed while it rings. A listener that finds something to come for when it was not
//! rung has slept beside it. And when everybody is gone, so are the files.

use std::fs;

use crate::abi::{INTERRUPTED, OK, TIMED_OUT, call};
use crate::gates::{self, all_are_told, called, clear, set, set_is_told};
use crate::nouns::{COUNT, EVENT, LATCH, Object, SEMAPHORE, TRACKED, is_set};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::is;
use crate::permits::{self, all_get_one, come_from_nowhere, go_with_the_victim};
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{FIRST, Fate, HOLDER, VIGIL, Vigil, helper};
use crate::world::{ok, segment_path};

/// A copy of a segment has no files for those who listen.
const LISTEN: Operation = Operation { recorded: false, ..PLAIN };

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "event_listen",
        noun: Some(&EVENT),
        victim: |stage| called(stage, &EVENT, |_| Ok(()), listen),
        outcome: gates::event_goes_on,
        ..LISTEN
    },
    Operation {
        name: "latch_listen",
        noun: Some(&LATCH),
        victim: |stage| {
            called(
                stage,
                &LATCH,
                |_| Ok(()),
                |latch| call!(latch_descriptor(latch.handle, &mut -1)),
            )
        },
        outcome: gates::latch_goes_on,
        ..LISTEN
    },
    Operation {
        name: "semaphore_listen",
        noun: Some(&SEMAPHORE),
        victim: |stage| called(stage, &SEMAPHORE, |_| Ok(()), listen_for_permits),
        outcome: permits::semaphore_goes_on,
        ..LISTEN
    },
    Operation {
        name: "tracked_listen",
        noun: Some(&TRACKED),
        predecessor: Some(permits::dies_holding_all),
        victim: |stage| called(stage, &TRACKED, |_| Ok(()), listen_for_permits),
        outcome: permits::all_permits_come_back,
        ..LISTEN
    },
];

/// Listens until it is rung, and then no longer.
const LISTENER: Role = Role {
    wait: |event, _| {
        sleep_on(&|out| call!(event_descriptor(event.handle, out)), &|| {
            call!(event_wait(event.handle, 0))
        })
    },
    leave: |event, _| ok("event_close", leave(event)),
    ..ROLE
};
const LATCH_LISTENER: Role = Role {
    wait: |latch, _| {
        sleep_on(&|out| call!(latch_descriptor(latch.handle, out)), &|| {
            call!(latch_wait(latch.handle, 0))
        })
    },
    ..ROLE
};
/// Comes for a permit when it is rung, and gives it back.
const TAKER: Role = Role {
    wait: |semaphore, _| {
        sleep_on(&|out| call!(semaphore_descriptor(semaphore.handle, out)), &|| {
            call!(semaphore_acquire(semaphore.handle, 0))
        })
    },
    ..permits::TAKER
};
/// The same, but does something else meanwhile.
const DISTRACTED: Role = Role {
    wait: |event, _| listen(event),
    leave: |event, _| ok("event_close", leave(event)),
    ..ROLE
};

const RINGER: Vigil = Vigil {
    noun: &EVENT,
    sleepers: &[&LISTENER, &LISTENER],
    call: set,
    judge: set_is_told,
    ..VIGIL
};
/// While it stands still in its call somebody who listened is gone, and another one comes.
const OVERTAKEN_RINGER: Vigil = Vigil {
    holder: Some(&DISTRACTED),
    sleepers: &[],
    meanwhile: |cast| cast.leaves(HOLDER).and_then(|()| another_comes(cast)),
    judge: all_are_told,
    lives: true,
    ..RINGER
};
const BEGINNER: Vigil = Vigil { call: listen, judge: ring_is_heard, ..RINGER };
const LEAVER: Vigil =
    Vigil { before: listens, call: leave, sleepers: &[], judge: ring_is_heard, ..RINGER };
const RELEASER: Vigil = Vigil {
    noun: &SEMAPHORE,
    sleepers: &[&TAKER, &permits::TAKER],
    call: |semaphore| permits::release(semaphore, 1),
    judge: |cast, fate| come_from_nowhere(cast, fate, 1),
    ..VIGIL
};

pub(crate) const VIGILS: &[Vigil] = &[
    Vigil { name: "ring_listeners", ..RINGER },
    Vigil {
        name: "ring_listener_and_waiter",
        is_variant: true,
        sleepers: &[&LISTENER, &gates::WAITER],
        ..RINGER
    },
    Vigil { name: "ring_overtaken", ..OVERTAKEN_RINGER },
    Vigil {
        name: "ring_overtaken_by_death",
        is_variant: true,
        meanwhile: |cast| {
            cast.dies(HOLDER);
            another_comes(cast)
        },
        ..OVERTAKEN_RINGER
    },
    // The same, and it dies there.
    Vigil {
        name: "ring_overtaken_dies",
        is_variant: true,
        lives: false,
        judge: ring_is_heard,
        ..OVERTAKEN_RINGER
    },
    Vigil {
        name: "ring_latch_listeners",
        is_variant: true,
        noun: &LATCH,
        sleepers: &[&LATCH_LISTENER, &gates::LATCH_WAITER],
        call: |latch| gates::count_down(latch, COUNT),
        judge: gates::count_is_told,
        ..VIGIL
    },
    Vigil { name: "ring_semaphore_listeners", ..RELEASER },
    // A permit that the victim was woken for goes to who listens.
    Vigil {
        name: "ring_semaphore_acquirer_dies",
        is_variant: true,
        sleepers: &[&TAKER],
        call: permits::acquire,
        waker: Some(|cast| helper(cast, |object| ok("release", permits::release(object, 1)))),
        judge: |cast, fate| go_with_the_victim(cast, fate, 1),
        ..RELEASER
    },
    Vigil {
        name: "ring_tracked_listeners",
        noun: &TRACKED,
        before: permits::take_all,
        judge: all_get_one,
        ..RELEASER
    },
    // Nobody rings but the death.
    Vigil {
        name: "ring_tracked_holder_dies",
        is_variant: true,
        noun: &TRACKED,
        holder: Some(&permits::HOARDER),
        call: permits::acquire,
        waker: Some(|cast| {
            cast.dies(HOLDER);
            Ok(())
        }),
        judge: all_get_one,
        ..RELEASER
    },
    Vigil { name: "listen_beside", sleepers: &[&LISTENER], ..BEGINNER },
    // It was rung, and listens again.
    Vigil {
        name: "listen_again",
        sleepers: &[&LISTENER],
        before: |event| {
            listens(event)?;
            ok("event_set", set(event))?;
            ok("event_clear", clear(event))
        },
        ..BEGINNER
    },
    // Somebody sets it meanwhile.
    Vigil {
        name: "listen_overtaken",
        sleepers: &[],
        call: listen_and_look,
        meanwhile: |cast| helper(cast, |event| ok("event_set", set(event))),
        lives: true,
        judge: all_are_told,
        ..BEGINNER
    },
    Vigil { name: "leave_alone", ..LEAVER },
    Vigil { name: "leave_beside", is_variant: true, sleepers: &[&LISTENER], ..LEAVER },
    // Somebody begins to listen meanwhile.
    Vigil {
        name: "leave_overtaken",
        ready: |cast| cast.prepares(FIRST, &LISTENER),
        meanwhile: |cast| cast.begins(FIRST),
        lives: true,
        ..LEAVER
    },
];

fn listen(event: &Object) -> i32 {
    call!(event_descriptor(event.handle, &mut -1))
}

fn listens(event: &Object) -> Result<(), String> {
    ok("event_descriptor", listen(event))
}

fn listen_for_permits(semaphore: &Object) -> i32 {
    call!(semaphore_descriptor(semaphore.handle, &mut -1))
}

/// It listens before anything else happens.
fn another_comes(cast: &mut Cast) -> Result<(), String> {
    cast.comes(FIRST, &LISTENER)?;
    cast.comes_to_rest()
}

/// With the last handle of the process it listens no longer.
fn leave(event: &Object) -> i32 {
    call!(event_close(event.handle))
}

/// Sleeps until the descriptor is readable that `arm` lends, and there is something to `come`
/// for. After a signal it looks all the same, and says INTERRUPTED if there is nothing.
pub(crate) fn sleep_on(arm: &dyn Fn(*mut i32) -> i32, come: &dyn Fn() -> i32) -> i32 {
    loop {
        let mut descriptor = -1;
        match arm(&mut descriptor) {
            OK => {}
            status => return status,
        }
        let rung = is_readable(descriptor, -1);
        match come() {
            TIMED_OUT if rung => {}
            TIMED_OUT => return INTERRUPTED,
            status => return status,
        }
    }
}

/// Whether it is, after so many milliseconds at most.
fn is_readable(descriptor: i32, milliseconds: i32) -> bool {
    let mut polled = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which is a local.
    unsafe { libc::poll(&mut polled, 1, milliseconds) == 1 }
}

/// Begins to listen. If the event is set by then the descriptor says so.
fn listen_and_look(event: &Object) -> i32 {
    const DEAF: i32 = 1000;
    let mut descriptor = -1;
    match call!(event_descriptor(event.handle, &mut descriptor)) {
        OK if is_set(event.handle) == Ok(true) && !is_readable(descriptor, 0) => DEAF,
        status => status,
    }
}

/// Whoever listens is rung when the event is set, also who comes only now.
fn ring_is_heard(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    cast.comes(LAST, &LISTENER)?;
    cast.settles()?;
    helper(cast, |event| ok("event_set", set(event)))?;
    cast.settles()?;
    all_are_told(cast, fate)?;
    is("files that are left when nobody listens", bells(), 0)
}

/// Files for those who listen.
fn bells() -> usize {
    let directory = segment_path();
    let directory = directory.parent().expect("the theatre");
    let names = fs::read_dir(directory).expect("the theatre is open").flatten();
    names.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".atoll-bell-")).count()
}

/// The seat of who begins to listen in the end.
const LAST: usize = FIRST + 3;
