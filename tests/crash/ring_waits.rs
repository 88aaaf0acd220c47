//! Those who wait at rings: one side asleep, the other one killed. What is the same for every kind is
//! in `ring_sides`.

use std::sync::Mutex;

use crate::abi::{EMPTY, FOREVER, OK, Reservation, call};
use crate::board::NONE_YET;
use crate::nouns::{MPMC, Object, SPSC};
use crate::outcomes::is;
use crate::ring_kinds::{CAPACITY, Calls, Inlined, InlinedMpmc, Mpmc, Spsc};
use crate::ring_places::{abandon, advance, claim, commit, peek};
use crate::ring_sides::all_learn_of_it;
use crate::rings::fill;
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{FIRST, Fate, VIGIL, Vigil, ask, helper};
use crate::world::ok;

/// Waits for a record.
const MPMC_GETTER: Role = Role { wait: |ring, _| Mpmc::get(ring.handle, &mut 0, FOREVER), ..ROLE };
const SPSC_GETTER: Role = Role { wait: |ring, _| Spsc::get(ring.handle, &mut 0, FOREVER), ..ROLE };
/// Waits for room in a ring that it fills itself.
const MPMC_PUTTER: Role =
    Role { before: |_| Ok(()), wait: |ring, _| Mpmc::put(ring.handle, 9, FOREVER), ..ROLE };

