//! Operations on rings: at every fill level over two laps, and those who wait there.
//!
//! The victim has filled the ring with numbers in order before its call. So what survivors find
//! is a run of numbers: all that it had put and nobody had got, and perhaps what it was about to
//! put, and perhaps without what it was about to get.

use std::ffi::c_void;
use std::ptr::null_mut;

use crate::abi::{CLOSED, EMPTY, FOREVER, FULL, Handle, NOT_OWNER, OK, RingOptions, Type, call};
use crate::nouns::{FANIN, MESSAGES, MPMC, Noun, Object, SPSC};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::short;
use crate::sleepers::{Cast, ROLE, Role};
use crate::victim::stepped;
use crate::vigils::{FIRST, Fate, VIGIL, Vigil, ask, helper};
use crate::world::{World, ok};

pub(crate) const CAPACITY: u64 = 4;
pub(crate) const OPTIONS: RingOptions = RingOptions::new(CAPACITY, 0);
pub(crate) const LANES: RingOptions = RingOptions::new(CAPACITY, 2);
pub(crate) const NUMBER: Type = Type::U64;

/// The calls of one kind of ring, so that each scene is written once.
pub(crate) trait Calls {
    const NOUN: &'static Noun;
    /// What a stranger's pop gives beside one that waits: that may be the consumer.
    const REFUSED: i32;
    /// What a dead consumer leaves comes in its turn.
    const IN_TURN: bool;
    /// How many there is room for, if that is always the same.
    const ROOM: Option<u64> = Some(CAPACITY);
    fn push(ring: Handle, number: u64) -> i32;
    fn push_n(ring: Handle, numbers: &[u64], n: &mut usize) -> i32;
    fn pop(ring: Handle, out: &mut u64) -> i32;
    fn pop_n(ring: Handle, out: &mut [u64], n: &mut usize) -> i32;
    fn put(ring: Handle, number: u64, timeout_ns: i64) -> i32;
    fn get(ring: Handle, out: &mut u64, timeout_ns: i64) -> i32;
    fn shutdown(ring: Handle) -> i32;
}

macro_rules! calls {
    ($kind:ident, $noun:ident, $refused:ident, $push:ident, $push_n:ident, $pop:ident, $pop_n:ident, $put:ident,
     $get:ident, $shutdown:ident $(, $times:expr)?) => {
        pub(crate) struct $kind;

        impl Calls for $kind {
            const NOUN: &'static Noun = &$noun;
            const REFUSED: i32 = $refused;
            const IN_TURN: bool = $refused != EMPTY;

            fn push(ring: Handle, number: u64) -> i32 {
                call!($push(ring, (&raw const number).cast(), 8))
            }

            fn push_n(ring: Handle, numbers: &[u64], n: &mut usize) -> i32 {
                call!($push_n(ring, numbers.as_ptr().cast(), numbers.len(), n))
            }

            fn pop(ring: Handle, out: &mut u64) -> i32 {
                call!($pop(ring, (&raw mut *out).cast(), 8, null_mut() $(, $times)?))
            }

            fn pop_n(ring: Handle, out: &mut [u64], n: &mut usize) -> i32 {
                call!($pop_n(ring, out.as_mut_ptr().cast(), out.len(), n $(, $times)?))
            }

            fn put(ring: Handle, number: u64, timeout_ns: i64) -> i32 {
                call!($put(ring, (&raw const number).cast(), 8, timeout_ns))
            }

            fn get(ring: Handle, out: &mut u64, timeout_ns: i64) -> i32 {
                call!($get(ring, (&raw mut *out).cast(), 8, null_mut() $(, $times)?, timeout_ns))
            }

            fn shutdown(ring: Handle) -> i32 {
                call!($shutdown(ring, 1))
            }
        }
    };
}

calls!(
    Spsc,
    SPSC,
    NOT_OWNER,
    spsc_push,
    spsc_push_n,
    spsc_pop,
    spsc_pop_n,
    spsc_put,
    spsc_get,
    spsc_shutdown
);
calls!(
    Fanin,
    FANIN,
    NOT_OWNER,
    fanin_push,
    fanin_push_n,
    fanin_pop,
    fanin_pop_n,
    fanin_put,
    fanin_get,
    fanin_shutdown
);
calls!(
    Mpmc,
    MPMC,
    EMPTY,
    mpmc_push,
    mpmc_push_n,
    mpmc_pop,
    mpmc_pop_n,
    mpmc_put,
    mpmc_get,
    mpmc_shutdown,
    null_mut()
);

/// A spsc whose push and pop are a program's own code.
pub(crate) struct Inlined;

impl Calls for Inlined {
    const NOUN: &'static Noun = &SPSC;
    const REFUSED: i32 = Spsc::REFUSED;
    const IN_TURN: bool = Spsc::IN_TURN;

    fn push(ring: Handle, number: u64) -> i32 {
        short::push(ring, number)
    }

    fn push_n(ring: Handle, numbers: &[u64], n: &mut usize) -> i32 {
        Spsc::push_n(ring, numbers, n)
    }

    fn pop(ring: Handle, out: &mut u64) -> i32 {
        short::pop(ring, out)
    }

