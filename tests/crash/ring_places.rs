//! Records that are written and read in their places: claimed and committed, peeked at and got,
//! and given up; and many of them in the hands of one process.

use std::ffi::c_void;
use std::ptr::null_mut;

use crate::abi::{EMPTY, FULL, Handle, OK, Reservation, call};
use crate::nouns::{MPMC, Object, SPSC};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::ring_kinds::{Calls, Mpmc, Spsc};
use crate::rings::{Change, at, fill, goes_on, judged, level, levels, put_level, puts};
use crate::victim::stepped;
use crate::world::{World, ok};

pub(crate) const BY_LEVEL: &[&[Operation]] = &[
    puts!(Mpmc, "mpmc_claim_commit", claim_and_commit, 1, [0, 1, 2, 3]),
    puts!(Mpmc, "mpmc_claim_abandon", |ring, _| claim_and_abandon(ring), 0, [0, 1, 2, 3]),
    levels!(Mpmc, "mpmc_peek_advance", [1, 2, 3, 4], 0, 1, peek_and_advance),
    levels!(Mpmc, "mpmc_peek_abandon", [1, 2, 3, 4], 0, 0, peek_and_abandon),
];

pub(crate) const OTHERS: &[Operation] = &[
    Operation {
        name: "spsc_claim_commit",
        noun: Some(&SPSC),
        victim: |stage| at::<Spsc>(stage, 3, 2, |ring| spsc_claim_and_commit(ring, 5)),
        outcome: |world, death| judged::<Spsc>(world, death, (3, 2), &Change { puts: 1, gets: 0 }),
        ..PLAIN
    },
    Operation {
        name: "spsc_claim_abandon",
        noun: Some(&SPSC),
        victim: |stage| at::<Spsc>(stage, 3, 2, spsc_claim_and_abandon),
        outcome: |world, death| judged::<Spsc>(world, death, (3, 2), &Change { puts: 0, gets: 0 }),
        ..PLAIN
    },
    Operation {
        name: "spsc_peek_advance",
        noun: Some(&SPSC),
        victim: |stage| at::<Spsc>(stage, 3, 2, spsc_peek_and_advance),
        outcome: |world, death| judged::<Spsc>(world, death, (3, 2), &Change { puts: 0, gets: 1 }),
        ..PLAIN
    },
    // Two claimed, of which the second is committed, and two in the hand, of which one is got.
    Operation {
        name: "mpmc_several_in_hand",
        noun: Some(&MPMC),
        victim: |stage| at::<Mpmc>(stage, 3, 2, several),
        outcome: |world, death| several_are(world, death, &[&[3, 4], &[3, 4, 6], &[3, 6]]),
        ..PLAIN
    },
    Operation {
        name: "mpmc_several_given_up",
        noun: Some(&MPMC),
        victim: |stage| at::<Mpmc>(stage, 3, 2, several_given_up),
        outcome: |world, death| several_are(world, death, &[&[3, 4], &[3, 4, 6]]),
        ..PLAIN
    },
    Operation {
        name: "mpmc_close_in_hand",
        noun: Some(&MPMC),
        victim: closes_with_several,
        outcome: |world, death| several_are(world, death, &[&[3, 4, 6]]),
        ..PLAIN
    },
    // Somebody has died with a place in each hand, so that the ring is full of what is nobody's.
    Operation {
        name: "mpmc_peek_dead_holder",
        noun: Some(&MPMC),
        predecessor: Some(dies_with_hands_full),
        victim: |stage| on(stage, peek_and_advance),
        outcome: |world, death| several_are(world, death, &[&[3, 4], &[4]]),
        ..PLAIN
    },
    Operation {
        name: "mpmc_pop_dead_holder",
        noun: Some(&MPMC),
        predecessor: Some(dies_with_hands_full),
        victim: |stage| on(stage, |ring| Mpmc::pop(ring.handle, &mut 0)),
        outcome: |world, death| several_are(world, death, &[&[3, 4], &[4]]),
        ..PLAIN
    },
    Operation {
        name: "mpmc_claim_dead_holder",
        noun: Some(&MPMC),
        predecessor: Some(dies_with_hands_full),
        victim: |stage| on(stage, |ring| claim_and_commit(ring, 7)),
        status: FULL,
        outcome: |world, death| several_are(world, death, &[&[3, 4]]),
        ..PLAIN
    },
    Operation {
        name: "mpmc_commit_dead_holder",
        noun: Some(&MPMC),
        predecessor: Some(dies_with_hands_full),
        victim: |stage| on(stage, |ring| get_two_put_one(ring, 7)),
        outcome: |world, death| several_are(world, death, &[&[3, 4], &[4], &[], &[7]]),
        ..PLAIN
    },
];

