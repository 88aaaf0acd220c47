//! One processor for the harness and the victim that it steps: handing over on
//! the same one is four times as fast as waking another.

use std::sync::OnceLock;

/// The processors that the harness was started with.
static ALL: OnceLock<libc::cpu_set_t> = OnceLock::new();

/// Keeps this thread on one processor. The harness calls it first.
pub(crate) fn pin() {
    ALL.get_or_init(|| {
        // SAFETY: a plain C structure of integers.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel fills the structure that is passed.
        unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) };
        set
    });
    // SAFETY: a plain C structure of integers.
    let mut one: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: sets a bit of a local.
    unsafe { libc::CPU_SET(first(), &mut one) };
    allow(&one);
}

/// Lets this thread run anywhere again.
pub(crate) fn unpin() {
    if let Some(all) = ALL.get() {
        allow(all);
    }
}

fn first() -> usize {
    let all = ALL.get().expect("the harness has called pin");
    // SAFETY: asks about a bit of a local.
    (0..libc::CPU_SETSIZE as usize).find(|cpu| unsafe { libc::CPU_ISSET(*cpu, all) }).unwrap_or(0)
}

/// A refusal costs speed and nothing else, so it is not looked at.
fn allow(set: &libc::cpu_set_t) {
    // SAFETY: the kernel reads the structure that is passed.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), set) };
}
