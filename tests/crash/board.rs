//! What the harness and its players tell each other: a page of shared memory
//! that has nothing to do with the library under test.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::abi::{SegmentInfo, Ticket};

/// How long anybody may stand still before it counts as a hang.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(10);

/// Stands for the status of a call that has not returned, or never returns.
pub(crate) const NONE_YET: i32 = i32::MIN;

/// The most players on stage at once.
pub(crate) const SEATS: usize = 12;
const TEXT: usize = 1000;
const TICKET: usize = size_of::<Ticket>() / size_of::<u64>();

/// One player's line to the harness. All-zero is its state at the start.
#[repr(C)]
pub(crate) struct Seat {
    /// How many pauses the player has reached.
    pub(crate) reached: Cue,
    /// How many pauses the harness has let it pass.
    pub(crate) passed: Cue,
    /// The status of the stepped call, once it has returned; before that `NONE_YET`.
    pub(crate) status: AtomicI32,
    /// The thread that is stepped, where that is not the player's first.
    pub(crate) thread: AtomicI32,
    /// How often a signal has ended the player's call.
    pub(crate) pokes: Cue,
    /// When the player got the mutex, on the monotonic clock.
    pub(crate) held_at_ns: AtomicU64,
    pub(crate) failed: AtomicBool,
    text: [std::sync::atomic::AtomicU8; TEXT],
}

/// Everything that is shared, seats apart.
#[repr(C)]
pub(crate) struct Board {
    pub(crate) seats: [Seat; SEATS],
    /// The victim's process, and whether its call had returned.
    pub(crate) victim: AtomicI32,
    pub(crate) returned: AtomicBool,
    /// The process that died before it, where there is one.
    pub(crate) predecessor: AtomicI32,
    /// The instruction that the victim did not live to execute.
    pub(crate) address: AtomicU64,
    /// Who is inside the critical section of the mutex, and of the other one: a seat
    /// plus one, or 0.
    pub(crate) inside: [AtomicU32; 2],
    /// Who is about to be killed, likewise: the next inside may find it there.
    pub(crate) doomed: AtomicU32,
    /// Times that somebody entered while another was inside.
    pub(crate) intrusions: AtomicU32,
    /// Deaths of an owner that lockers were told of.
    pub(crate) news: AtomicU32,
    /// Bytes in use after the first scene of an operation, 0 before it.
    first_use: AtomicU64,
    /// Objects and bytes in use that the first witness of a copy found, 0 before it.
    first_sight: [AtomicU64; 2],
    /// A ticket of the founder's, in words.
    ticket: [AtomicU64; TICKET],
    /// The longest wait of a survivor in this scene.
    pub(crate) worst_wait_ns: AtomicU64,
}

impl Board {
    /// The page, mapped before the first player is forked.
    pub(crate) fn get() -> &'static Self {
        static BOARD: OnceLock<&Board> = OnceLock::new();
        BOARD.get_or_init(|| {
            // SAFETY: asks for fresh shared zeroed memory; every field is valid as zero.
            let page = unsafe {
                libc::mmap(
                    std::ptr::null_mut(),
                    size_of::<Self>(),
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            };
            assert_ne!(page, libc::MAP_FAILED, "no shared memory for the board");
            // SAFETY: mapped above, large enough, never unmapped, only atomics inside.
            unsafe { &*page.cast::<Self>() }
        })
    }

    /// Notes how long a survivor had to wait.
    pub(crate) fn note_wait(&self, ns: u64) {
        self.worst_wait_ns.fetch_max(ns, SeqCst);
    }

    /// The bytes in use after the first scene of the operation: this one, or one
    /// whose victim died elsewhere.
    pub(crate) fn usual_use(&self, used: u64) -> u64 {
        match self.first_use.compare_exchange(0, used, SeqCst, SeqCst) {
            Ok(_) => used,
            Err(first) => first,
        }
    }