/// What a victim does with a ring that others have filled.
fn on(stage: Stage, call: impl FnOnce(&Object) -> i32) -> Result<(), String> {
    let ring = MPMC.open()?;
    stepped(stage, || call(&ring))
}

pub(crate) fn claim(ring: &Object, out: &mut Reservation) -> i32 {
    call!(mpmc_claim(ring.handle, 8, out))
}

pub(crate) fn commit(ring: &Object, place: &Reservation, number: u64) -> i32 {
    // SAFETY: a place for one number, which is ours until it is committed.
    unsafe { place.place.cast::<u64>().write(number) };
    call!(mpmc_commit(ring.handle, place.id, 8))
}

pub(crate) fn peek(ring: &Object, out: &mut Reservation) -> i32 {
    call!(mpmc_peek(ring.handle, out))
}

pub(crate) fn advance(ring: &Object, place: &Reservation) -> i32 {
    call!(mpmc_advance(ring.handle, place.id))
}

pub(crate) fn abandon(ring: &Object, place: &Reservation) -> i32 {
    call!(mpmc_abandon(ring.handle, place.id))
}

/// The first status that is not OK, if there is one.
fn all(statuses: impl IntoIterator<Item = i32>) -> i32 {
    statuses.into_iter().find(|status| *status != OK).unwrap_or(OK)
}

fn claim_and_commit(ring: &Object, number: u64) -> i32 {
    let mut place = Reservation::NONE;
    match claim(ring, &mut place) {
        OK => commit(ring, &place, number),
        status => status,
    }
}

fn claim_and_abandon(ring: &Object) -> i32 {
    let mut place = Reservation::NONE;
    match claim(ring, &mut place) {
        OK => abandon(ring, &place),
        status => status,
    }
}

fn peek_and_advance(ring: &Object) -> i32 {
    let mut place = Reservation::NONE;
    match peek(ring, &mut place) {
        OK => advance(ring, &place),
        status => status,
    }
}

fn peek_and_abandon(ring: &Object) -> i32 {
    let mut place = Reservation::NONE;
    match peek(ring, &mut place) {
        OK => abandon(ring, &place),
        status => status,
    }
}

/// Two places for numbers, and the two numbers that are there, in the hand.
fn take(ring: &Object, places: &mut [Reservation; 4]) -> i32 {
    let [five, six, three, four] = places;
    match all([claim(ring, five), claim(ring, six), peek(ring, three)]) {
        OK => peek(ring, four),
        status => status,
    }
}

fn several(ring: &Object) -> i32 {
    let mut places = [Reservation::NONE; 4];
    match take(ring, &mut places) {
        OK => {
            let [_, six, _, four] = &places;
            all([commit(ring, six, 6), advance(ring, four)])
        }
        status => status,
    }
}

fn several_given_up(ring: &Object) -> i32 {
    let mut places = [Reservation::NONE; 4];
    match take(ring, &mut places) {
        OK => {
            let [five, six, three, four] = &places;
            let committed = commit(ring, six, 6);
            all([committed, abandon(ring, five), abandon(ring, four), abandon(ring, three)])
        }
        status => status,
    }
}

