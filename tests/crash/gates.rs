//! Operations on events and latches, and those who wait for them.

use crate::abi::{FOREVER, OK, TIMED_OUT, call};
use crate::nouns::{COUNT, EVENT, LATCH, Noun, Object, count, is_set};
use crate::operations::{Operation, PLAIN, Sight};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::sleepers::{Cast, ROLE, Role};
use crate::victim::stepped;
use crate::vigils::{FIRST, Fate, VIGIL, Vigil, ask, helper};
use crate::world::{World, ok};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "event_set",
        noun: Some(&EVENT),
        victim: |stage| called(stage, &EVENT, |_| Ok(()), set),
        sight: |world, _| event_is(world, true),
        outcome: event_goes_on,
        ..PLAIN
    },
    Operation {
        name: "event_clear",
        noun: Some(&EVENT),
        victim: |stage| called(stage, &EVENT, |event| ok("event_set", set(event)), clear),
        sight: |world, _| event_is(world, false),
        outcome: event_goes_on,
        ..PLAIN
    },
    Operation {
        name: "event_wait",
        noun: Some(&EVENT),
        victim: |stage| called(stage, &EVENT, |event| ok("event_set", set(event)), wait),
        outcome: event_goes_on,
        ..PLAIN
    },
    Operation {
        name: "latch_count_down",
        noun: Some(&LATCH),
        victim: |stage| called(stage, &LATCH, |_| Ok(()), |latch| count_down(latch, 1)),
        sight: |world, _| latch_is(world, COUNT, COUNT - 1),
        outcome: latch_goes_on,
        ..PLAIN
    },
    Operation {
        name: "latch_count_down_last",
        noun: Some(&LATCH),
        victim: |stage| called(stage, &LATCH, |_| Ok(()), |latch| count_down(latch, COUNT)),
        sight: |world, _| latch_is(world, COUNT, 0),
        outcome: latch_goes_on,
        ..PLAIN
    },
];

pub(crate) const WAITER: Role = Role { wait: |event, _| wait(event), ..ROLE };
/// Waits in pieces, between which nothing is lost.
const KEEPER: Role =
    Role { wait: |event, _| call!(event_wait_since(event.handle, 0, FOREVER)), ..ROLE };
pub(crate) const LATCH_WAITER: Role =
    Role { wait: |latch, _| call!(latch_wait(latch.handle, FOREVER)), ..ROLE };

/// With two asleep.
const EVENT_WAKER: Vigil =
    Vigil { noun: &EVENT, sleepers: &[&WAITER, &KEEPER], call: set, judge: set_is_told, ..VIGIL };
const EVENT_SLEEPER: Vigil = Vigil {
    noun: &EVENT,
    sleepers: &[&WAITER, &WAITER],
    call: wait,
    waker: Some(|cast| helper(cast, |event| ok("event_set", set(event)))),
    judge: all_are_told,
    ..VIGIL
};

pub(crate) const VIGILS: &[Vigil] = &[
    Vigil { name: "event_set_waiters", ..EVENT_WAKER },
    // Who clears what somebody is about to tell tells it.
    Vigil {
        name: "event_set_cleared",
        meanwhile: |cast| helper(cast, |event| ok("event_clear", clear(event))),
        judge: pulse_is_told,
        ..EVENT_WAKER
    },
    // Whoever clears, and whoever begins to wait after that, takes nothing from those before.
    Vigil {
        name: "event_set_then_clear",
        is_variant: true,
        judge: set_outlives_a_clear,
        ..EVENT_WAKER
    },
    Vigil {
        name: "event_pulse",
        is_variant: true,
        call: pulse,
        judge: pulse_is_told,
        ..EVENT_WAKER
    },
    Vigil { name: "event_wait_woken", is_variant: true, ..EVENT_SLEEPER },
    Vigil {
        name: "event_wait_pulse",
        waker: Some(|cast| helper(cast, |event| ok("event_clear", pulse(event)))),
        ..EVENT_SLEEPER
    },
    Vigil {
        name: "event_wait_timeout",
        is_variant: true,
        call: |event| call!(event_wait(event.handle, PATIENCE_NS)),
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        judge: |cast, _| {
            is("waiters asleep", cast.asleep(), 2)?;
            helper(cast, |event| ok("event_set", set(event)))?;
            cast.settles()?;
            all_are_told(cast, Fate { returned: true, slept: true })
        },
        ..EVENT_SLEEPER
    },
    Vigil {
        name: "latch_count_down_waiters",
        noun: &LATCH,
        sleepers: &[&LATCH_WAITER, &LATCH_WAITER],
        call: |latch| count_down(latch, COUNT),
        judge: count_is_told,
        ..VIGIL
    },
    Vigil {
        name: "latch_wait_woken",
        noun: &LATCH,
        sleepers: &[&LATCH_WAITER, &LATCH_WAITER],
        call: |latch| call!(latch_wait(latch.handle, FOREVER)),
        waker: Some(|cast| helper(cast, |latch| ok("latch_count_down", count_down(latch, COUNT)))),
        judge: all_are_told,
        ..VIGIL
    },
];

