//! `atoll_semaphore_*`.

use core::ffi::{c_char, c_int};
use std::os::fd::AsRawFd;

use super::argument::{Growing, check_reserved, flag, growing};
use super::guard::{guard, guard_anywhere};
use super::handle::{self, Handle, Kind, Place};
use super::obtain::{obtain, remove};
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::ticket::{self, atoll_ticket};
use crate::error::Result;
use crate::object::segment::Segment;
use crate::object::semaphore::{Semaphore, SemaphoreOptions};
use crate::platform::time::Deadline;
use crate::roster::thread;
use crate::sync::semaphore::SemaphoreBody;

/// A semaphore in a segment. The pointer is a handle: never follow it.
pub struct atoll_semaphore {
    _never: [u8; 0],
}

impl Handle for atoll_semaphore {
    type Object = Semaphore;
    const KIND: Kind = Kind::Semaphore;

    fn place(semaphore: &Semaphore) -> Place {
        match semaphore.place() {
            Some((body, attachment)) => {
                Place { address: core::ptr::from_ref(body).cast_mut().cast(), attachment }
            }
            None => Place::NOWHERE,
        }
    }
}

/// How a semaphore is made. Begin with ATOLL_SEMAPHORE_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_semaphore_options {
    /// sizeof(atoll_semaphore_options), or 0, which says the same.
    pub struct_size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// How many permits there are to be had at first. Who opens one leaves it 0.
    pub value: u32,
    /// How many there can be; 0: 2^31 - 1, or `value` if it is tracked, which has no other.
    /// Who opens one: what it expects; 0: whatever it is.
    pub max: u32,
    /// 1: permits belong to the process that acquired them, and are to be had again as soon
    /// as it is dead. There are 1 to 4096 of them, all free at first.
    /// 0: the semaphore counts, and anybody releases.
    pub tracked: u32,
}

// SAFETY: `repr(C)`, five integers of 4 bytes.
unsafe impl Growing for atoll_semaphore_options {
    const FIRST_SIZE: usize = 20;
}

/// What a semaphore is at one moment.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_semaphore_info {
    /// How many permits there are to be had; of a tracked one also those of the dead.
    pub value: u32,
    /// How many there can be.
    pub max: u32,
    /// Permits belong to processes.
    pub tracked: bool,
}

/// Create and open, which differ in what they do with the name.
///
/// # Safety
/// Each pointer is NULL or as the exported functions describe it.
unsafe fn obtain_as(
    segment: *const atoll_segment,
    name: *const c_char,
    options: *const atoll_semaphore_options,
    out: *mut *mut atoll_semaphore,
    how: impl FnOnce(&Segment, Option<&str>, &SemaphoreOptions) -> Result<Semaphore>,
) -> atoll_status {
    let make = |segment: &_, name: Option<&_>| {
        // SAFETY: NULL or a struct as long as it says, per the caller.
        let options = unsafe { growing(options, "options") }?;
        how(segment, name, &options.as_ref().map_or(Ok(SemaphoreOptions::default()), read)?)
    };
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, make) }
}

fn read(options: &atoll_semaphore_options) -> Result<SemaphoreOptions> {
    check_reserved(options.reserved, "options")?;
    let tracked = flag(options.tracked, "options->tracked")?;
    Ok(SemaphoreOptions { value: options.value, max: options.max, tracked })
}

/// Makes a semaphore in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
///           a semaphore without a name, which others can only get by a ticket.
/// options   How; NULL for the defaults: no permits at first, up to 2^31 - 1, not tracked.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      The name is taken. Open it, or choose another.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_semaphore_close(). With a name the
///           semaphore stays until that is removed, too; without one it goes with the last
///           handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    options: *const atoll_semaphore_options,
    out: *mut *mut atoll_semaphore,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain_as(segment, name, options, out, Semaphore::create) }
}

/// Opens a semaphore by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: a semaphore without a name cannot be opened.
/// options   What you expect it to be; NULL for one that is not tracked, of any max.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same semaphore.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object, or tracked where you expect a
///                       plain one, or the other way round, or has another max.
///   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_semaphore_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    options: *const atoll_semaphore_options,
    out: *mut *mut atoll_semaphore,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain_as(segment, name, options, out, Semaphore::open) }
}

/// Opens the semaphore of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_semaphore_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_semaphore_open().
///   NO_SPACE            As for atoll_semaphore_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name or an option is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_semaphore_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    options: *const atoll_semaphore_options,
    out: *mut *mut atoll_semaphore,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain_as(segment, name, options, out, Semaphore::open_or_create) }
}

/// Removes the name of a semaphore, tracked or not: nobody can open it any more, and the
/// name is free for something else. Who has it open goes on using it; its memory is free
/// with the last of them.
///
/// segment   Where it is.
/// name      Its name.
///
/// Returns
///   OK                  The name is gone.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name is NULL or not allowed, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Of several that remove one name, one gets OK.
/// Fork      A child may use the handle.
/// Owner     Takes nothing. Handles to the semaphore stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { remove(segment, name, Semaphore::remove) }
}

/// Closes a handle. A semaphore with a name stays in the segment; another one goes when no
/// process has it open any more. Permits stay as they are: close does not release. A call
/// that waits on another thread goes on.
///
/// semaphore   The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a semaphore.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_semaphore_close(semaphore: *mut atoll_semaphore) -> atoll_status {
    guard(|call| handle::close(call, semaphore))
}

