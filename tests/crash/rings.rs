//! Operations on rings: at every fill level over two laps.
//!
//! The victim has filled the ring with numbers in order before its call. So what survivors find
//! is a run of numbers: all that it had put and nobody had got, and perhaps what it was about to
//! put, and perhaps without what it was about to get.

use crate::abi::{EMPTY, FULL, Handle, OK};
use crate::nouns::{FANIN, MPMC, Object, SPSC};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::ring_kinds::{CAPACITY, Calls, Fanin, Inlined, InlinedMpmc, Mpmc, Padded, Pairs, Spsc};
use crate::ring_places;
use crate::victim::stepped;
use crate::world::{World, ok};

/// Makes the ring begin at `start`, with the numbers from there on in it.
pub(crate) fn fill<C: Calls>(ring: &Object, start: u64, level: u64) -> Result<(), String> {
    for number in 0..start {
        ok("push", C::push(ring.handle, number))?;
        ok("pop", C::pop(ring.handle, &mut 0))?;
    }
    (start..start + level).try_for_each(|number| ok("push", C::push(ring.handle, number)))
}

/// What a call puts and gets.
pub(crate) struct Change {
    pub(crate) puts: u64,
    pub(crate) gets: u64,
}

/// A victim at a fill level: what it does there.
pub(crate) fn at<C: Calls>(
    stage: Stage,
    start: u64,
    level: u64,
    call: impl FnOnce(&Object) -> i32,
) -> Result<(), String> {
    let ring = C::NOUN.open()?;
    fill::<C>(&ring, start, level)?;
    stepped(stage, || call(&ring))
}

/// All that is in the ring, in order.
pub(crate) fn drain<C: Calls>(ring: Handle) -> Result<Vec<u64>, String> {
    let (mut all, mut number) = (Vec::new(), 0);
    loop {
        match C::pop(ring, &mut number) {
            OK => all.push(number),
            EMPTY => return Ok(all),
            status => ok("pop", status)?,
        }
    }
}

/// A ring that lost no place: full with as many as it has room for, and in order.
pub(crate) fn goes_on<C: Calls>(ring: Handle) -> Result<(), String> {
    for lap in 0..2 {
        let mut n = 0;
        loop {
            match C::push(ring, 100 * lap + n) {
                OK => n += 1,
                status => {
                    is("status of one push more", status, FULL)?;
                    break;
                }
            }
        }
        if C::ROOM.map_or(n == 0, |room| n != room) {
            return Err(format!("a ring has room for {n}, not {:?}", C::ROOM));
        }
        for number in 0..n {
            let mut out = 0;
            ok("pop", C::pop(ring, &mut out))?;
            is("what was put", out, 100 * lap + number)?;
        }
        is("status of one pop more", C::pop(ring, &mut 0), EMPTY)?;
    }
    Ok(())
}

/// After the death there is what was there before the call, or after it. Records go one by one:
/// a batch may have been got in part, or put in part.
pub(crate) fn judged<C: Calls>(
    world: &World,
    death: &Death,
    (start, level): (u64, u64),
    change: &Change,
) -> Result<(), String> {
    C::NOUN.look(world, |ring| {
        let mut all = drain::<C>(ring.handle)?;
        if !C::IN_TURN {
            all.sort_unstable();
        }
        if death.first {
            let gets = change.gets.min(level);
            let puts = change.puts.min(CAPACITY - level);
            let (first, end) = (all.first().copied(), all.last().map_or(start, |last| last + 1));
            let is_run = all.windows(2).all(|two| two[0] + 1 == two[1]);
            let first = first.unwrap_or(if death.returned { start + gets } else { end.max(start) });
            let got = first.wrapping_sub(start);
            let put = (first + all.len() as u64).wrapping_sub(start + level);
            let is_full_change = got == gets && put == puts;
            let is_part = got <= gets && (put <= puts || all.is_empty());
            if !is_run || !is_part || death.returned && !is_full_change && !all.is_empty() {
                return Err(format!(
                    "of {level} from {start} on, {puts} put and {gets} got: found {all:?}"
                ));
            }
            // What had been put before is lost in no case.
            let least = if death.returned { level + puts - gets } else { level - gets };
            if (all.len() as u64) < least {
                return Err(format!("{} are left, of at least {least}", all.len()));
            }
        }
        goes_on::<C>(ring.handle)
    })?;
    outcomes::unchanged(world, death)
}