/// How long a victim waits that does not wait for ever: long enough to fall asleep.
pub(crate) const PATIENCE_NS: i64 = 100_000_000;

pub(crate) fn set(event: &Object) -> i32 {
    call!(event_set(event.handle))
}

pub(crate) fn clear(event: &Object) -> i32 {
    call!(event_clear(event.handle))
}

fn wait(event: &Object) -> i32 {
    call!(event_wait(event.handle, FOREVER))
}

pub(crate) fn pulse(event: &Object) -> i32 {
    match set(event) {
        OK => clear(event),
        status => status,
    }
}

pub(crate) fn count_down(latch: &Object, by: u32) -> i32 {
    call!(latch_count_down(latch.handle, by))
}

/// A call on the object of the scene.
pub(crate) fn called(
    stage: Stage,
    noun: &Noun,
    before: fn(&Object) -> Result<(), String>,
    call: fn(&Object) -> i32,
) -> Result<(), String> {
    let object = noun.open()?;
    before(&object)?;
    stepped(stage, || call(&object))
}

fn event_is(world: &World, after: bool) -> Result<Sight, String> {
    EVENT.look(world, |event| Ok(Sight::of(is_set(event.handle)? == after)))
}

/// Set, it lets everybody through; cleared, nobody.
pub(crate) fn event_goes_on(world: &World, death: &Death) -> Result<(), String> {
    EVENT.look(world, |event| {
        ok("event_clear", clear(event))?;
        is("status of a wait", call!(event_wait(event.handle, 0)), TIMED_OUT)?;
        ok("event_set", set(event))?;
        ok("event_wait", wait(event))
    })?;
    outcomes::unchanged(world, death)
}

fn latch_is(world: &World, before: u32, after: u32) -> Result<Sight, String> {
    match LATCH.look(world, |latch| count(latch.handle))? {
        left if left == before => Ok(Sight::Before),
        left if left == after => Ok(Sight::After),
        left => Err(format!("the latch still counts {left}")),
    }
}

pub(crate) fn latch_goes_on(world: &World, death: &Death) -> Result<(), String> {
    LATCH.look(world, |latch| {
        let left = count(latch.handle)?;
        if left > 0 {
            is("status of a wait", call!(latch_wait(latch.handle, 0)), TIMED_OUT)?;
            ok("latch_count_down", count_down(latch, left))?;
        }
        ok("latch_wait", call!(latch_wait(latch.handle, FOREVER)))
    })?;
    outcomes::unchanged(world, death)
}

/// If the event is set, nobody sleeps; else the next who sets it wakes everybody.
pub(crate) fn set_is_told(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    let set_already = ask(cast, |event| is_set(event.handle).map(u32::from))?;
    if fate.returned || set_already != 0 {
        is("the event's being set", set_already, 1)?;
        return all_are_told(cast, fate);
    }
    is("waiters asleep", cast.asleep(), 2)?;
    helper(cast, |event| ok("event_set", set(event)))?;
    cast.settles()?;
    all_are_told(cast, fate)
}

/// The same of a latch, and of who counts it down.
pub(crate) fn count_is_told(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    let left = ask(cast, |latch| count(latch.handle))?;
    if fate.returned || left == 0 {
        is("count after its return", left, 0)?;
        return all_are_told(cast, fate);
    }
    is("count before it has taken effect", left, COUNT)?;
    is("waiters asleep", cast.asleep(), 2)?;
    helper(cast, |latch| ok("latch_count_down", count_down(latch, COUNT)))?;
    cast.settles()?;
    all_are_told(cast, fate)
}

pub(crate) fn all_are_told(cast: &mut Cast, _: Fate) -> Result<(), String> {
    is("statuses of those who wait", cast.statuses(), vec![OK; cast.statuses().len()])?;
    is("waiters asleep", cast.asleep(), 0)?;
    cast.awake_leave().map(|_| ())
}

/// What was true when the victim died is true when somebody has cleared the event.
fn set_outlives_a_clear(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    let told = cast.statuses().len();
    is("waiters told, if any", told, if told == 0 { 0 } else { 2 })?;
    helper(cast, |event| ok("event_clear", clear(event)))?;
    cast.falls_asleep(FIRST + 2, &WAITER)?;
    cast.settles()?;
    is("waiters told after the clear", cast.statuses().len(), told)?;
    if fate.returned {
        is("waiters told", told, 2)?;
    }
    helper(cast, |event| ok("event_set", set(event)))?;
    cast.settles()?;
    all_are_told(cast, fate)
}

/// A pulse tells all or nobody.
pub(crate) fn pulse_is_told(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    let told = cast.statuses().len();
    is("waiters told, if any", told, if told == 0 && !fate.returned { 0 } else { 2 })?;
    helper(cast, |event| ok("event_set", set(event)))?;
    cast.settles()?;
    all_are_told(cast, fate)
}
