//! `atoll_fanin_*`: how records are put and got.

use core::ffi::c_void;
use core::ptr::null_mut;

use super::fanin::atoll_fanin;
use super::guard::guard;
use super::handle;
use super::output::Output;
use super::ring;
use super::status::atoll_status;

/// Puts a record, if there is room. Never waits.
///
/// record    The record.
/// len       Its bytes: as many as its type has.
///
/// Returns
///   OK                  It is in the ring, for good: also if this process dies now.
///   FULL                There is no room in the lane. Nothing changed.
///   CLOSED              One of the ends is closed. Nothing changed.
///   NO_SPACE            All lanes have a producer that lives; or the segment has no place for
///                       another thread.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    record is NULL, len is not that of a record, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///   SYSTEM              Somebody polls its descriptor, and there are too many open files to
///                       tell; nothing changed.
///
/// Threads   One at a time as the producer, with this handle.
/// Fork      A child has none of the roles of its parent: it may take a role of its own.
/// Owner     Takes nothing. The record is copied.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_fanin_push(
    fanin: *mut atoll_fanin,
    record: *const c_void,
    len: usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::push(fanin, record, len) }
}

/// Puts as many of some records as there is room for. They come to be seen all at once.
/// Never waits.
///
/// records   The records, one after the other.
/// n         How many they are.
/// out_n     Receives how many were put: the first ones, and at least one, if n is not 0.
///
/// Returns   As atoll_fanin_push(). OK: *out_n are in the ring.
///
/// Threads   As for atoll_fanin_push().
/// Fork      As for atoll_fanin_push().
/// Owner     Takes nothing. The records are copied.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_fanin_push_n(
    fanin: *mut atoll_fanin,
    records: *const c_void,
    n: usize,
    out_n: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::push_n(fanin, records, n, out_n) }
}

/// Gets a record, if there is one. Never waits.
///
/// out       Receives the record.
/// cap       How many bytes there is room for.
/// out_len   Receives how many bytes it has, or with TOO_SMALL needs. May be NULL.
///
/// Returns
///   OK                  *out is the record. It is no longer in the ring.
///   EMPTY               There is none.
///   CLOSED              There is none, and the producers' end is closed; or the consumers'
///                       end is.
///   TOO_SMALL           cap is less than the record has. It stays in the ring.
///   NOT_OWNER           Another process or another handle is the consumer.
///   NO_SPACE            The segment has no place for another thread.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///   SYSTEM              As for atoll_fanin_push(): the record stays in the ring.
///
/// Threads   One at a time as the consumer, with this handle.
/// Fork      As for atoll_fanin_push().
/// Owner     The copy is yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_fanin_pop(
    fanin: *mut atoll_fanin,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::pop(fanin, out, cap, out_len, null_mut()) }
}

/// Gets as many records as there are in a lane and have room. Never waits.
///
/// out       Receives the records, one after the other.
/// n         How many there is room for: at least one.
/// out_n     Receives how many were got: at least one.
///
/// Returns   As atoll_fanin_pop(). OK: *out_n were got.
///
/// Threads   As for atoll_fanin_pop().
/// Fork      As for atoll_fanin_push().
/// Owner     The copies are yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_fanin_pop_n(
    fanin: *mut atoll_fanin,
    out: *mut c_void,
    n: usize,
    out_n: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::pop_n(fanin, out, n, out_n, null_mut()) }
}

/// Puts a record, waiting up to `timeout_ns` for room.
///
/// Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
/// measured from the call on the monotonic clock, which no one can set.
///
/// Returns
///   OK                  It is in the ring, for good.
///   TIMED_OUT           There was no room. Nothing changed.
///   INTERRUPTED         A signal handler ran. Nothing changed. Call again.
///   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_fanin_push().
///   and what else atoll_fanin_push() returns, but FULL.
///
/// Threads   As for atoll_fanin_push().
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      As for atoll_fanin_push().
/// Owner     Takes nothing. The record is copied.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_fanin_put(
    fanin: *mut atoll_fanin,
    record: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::put(fanin, record, len, timeout_ns) }
}

/// Gets a record, waiting up to `timeout_ns` for one, as atoll_fanin_put() does for room.
///
/// Returns
///   OK                  *out is the record. It is no longer in the ring.
///   TIMED_OUT           There was none.
///   INTERRUPTED         A signal handler ran. Nothing was got. Call again.
///   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_fanin_pop().
///   and what else atoll_fanin_pop() returns, but EMPTY.
///
/// Threads   As for atoll_fanin_pop().
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      As for atoll_fanin_push().
/// Owner     The copy is yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_fanin_get(
    fanin: *mut atoll_fanin,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    timeout_ns: i64,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::get(fanin, out, cap, out_len, null_mut(), timeout_ns) }
}

