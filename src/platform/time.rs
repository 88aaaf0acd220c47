//! One deadline rule: a span becomes a moment of the monotonic clock at entry.

use crate::error::{Result, invalid};

/// The moment at which a wait gives up.
///
/// Made once, when a call begins, from the span that the caller gave; every
/// retry of the wait uses the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Moment);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Now,
    At(u64),
    Never,
}

impl Deadline {
    /// Try once, do not wait.
    pub const NOW: Self = Self(Moment::Now);
    /// Wait without limit.
    pub const NEVER: Self = Self(Moment::Never);

    /// `timeout_ns` from now: 0 tries once, `i64::MAX` waits without limit, and so
    /// does a span that the clock cannot express.
    ///
    /// # Errors
    /// `InvalidArgument` for a negative span.
    #[inline]
    pub fn after_ns(timeout_ns: i64) -> Result<Self> {
        match timeout_ns {
            i64::MAX => Ok(Self::NEVER),
            0 => Ok(Self::NOW),
            span if span > 0 => {
                Ok(Self(now_ns().checked_add(span as u64).map_or(Moment::Never, Moment::At)))
            }
            _ => Err(invalid(
                "timeout_ns is negative: pass 0 to try once, ATOLL_FOREVER to wait without limit",
            )),
        }
    }

    /// True if the caller does not want to wait at all.
    pub(crate) fn is_now(self) -> bool {
        self.0 == Moment::Now
    }

    /// True once the moment has come.
    pub(crate) fn has_passed(self) -> bool {
        match self.0 {
            Moment::Now => true,
            Moment::At(at) => now_ns() >= at,
            Moment::Never => false,
        }
    }

    /// The earlier of the deadline and `now + span_ns`, as a clock reading.
    pub(crate) fn within(self, now: u64, span_ns: u64) -> u64 {
        let limit = now.saturating_add(span_ns);
        match self.0 {
            Moment::Now => now,
            Moment::At(at) => at.min(limit),
            Moment::Never => limit,
        }
    }
}

/// The monotonic clock in nanoseconds.
pub(crate) fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec to the pointer given; the clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// A clock reading as the kernel takes it.
pub(crate) fn timespec(at_ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (at_ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (at_ns % 1_000_000_000) as libc::c_long,
    }
}

/// Sleeps for about `span_ns`; a signal may end it early.
pub(crate) fn sleep_ns(span_ns: u64) {
    let span = timespec(span_ns);
    // SAFETY: reads one timespec; the remainder is not asked for.
    unsafe { libc::nanosleep(&span, core::ptr::null_mut()) };
}
