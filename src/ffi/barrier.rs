//! `atoll_barrier_*`.

use core::ffi::c_char;

use super::guard::guard;
use super::handle::{self, Handle, Kind};
use super::obtain::{obtain, remove};
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::ticket::{self, atoll_ticket};
use crate::error::Result;
use crate::object::barrier::{Arrival, Barrier, BarrierInfo};
use crate::platform::time::Deadline;

/// A barrier in a segment: a number of threads pass it together, again and again. If one of
/// them dies after it has arrived, the barrier breaks. The pointer is a handle: never follow
/// it.
pub struct atoll_barrier {
    _never: [u8; 0],
}

impl Handle for atoll_barrier {
    type Object = Barrier;
    const KIND: Kind = Kind::Barrier;
}

/// How somebody arrived at a barrier.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_arrival {
    /// How many came before it in its generation.
    pub index: u32,
    /// It was the last one.
    pub last: bool,
}

impl From<Arrival> for atoll_arrival {
    fn from(Arrival { index, last }: Arrival) -> Self {
        Self { index, last }
    }
}

/// What a barrier says of itself.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_barrier_info {
    /// How many have to arrive: as many as it was made for, less those who dropped out.
    pub parties: u32,
    /// How many have arrived and wait; 0 if it is broken.
    pub waiting: u32,
    /// How often it has opened or been reset, modulo 2^32.
    pub generation: u32,
    /// Who died inside, if that broke it, as that one's own pid namespace calls it; 0 if
    /// somebody gave up, or if it is not known. It stays until the reset.
    pub culprit_pid: u32,
    /// It is broken: nobody passes until it is reset.
    pub broken: bool,
}

impl From<BarrierInfo> for atoll_barrier_info {
    fn from(info: BarrierInfo) -> Self {
        let BarrierInfo { parties, waiting, generation, broken, culprit_pid } = info;
        Self { parties, waiting, generation, culprit_pid, broken }
    }
}

/// Makes a barrier in a segment.
///
/// segment   Where to.
/// name      1 to 63 bytes of UTF-8 without '/', new in this segment; or NULL for
///           a barrier without a name, which others can only get by a ticket.
/// parties   How many have to arrive: 1 to 32767.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      The name is taken. Open it, or choose another.
///   NO_SPACE            The segment or the file system is full. See the sentence.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The name or the number is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_barrier_close(). With a name the barrier
///           stays until that is removed, too; without one it goes with the last handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    parties: u32,
    out: *mut *mut atoll_barrier,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, |segment, name| Barrier::create(segment, name, parties)) }
}

/// Opens a barrier by its name.
///
/// segment   Where it is.
/// name      Its name. NULL is refused: a barrier without a name cannot be opened.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to the same barrier.
///   NOT_FOUND           The segment has nothing of that name.
///   WRONG_KIND          The name is another kind of object.
///   INVALID_ARGUMENT    The name is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_barrier_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_open(
    segment: *mut atoll_segment,
    name: *const c_char,
    out: *mut *mut atoll_barrier,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, Barrier::open) }
}

/// Opens the barrier of that name, or makes it if there is none. Of many who do this
/// at once, one makes it and the others open it.
///
/// Arguments as for atoll_barrier_create(). Without a name it always makes one.
///
/// Returns
///   OK                  *out is a new handle.
///   WRONG_KIND          As for atoll_barrier_open(); or it is a barrier that was made for
///                       another number of parties.
///   NO_SPACE            As for atoll_barrier_create().
///   PERMISSION          There is none, and the segment is open read-only.
///   INVALID_ARGUMENT    The name or the number is not allowed, or a handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_barrier_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_open_or_create(
    segment: *mut atoll_segment,
    name: *const c_char,
    parties: u32,
    out: *mut *mut atoll_barrier,
) -> atoll_status {
    let how = |segment: &_, name: Option<&_>| Barrier::open_or_create(segment, name, parties);
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, how) }
}