pub(crate) const VIGILS: &[Vigil] = &[
    // Two getters asleep, and somebody puts.
    Vigil {
        name: "mpmc_push_getters",
        noun: &MPMC,
        sleepers: &[&MPMC_GETTER, &MPMC_GETTER],
        call: |ring| Mpmc::push(ring.handle, 1),
        judge: |cast, fate| as_many_as_put::<Mpmc>(cast, fate, 1),
        ..VIGIL
    },
    Vigil {
        name: "mpmc_push_n_getters",
        noun: &MPMC,
        sleepers: &[&MPMC_GETTER, &MPMC_GETTER],
        call: |ring| Mpmc::push_n(ring.handle, &[1, 2], &mut 0),
        judge: |cast, fate| as_many_as_put::<Mpmc>(cast, fate, 2),
        ..VIGIL
    },
    Vigil {
        name: "inlined_push_getter",
        noun: &SPSC,
        before: knows_its_way,
        sleepers: &[&SPSC_GETTER],
        call: |ring| Inlined::push(ring.handle, 1),
        judge: |cast, fate| as_many_as_put::<Inlined>(cast, fate, 1),
        ..VIGIL
    },
    // A getter comes while the victim stands somewhere in its push, and the victim goes on.
    Vigil {
        name: "inlined_push_beside_getter",
        noun: &SPSC,
        before: knows_its_way,
        call: |ring| Inlined::push(ring.handle, 1),
        meanwhile: |cast| cast.comes(FIRST, &SPSC_GETTER).and_then(|()| cast.comes_to_rest()),
        lives: true,
        judge: |cast, fate| as_many_as_put::<Inlined>(cast, fate, 1),
        ..VIGIL
    },
    // The same of a ring for many, in which the victim dies, or goes on.
    Vigil {
        name: "inlined_push_to_many_getter",
        noun: &MPMC,
        before: |ring| fill::<InlinedMpmc>(ring, 1, 0),
        sleepers: &[&MPMC_GETTER],
        call: |ring| InlinedMpmc::push(ring.handle, 1),
        judge: |cast, fate| as_many_as_put::<InlinedMpmc>(cast, fate, 1),
        ..VIGIL
    },
    Vigil {
        name: "inlined_push_to_many_beside_getter",
        noun: &MPMC,
        before: |ring| fill::<InlinedMpmc>(ring, 1, 0),
        call: |ring| InlinedMpmc::push(ring.handle, 1),
        meanwhile: |cast| cast.comes(FIRST, &MPMC_GETTER).and_then(|()| cast.comes_to_rest()),
        lives: true,
        judge: |cast, fate| as_many_as_put::<InlinedMpmc>(cast, fate, 1),
        ..VIGIL
    },
    Vigil {
        name: "inlined_pop_of_many_beside_getter",
        noun: &MPMC,
        before: |ring| fill::<InlinedMpmc>(ring, 1, 1),
        call: |ring| InlinedMpmc::pop(ring.handle, &mut 0),
        meanwhile: |cast| cast.comes(FIRST, &MPMC_GETTER).and_then(|()| cast.comes_to_rest()),
        judge: |cast, fate| the_rest_go::<InlinedMpmc>(cast, fate),
        ..VIGIL
    },
    // Two putters asleep at a full ring, and somebody gets.
    Vigil {
        name: "mpmc_pop_putters",
        noun: &MPMC,
        before: |ring| fill::<Mpmc>(ring, 3, CAPACITY),
        sleepers: &[&MPMC_PUTTER, &MPMC_PUTTER],
        call: |ring| Mpmc::pop(ring.handle, &mut 0),
        judge: |cast, _| all_is_there(cast, CAPACITY, 2),
        ..VIGIL
    },
    // The victim sleeps, and another behind it, when somebody puts.
    Vigil {
        name: "mpmc_get_woken",
        noun: &MPMC,
        sleepers: &[&MPMC_GETTER],
        call: |ring| Mpmc::get(ring.handle, &mut 0, FOREVER),
        waker: Some(|cast| helper(cast, |ring| ok("push", Mpmc::push(ring.handle, 1)))),
        judge: |cast, fate| the_rest_go::<Mpmc>(cast, fate),
        ..VIGIL
    },
    // Who comes while the victim has the record in the hand is left it when that dies.
    Vigil {
        name: "mpmc_pop_beside_getter",
        noun: &MPMC,
        before: |ring| fill::<Mpmc>(ring, 0, 1),
        call: |ring| Mpmc::pop(ring.handle, &mut 0),
        meanwhile: |cast| cast.comes(FIRST, &MPMC_GETTER).and_then(|()| cast.comes_to_rest()),
        judge: |cast, fate| the_rest_go::<Mpmc>(cast, fate),
        ..VIGIL
    },
    // The same for one that has it in the hand for as long as it likes.
    Vigil {
        name: "mpmc_advance_getters",
        noun: &MPMC,
        before: |ring| fill::<Mpmc>(ring, 0, 1).and_then(|()| takes(ring, peek)),
        sleepers: &[&MPMC_GETTER, &MPMC_GETTER],
        call: |ring| in_hand(|place| advance(ring, place)),
        judge: |cast, fate| the_rest_go::<Mpmc>(cast, fate),
        ..VIGIL
    },
    Vigil {
        name: "mpmc_peek_getters",
        noun: &MPMC,
        before: |ring| fill::<Mpmc>(ring, 0, 1),
        call: |ring| peek(ring, &mut { Reservation::NONE }),
        meanwhile: |cast| cast.comes(FIRST, &MPMC_GETTER).and_then(|()| cast.comes_to_rest()),
        judge: |cast, _| nobody_sleeps(cast),
        ..VIGIL
    },
    Vigil {
        name: "mpmc_abandon_getters",
        noun: &MPMC,
        before: |ring| fill::<Mpmc>(ring, 0, 1).and_then(|()| takes(ring, peek)),
        sleepers: &[&MPMC_GETTER],
        call: |ring| in_hand(|place| abandon(ring, place)),
        judge: |cast, _| nobody_sleeps(cast),
        ..VIGIL
    },
    Vigil {
        name: "mpmc_commit_getters",
        noun: &MPMC,
        before: |ring| takes(ring, claim),
        sleepers: &[&MPMC_GETTER, &MPMC_GETTER],
        call: |ring| in_hand(|place| commit(ring, place, 1)),
        judge: |cast, fate| as_many_as_put::<Mpmc>(cast, fate, 1),
        ..VIGIL
    },
    // What is behind a place that is given up, or whose claimant dies, comes to the front.
    Vigil {
        name: "mpmc_claim_abandon_getters",
        noun: &MPMC,
        before: |ring| takes(ring, claim),
        sleepers: &[&MPMC_GETTER],
        ready: |cast| helper(cast, |ring| ok("push", Mpmc::push(ring.handle, 2))),
        call: |ring| in_hand(|place| abandon(ring, place)),
        judge: |cast, _| nobody_sleeps(cast),
        ..VIGIL
    },
    Vigil {
        name: "mpmc_advance_putters",
        noun: &MPMC,
        before: |ring| fill::<Mpmc>(ring, 3, CAPACITY).and_then(|()| takes(ring, peek)),
        sleepers: &[&MPMC_PUTTER, &MPMC_PUTTER],
        call: |ring| in_hand(|place| advance(ring, place)),
        judge: |cast, _| all_is_there(cast, CAPACITY, 2),
        ..VIGIL
    },
    // A putter sleeps at a ring that is full of places of the victim: its death makes room.
    Vigil {
        name: "mpmc_claims_putters",
        noun: &MPMC,
        before: |ring| fill::<Mpmc>(ring, 3, CAPACITY - 1).and_then(|()| takes(ring, claim)),
        sleepers: &[&MPMC_PUTTER],
        call: |ring| in_hand(|place| abandon(ring, place)),
        judge: |cast, _| all_is_there(cast, CAPACITY - 1, 1),
        ..VIGIL
    },
    // A getter comes while the victim is about to publish, and finds it at work.
    Vigil {
        name: "mpmc_commit_beside_getter",
        noun: &MPMC,
        before: |ring| takes(ring, claim),
        call: |ring| in_hand(|place| commit(ring, place, 1)),
        meanwhile: |cast| cast.comes(FIRST, &MPMC_GETTER).and_then(|()| cast.comes_to_rest()),
        lives: true,
        judge: |cast, _| nobody_sleeps(cast),
        ..VIGIL
    },
    // One gets it that is about to be got by the victim: not both.
    Vigil {
        name: "mpmc_advance_beside_getter",
        noun: &MPMC,
        before: |ring| fill::<Mpmc>(ring, 0, 1).and_then(|()| takes(ring, peek)),
        call: |ring| in_hand(|place| advance(ring, place)),
        meanwhile: |cast| cast.comes(FIRST, &MPMC_GETTER).and_then(|()| cast.comes_to_rest()),
        lives: true,
        judge: |cast, _| {
            is("getters asleep", cast.asleep(), 1)?;
            wake_the_rest::<Mpmc>(cast)
        },
        ..VIGIL
    },
    Vigil {
        name: "mpmc_shutdown_getters",
        noun: &MPMC,
        sleepers: &[&MPMC_GETTER, &MPMC_GETTER],
        call: |ring| Mpmc::shutdown(ring.handle),
        judge: all_learn_of_it::<Mpmc>,
        ..VIGIL
    },
];