    fn pop_n(ring: Handle, out: &mut [u64], n: &mut usize) -> i32 {
        Spsc::pop_n(ring, out, n)
    }

    fn put(ring: Handle, number: u64, timeout_ns: i64) -> i32 {
        Spsc::put(ring, number, timeout_ns)
    }

    fn get(ring: Handle, out: &mut u64, timeout_ns: i64) -> i32 {
        Spsc::get(ring, out, timeout_ns)
    }

    fn shutdown(ring: Handle) -> i32 {
        Spsc::shutdown(ring)
    }
}

/// A ring of messages, each of so many bytes, in so many cells that four have room; or, where
/// they do not fill the ring, with padding at its end.
pub(crate) struct Messages<const BYTES: usize>;

/// Two cells each.
pub(crate) type Pairs = Messages<100>;
/// Three cells each: of eight, the last ones are padding.
pub(crate) type Padded = Messages<150>;

pub(crate) const CELLS: RingOptions = RingOptions::new(8, 0);
pub(crate) const ANY_BYTES: Type = Type::bytes(0);

impl<const BYTES: usize> Calls for Messages<BYTES> {
    const NOUN: &'static Noun = &MESSAGES;
    const REFUSED: i32 = EMPTY;
    const IN_TURN: bool = false;
    const ROOM: Option<u64> = if BYTES == 100 { Some(CAPACITY) } else { None };

    fn push(ring: Handle, number: u64) -> i32 {
        let message = Self::message(number);
        call!(mpmc_push(ring, message.as_ptr().cast(), BYTES))
    }

    fn push_n(_: Handle, _: &[u64], _: &mut usize) -> i32 {
        unreachable!("messages go one at a time")
    }

    fn pop(ring: Handle, out: &mut u64) -> i32 {
        let (mut message, mut len) = ([0u8; 200], 0);
        let room = message.as_mut_ptr().cast();
        Self::number(call!(mpmc_pop(ring, room, 200, &mut len, null_mut())), &message[..len], out)
    }

    fn pop_n(_: Handle, _: &mut [u64], _: &mut usize) -> i32 {
        unreachable!("messages go one at a time")
    }

    fn put(ring: Handle, number: u64, timeout_ns: i64) -> i32 {
        let message = Self::message(number);
        call!(mpmc_put(ring, message.as_ptr().cast(), BYTES, timeout_ns))
    }

    fn get(ring: Handle, out: &mut u64, timeout_ns: i64) -> i32 {
        let (mut message, mut len) = ([0u8; 200], 0);
        let room = message.as_mut_ptr().cast();
        let status = call!(mpmc_get(ring, room, 200, &mut len, null_mut(), timeout_ns));
        Self::number(status, &message[..len], out)
    }

    fn shutdown(ring: Handle) -> i32 {
        call!(mpmc_shutdown(ring, 1))
    }
}

impl<const BYTES: usize> Messages<BYTES> {
    /// A message of that number, in which each byte tells where it belongs.
    fn message(number: u64) -> [u8; BYTES] {
        std::array::from_fn(|at| match number.to_le_bytes().get(at) {
            Some(byte) => *byte,
            None => (number as usize + at) as u8,
        })
    }

    /// What such a message says; one that is not whole is no answer.
    fn number(status: i32, message: &[u8], out: &mut u64) -> i32 {
        if status == OK {
            *out = message.first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
            if *message != Self::message(*out) {
                return TORN;
            }
        }
        status
    }
}

/// No status of the library's: a message that nobody has put.
const TORN: i32 = 1000;

/// Makes the ring begin at `start`, with the numbers from there on in it.
fn fill<C: Calls>(ring: &Object, start: u64, level: u64) -> Result<(), String> {
    for number in 0..start {
        ok("push", C::push(ring.handle, number))?;
        ok("pop", C::pop(ring.handle, &mut 0))?;
    }
    (start..start + level).try_for_each(|number| ok("push", C::push(ring.handle, number)))
}

/// What a call puts and gets.
struct Change {
    puts: u64,
    gets: u64,
}

