//! `atoll_mpmc_*`: how records are put and got.

use core::ffi::c_void;

use super::mpmc::atoll_mpmc;
use super::ring;
use super::status::atoll_status;

/// Puts a record, if there is room. Never waits.
///
/// record    The record.
/// len       Its bytes: as many as its type has; of a message any number up to half the ring, less 8.
///
/// Returns
///   OK                  It is in the ring, for good: also if this process dies now.
///   FULL                There is no room. Nothing changed.
///   CLOSED              One of the ends is closed. Nothing changed.
///   NO_SPACE            The segment has no place for another thread.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    record is NULL, len is not that of a record, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///   SYSTEM              Somebody polls its descriptor, and there are too many open files to
///                       tell; nothing changed.
///
/// Threads   Any thread, many at a time.
/// Fork      A child may use the handle.
/// Owner     Takes nothing. The record is copied.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_push(
    mpmc: *mut atoll_mpmc,
    record: *const c_void,
    len: usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::push(mpmc, record, len) }
}

/// Puts as many of some records as there is room for. Never waits. Messages go one at a time:
/// WRONG_KIND.
///
/// records   The records, one after the other.
/// n         How many they are.
/// out_n     Receives how many were put: the first ones, and at least one, if n is not 0.
///
/// Returns   As atoll_mpmc_push(). OK: *out_n are in the ring.
///
/// Threads   As for atoll_mpmc_push().
/// Fork      As for atoll_mpmc_push().
/// Owner     Takes nothing. The records are copied.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_push_n(
    mpmc: *mut atoll_mpmc,
    records: *const c_void,
    n: usize,
    out_n: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::push_n(mpmc, records, n, out_n) }
}

/// Gets a record, if there is one. Never waits.
///
/// out       Receives the record.
/// cap       How many bytes there is room for.
/// out_len   Receives how many bytes it has, or with TOO_SMALL needs. May be NULL.
/// out_times Receives how often the record was taken over from a consumer that died before it
///           had got it: 0 for the first time. May be NULL.
///
/// Returns
///   OK                  *out is the record. It is no longer in the ring.
///   EMPTY               There is none.
///   CLOSED              There is none, and the producers' end is closed; or the consumers'
///                       end is.
///   TOO_SMALL           cap is less than the record has. It stays in the ring.
///   NO_SPACE            The segment has no place for another thread.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///   SYSTEM              As for atoll_mpmc_push(): the record stays in the ring.
///
/// Threads   Any thread, many at a time.
/// Fork      As for atoll_mpmc_push().
/// Owner     The copy is yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_pop(
    mpmc: *mut atoll_mpmc,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    out_times: *mut u32,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::pop(mpmc, out, cap, out_len, out_times) }
}

/// Gets as many records as there are and have room. Never waits. Messages go one at a time:
/// WRONG_KIND.
///
/// out       Receives the records, one after the other.
/// n         How many there is room for: at least one.
/// out_n     Receives how many were got: at least one.
/// out_times As for atoll_mpmc_pop(). A record that was taken over comes alone.
///
/// Returns   As atoll_mpmc_pop(). OK: *out_n were got.
///
/// Threads   As for atoll_mpmc_pop().
/// Fork      As for atoll_mpmc_push().
/// Owner     The copies are yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_pop_n(
    mpmc: *mut atoll_mpmc,
    out: *mut c_void,
    n: usize,
    out_n: *mut usize,
    out_times: *mut u32,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::pop_n(mpmc, out, n, out_n, out_times) }
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
///   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_mpmc_push().
///   and what else atoll_mpmc_push() returns, but FULL.
///
/// Threads   As for atoll_mpmc_push().
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      As for atoll_mpmc_push().
/// Owner     Takes nothing. The record is copied.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_put(
    mpmc: *mut atoll_mpmc,
    record: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::put(mpmc, record, len, timeout_ns) }
}

/// Gets a record, waiting up to `timeout_ns` for one, as atoll_mpmc_put() does for room. Who
/// waits is told of a record that a dead consumer leaves.
///
/// Returns
///   OK                  *out is the record. It is no longer in the ring.
///   TIMED_OUT           There was none.
///   INTERRUPTED         A signal handler ran. Nothing was got. Call again.
///   INVALID_ARGUMENT    timeout_ns is negative; or as for atoll_mpmc_pop().
///   and what else atoll_mpmc_pop() returns, but EMPTY.
///
/// Threads   As for atoll_mpmc_pop().
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      As for atoll_mpmc_push().
/// Owner     The copy is yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_get(
    mpmc: *mut atoll_mpmc,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    out_times: *mut u32,
    timeout_ns: i64,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::get(mpmc, out, cap, out_len, out_times, timeout_ns) }
}
