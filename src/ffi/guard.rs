//! The border: what every call does on its way in and out.
//!
//! On the way in the thread says that it is inside, so that nothing it looks up
//! is freed under it and a signal handler that calls back in is refused. On the
//! way out an error leaves its sentence in a buffer of the thread, and a panic
//! ends here: it becomes a status, after everything it passed has been rolled
//! back and unlocked on the way.

use core::cell::Cell;
use core::ffi::{c_char, c_void};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::handle::{self, Handle};
use super::status::atoll_status;
use crate::error::{Error, Result, Status};
use crate::roster::thread::{self, InCall, Thread};

/// The last failure of a thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_error {
    /// The status that the call returned; ATOLL_OK if no call of the thread has failed.
    pub status: atoll_status,
    /// The error number of the operating system, as in errno; 0 if it played no part.
    pub os_errno: i32,
    /// What happened and what to do about it: one sentence in UTF-8, ended by NUL.
    pub text: [c_char; 256],
}

thread_local! {
    /// What `atoll_last_error` reports. Nothing is allocated for it, nothing is
    /// torn down: it can be asked at any moment of a thread's life.
    static LAST: Cell<atoll_error> = const {
        Cell::new(atoll_error { status: atoll_status::ATOLL_OK, os_errno: 0, text: [0; 256] })
    };
}

/// Runs the body of an exported function.
#[inline(always)]
pub(super) fn guard<T>(body: impl FnOnce(&InCall) -> Result<T>) -> atoll_status
where
    atoll_status: From<T>,
{
    match inside(body) {
        Ok(done) => done.into(),
        Err(status) => status,
    }
}

/// Runs the body of an exported function that answers with an address.
#[inline(always)]
pub(super) fn guard_address(body: impl FnOnce(&InCall) -> Result<*mut u8>) -> *mut c_void {
    inside(body).map_or(core::ptr::null_mut(), <*mut u8>::cast)
}

#[inline(always)]
fn inside<T>(body: impl FnOnce(&InCall) -> Result<T>) -> core::result::Result<T, atoll_status> {
    // Asserted: what a body borrows is shared memory, sound at every instant, or
    // repaired by the guards that the unwinding drops.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let call = thread::enter()?;
        body(&call)
    }));
    match outcome {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(remember(&error)),
        Err(payload) => Err(remember(&caught(payload.as_ref()))),
    }
}

/// Runs the body of an exported function that may be called in a signal handler, at any
/// moment, on any thread. It allocates nothing, takes no lock and no seat, and neither does
/// the body.
pub(super) fn guard_anywhere<H: Handle>(
    handle: *const H,
    body: impl FnOnce(&H::Object, Option<&'static Thread>) -> Result<()>,
) -> atoll_status {
    let visit = thread::visit();
    let done = handle::find_quietly(&visit, handle).and_then(|object| body(object, visit.thread()));
    match done {
        Ok(()) => atoll_status::ATOLL_OK,
        Err(error) => remember(&error),
    }
}

/// Leaves the sentence for `atoll_last_error`; gives the status to return.
#[cold]
fn remember(error: &Error) -> atoll_status {
    let status = error.status().into();
    let text = c_text(error.text());
    LAST.set(atoll_error { status, os_errno: error.os_errno(), text });
    status
}

#[cold]
fn caught(payload: &(dyn Any + Send)) -> Error {
    let words = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it left no words");
    Error::with(Status::Panicked, format!("a bug in atoll was caught, please report it: {words}"))
}

/// `text` for C: cut at a character if it is too long, the rest filled with NUL.
pub(super) fn c_text<const N: usize>(text: &str) -> [c_char; N] {
    let end = text.floor_char_boundary(N - 1);
    let mut chars = [0; N];
    for (to, from) in chars.iter_mut().zip(&text.as_bytes()[..end]) {
        *to = *from as c_char;
    }
    chars
}

/// Says why the last call of this thread that failed did so.
///
/// A call that succeeds leaves it alone, as errno does, so ask only after a call
/// that returned neither ATOLL_OK nor ATOLL_OWNER_DIED, or NULL for an address.
/// Before any failure it is {ATOLL_OK, 0, ""}.
///
/// out       Receives a copy. NULL is allowed and does nothing.
///
/// Threads   Any thread; each has its own.
/// Fork      A child begins with what the forking thread had.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_last_error(out: *mut atoll_error) {
    if !out.is_null() {
        // SAFETY: the caller passes NULL or room for one atoll_error.
        unsafe { out.write(LAST.get()) };
    }
}

#[cfg(test)]
mod tests {
    use core::ffi::CStr;

    use super::atoll_status::*;
    use super::*;
    use crate::error::invalid;

    fn last() -> (atoll_status, i32, String) {
        let mut error =
            atoll_error { status: ATOLL_FULL, os_errno: -1, text: [b'?' as c_char; 256] };
        // SAFETY: room for one.
        unsafe { atoll_last_error(&mut error) };
        // SAFETY: ended by NUL, as the field promises.
        let text = unsafe { CStr::from_ptr(error.text.as_ptr()) };
        (error.status, error.os_errno, text.to_str().unwrap().to_owned())
    }

    #[test]
    fn success_leaves_the_last_error_alone() {
        assert_eq!(last(), (ATOLL_OK, 0, String::new()));
        assert_eq!(guard(|_| Err::<(), _>(invalid("one"))), ATOLL_INVALID_ARGUMENT);
        assert_eq!(guard(|_| Ok(())), ATOLL_OK);
        assert_eq!(last(), (ATOLL_INVALID_ARGUMENT, 0, "one".to_owned()));
    }

    #[test]
    fn an_address_that_cannot_be_given_is_null_with_a_reason() {
        let error = || Error::os(Status::System, 12, "no memory".to_owned());
        assert!(guard_address(|_| Err(error())).is_null());
        assert_eq!(last(), (ATOLL_SYSTEM, 12, "no memory".to_owned()));
    }

    #[test]
    fn each_thread_has_its_own() {
        guard(|_| Err::<(), _>(invalid("mine")));
        std::thread::spawn(|| assert_eq!(last().0, ATOLL_OK)).join().unwrap();
        assert_eq!(last().2, "mine");
    }

    #[test]
    fn a_panic_becomes_a_status_and_the_thread_is_outside_again() {
        let status = guard(|_| -> Result<()> { panic!("number {}", 7) });
        assert_eq!(status, ATOLL_PANICKED);
        assert!(last().2.ends_with("please report it: number 7"), "{}", last().2);
        assert_eq!(guard(|_| Ok(())), ATOLL_OK);
    }

    #[test]
    fn a_call_inside_a_call_is_refused() {
        let mut inner = ATOLL_OK;
        let outer = guard(|_| {
            inner = guard(|_| Ok(()));
            Ok(())
        });
        assert_eq!((outer, inner), (ATOLL_OK, ATOLL_REENTRANT));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let chars = c_text::<8>("abcdefé is too long");
        assert_eq!(chars, [97, 98, 99, 100, 101, 102, 0, 0]);
        assert_eq!(c_text::<4>("ab"), [97, 98, 0, 0]);
    }
}