/// Acquires a permit, waiting up to `timeout_ns` for one.
///
/// Pass 0 to try once, ATOLL_FOREVER to wait without limit. Any other span is
/// measured from the call on the monotonic clock, which no one can set.
///
/// A permit of a tracked semaphore belongs to this process, whichever of its threads
/// releases it. When the process is dead, or has closed all that it has open in the segment,
/// the permit is to be had again, and one who waits for it gets it.
///
/// Returns
///   OK                  You have a permit. What was written before it was released is
///                       yours to read.
///   TIMED_OUT           There was none. Nothing changed.
///   INTERRUPTED         A signal handler ran. You have none. Call again.
///   NO_SPACE            The segment has no place for another thread: see
///                       max_participants in atoll_segment_options.
///   INCOMPATIBLE        This process uses another C library than the others.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread, many at a time. Who comes may be faster than who waits.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle, and has none of the permits of its parent.
/// Owner     Takes nothing. `semaphore` stays yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_semaphore_acquire(
    semaphore: *mut atoll_semaphore,
    timeout_ns: i64,
) -> atoll_status {
    let here = |segment| thread::idle().is_some_and(|thread| thread.has_seat_in(segment));
    if timeout_ns >= 0 && quickly(semaphore, here, SemaphoreBody::take_if_quiet) {
        return atoll_status::ATOLL_OK;
    }
    acquire_in_full(semaphore, timeout_ns)
}

/// An uncontended call comes to one exchange, as in `mutex`: it is no call in the sense of
/// `enter`, and `here` says whether this thread has a seat, which keeps the place mapped.
#[inline(always)]
fn quickly(
    semaphore: *mut atoll_semaphore,
    here: impl FnOnce(u64) -> bool,
    act: impl FnOnce(&SemaphoreBody) -> bool,
) -> bool {
    let Some(place) = handle::place_of(semaphore) else { return false };
    if !here(place.attachment) {
        return false;
    }
    // SAFETY: the address of a semaphore's body in that attachment, which stays mapped
    // while there are seats; this thread's is not given up before we return.
    act(unsafe { &*place.address.cast::<SemaphoreBody>() })
}

// `extern "C"`, here and below: what cannot unwind into its caller is jumped to.
#[cold]
#[inline(never)]
extern "C" fn acquire_in_full(semaphore: *mut atoll_semaphore, timeout_ns: i64) -> atoll_status {
    guard(|call| {
        let deadline = Deadline::after_ns(timeout_ns)?;
        handle::find(call, semaphore)?.acquire_on(call.thread(), deadline)
    })
}

/// Releases `n` permits. If others wait, as many of them are on their way. Never waits,
/// whoever is dead.
///
/// Of a tracked semaphore: gives back permits of this process; if it has not so many, those
/// that other living processes have, who then have less to give back.
///
/// n         How many; 0 does nothing.
///
/// Returns
///   OK                  Done.
///   FULL                There would be more than the semaphore's max. Nothing changed; of
///                       a tracked one, if others release at the same time, what there was
///                       to give back is given back.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///   SYSTEM              Somebody polls its descriptor, and there are too many open files to
///                       tell; nothing changed. Or the thread has no robust list: an
///                       emulator or a sandbox.
///
/// Threads   Any thread.
/// Signals   May be called in a signal handler at any moment, also if that interrupted
///           another call. There a failure replaces what atoll_last_error() had to say.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_semaphore_release(semaphore: *mut atoll_semaphore, n: u32) -> atoll_status {
    // Within another call of the thread, too.
    if n == 1 && quickly(semaphore, thread::has_seat_in, SemaphoreBody::add_if_quiet) {
        return atoll_status::ATOLL_OK;
    }
    release_in_full(semaphore, n)
}

#[cold]
#[inline(never)]
extern "C" fn release_in_full(semaphore: *mut atoll_semaphore, n: u32) -> atoll_status {
    guard_anywhere(semaphore, |semaphore, thread| semaphore.release_on(thread, n))
}

/// Says how many permits there are to be had, how many there can be, and of which sort the
/// semaphore is.
///
/// out       Receives the answer. The number may be another one when you read it: it is for
///           people and for logs.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_stat(
    semaphore: *const atoll_semaphore,
    out: *mut atoll_semaphore_info,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_semaphore_info.
        let out = unsafe { Output::at(out, "out") }?;
        let info = handle::find(call, semaphore)?.info()?;
        out.write(atoll_semaphore_info { value: info.value, max: info.max, tracked: info.tracked });
        Ok(())
    })
}

/// Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
/// it is readable when there is a permit to be had, and may be readable when there is not.
///
/// Call this again before each poll: that empties the descriptor and arms it. It is the same
/// one each time while the handle is open and atoll_process_leave() is not called. Never read
/// it, and never close it. Everybody who polls is
/// woken by each release: acquire with timeout 0, and poll again if somebody was faster. Of a
/// tracked semaphore also the permits of the dead are to be had.
///
/// out       Receives the descriptor.
///
/// Returns
///   OK                  *out is the descriptor, and armed.
///   PERMISSION          The segment is open read-only, or you may not make files beside it.
///   NO_SPACE            There is no room for a file beside the segment.
///   SYSTEM              Too many open files. See os_errno and the sentence.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Several may poll it; whoever calls this empties it for all.
/// Fork      A child has none: it is closed there. Call this again, for one of its own.
/// Owner     The descriptor is the handle's, and is closed with it.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_descriptor(
    semaphore: *const atoll_semaphore,
    out: *mut c_int,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an int.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, semaphore)?.descriptor()?.as_raw_fd());
        Ok(())
    })
}

/// Writes a ticket for the semaphore, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_export(
    semaphore: *const atoll_semaphore,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::export(semaphore, out, Semaphore::export) }
}

/// Opens the semaphore that a ticket is for, tracked or not as it is.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_semaphore_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_semaphore_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_semaphore,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::import(ticket, out, Semaphore::import) }
}