    /// What the first witness of a copy finds: this one, or one of another copy.
    pub(crate) fn usual_sight(&self, info: &SegmentInfo) -> SegmentInfo {
        let [objects, used] = &self.first_sight;
        if objects.load(SeqCst) == 0 {
            used.store(info.used, SeqCst);
            objects.store(info.objects, SeqCst);
        }
        SegmentInfo { objects: objects.load(SeqCst), used: used.load(SeqCst), ..*info }
    }

    pub(crate) fn leave_ticket(&self, ticket: Ticket) {
        for (place, word) in self.ticket.iter().zip(ticket) {
            place.store(word, SeqCst);
        }
    }

    pub(crate) fn ticket(&self) -> Ticket {
        std::array::from_fn(|word| self.ticket[word].load(SeqCst))
    }

    /// Forgets what the copies of another segment had in common.
    pub(crate) fn begin_copies(&self) {
        self.first_use.store(0, SeqCst);
        self.first_sight[0].store(0, SeqCst);
    }

    /// Forgets what the last operation left.
    pub(crate) fn begin_operation(&self) {
        self.first_use.store(0, SeqCst);
    }

    /// Clears what the last scene left.
    pub(crate) fn clear(&self) {
        for seat in &self.seats {
            seat.clear();
        }
        self.worst_wait_ns.store(0, SeqCst);
        self.address.store(0, SeqCst);
        for inside in &self.inside {
            inside.store(0, SeqCst);
        }
        self.doomed.store(0, SeqCst);
        self.intrusions.store(0, SeqCst);
        self.news.store(0, SeqCst);
        self.victim.store(0, SeqCst);
        self.returned.store(false, SeqCst);
    }
}

impl Seat {
    pub(crate) fn clear(&self) {
        self.reached.0.store(0, SeqCst);
        self.passed.0.store(0, SeqCst);
        self.pokes.0.store(0, SeqCst);
        self.status.store(NONE_YET, SeqCst);
        self.thread.store(0, SeqCst);
        self.failed.store(false, SeqCst);
        self.text[0].store(0, SeqCst);
    }

    /// Says what went wrong, for the harness to print.
    pub(crate) fn fail(&self, why: &str) {
        for (cell, byte) in self.text.iter().zip(why.bytes().take(TEXT - 1).chain([0])) {
            cell.store(byte, SeqCst);
        }
        self.failed.store(true, SeqCst);
    }

    pub(crate) fn failure(&self) -> String {
        let bytes: Vec<u8> =
            self.text.iter().map(|cell| cell.load(SeqCst)).take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A counter that can be waited for.
#[repr(transparent)]
pub(crate) struct Cue(AtomicU32);

impl Cue {
    pub(crate) fn count(&self) -> u32 {
        self.0.load(SeqCst)
    }

    pub(crate) fn raise(&self) -> u32 {
        let count = self.0.fetch_add(1, SeqCst) + 1;
        // SAFETY: wakes the sleepers of a live word.
        unsafe { libc::syscall(libc::SYS_futex, self.0.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
        count
    }

    /// Waits until the counter is at least `count`; `given_up` is asked now and then.
    pub(crate) fn wait(&self, count: u32, mut given_up: impl FnMut() -> bool) -> bool {
        loop {
            let seen = self.count();
            if seen >= count {
                return true;
            }
            if given_up() {
                return false;
            }
            let look_again = libc::timespec { tv_sec: 0, tv_nsec: 2_000_000 };
            // SAFETY: sleeps on a live word for a bounded time.
            unsafe {
                libc::syscall(libc::SYS_futex, self.0.as_ptr(), libc::FUTEX_WAIT, seen, &look_again)
            };
        }
    }
}

/// The monotonic clock.
pub(crate) fn now_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Something that is over some time from now.
pub(crate) fn watchdog() -> impl FnMut() -> bool {
    let end = Instant::now() + WATCHDOG;
    move || Instant::now() > end
}
