//! `atoll_*_place`: what code in other people's programs needs to take the short way itself.

use core::ffi::c_void;
use core::ptr::null_mut;

use super::event::atoll_event;
use super::guard::guard;
use super::handle;
use super::mutex::atoll_mutex;
use super::output::Output;
use super::rwlock::atoll_rwlock;
use super::semaphore::atoll_semaphore;
use super::status::atoll_status;
use super::value::atoll_value;
use crate::platform::atomic::AtomicU64;
use crate::platform::thread_slot;
use crate::roster::thread::place_of_seat;
use crate::sync::marks;

/// Which edition of the contract that stands at atoll_place a program was compiled with.
pub const ATOLL_PLACE_CONTRACT: u32 = 2;
/// The mutex counts: its holder may lock it again.
pub const ATOLL_PLACE_RECURSIVE: u32 = 1;
/// The segment is open read-only: load, and nothing else.
pub const ATOLL_PLACE_READ_ONLY: u32 = 2;

/// Where the first word of an object lies, and how a thread finds out what it is called
/// there: all that a program needs to lock an uncontended mutex, to read under a lock that
/// nobody writes under, to change a value, or to acquire a permit that is there, without a
/// call. <atoll/inline.h> does it, and so do
/// atoll.hpp and the Python package. This is the contract that they rely on, edition 2.
///
/// A value     `word` is the value itself, of 1, 2, 4 or 8 bytes. Any atomic operation of
///             that width may be applied to it, sequentially consistent ones to be like
///             the calls. If READ_ONLY is set, it can only be loaded.
///
/// A thread    has a record in private memory. The thread pointer (fs:0 on x86-64) plus
///             `thread` is the address of a pointer to it, NULL before the thread's first
///             call. In the record:
///               at 0          uint64_t   odd while the thread is inside a call
///               at `seat`     uint64_t   the segment that the next word is about
///                             uint64_t   the thread's name there
///                             uint64_t   the address of its marks there, uint64_t[8]
///             The kernel clears records in a forked child. So the seat is good if the
///             first word is even and the second is equal to `segment`. It is not before
///             the thread's first call in the segment, in a child before its first call,
///             while another segment uses the same seat, and while a transaction is open.
///             The name is loaded before the segment is compared, for a signal handler in
///             between may give the seat to another segment.
///
/// A mutex     `word` is a uint64_t. 0: nobody holds it and nobody waits. The name | 2^31:
///             that thread holds it and nobody waits. With a good seat, a thread
///               locks it    by a compare-exchange (acquire) of 0 for its name | 2^31
///               unlocks it  by a compare-exchange (release) of its name | 2^31 for 0
///             If RECURSIVE is set, the uint32_t at `word` + 8 says how often the holder
///             has locked it again. It is 0 while nobody holds it, and the holder's alone.
///
/// A reader-writer lock
///             `word` is a uint64_t. Bit 31 is set while somebody writes or is about to, bit
///             63 if a writer has died. The uint64_t at `word` + 64, the key, never changes.
///             Bits 19..17 of it say which of a thread's marks is the lock's. The uint32_t at
///             `word` + 72 is more than the slot, bits 45..32 of the name, of any thread that
///             ever read there. With a good seat, a thread
///               reads   if its slot is less than that and its mark is 0: an exchange
///                       (sequentially consistent) of the mark for the key | 2, then a load
///                       (likewise) of `word`. If bits 31 and 63 are 0, it is in; if not, it
///                       calls atoll_place_retreat(). From before it looks at the seat
///                       until this is decided, the first word of its record is one more,
///                       then one more again, or as it was.
///               leaves  by a compare-exchange (release) of its mark from the key | 2 to 0
///
/// A semaphore `word` is a uint64_t: in bits 62..32 how many permits there are, bit 31 set
///             exactly if there are any, bit 30 set if somebody may wait, bit 63 as well as
///             that if somebody polls, and never if there are any, the rest 0. The uint32_t at
///             `word` + 8 is the most there can be, and never changes. Any thread with the
///             handle open, by a compare-exchange,
///               acquires one  (acquire) if there is any: one less, bit 30 as it is
///               releases one  (release) if bit 30 is 0 and there are less than can be
///
/// An event    `word` is a uint64_t. It is set if bit 31 of what is loaded (acquire) is. The
///             word is the calls' to change.
///
/// In every other case the calls do it: if a seat is not good, if an exchange fails, if
/// `word` is NULL.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_place {
    /// The first word of the object in shared memory; NULL if there is no short way.
    pub word: *mut c_void,
    /// The number by which this process knows the segment.
    pub segment: u64,
    /// From the thread pointer to the pointer to the thread's record.
    pub thread: i64,
    /// From the start of the record to the seat.
    pub seat: u32,
    /// ATOLL_PLACE_RECURSIVE and ATOLL_PLACE_READ_ONLY, or 0.
    pub flags: u32,
}

