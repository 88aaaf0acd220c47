//! `atoll_wait_any`.

use core::ffi::c_void;

use super::argument::{items, wrong};
use super::event::atoll_event;
use super::fanin::atoll_fanin;
use super::guard::guard;
use super::handle;
use super::latch::atoll_latch;
use super::mpmc::atoll_mpmc;
use super::output::Output;
use super::ring;
use super::segment::atoll_segment;
use super::semaphore::atoll_semaphore;
use super::spsc::atoll_spsc;
use super::status::atoll_status;
use super::waiter::atoll_waiter;
use crate::error::{Error, Result, Status};
use crate::object::wait_any::{Waitable, check_number, wait_any};
use crate::platform::time::Deadline;
use crate::roster::thread::InCall;

/// One of several things that a thread waits for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_waitable {
    /// A handle of an event, a latch, a semaphore, a waiter, a ring, or a segment, whose members
    /// may die.
    pub handle: *const c_void,
    /// Of a segment, the last death that you know of, as for atoll_segment_wait_death(). Of
    /// an event, 0; or for a wait in several pieces 1 more than what atoll_event_sets() said
    /// when it began. Of
    /// a ring, ATOLL_CONSUMERS for something to get, or ATOLL_PRODUCERS for room. Else 0.
    pub seen: u64,
}

impl atoll_waitable {
    /// What it stands for, as number `at` of several.
    fn find<'a>(&self, call: &'a InCall, at: usize) -> Result<Waitable<'a>> {
        let Self { handle, seen } = *self;
        if let Some(segment) = handle::find_if::<atoll_segment>(call, handle) {
            return Ok(Waitable::Death(segment, seen));
        }
        if let Some(event) = handle::find_if::<atoll_event>(call, handle) {
            return match seen.checked_sub(1).map(u32::try_from) {
                None => Ok(Waitable::Event(event)),
                Some(Ok(sets)) => Ok(Waitable::EventSince(event, sets)),
                Some(Err(_)) => Err(wrong(format!(
                    "waitables[{at}].seen is {seen}, and no event was set so often: pass 0, or 1 \
                     more than atoll_event_sets() said"
                ))),
            };
        }
        if let Some(ring) = handle::find_if::<atoll_spsc>(call, handle) {
            return Ok(Waitable::Spsc(ring, ring::end(seen.try_into().unwrap_or(0))?));
        }
        if let Some(ring) = handle::find_if::<atoll_fanin>(call, handle) {
            return Ok(Waitable::Fanin(ring, ring::end(seen.try_into().unwrap_or(0))?));
        }
        if let Some(ring) = handle::find_if::<atoll_mpmc>(call, handle) {
            return Ok(Waitable::Mpmc(ring, ring::end(seen.try_into().unwrap_or(0))?));
        }
        let semaphore = handle::find_if::<atoll_semaphore>(call, handle).map(Waitable::Semaphore);
        let latch = || handle::find_if::<atoll_latch>(call, handle).map(Waitable::Latch);
        let waiter = || handle::find_if::<atoll_waiter>(call, handle).map(Waitable::Waiter);
        match semaphore.or_else(latch).or_else(waiter) {
            None => Err(self.refusal(at)),
            Some(object) if seen == 0 => Ok(object),
            Some(_) => Err(wrong(format!(
                "waitables[{at}].seen is {seen}, and only a segment, an event or a ring has one: \
                 it must be 0"
            ))),
        }
    }

    #[cold]
    fn refusal(&self, at: usize) -> Error {
        match handle::noun_of(self.handle) {
            Some(noun) => Error::with(
                Status::WrongKind,
                format!(
                    "waitables[{at}] is a {noun}, and is never ready by itself: wait for events, \
                     latches, semaphores, rings, a waiter for a condvar, or the deaths in a segment"
                ),
            ),
            None => wrong(format!(
                "waitables[{at}].handle is NULL, was closed, or never was a handle: pass one that \
                 is open"
            )),
        }
    }
}

/// Waits until at least one of several things is ready, up to `timeout_ns`, and says which
/// are. They may lie in different segments, and one may be there several times.
///
/// It takes nothing, so others may be faster: acquire a semaphore that was ready with a
/// timeout of 0, and if that is TIMED_OUT wait again. What is ready:
///
///   event       It is set, or was since the call began (or before; see `seen`).
///   latch       It is open.
///   semaphore   There is a permit to be had.
///   ring        A get would not have to wait; with ATOLL_PRODUCERS, a put.
///   waiter      atoll_waiter_finish() would say that it was notified.
///   segment     A member died, and atoll_segment_wait_death() would tell of it at once.
///
/// For a condvar make a waiter. Mutexes, reader-writer locks and barriers are not ready at one moment for everybody, and
/// cannot be waited for so.
///
/// waitables   What to wait for, and as `seen` what atoll_waitable says.
/// n           How many: 1 to 64.
/// timeout_ns  How long to wait, as for atoll_mutex_lock().
/// out_ready   Receives a bit for each that was ready when one was: bit i for waitables[i].
///             0 on TIMED_OUT.
///
/// Returns
///   OK                  At least one is ready; *out_ready says which.
///   TIMED_OUT           None was.
///   INTERRUPTED         A signal handler ran. Call again.
///   NOT_OWNER           One is a waiter that another thread made.
///   WRONG_KIND          One is something that cannot be waited for so. The sentence says
///                       which.
///   PERMISSION          None is ready, and one is in a segment that is open read-only: one
///                       cannot wait there.
///   INVALID_ARGUMENT    n is 0 or above 64, a pointer is NULL, a handle is closed, a
///                       waiter is finished, `seen` is not 0 where it must be, or timeout_ns
///                       is negative.
///   CORRUPTED           A segment is damaged.
///
/// Threads   Any thread, many at a time, also for the same things.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handles.
/// Owner     Takes nothing. The array is only read.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_wait_any(
    waitables: *const atoll_waitable,
    n: usize,
    timeout_ns: i64,
    out_ready: *mut u64,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a uint64_t.
        let out_ready = unsafe { Output::at(out_ready, "out_ready") }?;
        check_number(n)?;
        // SAFETY: the caller passes NULL or n of them.
        let items = unsafe { items(waitables, n, "waitables") }?;
        let deadline = Deadline::after_ns(timeout_ns)?;
        let found = items.iter().enumerate().map(|(at, item)| item.find(call, at));
        let outcome = wait_any(&found.collect::<Result<Vec<_>>>()?, deadline);
        match outcome {
            Err(late) if late.status() == Status::TimedOut => {
                out_ready.write(0);
                Err(late)
            }
            outcome => {
                out_ready.write(outcome?);
                Ok(())
            }
        }
    })
}
