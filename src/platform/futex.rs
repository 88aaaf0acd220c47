//! Sleeping on shared words: `futex_waitv` where the kernel has it, plain
//! `FUTEX_WAIT` on the first word in short slices where it has not.
//!
//! The kernel checks the words in the order given and queues the caller on each
//! before it checks the next. Callers rely on that order.

use super::atomic::{AtomicU8, AtomicU32, AtomicU64, HookableWord64, Ordering::Relaxed, halves};
use super::time;

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Somebody woke us, or nobody did: look again.
    Woken,
    /// A word had another value already.
    Changed,
    /// The moment given has come.
    TimedOut,
    /// A signal handler ran.
    Interrupted,
}

/// A word and the value with which it is worth sleeping.
#[derive(Clone, Copy)]
pub(crate) struct Watch<'a> {
    pub(crate) word: &'a AtomicU32,
    pub(crate) value: u32,
}

/// What to sleep on while the whole word is `value`.
pub(crate) fn watches(word: &AtomicU64, value: u64) -> [Watch<'_>; 2] {
    let [low, high] = halves(word);
    [Watch { word: low, value: value as u32 }, Watch { word: high, value: (value >> 32) as u32 }]
}

impl HookableWord64 {
    /// What to sleep on while the whole word is `value`: first the half that hooks point at.
    pub(crate) fn watches(&self, value: u64) -> [Watch<'_>; 2] {
        [
            Watch { word: self.low().as_futex(), value: value as u32 },
            Watch { word: self.high(), value: (value >> 32) as u32 },
        ]
    }
}

/// The most words that one sleep can watch (`FUTEX_WAITV_MAX`).
pub(crate) const MAX_WATCHES: usize = 128;
/// As many as most sleeps watch.
const FEW: usize = 8;
/// Without `futex_waitv` a death is noticed by looking again this often.
const FALLBACK_SLICE_NS: u64 = 10_000_000;

const FUTEX2_SIZE_U32: u32 = 2;

/// `struct futex_waitv` of the kernel (linux/futex.h).
#[repr(C)]
#[derive(Clone, Copy)]
struct WaitvEntry {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// Sleeps until a word changes and its changer wakes us, until `until_ns` on the
/// monotonic clock, or until a signal handler runs.
///
/// May return early and says then that we were woken. With the fallback only the
/// first word is slept on, and a change of the others is found after a slice.
pub(crate) fn wait(watches: &[Watch<'_>], until_ns: u64) -> Wake {
    debug_assert!(!watches.is_empty() && watches.len() <= MAX_WATCHES);
    if !has_waitv() {
        return wait_on_first(watches, until_ns);
    }
    // To fill an array for the most is dear, where a few words are usual.
    if watches.len() <= FEW {
        wait_on_all::<FEW>(watches, until_ns)
    } else {
        wait_on_all::<MAX_WATCHES>(watches, until_ns)
    }
}

fn wait_on_all<const N: usize>(watches: &[Watch<'_>], until_ns: u64) -> Wake {
    let mut entries = [WaitvEntry { value: 0, address: 0, flags: 0, reserved: 0 }; N];
    for (entry, watch) in entries.iter_mut().zip(watches) {
        entry.value = u64::from(watch.value);
        entry.address = watch.word.as_ptr() as u64;
        entry.flags = FUTEX2_SIZE_U32;
    }
    let until = time::timespec(until_ns);
    // SAFETY: `entries` holds `watches.len()` filled entries, whose words are
    // borrowed for the call; the kernel only reads them and the timespec.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex_waitv,
            entries.as_ptr(),
            watches.len(),
            0,
            &until,
            libc::CLOCK_MONOTONIC,
        )
    };
    if result < 0 && matches!(super::errno(), libc::ENOSYS | libc::EPERM) {
        // A sandbox that was entered after the probe.
        WAITV.store(MISSING, Relaxed);
        return wait_on_first(watches, until_ns);
    }
    outcome(result)
}

/// Sleeps on the first word and looks at the others after each slice.
fn wait_on_first(watches: &[Watch<'_>], until_ns: u64) -> Wake {
    loop {
        if watches.iter().any(|w| w.word.load(Relaxed) != w.value) {
            return Wake::Changed;
        }
        let slice_ns = time::now_ns().saturating_add(FALLBACK_SLICE_NS);
        match wait_on_one(&watches[0], until_ns.min(slice_ns)) {
            Wake::TimedOut if slice_ns < until_ns => {}
            other => return other,
        }
    }
}

fn wait_on_one(watch: &Watch<'_>, until_ns: u64) -> Wake {
    let until = time::timespec(until_ns);
    // SAFETY: the word is borrowed for the call; the kernel reads it and the
    // timespec. FUTEX_WAIT_BITSET takes an absolute monotonic time.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            watch.word.as_ptr(),
            libc::FUTEX_WAIT_BITSET,
            watch.value,
            &until,
            core::ptr::null::<u32>(),
            u32::MAX,
        )
    };
    outcome(result)
}

fn outcome(result: libc::c_long) -> Wake {
    if result >= 0 {
        return Wake::Woken;
    }
    match super::errno() {
        libc::EAGAIN => Wake::Changed,
        libc::ETIMEDOUT => Wake::TimedOut,
        libc::EINTR => Wake::Interrupted,
        _ => Wake::Woken,
    }
}

/// Wakes up to `count` sleepers of `word` and says how many there were.
pub(crate) fn wake(word: &AtomicU32, count: i32) -> u32 {
    // SAFETY: the kernel uses the address as a key only; the word is borrowed.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count) };
    u32::try_from(woken).unwrap_or(0)
}

/// Wakes every sleeper of `word`.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, i32::MAX);
}

/// Waits of this process that ended because their slice did.
static RESCUED: AtomicU64 = AtomicU64::new(0);

/// Notes that a wait was over, and that nobody had woken it.
pub(crate) fn note_rescue() {
    // Relaxed: a count, for people.
    RESCUED.fetch_add(1, Relaxed);
    #[cfg(test)]
    RESCUED_HERE.set(RESCUED_HERE.get() + 1);
}

#[cfg(test)]
std::thread_local! {
    /// Those of this thread: tests wait side by side.
    pub(crate) static RESCUED_HERE: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

/// How many there were.
pub(crate) fn rescued_waits() -> u64 {
    RESCUED.load(Relaxed)
}

const UNKNOWN: u8 = 0;
const PRESENT: u8 = 1;
const MISSING: u8 = 2;

/// What is known of `futex_waitv`. It may go missing and never comes back.
static WAITV: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether the kernel has `futex_waitv` (5.16) and no filter forbids it.
pub(crate) fn has_waitv() -> bool {
    // Relaxed: who has not heard that it is missing finds out by itself.
    match WAITV.load(Relaxed) {
        PRESENT => true,
        MISSING => false,
        _ => {
            let present = probe_waitv();
            WAITV.store(if present { PRESENT } else { MISSING }, Relaxed);
            present
        }
    }
}

/// A kernel that knows the call refuses zero words with EINVAL; one that does not,
/// or a seccomp filter, says ENOSYS or EPERM.
fn probe_waitv() -> bool {
    // SAFETY: no pointer is given; the call can only fail.
    let result = unsafe {
        libc::syscall(libc::SYS_futex_waitv, core::ptr::null::<WaitvEntry>(), 0, 0, 0usize, 0)
    };
    result < 0 && super::errno() == libc::EINVAL
}