/// A victim at a fill level: what it does there.
fn at<C: Calls>(
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
fn drain<C: Calls>(ring: Handle) -> Result<Vec<u64>, String> {
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
fn goes_on<C: Calls>(ring: Handle) -> Result<(), String> {
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
fn judged<C: Calls>(
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

const OF_SPSC: &[&[Operation]] = table!(Spsc, "spsc_push", "spsc_push_n", "spsc_pop", "spsc_pop_n");
const OF_FANIN: &[&[Operation]] =
    table!(Fanin, "fanin_push", "fanin_push_n", "fanin_pop", "fanin_pop_n");
const OF_MPMC: &[&[Operation]] = table!(Mpmc, "mpmc_push", "mpmc_push_n", "mpmc_pop", "mpmc_pop_n");

const OF_INLINED: &[&[Operation]] = &[
    puts!(Inlined, "inlined_push", push::<Inlined>, 1, [0, 1, 2, 3]),
    levels!(Inlined, "inlined_pop", [1, 2, 3, 4], 0, 1, pop::<Inlined>),
];

const OF_MESSAGES: &[&[Operation]] = &[
    puts!(Pairs, "message_push", push::<Pairs>, 1, [0, 1, 2, 3]),
    levels!(Pairs, "message_pop", [1, 2, 3, 4], 0, 1, pop::<Pairs>),
    puts!(Padded, "message_push_padded", push::<Padded>, 1, [0, 1]),
    levels!(Padded, "message_pop_padded", [1, 2], 0, 1, pop::<Padded>),
];

/// All that a victim does alone.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    let by_level = OF_SPSC.iter().chain(OF_INLINED).chain(OF_FANIN).chain(OF_MPMC).chain(OF_MESSAGES);
    by_level.copied().flatten().chain(IN_PLACE).chain(OTHERS)
}

const IN_PLACE: &[Operation] = &[
    Operation {
        name: "spsc_claim_commit",
        noun: Some(&SPSC),
        victim: |stage| at::<Spsc>(stage, 3, 2, |ring| claim_and_commit(ring, 5)),
        outcome: |world, death| judged::<Spsc>(world, death, (3, 2), &Change { puts: 1, gets: 0 }),
        ..PLAIN
    },
    Operation {
        name: "spsc_claim_abandon",
        noun: Some(&SPSC),
        victim: |stage| at::<Spsc>(stage, 3, 2, claim_and_abandon),
        outcome: |world, death| judged::<Spsc>(world, death, (3, 2), &Change { puts: 0, gets: 0 }),
        ..PLAIN
    },
    Operation {
        name: "spsc_peek_advance",
        noun: Some(&SPSC),
        victim: |stage| at::<Spsc>(stage, 3, 2, peek_and_advance),
        outcome: |world, death| judged::<Spsc>(world, death, (3, 2), &Change { puts: 0, gets: 1 }),
        ..PLAIN
    },
];

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

fn stepped_on<C: Calls>(stage: Stage, call: impl FnOnce(&Object) -> i32) -> Result<(), String> {
    let ring = C::NOUN.open()?;
    stepped(stage, || call(&ring))
}

/// Fills the ring, and dies as its producer and its consumer.
fn dies_with_roles<C: Calls>(stage: Stage) -> Result<(), String> {
    fill::<C>(&C::NOUN.open()?, 3, 2)?;
    stage.pause();
    Ok(())
}

fn claim_and_commit(ring: &Object, number: u64) -> i32 {
    let (mut place, mut n): (*mut c_void, _) = (null_mut(), 0);
    match call!(spsc_claim(ring.handle, 1, &mut place, &mut n)) {
        OK => {}
        status => return status,
    }
    // SAFETY: a place for one number, which is ours until it is committed.
    unsafe { place.cast::<u64>().write(number) };
    call!(spsc_commit(ring.handle, 1))
}

fn claim_and_abandon(ring: &Object) -> i32 {
    let (mut place, mut n): (*mut c_void, _) = (null_mut(), 0);
    match call!(spsc_claim(ring.handle, 2, &mut place, &mut n)) {
        OK => call!(spsc_abandon(ring.handle)),
        status => status,
    }
}

fn peek_and_advance(ring: &Object) -> i32 {
    let (mut place, mut n): (*const c_void, _) = (null_mut(), 0);
    match call!(spsc_peek(ring.handle, 1, &mut place, &mut n)) {
        OK => call!(spsc_advance(ring.handle, 1)),
        status => status,
    }
}

// --- who waits ---

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
        name: "spsc_push_getter",
        noun: &SPSC,
        sleepers: &[&SPSC_GETTER],
        call: |ring| Spsc::push(ring.handle, 1),
        judge: |cast, fate| as_many_as_put::<Spsc>(cast, fate, 1),
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
    Vigil {
        name: "mpmc_shutdown_getters",
        noun: &MPMC,
        sleepers: &[&MPMC_GETTER, &MPMC_GETTER],
        call: |ring| Mpmc::shutdown(ring.handle),
        judge: |cast, fate| all_learn_of_it::<Mpmc>(cast, fate),
        ..VIGIL
    },
];

/// The short way of a producer is known, and the ring is empty.
fn knows_its_way(ring: &Object) -> Result<(), String> {
    fill::<Inlined>(ring, 1, 0)?;
    ok("leave", call!(spsc_leave(ring.handle, 2)))
}

fn statuses_are(cast: &mut Cast, status: i32) -> Result<(), String> {
    let found = cast.statuses();
    is("statuses of those who waited", found.clone(), vec![status; found.len()])
}

/// So many were put, or none, or part of them; nobody sleeps beside a record.
fn as_many_as_put<C: Calls>(cast: &mut Cast, fate: Fate, puts: usize) -> Result<(), String> {
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

fn wake_the_rest<C: Calls>(cast: &mut Cast) -> Result<(), String> {
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

fn all_learn_of_it<C: Calls>(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    if !fate.returned {
        helper(cast, |ring| ok("shutdown", C::shutdown(ring.handle)))?;
        cast.settles()?;
    }
    is("asleep in the end", cast.asleep(), 0)?;
    statuses_are(cast, CLOSED)?;
    cast.awake_leave().map(drop)
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