/// One operation at one level.
macro_rules! level {
    ($kind:ident, $name:literal, $start:literal, $level:literal, $puts:literal, $gets:literal,
     $call:expr) => {
        Operation {
            name: concat!($name, "_from_", $start, "_with_", $level),
            // Those that are not among a few go with `every`.
            is_variant: !matches!(($start, $level), (3, 0 | 2 | 3 | 4) | (6, 1)),
            noun: Some($kind::NOUN),
            victim: |stage| at::<$kind>(stage, $start, $level, $call),
            outcome: |world, death| {
                let change = Change { puts: $puts, gets: $gets };
                judged::<$kind>(world, death, ($start, $level), &change)
            },
            recorded: matches!(($start, $level), (3, 2)),
            ..PLAIN
        }
    };
}

/// The same at several levels, from every place over two laps.
macro_rules! levels {
    ($kind:ident, $name:literal, [$($level:literal),*], $puts:literal, $gets:literal, $call:expr) => {
        &[$(
            level!($kind, $name, 0, $level, $puts, $gets, $call),
            level!($kind, $name, 1, $level, $puts, $gets, $call),
            level!($kind, $name, 2, $level, $puts, $gets, $call),
            level!($kind, $name, 3, $level, $puts, $gets, $call),
            level!($kind, $name, 4, $level, $puts, $gets, $call),
            level!($kind, $name, 5, $level, $puts, $gets, $call),
            level!($kind, $name, 6, $level, $puts, $gets, $call),
            level!($kind, $name, 7, $level, $puts, $gets, $call),
        )*]
    };
}

fn push<C: Calls>(ring: &Object, number: u64) -> i32 {
    C::push(ring.handle, number)
}

fn push_three<C: Calls>(ring: &Object, from: u64) -> i32 {
    C::push_n(ring.handle, &[from, from + 1, from + 2], &mut 0)
}

fn pop<C: Calls>(ring: &Object) -> i32 {
    C::pop(ring.handle, &mut 0)
}

fn pop_three<C: Calls>(ring: &Object) -> i32 {
    C::pop_n(ring.handle, &mut [0; 3], &mut 0)
}

/// Puts the next number of a ring with so many: it begins anywhere, so the number is told.
macro_rules! table {
    ($kind:ident, $push:literal, $push_n:literal, $pop:literal, $pop_n:literal) => {
        &[
            puts!($kind, $push, push::<$kind>, 1, [0, 1, 2, 3]),
            puts!($kind, $push_n, push_three::<$kind>, 3, [0, 1, 2, 3]),
            levels!($kind, $pop, [1, 2, 3, 4], 0, 1, pop::<$kind>),
            levels!($kind, $pop_n, [1, 2, 3, 4], 0, 3, pop_three::<$kind>),
        ]
    };
}

macro_rules! puts {
    ($kind:ident, $name:literal, $how:expr, $puts:literal, [$($level:literal),*]) => {
        &[$(
            put_level!($kind, $name, 0, $level, $puts, $how),
            put_level!($kind, $name, 1, $level, $puts, $how),
            put_level!($kind, $name, 2, $level, $puts, $how),
            put_level!($kind, $name, 3, $level, $puts, $how),
            put_level!($kind, $name, 4, $level, $puts, $how),
            put_level!($kind, $name, 5, $level, $puts, $how),
            put_level!($kind, $name, 6, $level, $puts, $how),
            put_level!($kind, $name, 7, $level, $puts, $how),
        )*]
    };
}

macro_rules! put_level {
    ($kind:ident, $name:literal, $start:literal, $level:literal, $puts:literal, $how:expr) => {
        level!($kind, $name, $start, $level, $puts, 0, |ring| $how(ring, $start + $level))
    };
}

pub(crate) use {level, levels, put_level, puts};