/// Claims up to `n` places side by side, to write records there. Nothing is put before
/// atoll_fanin_commit(). Who claims again gets the same ones. Never waits.
///
/// n         How many are wanted; 0 stands for 1.
/// out       Receives the address of the first one: write records there, one after the other.
/// out_n     Receives how many they are: at least one, and fewer than wanted where there is
///           less room or the ring begins anew.
///
/// Returns   As atoll_fanin_push(). OK: *out_n places at *out are yours to write to, until
///           atoll_fanin_commit() or atoll_fanin_abandon(), the next push, or the close of the
///           handle.
///
/// Threads   As for atoll_fanin_push().
/// Fork      As for atoll_fanin_push(). A child must not write there.
/// Owner     The places stay the ring's; this process may die with them: nothing was put.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_fanin_claim(
    fanin: *mut atoll_fanin,
    n: usize,
    out: *mut *mut c_void,
    out_n: *mut usize,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an address.
        let out = unsafe { Output::at(out, "out") }?;
        // SAFETY: the caller passes NULL or room for a size_t.
        let out_n = unsafe { Output::at(out_n, "out_n") }?;
        let ring = handle::find(call, fanin)?.ring();
        let (places, n) = ring.claim(call.thread(), n as u64)?;
        out.write(places.address().cast());
        out_n.write(n as usize);
        Ok(())
    })
}

/// Puts the records in the first `n` of the places that were claimed last, and lets go of the
/// others. They come to be seen all at once.
///
/// n         How many: at least one.
///
/// Returns
///   OK                  They are in the ring, for good.
///   CLOSED              One of the ends is closed. Nothing changed.
///   INVALID_ARGUMENT    No place is claimed, or not so many, or something was pushed since; or
///                       the handle is closed.
///   and what else atoll_fanin_push() returns, but FULL.
///
/// Threads   As for atoll_fanin_push().
/// Fork      As for atoll_fanin_push().
/// Owner     Takes the places.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_fanin_commit(fanin: *mut atoll_fanin, n: usize) -> atoll_status {
    guard(|call| handle::find(call, fanin)?.ring().commit(call.thread(), n as u64))
}

/// Lets go of the places that were claimed: nothing is put.
///
/// Returns
///   OK                  Done.
///   INVALID_ARGUMENT    No place is claimed, or the handle is closed.
///
/// Threads   As for atoll_fanin_push().
/// Fork      As for atoll_fanin_push().
/// Owner     Takes the places.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_fanin_abandon(fanin: *mut atoll_fanin) -> atoll_status {
    guard(|call| handle::find(call, fanin)?.ring().abandon())
}

/// Shows up to `n` records side by side, to be read in their places. They stay in the ring
/// until atoll_fanin_advance(). Never waits.
///
/// n         How many are wanted; 0 stands for 1.
/// out       Receives the address of the first one: the others follow it.
/// out_n     Receives how many they are: at least one, and fewer than wanted where there are
///           less or the ring begins anew.
///
/// Returns   As atoll_fanin_pop(). OK: *out_n records at *out are yours to read, until
///           atoll_fanin_advance(), the next pop, or the close of the handle.
///
/// Threads   As for atoll_fanin_pop().
/// Fork      As for atoll_fanin_push(). A child must not read there.
/// Owner     The records stay the ring's; if this process dies they are there for the next
///           consumer.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_fanin_peek(
    fanin: *mut atoll_fanin,
    n: usize,
    out: *mut *const c_void,
    out_n: *mut usize,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an address.
        let out = unsafe { Output::at(out, "out") }?;
        // SAFETY: the caller passes NULL or room for a size_t.
        let out_n = unsafe { Output::at(out_n, "out_n") }?;
        let ring = handle::find(call, fanin)?.ring();
        let (places, n) = ring.peek(call.thread(), n as u64)?;
        out.write(places.address().cast_const().cast());
        out_n.write(n as usize);
        Ok(())
    })
}

/// Gets the first `n` of the records that were shown last: their places are free.
///
/// n         How many: at least one.
///
/// Returns
///   OK                  They are no longer in the ring.
///   INVALID_ARGUMENT    Nothing was shown, or not so many, or something was popped since; or
///                       the handle is closed.
///   and what else atoll_fanin_pop() returns, but EMPTY.
///
/// Threads   As for atoll_fanin_pop().
/// Fork      As for atoll_fanin_push().
/// Owner     Takes the places.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_fanin_advance(fanin: *mut atoll_fanin, n: usize) -> atoll_status {
    guard(|call| handle::find(call, fanin)?.ring().advance(call.thread(), n as u64))
}