/// The short way of a producer is known, and the ring is empty.
fn knows_its_way(ring: &Object) -> Result<(), String> {
    fill::<Inlined>(ring, 1, 0)?;
    ok("leave", call!(spsc_leave(ring.handle, 2)))
}

/// What the victim has in the hand.
static IN_HAND: Mutex<Reservation> = Mutex::new(Reservation::NONE);

fn takes(ring: &Object, take: fn(&Object, &mut Reservation) -> i32) -> Result<(), String> {
    let mut place = Reservation::NONE;
    ok("taking a place", take(ring, &mut place))?;
    *IN_HAND.lock().map_err(|e| e.to_string())? = place;
    Ok(())
}

fn in_hand(act: impl FnOnce(&Reservation) -> i32) -> i32 {
    IN_HAND.lock().map_or(NONE_YET, |place| act(&place))
}

/// Everybody has got something.
fn nobody_sleeps(cast: &mut Cast) -> Result<(), String> {
    is("asleep in the end", cast.asleep(), 0)?;
    statuses_are(cast, OK)?;
    cast.awake_leave().map(drop)
}

pub(crate) fn statuses_are(cast: &mut Cast, status: i32) -> Result<(), String> {
    let found = cast.statuses();
    is("statuses of those who waited", found.clone(), vec![status; found.len()])
}

/// So many were put, or none, or part of them; nobody sleeps beside a record.
pub(crate) fn as_many_as_put<C: Calls>(
    cast: &mut Cast,
    fate: Fate,
    puts: usize,
) -> Result<(), String> {
    statuses_are(cast, OK)?;
    let awake = cast.staying();
    if fate.returned {
        is("getters awake", awake, puts.min(awake + cast.asleep()))?;
    }
    if awake > puts {
        return Err(format!("{awake} got what {puts} were put"));
    }
    if cast.asleep() > 0 {
        let stranger = |ring: &Object| {
            is("status of a pop beside sleepers", C::pop(ring.handle, &mut 0), C::REFUSED)
        };
        helper(cast, stranger)?;
    }
    wake_the_rest::<C>(cast)
}

pub(crate) fn wake_the_rest<C: Calls>(cast: &mut Cast) -> Result<(), String> {
    for _ in 0..cast.asleep() {
        helper(cast, |ring| ok("push", C::push(ring.handle, 7)))?;
    }
    cast.settles()?;
    is("asleep in the end", cast.asleep(), 0)?;
    statuses_are(cast, OK)?;
    cast.awake_leave().map(drop)
}

/// One was put, for the victim or for who came behind it.
fn the_rest_go<C: Calls>(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    statuses_are(cast, OK)?;
    if !fate.returned && cast.asleep() > 0 {
        // The victim may have got it and died before it could say so: its place is free then.
        helper(cast, |ring| is("status of a pop", C::pop(ring.handle, &mut 0), EMPTY))?;
    }
    wake_the_rest::<C>(cast)
}

/// At a full ring: as long as nothing was got all sleep, and each record that goes lets one put.
fn all_is_there(cast: &mut Cast, capacity: u64, putters: usize) -> Result<(), String> {
    statuses_are(cast, OK)?;
    let mut seen = 0;
    loop {
        let popped = |ring: &Object| Ok(Mpmc::pop(ring.handle, &mut 0) as u32);
        if ask(cast, popped)? as i32 != OK {
            break;
        }
        seen += 1;
        cast.settles()?;
    }
    is("asleep in the end", cast.asleep(), 0)?;
    let least = capacity as usize + putters - 1;
    if !(least..=least + 1).contains(&seen) {
        return Err(format!("{seen} records were there, not {least} or one more"));
    }
    cast.awake_leave().map(drop)
}
