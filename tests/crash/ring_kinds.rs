//! The kinds of rings, and what they have in common: numbers are put and got.

use std::ptr::null_mut;

use crate::abi::{EMPTY, Handle, NOT_OWNER, OK, RingOptions, Type, call};
use crate::nouns::{FANIN, MESSAGES, MPMC, Noun, SPSC};
use crate::short;

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

macro_rules! inlined {
    ($(#[$about:meta])* $inlined:ident, $kind:ident, $push:ident, $pop:ident) => {
        $(#[$about])*
        pub(crate) struct $inlined;

        impl Calls for $inlined {
            const NOUN: &'static Noun = $kind::NOUN;
            const REFUSED: i32 = $kind::REFUSED;
            const IN_TURN: bool = $kind::IN_TURN;

            fn push(ring: Handle, number: u64) -> i32 {
                short::$push(ring, number)
            }

            fn push_n(ring: Handle, numbers: &[u64], n: &mut usize) -> i32 {
                $kind::push_n(ring, numbers, n)
            }

            fn pop(ring: Handle, out: &mut u64) -> i32 {
                short::$pop(ring, out)
            }

            fn pop_n(ring: Handle, out: &mut [u64], n: &mut usize) -> i32 {
                $kind::pop_n(ring, out, n)
            }

            fn put(ring: Handle, number: u64, timeout_ns: i64) -> i32 {
                $kind::put(ring, number, timeout_ns)
            }

            fn get(ring: Handle, out: &mut u64, timeout_ns: i64) -> i32 {
                $kind::get(ring, out, timeout_ns)
            }

            fn shutdown(ring: Handle) -> i32 {
                $kind::shutdown(ring)
            }
        }
    };
}

inlined!(
    /// A spsc whose push and pop are a program's own code.
    Inlined, Spsc, push, pop
);
inlined!(
    /// An mpmc of which that is so.
    InlinedMpmc, Mpmc, push_to_many, pop_of_many
);

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