const OF_SPSC: &[&[Operation]] = table!(Spsc, "spsc_push", "spsc_push_n", "spsc_pop", "spsc_pop_n");
const OF_FANIN: &[&[Operation]] =
    table!(Fanin, "fanin_push", "fanin_push_n", "fanin_pop", "fanin_pop_n");
const OF_MPMC: &[&[Operation]] = table!(Mpmc, "mpmc_push", "mpmc_push_n", "mpmc_pop", "mpmc_pop_n");

const OF_INLINED: &[&[Operation]] = &[
    puts!(Inlined, "inlined_push", push::<Inlined>, 1, [0, 1, 2, 3]),
    levels!(Inlined, "inlined_pop", [1, 2, 3, 4], 0, 1, pop::<Inlined>),
    puts!(InlinedMpmc, "inlined_push_to_many", push::<InlinedMpmc>, 1, [0, 1, 2, 3]),
    levels!(InlinedMpmc, "inlined_pop_of_many", [1, 2, 3, 4], 0, 1, pop::<InlinedMpmc>),
];

const OF_MESSAGES: &[&[Operation]] = &[
    puts!(Pairs, "message_push", push::<Pairs>, 1, [0, 1, 2, 3]),
    levels!(Pairs, "message_pop", [1, 2, 3, 4], 0, 1, pop::<Pairs>),
    puts!(Padded, "message_push_padded", push::<Padded>, 1, [0, 1]),
    levels!(Padded, "message_pop_padded", [1, 2], 0, 1, pop::<Padded>),
];

/// All that a victim does alone.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    let by_level =
        OF_SPSC.iter().chain(OF_INLINED).chain(OF_FANIN).chain(OF_MPMC).chain(OF_MESSAGES);
    by_level
        .chain(ring_places::BY_LEVEL)
        .copied()
        .flatten()
        .chain(ring_places::OTHERS)
        .chain(OTHERS)
}

const OTHERS: &[Operation] = &[
    Operation {
        name: "spsc_push_dead_producer",
        noun: Some(&SPSC),
        predecessor: Some(dies_with_roles::<Spsc>),
        victim: |stage| stepped_on::<Spsc>(stage, |ring| Spsc::push(ring.handle, 5)),
        outcome: |world, death| judged::<Spsc>(world, death, (3, 2), &Change { puts: 1, gets: 0 }),
        ..PLAIN
    },
    Operation {
        name: "spsc_pop_dead_consumer",
        noun: Some(&SPSC),
        predecessor: Some(dies_with_roles::<Spsc>),
        victim: |stage| stepped_on::<Spsc>(stage, pop::<Spsc>),
        outcome: |world, death| judged::<Spsc>(world, death, (3, 2), &Change { puts: 0, gets: 1 }),
        ..PLAIN
    },
    Operation {
        name: "fanin_push_dead_producer",
        noun: Some(&FANIN),
        predecessor: Some(dies_with_roles::<Fanin>),
        victim: |stage| stepped_on::<Fanin>(stage, |ring| Fanin::push(ring.handle, 5)),
        outcome: |world, death| judged::<Fanin>(world, death, (3, 2), &Change { puts: 1, gets: 0 }),
        ..PLAIN
    },
    Operation {
        name: "spsc_shutdown",
        noun: Some(&SPSC),
        victim: |stage| stepped_on::<Spsc>(stage, |ring| Spsc::shutdown(ring.handle)),
        ..PLAIN
    },
    Operation {
        name: "mpmc_shutdown",
        noun: Some(&MPMC),
        victim: |stage| stepped_on::<Mpmc>(stage, |ring| Mpmc::shutdown(ring.handle)),
        ..PLAIN
    },
];

pub(crate) fn stepped_on<C: Calls>(
    stage: Stage,
    call: impl FnOnce(&Object) -> i32,
) -> Result<(), String> {
    let ring = C::NOUN.open()?;
    stepped(stage, || call(&ring))
}

/// Fills the ring, and dies as its producer and its consumer.
pub(crate) fn dies_with_roles<C: Calls>(stage: Stage) -> Result<(), String> {
    fill::<C>(&C::NOUN.open()?, 3, 2)?;
    stage.pause();
    Ok(())
}
