//! Handlers that run during a wait.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use atoll::Deadline;

use crate::scene::{found, lock, mutex, open, status, the_mutex, unlock};
use crate::support::child::{Child, Stage, all_asleep};
use crate::support::system::{self, on_signal};

static RAN: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: i32) {
    RAN.fetch_add(1, SeqCst);
}

/// A child that waits, and sleeps by now.
fn waiter(part: fn(Stage)) -> Child {
    let mut waiter = Child::spawn(part);
    waiter.says("waiting");
    all_asleep([&waiter]);
    waiter
}

/// Signals it until its wait has ended: a handler that runs between two sleeps ends none.
fn interrupt(waiter: &mut Child) {
    while !waiter.has_spoken(Duration::from_millis(20)) {
        waiter.signal(libc::SIGUSR1);
    }
    waiter.says("Interrupted");
}

/// Waits for the mutex "m", with a handler installed with these flags. Says the status with
/// which the wait ends, and then how often the handler ran.
fn waits_for_mutex(mut stage: Stage, flags: i32) {
    on_signal(libc::SIGUSR1, count, flags);
    let mutex = the_mutex();
    stage.tell("waiting");
    let ended = status(mutex.acquire(Deadline::NEVER));
    stage.tell(format!("{ended:?}"));
    stage.tell(RAN.load(SeqCst));
    stage.stay();
}

pub(crate) fn a_handler_ends_a_wait() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut waiter = waiter(|stage| waits_for_mutex(stage, 0));
    interrupt(&mut waiter);
    assert_ne!(waiter.hear(), "0");
    unlock(&mutex);
    lock(&mutex);
    unlock(&mutex);
    waiter.kill();
}

pub(crate) fn a_restarting_handler_does_not() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut waiter = waiter(|stage| waits_for_mutex(stage, libc::SA_RESTART));
    for _ in 0..3 {
        waiter.signal(libc::SIGUSR1);
        // Signals of one number are merged while one is pending.
        system::wait_until_taken(waiter.pid, libc::SIGUSR1);
    }
    all_asleep([&waiter]);
    unlock(&mutex);
    waiter.says("Ok");
    waiter.says("3");
    waiter.kill();
}

pub(crate) fn a_stopped_process_waits_on() {
    let segment = found();
    let mutex = mutex(&segment, "m");
    lock(&mutex);
    let mut waiter = waiter(|stage| waits_for_mutex(stage, 0));
    waiter.signal(libc::SIGSTOP);
    while system::state_of(waiter.pid as u32, waiter.pid as u32) != 'T' {
        std::thread::yield_now();
    }
    waiter.signal(libc::SIGCONT);
    all_asleep([&waiter]);
    unlock(&mutex);
    waiter.says("Ok");
    waiter.says("0");
    waiter.kill();
}

pub(crate) fn a_handler_ends_a_wait_for_news() {
    let _segment = found();
    let mut waiter = waiter(|mut stage| {
        on_signal(libc::SIGUSR1, count, 0);
        let segment = open();
        stage.tell("waiting");
        let ended = status(segment.wait_death(0, Deadline::NEVER));
        stage.tell(format!("{ended:?}"));
    });
    interrupt(&mut waiter);
    waiter.ends_well();
}

unsafe extern "C" {
    fn atoll_segment_open(
        name: *const c_char,
        options: *const c_void,
        out: *mut *mut c_void,
    ) -> i32;
    fn atoll_mutex_open(
        segment: *mut c_void,
        name: *const c_char,
        options: *const c_void,
        out: *mut *mut c_void,
    ) -> i32;
    safe fn atoll_mutex_lock(mutex: *mut c_void, timeout_ns: i64) -> i32;
    safe fn atoll_mutex_unlock(mutex: *mut c_void) -> i32;
}

const OK: i32 = 0;
const REENTRANT: i32 = 20;

static FREE_MUTEX: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static TOLD: AtomicI32 = AtomicI32::new(-1);

/// What no handler should do.
extern "C" fn lock_another(_: i32) {
    TOLD.store(atoll_mutex_lock(FREE_MUTEX.load(SeqCst), 0), SeqCst);
}

/// Through the C interface: the call that was interrupted goes on, and both mutexes are
/// as they should be.
pub(crate) fn a_call_from_a_handler_is_refused() {
    let segment = found();
    let (held, _free) = (mutex(&segment, "m"), mutex(&segment, "free"));
    lock(&held);
    let waiter = waiter(|mut stage| {
        let mut segment = std::ptr::null_mut();
        let (mut wanted, mut free) = (segment, segment);
        // SAFETY: static names, no options, room for a handle each.
        let opened =
            unsafe { atoll_segment_open(c"stage".as_ptr(), std::ptr::null(), &mut segment) };
        assert_eq!(opened, OK);
        for (name, out) in [(c"m", &mut wanted), (c"free", &mut free)] {
            // SAFETY: likewise.
            let opened = unsafe { atoll_mutex_open(segment, name.as_ptr(), std::ptr::null(), out) };
            assert_eq!(opened, OK);
        }
        FREE_MUTEX.store(free, SeqCst);
        on_signal(libc::SIGUSR1, lock_another, libc::SA_RESTART);
        stage.tell("waiting");
        assert_eq!(atoll_mutex_lock(wanted, i64::MAX), OK);
        assert_eq!(TOLD.load(SeqCst), REENTRANT);
        assert_eq!(atoll_mutex_unlock(wanted), OK);
        // Between calls a handler may do as it likes.
        system::signal_thread(system::thread_id(), libc::SIGUSR1);
        assert_eq!(TOLD.load(SeqCst), OK);
        assert_eq!(atoll_mutex_unlock(free), OK);
    });
    waiter.signal(libc::SIGUSR1);
    all_asleep([&waiter]);
    unlock(&held);
    waiter.ends_well();
}
