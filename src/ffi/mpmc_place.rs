//! `atoll_mpmc_place`: what code in other people's programs needs to push and pop itself.

use core::ffi::c_void;
use core::ptr::{null, null_mut};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::argument;
use super::guard::guard;
use super::handle;
use super::mpmc::atoll_mpmc;
use super::output::Output;
use super::place::{atoll_place, place};
use super::status::atoll_status;
use crate::error::Result;
use crate::object::mpmc_ring::MpmcRing;
use crate::object::ring_calls::RingCalls;
use crate::roster::thread::{self, Thread};

/// Where a ring of records for many lies: all that a thread needs to push and pop a record without
/// a call. <atoll/inline.h> does it, and so does atoll.hpp. This is the contract that they rely on,
/// a part of that which stands at atoll_place, with which it begins.
///
/// With a good seat, behind the thread's marks follow, at 96 bytes from them, three uint64_t of its
/// claim: the first is `object` once the thread has used the ring by a call. The way is good if it
/// is. From before it looks at the seat until all is over the first word of the thread's record is
/// one more, so that the calls of a signal handler are refused; then it is one more again.
///
/// That number n is in place n & mask, which begins with its word, `stride` bytes from the one
/// before, and has its record `lead` bytes behind that. `watch` are two words of which bits 33 to
/// 30 are 0 if nobody has to be told, `suspected` is one whose halves are equal if nobody suspects
/// that a dead one has left something.
///
///   push   The word of number `*tail` (acquire) is n << 16. 2^62 | 2^48 | n modulo 2^48 is stored
///          (release) to the third word of the claim, then `tail` exchanged (sequentially
///          consistent) for n + 1. The record is written, then n << 16 | 2^14 stored (release) to
///          the word. If watch[0], loaded after the exchange, says that somebody has to be told,
///          atoll_place_finish_push() does that instead of the store.
///   pop    The word of number `*head` (acquire) is n << 16 | 2^14, and n is no multiple of 64.
///          2^63 | 2^48 | n modulo 2^48 is stored, and `head` exchanged, likewise. The record is
///          read, then n + mask + 1 << 16 stored (release) to the word. If watch[0] or watch[1] say
///          that somebody has to be told, atoll_place_finish_pop() reads it instead, and does the
///          rest.
///
/// If an exchange fails, 0 is stored (release) to the third word of the claim. In every other case
/// the call does it, and also if watch[0] is not 0 there before the claim.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_mpmc_way {
    /// Its `word` is NULL if there is no short way.
    pub place: atoll_place,
    /// How many numbers were claimed to be put.
    pub tail: *mut u64,
    /// ... and to be got.
    pub head: *mut u64,
    /// Who has to be told of records, and of room.
    pub watch: [*const u64; 2],
    /// Whether somebody suspects something.
    pub suspected: *const u64,
    /// From one word to the next.
    pub stride: u64,
    /// From a word to its record.
    pub lead: u64,
    /// The number of places less 1.
    pub mask: u64,
    /// Bytes of a record.
    pub record: u64,
    /// What the first word of the claim is.
    pub object: u64,
    /// The handle, for what finishes.
    pub mpmc: *mut atoll_mpmc,
}

/// Says where an mpmc lies, for code that pushes or pops records without a call.
///
/// contract  As for atoll_mutex_place().
/// out       Receives the way; the `word` of its place, the first one of the ring's places, is NULL
///           if there is no short way: for messages there is none.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///
/// Threads   Any thread. The way is the same for all.
/// Fork      The way is good in a child.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_place(
    mpmc: *mut atoll_mpmc,
    contract: u32,
    out: *mut atoll_mpmc_way,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_mpmc_way.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(way(handle::find(call, mpmc)?.ring(), mpmc, contract));
        Ok(())
    })
}

fn way(ring: &MpmcRing, mpmc: *mut atoll_mpmc, contract: u32) -> atoll_mpmc_way {
    let way = ring.way();
    let word = way.as_ref().map(|way| way.words);
    let place = place(word, ring.segment_number(), 0, contract);
    match way {
        Some(way) => atoll_mpmc_way {
            place,
            tail: way.tail.as_ptr(),
            head: way.head.as_ptr(),
            watch: [ring.items().address(), ring.room().address()],
            suspected: way.suspected,
            stride: way.stride,
            lead: way.lead,
            mask: way.mask,
            record: way.record,
            object: way.object,
            mpmc,
        },
        None => atoll_mpmc_way {
            place,
            tail: null_mut(),
            head: null_mut(),
            watch: [null(); 2],
            suspected: null(),
            stride: 0,
            lead: 0,
            mask: 0,
            record: 0,
            object: 0,
            mpmc: null_mut(),
        },
    }
}

/// Puts a record that was written to a place claimed without a call, where somebody has to be told.
///
/// number    The number that was claimed.
///
/// Returns true if it is put. If not, the place was given up: make the call.
///
/// Threads   The one that claimed it; the first word of its record is odd.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_place_finish_push(mpmc: *mut atoll_mpmc, number: u64) -> bool {
    finish(mpmc, |ring, thread| ring.publish_records(thread, number, 1))
}

/// Gets a record whose number was claimed without a call, where somebody has to be told.
///
/// number    The number that was claimed.
/// out       Receives the record: room for as many bytes as it has.
///
/// Returns true if *out is the record. If not, it stays in the ring: make the call.
///
/// Threads   As for atoll_place_finish_push().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_place_finish_pop(
    mpmc: *mut atoll_mpmc,
    number: u64,
    out: *mut c_void,
) -> bool {
    finish(mpmc, |ring, thread| {
        // SAFETY: room for a record, per the caller.
        let record = unsafe { argument::buffer(out, ring.record(), "out") }?;
        ring.receive_at(thread, number, record)
    })
}

/// What is done inside the caller's own short way, in which it counts as in a call.
fn finish(
    mpmc: *mut atoll_mpmc,
    body: impl FnOnce(&MpmcRing, &'static Thread) -> Result<()>,
) -> bool {
    let done = catch_unwind(AssertUnwindSafe(|| {
        let call = thread::inside()?;
        body(handle::find(&call, mpmc)?.ring(), call.thread())
    }));
    matches!(done, Ok(Ok(())))
}