/// Removes the name of a barrier: nobody can open it any more, and the name is free for
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
/// Owner     Takes nothing. Handles to the barrier stay as they are.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_remove(
    segment: *mut atoll_segment,
    name: *const c_char,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { remove(segment, name, Barrier::remove) }
}

/// Closes a handle. A barrier with a name stays in the segment; another one goes when no
/// process has it open any more. A call that waits on another thread goes on.
///
/// barrier   The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a barrier.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_barrier_close(barrier: *mut atoll_barrier) -> atoll_status {
    guard(|call| handle::close(call, barrier))
}

/// Arrives, and waits up to `timeout_ns` until all have arrived. Who arrives last lets the
/// others go and does not wait.
///
/// timeout_ns  0 gives up at once if it is not the last, ATOLL_FOREVER waits without limit.
///             Any other span is measured from the call on the monotonic clock.
/// index       Receives how many came before it, from 0 on, if it passes. NULL is allowed.
///
/// Returns
///   OK                  All have arrived.
///   BROKEN              Somebody died inside, gave up or aborted: nobody of this generation
///                       passes. See atoll_barrier_stat(), and then atoll_barrier_reset().
///   TIMED_OUT           The others did not come in time, and the barrier is broken now.
///   INTERRUPTED         A signal handler ran. It has arrived and is inside: go on with
///                       atoll_barrier_wait().
///   DEADLOCK            This thread is inside already, or inside of another barrier of this
///                       segment.
///   FULL                All have arrived, and the last one holds: arrive later.
///   NO_SPACE            As for atoll_mutex_lock().
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    timeout_ns is negative, all parties have dropped out, or the handle
///                       is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread, each as one party. One that is inside of a generation that is over
///           (it arrived, and never waited) leaves that first.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle, and has not arrived.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_arrive_and_wait(
    barrier: *mut atoll_barrier,
    timeout_ns: i64,
    index: *mut u32,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a uint32_t.
        let out = unsafe { Output::if_wanted(index, "index") }?;
        let deadline = Deadline::after_ns(timeout_ns)?;
        let index = handle::find(call, barrier)?.arrive_and_wait(deadline)?;
        if let Some(out) = out {
            out.write(index);
        }
        Ok(())
    })
}

/// Arrives, and does not wait: atoll_barrier_wait() does. Between the two the thread may do
/// anything; if it ends, or is killed, the barrier breaks.
///
/// hold      true: if it is the last one, the others wait until it calls
///           atoll_barrier_release(), so that it can do something for all before.
/// out       Receives how it arrived. NULL is allowed.
///
/// Returns
///   OK                  It has arrived. As the last one, and without hold, it has let the
///                       others go; atoll_barrier_wait() is over at once then.
///   BROKEN              As for atoll_barrier_arrive_and_wait(): it has not arrived.
///   DEADLOCK, FULL, NO_SPACE, PERMISSION, INVALID_ARGUMENT, CORRUPTED
///                       As for atoll_barrier_arrive_and_wait().
///
/// Threads   Any thread; the same one waits.
/// Fork      A child has not arrived.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_arrive(
    barrier: *mut atoll_barrier,
    hold: bool,
    out: *mut atoll_arrival,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { arrive(barrier, out, |barrier| barrier.arrive(hold)) }
}

/// Arrives as one of this generation, and is no party of later ones. It does not wait.
///
/// hold      As for atoll_barrier_arrive(). It matters only if it is the last one.
/// out       As for atoll_barrier_arrive().
///
/// Returns   As atoll_barrier_arrive(). It is inside only if it holds, and then
///           atoll_barrier_release() lets it leave, too.
///
/// Threads   Any thread.
/// Fork      A child has not arrived.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_arrive_and_drop(
    barrier: *mut atoll_barrier,
    hold: bool,
    out: *mut atoll_arrival,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { arrive(barrier, out, |barrier| barrier.arrive_and_drop(hold)) }
}

