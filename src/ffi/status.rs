//! What every call answers.

use core::ffi::{CStr, c_char};

use crate::error::Status;
use crate::sync::mutex::Acquired;

/// What a call answers. 0 is plain success. Numbers never change and are never
/// used again for something else.
///
/// Each is something a caller would act on differently; one status covers many
/// mistakes, and atoll_last_error() has a sentence for each of them.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum atoll_status {
    /// Done.
    ATOLL_OK = 0,
    /// Done, and you hold the lock. Its last holder died holding it: what it
    /// guards may be half-changed. The one status but 0 that is a success.
    ATOLL_OWNER_DIED = 1,
    /// The time given was up first. Nothing changed.
    ATOLL_TIMED_OUT = 2,
    /// A signal handler ran while the call waited. Nothing changed; call again.
    ATOLL_INTERRUPTED = 3,
    /// There is no room for another item.
    ATOLL_FULL = 4,
    /// There is no item.
    ATOLL_EMPTY = 5,
    /// The other end is closed.
    ATOLL_CLOSED = 6,
    /// There is nothing of that name.
    ATOLL_NOT_FOUND = 7,
    /// The name is taken.
    ATOLL_ALREADY_EXISTS = 8,
    /// The object is of another kind, type or shape than you say.
    ATOLL_WRONG_KIND = 9,
    /// Not an atoll segment, or one with another memory layout.
    ATOLL_INCOMPATIBLE = 10,
    /// The segment is damaged: another program wrote into it.
    ATOLL_CORRUPTED = 11,
    /// The segment, the file system or the table of processes is full.
    ATOLL_NO_SPACE = 12,
    /// The buffer is too small. The length needed is in *out_len.
    ATOLL_TOO_SMALL = 13,
    /// The calling thread does not hold the lock.
    ATOLL_NOT_OWNER = 14,
    /// The calling thread holds the lock already and would wait for itself.
    ATOLL_DEADLOCK = 15,
    /// An argument is wrong, or a handle is closed or was never one.
    ATOLL_INVALID_ARGUMENT = 16,
    /// Not allowed by the mode of the segment, or it is open read-only.
    ATOLL_PERMISSION = 17,
    /// Objects of two segments in an operation that takes objects of one.
    ATOLL_WRONG_SEGMENT = 18,
    /// A party died; the object has to be reset before it can be used again.
    ATOLL_BROKEN = 19,
    /// Called from a signal handler that interrupted another call of this thread.
    ATOLL_REENTRANT = 20,
    /// The operating system refused; atoll_last_error() has its error number.
    ATOLL_SYSTEM = 21,
    /// A bug in the library was caught at its border. Please report the sentence.
    ATOLL_PANICKED = 22,
}

use atoll_status::*;

impl From<Status> for atoll_status {
    fn from(status: Status) -> Self {
        match status {
            Status::Ok => ATOLL_OK,
            Status::OwnerDied => ATOLL_OWNER_DIED,
            Status::TimedOut => ATOLL_TIMED_OUT,
            Status::Interrupted => ATOLL_INTERRUPTED,
            Status::Full => ATOLL_FULL,
            Status::Empty => ATOLL_EMPTY,
            Status::Closed => ATOLL_CLOSED,
            Status::NotFound => ATOLL_NOT_FOUND,
            Status::AlreadyExists => ATOLL_ALREADY_EXISTS,
            Status::WrongKind => ATOLL_WRONG_KIND,
            Status::Incompatible => ATOLL_INCOMPATIBLE,
            Status::Corrupted => ATOLL_CORRUPTED,
            Status::NoSpace => ATOLL_NO_SPACE,
            Status::TooSmall => ATOLL_TOO_SMALL,
            Status::NotOwner => ATOLL_NOT_OWNER,
            Status::Deadlock => ATOLL_DEADLOCK,
            Status::InvalidArgument => ATOLL_INVALID_ARGUMENT,
            Status::Permission => ATOLL_PERMISSION,
            Status::WrongSegment => ATOLL_WRONG_SEGMENT,
            Status::Broken => ATOLL_BROKEN,
            Status::Reentrant => ATOLL_REENTRANT,
            Status::System => ATOLL_SYSTEM,
            Status::Panicked => ATOLL_PANICKED,
        }
    }
}