/// The place of an object that lies at `word`, if there is one.
pub(super) fn place(word: Option<*mut u8>, segment: u64, flags: u32, contract: u32) -> atoll_place {
    let known = word.filter(|_| contract == ATOLL_PLACE_CONTRACT);
    let (word, thread) = match known.zip(thread_slot::offset()) {
        Some((word, thread)) => (word.cast(), thread),
        None => (null_mut(), 0),
    };
    atoll_place { word, segment, thread, seat: place_of_seat(segment) as u32, flags }
}

/// Says where a mutex lies, for code that locks it without a call.
///
/// contract  ATOLL_PLACE_CONTRACT, of the header that the caller was compiled with. If it
///           is not the library's, there is no short way.
/// out       Receives the place. It is good while this process has the handle, or a
///           forked child of it has; `word` is NULL if there is no short way: make the
///           calls, which are always right.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///
/// Threads   Any thread. The place is the same for all.
/// Fork      The place is good in a child.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mutex_place(
    mutex: *const atoll_mutex,
    contract: u32,
    out: *mut atoll_place,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_place.
        let out = unsafe { Output::at(out, "out") }?;
        let mutex = handle::find(call, mutex)?;
        let (body, segment) = mutex.place();
        let word = core::ptr::from_ref(body).cast_mut().cast();
        let flags = if mutex.is_recursive() { ATOLL_PLACE_RECURSIVE } else { 0 };
        out.write(place(Some(word), segment, flags, contract));
        Ok(())
    })
}

/// Says where a reader-writer lock lies, for code that reads under it without a call. To
/// write always takes calls.
///
/// contract  As for atoll_mutex_place().
/// out       Receives the place, good as long as that of a mutex.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///
/// Threads   Any thread. The place is the same for all.
/// Fork      The place is good in a child.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_rwlock_place(
    lock: *const atoll_rwlock,
    contract: u32,
    out: *mut atoll_place,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_place.
        let out = unsafe { Output::at(out, "out") }?;
        let (body, segment) = handle::find(call, lock)?.place();
        let word = core::ptr::from_ref(body).cast_mut().cast();
        out.write(place(Some(word), segment, 0, contract));
        Ok(())
    })
}

/// Takes back the mark of a reader that found a writer in its way, and wakes that one if it
/// waits for this. For <atoll/inline.h>, and for nothing else.
///
/// mark      The thread's own, as the contract at atoll_place says.
///
/// Threads   The one that put the mark there.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_place_retreat(mark: *mut u64) {
    // SAFETY: one of the calling thread's marks, per the caller: aligned, and mapped while the
    // thread is in a call.
    marks::clear(unsafe { AtomicU64::from_ptr(mark) });
}

/// Says where a value lies, for code that reads and changes it without a call.
///
/// contract  As for atoll_mutex_place().
/// out       Receives the place, good as long as that of a mutex. Values that are no
///           atomic by themselves, of more than 8 bytes or of 3, 5, 6 or 7, have none.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///
/// Threads   Any thread. The place is the same for all.
/// Fork      The place is good in a child.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_place(
    value: *const atoll_value,
    contract: u32,
    out: *mut atoll_place,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_place.
        let out = unsafe { Output::at(out, "out") }?;
        let value = handle::find(call, value)?;
        let flags = if value.is_writable() { 0 } else { ATOLL_PLACE_READ_ONLY };
        out.write(place(value.atomic(), value.segment_number(), flags, contract));
        Ok(())
    })
}

/// Says where a semaphore lies, for code that acquires and releases without a call.
///
/// contract  As for atoll_mutex_place().
/// out       Receives the place, good as long as that of a mutex. A tracked semaphore has
///           none, nor has one whose segment is open read-only.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///
/// Threads   Any thread. The place is the same for all.
/// Fork      The place is good in a child.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_place(
    semaphore: *const atoll_semaphore,
    contract: u32,
    out: *mut atoll_place,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_place.
        let out = unsafe { Output::at(out, "out") }?;
        let found = handle::find(call, semaphore)?.place();
        let word = found.map(|(body, _)| core::ptr::from_ref(body).cast_mut().cast());
        out.write(place(word, found.map_or(0, |(_, segment)| segment), 0, contract));
        Ok(())
    })
}

/// Says where an event lies, for code that looks without a call whether it is set.
///
/// contract  As for atoll_mutex_place().
/// out       Receives the place, good as long as that of a mutex.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///
/// Threads   Any thread. The place is the same for all.
/// Fork      The place is good in a child.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_event_place(
    event: *const atoll_event,
    contract: u32,
    out: *mut atoll_place,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_place.
        let out = unsafe { Output::at(out, "out") }?;
        let event = handle::find(call, event)?;
        let (body, segment) = event.place();
        let word = core::ptr::from_ref(body).cast_mut().cast();
        let flags = if event.is_writable() { 0 } else { ATOLL_PLACE_READ_ONLY };
        out.write(place(Some(word), segment, flags, contract));
        Ok(())
    })
}