/// # Safety
/// `out` is NULL or may be written.
unsafe fn arrive(
    barrier: *mut atoll_barrier,
    out: *mut atoll_arrival,
    how: impl FnOnce(&Barrier) -> Result<Arrival>,
) -> atoll_status {
    guard(|call| {
        // SAFETY: per the caller.
        let out = unsafe { Output::if_wanted(out, "out") }?;
        let arrival = how(handle::find(call, barrier)?)?;
        if let Some(out) = out {
            out.write(arrival.into());
        }
        Ok(())
    })
}

/// Lets the others go, for whom this thread arrived last and held.
///
/// Returns
///   OK                  They go.
///   BROKEN              It broke meanwhile: somebody died inside, gave up or aborted.
///   NOT_OWNER           This thread does not hold. Nothing changed.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///
/// Threads   The one that holds. It is inside as the others are, and leaves by
///           atoll_barrier_wait().
/// Fork      NOT_OWNER in a child for what its parent holds.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_barrier_release(barrier: *mut atoll_barrier) -> atoll_status {
    guard(|call| handle::find(call, barrier)?.release())
}

/// Waits up to `timeout_ns` until all have arrived, after atoll_barrier_arrive() or a wait
/// that ended early.
///
/// Returns
///   OK                  All have arrived. The thread has left.
///   BROKEN              As for atoll_barrier_arrive_and_wait(). The thread has left.
///   TIMED_OUT           Not yet. It is still inside: wait again; or call
///                       atoll_barrier_abort(), and then wait for the outcome.
///   INTERRUPTED         A signal handler ran. As for TIMED_OUT.
///   NOT_OWNER           This thread has not arrived at this barrier.
///   DEADLOCK            This thread holds: release the others first.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    timeout_ns is negative, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   The one that arrived.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      NOT_OWNER in a child.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_barrier_wait(barrier: *mut atoll_barrier, timeout_ns: i64) -> atoll_status {
    guard(|call| handle::find(call, barrier)?.wait(Deadline::after_ns(timeout_ns)?))
}

/// Breaks the barrier: all who wait get BROKEN, and so does who arrives, until
/// atoll_barrier_reset().
///
/// Returns
///   OK                  It is broken. If this thread is inside of a generation that is over,
///                       nothing happened: its wait says how that ended.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///
/// Threads   Any thread. One that is inside breaks no other generation than its own.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_barrier_abort(barrier: *mut atoll_barrier) -> atoll_status {
    guard(|call| handle::find(call, barrier)?.abort())
}

/// Begins anew: a barrier that is broken can be passed again. Whoever is inside of one that
/// is not gets BROKEN; if nobody is, nothing happens.
///
/// Returns
///   OK                  Done. Parties that have dropped out stay out.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    The handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_barrier_reset(barrier: *mut atoll_barrier) -> atoll_status {
    guard(|call| handle::find(call, barrier)?.reset())
}

/// Says how many the barrier waits for, how many are there, and whether it is broken. The
/// answer may be over when you read it.
///
/// out       Receives the answer.
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
pub unsafe extern "C" fn atoll_barrier_stat(
    barrier: *const atoll_barrier,
    out: *mut atoll_barrier_info,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_barrier_info.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(handle::find(call, barrier)?.info().into());
        Ok(())
    })
}

/// Writes a ticket for the barrier, for another process to import.
///
/// All as for atoll_mutex_export().
///
/// Returns   As atoll_mutex_export().
/// Threads   Any thread.
/// Fork      As for atoll_mutex_export().
/// Owner     As for atoll_mutex_export().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_export(
    barrier: *const atoll_barrier,
    out: *mut atoll_ticket,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::export(barrier, out, Barrier::export) }
}

/// Opens the barrier that a ticket is for.
///
/// All as for atoll_mutex_import().
///
/// Returns   As atoll_mutex_import().
/// Threads   Any thread. Of several that import one ticket, one uses it up.
/// Fork      A child may use the handle.
/// Owner     The handle is yours: give it to atoll_barrier_close(). The ticket is only
///           read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_barrier_import(
    ticket: *const atoll_ticket,
    out: *mut *mut atoll_barrier,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { ticket::import(ticket, out, Barrier::import) }
}
