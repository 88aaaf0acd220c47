//! The same promises where `futex_waitv` is missing, or forbidden.
//!
//! A filter stays for all that a process starts, so the tests of other files run
//! unchanged.

use atoll::Deadline;

use crate::scene::{found, lock, mutex, unlock, within};
use crate::support::sandbox::refuse;
use crate::{death, exclusion, news, signals};

/// What waits, and what depends on being woken.
fn the_same_promises() {
    exclusion::sections_never_overlap();
    exclusion::waits_end_after_their_time();
    exclusion::every_waiter_is_served();
    death::a_sleeping_waiter_takes_over();
    death::all_sleeping_waiters_take_over_in_turn();
    death::killed_waiters_are_in_nobodys_way();
    death::a_thread_that_ends_holding_is_dead();
    news::every_sleeper_is_told();
    news::a_wait_ends_after_its_time();
    signals::a_handler_ends_a_wait();
    signals::a_stopped_process_waits_on();
}

pub(crate) fn without_waitv() {
    refuse(libc::SYS_futex_waitv, libc::ENOSYS);
    the_same_promises();
}

pub(crate) fn with_waitv_forbidden() {
    refuse(libc::SYS_futex_waitv, libc::EPERM);
    the_same_promises();
}

/// A sandbox that is entered late: the library has found the call to work before. A wait
/// must sleep then, not run in circles.
pub(crate) fn with_waitv_forbidden_after_its_first_use() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    let victim = exclusion::holder();
    let waits = || mutex.acquire(within(std::time::Duration::from_millis(200)));
    assert!(waits().is_err());
    refuse(libc::SYS_futex_waitv, libc::EPERM);
    let before = processor_time();
    assert!(waits().is_err());
    let used = processor_time() - before;
    assert!(used < std::time::Duration::from_millis(100), "{used:?} of processor time in 200 ms");
    victim.kill();
    mutex.acquire(Deadline::NEVER).expect("free");
    unlock(&mutex);
    mutex.lock(Deadline::NEVER).expect("free").mark_consistent().expect("held");
    lock(&mutex);
    unlock(&mutex);
}

fn processor_time() -> std::time::Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    std::time::Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
