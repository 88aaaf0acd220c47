//! `atoll_mpmc_*`: how one is opened, closed and described.

use core::ffi::{c_char, c_int};

use super::guard::guard;
use super::handle::{self, Handle, Kind};
use super::obtain::remove;
use super::ring::{self, Ring, atoll_ring_info, atoll_ring_options};
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::ticket::{self, atoll_ticket};
use super::types::atoll_type;
use crate::object::mpmc::Mpmc;
use crate::object::mpmc_ring::MpmcRing;

/// A ring in a segment: records go from many producers to many consumers, in one order. The pointer is a handle: never follow it.
///
/// What a producer has put stays if it dies; what it was about to put is skipped. What a consumer
/// was about to get when it died goes to another one, out of turn, marked as such.
pub struct atoll_mpmc {
    _never: [u8; 0],
}

impl Handle for atoll_mpmc {
    type Object = Mpmc;
    const KIND: Kind = Kind::Mpmc;
}

impl Ring for atoll_mpmc {
    type Calls = MpmcRing;

    #[inline(always)]
    fn calls(object: &Mpmc) -> &MpmcRing {
        object.ring()
    }
}

/// Makes a mpmc in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
///           a mpmc without a name, which others can only get by a ticket.
/// type      The type of its records; ATOLL_TYPE_MESSAGE for messages of any length.
/// options   How; the capacity has to be given: how many records there is room for, or for
///           messages how many cells of 64 bytes. A message takes as many as it needs with 8
///           bytes of its own, side by side, and at most half of all.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      The name is taken. Open it, or choose another.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name, the type or an option is not allowed (a capacity that is
///                       0 or no power of two, say), or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_mpmc_close(). With a name the mpmc
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    options: *const atoll_ring_options,
    out: *mut *mut atoll_mpmc,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::make_ring(segment, name, r#type, options, out, Mpmc::create) }
}

/// Opens a mpmc by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: a mpmc without a name cannot be opened.
/// type      The type that you expect; NULL for any.
/// options   What you expect it to be; NULL for any. How its users wait is not compared.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same mpmc.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object, or the mpmc is of another type
///                       or capacity.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_mpmc_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    options: *const atoll_ring_options,
    out: *mut *mut atoll_mpmc,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::obtain_ring(segment, name, r#type, options, out, Mpmc::open) }
}

/// Opens the mpmc of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_mpmc_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_mpmc_open().
///   NO_SPACE            As for atoll_mpmc_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    As for atoll_mpmc_create().
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_mpmc_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    r#type: *const atoll_type,
    options: *const atoll_ring_options,
    out: *mut *mut atoll_mpmc,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::make_ring(segment, name, r#type, options, out, Mpmc::open_or_create) }
}

/// Removes the name of a mpmc: nobody can open it any more, and the name is free for
/// something else. Who has it open goes on using it; its memory is free with the last of
/// them.
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
/// Owner     Takes nothing. Handles to the mpmc stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { remove(segment, name, Mpmc::remove) }
}

/// Closes a handle. What was put stays. A mpmc with a name stays in the segment; another one goes
/// when no process has it open any more. A call that waits on another thread goes on.
///
/// mpmc      The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a mpmc.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mpmc_close(mpmc: *mut atoll_mpmc) -> atoll_status {
    guard(|call| handle::close(call, mpmc))
}

/// Closes an end for good, for all processes, and wakes all who wait. With the producers' end
/// closed, who gets learns it (CLOSED) when all has been got, and who puts at once. With the
/// consumers' end closed, both learn it at once. Whoever has the ring open may do it.
///
/// end       ATOLL_PRODUCERS or ATOLL_CONSUMERS.
///
/// Returns
///   OK                  It is closed, or was before.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    end is neither, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///   SYSTEM              As for atoll_mpmc_push(): call again.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     Takes nothing. Handles stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mpmc_shutdown(mpmc: *mut atoll_mpmc, end: u32) -> atoll_status {
    ring::shutdown(mpmc, end)
}

/// Lends a descriptor for poll(), select(), epoll and the event loops that are made of them:
/// it is readable when a get (for ATOLL_PRODUCERS a put) would not have to wait, and may be
/// readable when it would.
///
/// Call this again before each poll: that empties the descriptor and arms it. It is the same
/// one each time while the handle is open and atoll_process_leave() is not called. Never read
/// it, and never close it.
///
/// end       ATOLL_CONSUMERS to hear of records, ATOLL_PRODUCERS of room.
/// out       Receives the descriptor.
///
/// Returns
///   OK                  *out is the descriptor, and armed.
///   PERMISSION          The segment is open read-only, or you may not make files beside it.
///   NO_SPACE            There is no room for a file beside the segment.
///   SYSTEM              Too many open files. See os_errno and the sentence.
///   INVALID_ARGUMENT    out is NULL, end is neither, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Several may poll it; whoever calls this empties it for all.
/// Fork      A child has none: it is closed there. Call this again, for one of its own.
/// Owner     The descriptor is the handle's, and is closed with it.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_descriptor(
    mpmc: *mut atoll_mpmc,
    end: u32,
    out: *mut c_int,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::descriptor(mpmc, end, out) }
}

/// Says what the mpmc is, and what has gone through it.
///
/// out       Receives the answer, which may be over when you read it.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_info(
    mpmc: *const atoll_mpmc,
    out: *mut atoll_ring_info,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ring::info(mpmc, out) }
}

/// Writes a ticket for the mpmc, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_export(
    mpmc: *const atoll_mpmc,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::export(mpmc, out, Mpmc::export) }
}

/// Opens the mpmc that a ticket is for, whatever its type: atoll_mpmc_info() says which.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_mpmc_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_mpmc,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::import(ticket, out, Mpmc::import) }
}