impl From<()> for atoll_status {
    fn from((): ()) -> Self {
        ATOLL_OK
    }
}

impl From<Acquired> for atoll_status {
    fn from(acquired: Acquired) -> Self {
        match acquired {
            Acquired::Clean => ATOLL_OK,
            Acquired::OwnerDied => ATOLL_OWNER_DIED,
        }
    }
}

/// The names of the statuses, each at its number.
const NAMES: [&CStr; 23] = [
    c"ATOLL_OK",
    c"ATOLL_OWNER_DIED",
    c"ATOLL_TIMED_OUT",
    c"ATOLL_INTERRUPTED",
    c"ATOLL_FULL",
    c"ATOLL_EMPTY",
    c"ATOLL_CLOSED",
    c"ATOLL_NOT_FOUND",
    c"ATOLL_ALREADY_EXISTS",
    c"ATOLL_WRONG_KIND",
    c"ATOLL_INCOMPATIBLE",
    c"ATOLL_CORRUPTED",
    c"ATOLL_NO_SPACE",
    c"ATOLL_TOO_SMALL",
    c"ATOLL_NOT_OWNER",
    c"ATOLL_DEADLOCK",
    c"ATOLL_INVALID_ARGUMENT",
    c"ATOLL_PERMISSION",
    c"ATOLL_WRONG_SEGMENT",
    c"ATOLL_BROKEN",
    c"ATOLL_REENTRANT",
    c"ATOLL_SYSTEM",
    c"ATOLL_PANICKED",
];

/// The name of a status: "ATOLL_TIMED_OUT" for 2. A number that is no status
/// gives "no atoll status".
///
/// Returns   Static text. Never NULL.
/// Threads   Any thread, also in a signal handler.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_status_name(status: i32) -> *const c_char {
    let known = usize::try_from(status).ok().and_then(|number| NAMES.get(number));
    known.copied().unwrap_or(c"no atoll status").as_ptr()
}

/// Whether a call that returned `status` left you holding the lock: true for
/// ATOLL_OK and ATOLL_OWNER_DIED.
///
/// Returns   true or false. Meaningful for calls that acquire something.
/// Threads   Any thread, also in a signal handler.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_status_is_acquired(status: i32) -> bool {
    status == ATOLL_OK as i32 || status == ATOLL_OWNER_DIED as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Status; NAMES.len()] = [
        Status::Ok,
        Status::OwnerDied,
        Status::TimedOut,
        Status::Interrupted,
        Status::Full,
        Status::Empty,
        Status::Closed,
        Status::NotFound,
        Status::AlreadyExists,
        Status::WrongKind,
        Status::Incompatible,
        Status::Corrupted,
        Status::NoSpace,
        Status::TooSmall,
        Status::NotOwner,
        Status::Deadlock,
        Status::InvalidArgument,
        Status::Permission,
        Status::WrongSegment,
        Status::Broken,
        Status::Reentrant,
        Status::System,
        Status::Panicked,
    ];

    fn name(status: i32) -> &'static str {
        // SAFETY: static text that ends with NUL.
        unsafe { CStr::from_ptr(atoll_status_name(status)) }.to_str().unwrap()
    }

    #[test]
    fn numbers_and_names_are_the_same_inside_and_outside() {
        for (number, inner) in ALL.into_iter().enumerate() {
            let outer = atoll_status::from(inner);
            assert_eq!(outer as i32, number as i32);
            assert_eq!(inner as i32, number as i32);
            assert_eq!(name(outer as i32), format!("{outer:?}"));
        }
    }

    #[test]
    fn a_number_that_is_no_status_has_a_name_too() {
        for strange in [-1, NAMES.len() as i32, i32::MIN, i32::MAX] {
            assert_eq!(name(strange), "no atoll status");
        }
    }

    #[test]
    fn only_two_statuses_leave_the_caller_holding() {
        let acquired: Vec<i32> = (-2..40).filter(|&s| atoll_status_is_acquired(s)).collect();
        assert_eq!(acquired, [0, 1]);
    }
}
