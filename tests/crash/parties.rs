//! Operations on barriers, and those who wait at them.

use std::ptr::null_mut;

use crate::abi::{BROKEN, FOREVER, OK, TIMED_OUT, call};
use crate::board::NONE_YET;
use crate::gates::{PATIENCE_NS, called};
use crate::nouns::{BARRIER, Object, PARTIES, barrier_info};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::{self, Death, is};
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{FIRST, Fate, VIGIL, Vigil, ask, helper};
use crate::world::{World, ok};

const ALONE: Operation = Operation { noun: Some(&BARRIER), outcome: goes_on, ..PLAIN };

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "barrier_arrive",
        victim: |stage| called(stage, &BARRIER, |_| Ok(()), arrive),
        ..ALONE
    },
    Operation {
        name: "barrier_abort",
        victim: |stage| called(stage, &BARRIER, |_| Ok(()), abort),
        ..ALONE
    },
    Operation {
        name: "barrier_reset",
        victim: |stage| called(stage, &BARRIER, |barrier| ok("abort", abort(barrier)), reset),
        ..ALONE
    },
    Operation {
        name: "barrier_leave_broken",
        victim: |stage| called(stage, &BARRIER, arrive_and_abort, wait),
        status: BROKEN,
        ..ALONE
    },
];

/// Arrives and waits, in one call after the other if need be.
const PARTY: Role =
    Role { wait: |barrier, again| if again { wait(barrier) } else { pass(barrier) }, ..ROLE };

/// All but the victim have arrived.
const LAST: Vigil =
    Vigil { noun: &BARRIER, sleepers: &[&PARTY, &PARTY], call: pass, judge: alike, ..VIGIL };
/// The victim waits, another behind it, and the last one comes.
const EARLY: Vigil = Vigil {
    noun: &BARRIER,
    sleepers: &[&PARTY],
    call: pass,
    waker: Some(|cast| cast.comes(LATE, &PARTY)),
    judge: alike,
    ..VIGIL
};
/// The seat of the party that comes last.
const LATE: usize = FIRST + 2;

pub(crate) const VIGILS: &[Vigil] = &[
    Vigil { name: "barrier_last_arrives", ..LAST },
    Vigil { name: "barrier_last_holds", call: hold_and_release, ..LAST },
    Vigil { name: "barrier_last_drops", call: drop_out, ..LAST },
    Vigil { name: "barrier_abort_waiters", call: abort, judge: all_or_nobody_broken, ..LAST },
    Vigil {
        name: "barrier_reset_waiters",
        is_variant: true,
        call: reset,
        judge: all_or_nobody_broken,
        ..LAST
    },
    Vigil { name: "barrier_wait_released", is_variant: true, ..EARLY },
    Vigil {
        name: "barrier_wait_broken",
        status: BROKEN,
        waker: Some(|cast| helper(cast, |barrier| ok("abort", abort(barrier)))),
        ..EARLY
    },
    Vigil {
        name: "barrier_wait_timeout",
        is_variant: true,
        call: |barrier| call!(barrier_arrive_and_wait(barrier.handle, PATIENCE_NS, null_mut())),
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        ..EARLY
    },
    // The last one never comes: whoever has arrived and dies breaks the barrier.
    Vigil {
        name: "barrier_dies_waiting",
        sleepers: &[&PARTY],
        call: pass,
        status: NONE_YET,
        ..LAST
    },
    // It arrives, lives on and does something else; and dies then.
    Vigil {
        name: "barrier_dies_elsewhere",
        sleepers: &[&PARTY],
        call: |barrier| match arrive(barrier) {
            OK => be_elsewhere(barrier),
            status => status,
        },
        ..LAST
    },
];

fn pass(barrier: &Object) -> i32 {
    call!(barrier_arrive_and_wait(barrier.handle, FOREVER, null_mut()))
}

fn wait(barrier: &Object) -> i32 {
    call!(barrier_wait(barrier.handle, FOREVER))
}

fn arrive(barrier: &Object) -> i32 {
    call!(barrier_arrive(barrier.handle, false, null_mut()))
}