/// Closes the ring with three places in the hand.
fn closes_with_several(stage: Stage) -> Result<(), String> {
    let ring = MPMC.open()?;
    fill::<Mpmc>(&ring, 3, 2)?;
    let mut places = [Reservation::NONE; 4];
    ok("taking several", take(&ring, &mut places))?;
    ok("commit", commit(&ring, &places[1], 6))?;
    stepped(stage, || call!(mpmc_close(ring.handle)))
}

/// Dies with a number in each hand, and two places for more: that is all that there is room for.
fn dies_with_hands_full(stage: Stage) -> Result<(), String> {
    let ring = MPMC.open()?;
    fill::<Mpmc>(&ring, 3, 2)?;
    ok("taking several", take(&ring, &mut [Reservation::NONE; 4]))?;
    stage.pause();
    Ok(())
}

/// Gets what the dead had, and puts one.
fn get_two_put_one(ring: &Object, number: u64) -> i32 {
    let mut out = 0;
    let got = [Mpmc::pop(ring.handle, &mut out), Mpmc::pop(ring.handle, &mut out)];
    is_empty(ring).max(all(got)).max(claim_and_commit(ring, number))
}

/// That nothing is left but places of the dead: OK, if so.
fn is_empty(ring: &Object) -> i32 {
    match Mpmc::pop(ring.handle, &mut 0) {
        EMPTY => OK,
        OK => EMPTY,
        status => status,
    }
}

/// The numbers from here on are put by the victim, and nobody has had them in the hand.
const FRESH: u64 = 5;

/// One of those sets is found; the last one if the call had returned. Each number is there
/// once, and taken over by one who came after a dead one, of whom there were two at most.
fn several_are(world: &World, death: &Death, sets: &[&[u64]]) -> Result<(), String> {
    MPMC.look(world, |ring| {
        let mut found = marked(ring.handle)?;
        found.sort_unstable();
        let numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
        if death.first {
            if !sets.contains(&numbers.as_slice()) {
                return Err(format!("found {numbers:?}, which is none of {sets:?}"));
            }
            if found.iter().any(|(number, times)| *times > 2 || *number >= FRESH && *times > 0) {
                return Err(format!("(number, how often taken over): {found:?}"));
            }
            if death.returned {
                is("what is left", numbers.as_slice(), sets.last().copied().unwrap_or(&[]))?;
            }
        }
        goes_on::<Mpmc>(ring.handle)
    })?;
    outcomes::unchanged(world, death)
}

/// All that is in the ring, and how often each was taken over.
fn marked(ring: Handle) -> Result<Vec<(u64, u32)>, String> {
    let mut all = Vec::new();
    loop {
        let (mut number, mut times) = (0u64, 0);
        let out = (&raw mut number).cast();
        match call!(mpmc_pop(ring, out, 8, null_mut(), &mut times)) {
            OK => all.push((number, times)),
            EMPTY => return Ok(all),
            status => ok("pop", status)?,
        }
    }
}

fn spsc_claim_and_commit(ring: &Object, number: u64) -> i32 {
    let (mut place, mut n): (*mut c_void, _) = (null_mut(), 0);
    match call!(spsc_claim(ring.handle, 1, &mut place, &mut n)) {
        OK => {}
        status => return status,
    }
    // SAFETY: a place for one number, which is ours until it is committed.
    unsafe { place.cast::<u64>().write(number) };
    call!(spsc_commit(ring.handle, 1))
}

fn spsc_claim_and_abandon(ring: &Object) -> i32 {
    let (mut place, mut n): (*mut c_void, _) = (null_mut(), 0);
    match call!(spsc_claim(ring.handle, 2, &mut place, &mut n)) {
        OK => call!(spsc_abandon(ring.handle)),
        status => status,
    }
}

fn spsc_peek_and_advance(ring: &Object) -> i32 {
    let (mut place, mut n): (*const c_void, _) = (null_mut(), 0);
    match call!(spsc_peek(ring.handle, 1, &mut place, &mut n)) {
        OK => call!(spsc_advance(ring.handle, 1)),
        status => status,
    }
}