fn abort(barrier: &Object) -> i32 {
    call!(barrier_abort(barrier.handle))
}

fn reset(barrier: &Object) -> i32 {
    call!(barrier_reset(barrier.handle))
}

fn drop_out(barrier: &Object) -> i32 {
    call!(barrier_arrive_and_drop(barrier.handle, false, null_mut()))
}

/// Something that has nothing to do with the barrier, and moves the thread's hook.
fn be_elsewhere(barrier: &Object) -> i32 {
    match call!(mutex_lock(barrier.world.mutex, 0)) {
        OK => call!(mutex_unlock(barrier.world.mutex)),
        status => status,
    }
}

fn hold_and_release(barrier: &Object) -> i32 {
    let calls: [fn(&Object) -> i32; 3] = [
        |barrier| call!(barrier_arrive(barrier.handle, true, null_mut())),
        |barrier| call!(barrier_release(barrier.handle)),
        wait,
    ];
    calls.iter().map(|call| call(barrier)).find(|status| *status != OK).unwrap_or(OK)
}

fn arrive_and_abort(barrier: &Object) -> Result<(), String> {
    ok("arrive", arrive(barrier))?;
    ok("abort", abort(barrier))
}

/// Broken or not, after a reset it can be passed: by one who finds the others missing.
fn goes_on(world: &World, death: &Death) -> Result<(), String> {
    BARRIER.look(world, |barrier| {
        ok("reset", reset(barrier))?;
        let info = barrier_info(barrier.handle)?;
        is(
            "parties, waiting, broken",
            (info.parties, info.waiting, info.broken),
            (PARTIES, 0, false),
        )?;
        let alone = call!(barrier_arrive_and_wait(barrier.handle, 0, null_mut()));
        is("status of one alone", alone, TIMED_OUT)?;
        is("its being broken", barrier_info(barrier.handle)?.broken, true)?;
        is("status of one who comes then", pass(barrier), BROKEN)?;
        ok("reset", reset(barrier))
    })?;
    outcomes::unchanged(world, death)
}

/// Those who have come pass all together, or it is broken for all of them. Who waits still
/// waits for somebody who has not come.
fn alike(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    let statuses = cast.statuses();
    if let Some(first) = statuses.first() {
        is("that it is the same for all", statuses.iter().all(|status| status == first), true)?;
        is("that it was passed or broken", [OK, BROKEN].contains(first), true)?;
        is("parties asleep", cast.asleep(), 0)?;
    }
    let info = state_of(cast)?;
    is("those who wait, as it counts them", info.waiting as usize, cast.asleep())?;
    if fate.returned && cast.asleep() > 0 {
        return Err("the victim's call had returned, and others wait for it".into());
    }
    another_round(cast)
}

/// Who aborts or resets lets nobody pass.
fn all_or_nobody_broken(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    let statuses = cast.statuses();
    is("those who passed", statuses.iter().filter(|status| **status != BROKEN).count(), 0)?;
    alike(cast, fate)
}

struct State {
    parties: u32,
    waiting: u32,
}

fn state_of(cast: &Cast) -> Result<State, String> {
    let packed = ask(cast, |barrier| {
        let info = barrier_info(barrier.handle)?;
        // One that is broken lets nobody wait, whatever it still counts.
        Ok(info.parties << 16 | if info.broken { 0 } else { info.waiting })
    })?;
    Ok(State { parties: packed >> 16, waiting: packed & 0xffff })
}

/// After a reset everybody passes who is a party.
fn another_round(cast: &mut Cast) -> Result<(), String> {
    helper(cast, |barrier| ok("reset", reset(barrier)))?;
    cast.settles()?;
    is("parties asleep after a reset", cast.asleep(), 0)?;
    cast.awake_leave()?;
    let parties = state_of(cast)?.parties as usize;
    let mut round = Cast::new(cast.noun);
    (0..parties).try_for_each(|party| round.comes(ROUND + party, &PARTY))?;
    round.settles()?;
    is("statuses of another round", round.statuses(), vec![OK; parties])?;
    round.awake_leave().map(|_| ())
}

/// The seats of those who pass in the end.
const ROUND: usize = 8;
