//! What the library knows of each thread of this process.
//!
//! A thread's state lies in memory that the kernel wipes in a forked child
//! (`MADV_WIPEONFORK`). So a child finds nothing of what its parent's thread was:
//! no seat in any segment, no call in progress. That costs no check on the fast
//! path: an empty cache is simply a miss.
//!
//! # Calls in progress
//!
//! `calls` is odd while the thread is inside a call. A signal handler that calls
//! in finds it odd and is refused. Who wants to free something that calls may be
//! looking at makes it unreachable, issues a barrier on all threads, and then
//! waits for every odd counter to move on (`Witness`).

mod brief;
mod seated;
mod seats;
mod witness;

use core::cell::Cell;
use core::ffi::c_void;
use core::mem::{ManuallyDrop, offset_of};

use super::attachment::Attachment;
use super::record::Marks;
use super::{member, participant};
use crate::error::{Error, Result, Status, invalid};
use crate::platform::atomic::{
    AtomicBool, AtomicPtr, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::robust::RobustList;
use crate::platform::thread_exit::ExitKey;
use crate::platform::{mapping, membarrier, thread_slot};
use seats::Seats;

pub(crate) use brief::{Brief, enter_briefly};
pub(crate) use seated::{Seated, enter_seated};
pub(crate) use seats::{Deputy, Seat};
pub(crate) use witness::{Visit, Witness, visit};

/// Seats found without a search; attachments share them by number.
const CACHED: usize = 16;

/// One thread of this process.
///
/// Its first two fields are what the short ways look at, those in other people's programs
/// too (`ffi::place`): their places are part of the C ABI.
#[repr(C)]
pub(crate) struct Thread {
    /// Odd while the thread is in a call; 0 until it is set up, and again in a forked
    /// child.
    calls: AtomicU64,
    /// The seats used last.
    cache: [CachedSeat; CACHED],
    /// True while a living thread uses this record.
    used: AtomicBool,
    /// The next record of `ALL`.
    next: AtomicPtr<Thread>,
    /// Where the thread's death hook is.
    robust: Cell<RobustList>,
    /// All seats of the thread; null for none.
    seats: Cell<*mut Seats>,
    /// The attachment in which a transaction is open, by its number; 0 for none. While one
    /// is, no seat is cached, so that no short way to a mutex of its can be taken.
    transaction: AtomicU64,
    /// The name under which it is.
    transaction_name: Cell<u64>,
    /// Which of its mutexes are to be marked consistent when it commits, one bit each.
    marks: Cell<u8>,
    /// The state of its node, if that says that the hook is on a bell (`sync::condvar`): for
    /// its signal handlers.
    pub(crate) on_bell: Cell<Option<&'static AtomicU64>>,
    /// Where the C ABI keeps what it knows of the thread; null until it says so.
    room: Cell<*mut c_void>,
}

impl core::fmt::Debug for Thread {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Thread")
    }
}

/// Each in half a line.
#[repr(C, align(32))]
struct CachedSeat {
    attachment: AtomicU64,
    name: AtomicU64,
    /// Where the thread's marks are.
    marks: AtomicPtr<Marks>,
    /// The process's name as a member there, which stays while it has seats.
    member: AtomicU64,
}

const _: () = {
    assert!(offset_of!(Thread, calls) == 0);
    assert!(offset_of!(CachedSeat, attachment) == 0);
    assert!(offset_of!(CachedSeat, name) == 8);
    assert!(offset_of!(CachedSeat, marks) == 16);
    assert!(offset_of!(CachedSeat, member) == 24);
    assert!(size_of::<CachedSeat>() == 32);
};

/// Where in a `Thread` the seat in that attachment is cached, if it is.
pub(crate) fn place_of_seat(attachment: u64) -> usize {
    offset_of!(Thread, cache) + attachment as usize % CACHED * size_of::<CachedSeat>()
}

/// What `calls` is when a thread has been set up and made no call.
const FIRST_CALL: u64 = 2;

/// Every record ever made in this process, newest first; records are re-used.
static ALL: AtomicPtr<Thread> = AtomicPtr::new(core::ptr::null_mut());
static EXIT: ExitKey = ExitKey::new();

/// The calling thread's record, set up or not.
#[inline(always)]
fn current() -> Option<&'static Thread> {
    // SAFETY: null, or the record that `set_up` stored, which is never freed.
    unsafe { thread_slot::get().cast::<Thread>().as_ref() }
}

/// A call in progress on this thread. Ends when dropped.
pub(crate) struct InCall {
    thread: &'static Thread,
}

/// Begins a call on this thread.
///
/// # Errors
/// `Reentrant` if a signal handler interrupted another call of this thread;
/// `System` if the thread cannot be set up.
#[inline(always)]
pub(crate) fn enter() -> Result<InCall> {
    here()?.begin_call()
}

/// The call that the calling thread is in, by its own account: code in other programs says so before
/// it takes a short way, and ends it.
///
/// # Errors
/// `InvalidArgument` if it is in none.
pub(crate) fn inside() -> Result<ManuallyDrop<InCall>> {
    // Relaxed: only this thread writes the counter.
    let thread = current().filter(|thread| thread.calls.load(Relaxed) & 1 != 0);
    thread.map(|thread| ManuallyDrop::new(InCall { thread })).ok_or(OUTSIDE)
}

const OUTSIDE: Error =
    invalid("the thread is not on a short way: only <atoll/inline.h> calls this");

/// The calling thread if it is set up and in no call.
#[inline(always)]
pub(crate) fn idle() -> Option<&'static Thread> {
    // Relaxed: only this thread and its signal handlers write the counter. Wiped
    // records have 0, and no seats in their cache.
    current().filter(|thread| thread.calls.load(Relaxed) & 1 == 0)
}

/// Whether the calling thread has a seat there at hand, in a call or not.
#[inline(always)]
pub(crate) fn has_seat_in(attachment: u64) -> bool {
    current().is_some_and(|thread| thread.has_seat_in(attachment))
}

/// The calling thread, set up if it is new.
///
/// # Errors
/// `System` if the thread cannot be set up.
#[inline(always)]
pub(crate) fn here() -> Result<&'static Thread> {
    match current() {
        // Relaxed: only this thread writes its own counter (and in a fork the kernel).
        Some(thread) if thread.calls.load(Relaxed) != 0 => Ok(thread),
        _ => set_up(),
    }
}

/// The calling thread, which has a seat, and so a record.
///
/// # Panics
/// If it has none.
#[inline(always)]
pub(crate) fn of_actor() -> &'static Thread {
    current().expect("who has a seat has a record")
}

impl Thread {
    #[inline(always)]
    fn begin_call(&'static self) -> Result<InCall> {
        // Relaxed: only this thread and its signal handlers write the counter.
        let calls = self.calls.load(Relaxed);
        if calls & 1 != 0 {
            return Err(REENTRANT);
        }
        self.calls.store(calls + 1, Relaxed);
        // Orders this store before the loads of the call, for `Witness::of_calls`.
        membarrier::here();
        Ok(InCall { thread: self })
    }
}

const REENTRANT: Error = Error::new(
    Status::Reentrant,
    "called from a signal handler that interrupted a call of this thread: set a flag in the \
     handler and call after it has returned",
);

impl Drop for InCall {
    #[inline(always)]
    fn drop(&mut self) {
        let calls = self.thread.calls.load(Relaxed);
        // Release, RETIRED: what the call looked at may be freed after this.
        self.thread.calls.store(calls + 1, Release);
    }
}

impl InCall {
    /// The thread that the call is on.
    #[inline(always)]
    pub(crate) fn thread(&self) -> &'static Thread {
        self.thread
    }
}

impl Thread {
    /// The thread's death hook.
    #[inline(always)]
    pub(crate) fn hook(&self) -> RobustList {
        self.robust.get()
    }

    /// The thread's name in `attachment`: what lock words hold. Takes a seat there
    /// if it has none yet.
    #[inline(always)]
    pub(crate) fn name_in(&'static self, attachment: &'static Attachment) -> Result<u64> {
        match self.cached_name(attachment.number()) {
            Some(name) => Ok(name),
            None => self.find_or_take_seat(attachment),
        }
    }

    /// The same if it is at hand, by the attachment's number.
    #[inline(always)]
    pub(crate) fn cached_name(&self, attachment: u64) -> Option<u64> {
        let cached = &self.cache[attachment as usize % CACHED];
        // The name first: a signal handler may make a call, and give the seat to another
        // attachment. Acquire keeps them in order.
        let name = cached.name.load(Acquire);
        // Relaxed: our own.
        (cached.attachment.load(Relaxed) == attachment).then_some(name)
    }

    /// What the thread reads there, if that is at hand.
    #[inline(always)]
    pub(crate) fn cached_marks(&self, attachment: u64) -> Option<&Marks> {
        let cached = &self.cache[attachment as usize % CACHED];
        // As in `cached_name`.
        let marks = cached.marks.load(Acquire);
        let is_at_hand = cached.attachment.load(Relaxed) == attachment;
        // SAFETY: part of the record of the thread's seat, which stays mapped while it has
        // that, and it does not give it up while it looks.
        is_at_hand.then(|| unsafe { &*marks })
    }

    /// Whether one is at hand: then the attachment stays mapped.
    #[inline(always)]
    pub(crate) fn has_seat_in(&self, attachment: u64) -> bool {
        // Relaxed: our own.
        self.cache[attachment as usize % CACHED].attachment.load(Relaxed) == attachment
    }

    /// What `set_room` was given, on this thread of this process.
    #[inline(always)]
    pub(crate) fn room(&self) -> *mut c_void {
        self.room.get()
    }

    /// Keeps an address for the thread, until `forget_room`; a forked child has none.
    pub(crate) fn set_room(&self, room: *mut c_void) {
        self.room.set(room);
    }

    /// Whether a transaction is open on this thread.
    #[inline(always)]
    pub(crate) fn has_transaction(&self) -> bool {
        // Relaxed: our own.
        self.transaction.load(Relaxed) != 0
    }

    /// Whether it is this one, and not another that a forked child has begun since.
    #[inline]
    pub(crate) fn has_this_transaction(&self, attachment: &Attachment, name: u64) -> bool {
        self.transaction.load(Relaxed) == attachment.number() && self.transaction_name.get() == name
    }

    /// A transaction begins, in that segment, under that name.
    #[inline]
    pub(crate) fn begin_transaction(&self, attachment: &Attachment, name: u64) {
        // Relaxed: other threads look only when what they free has been given to them, or
        // after a barrier on all threads.
        self.transaction.store(attachment.number(), Relaxed);
        self.transaction_name.set(name);
        self.marks.set(0);
        let cached = &self.cache[attachment.number() as usize % CACHED];
        cached.attachment.store(0, Relaxed);
    }

    /// Mutex `number` of the transaction is to be marked consistent when it commits.
    pub(crate) fn mark_at_commit(&self, number: usize) {
        self.marks.set(self.marks.get() | 1 << number);
    }

    /// Which of them are.
    #[inline]
    pub(crate) fn marks(&self) -> u8 {
        self.marks.get()
    }

    /// It has ended. The thread is known by `name` there.
    #[inline]
    pub(crate) fn end_transaction(&self, attachment: &Attachment, name: u64) {
        // Release: what it has done.
        self.transaction.store(0, Release);
        self.remember(attachment, name);
    }

    #[inline]
    fn remember(&self, attachment: &Attachment, name: u64) {
        let Ok(record) = attachment.participant(participant::slot_in(name)) else {
            return;
        };
        let cached = &self.cache[attachment.number() as usize % CACHED];
        // Relaxed: our own, and in a call, which no handler's call comes into.
        cached.attachment.store(attachment.number(), Relaxed);
        cached.name.store(name, Relaxed);
        cached.marks.store(core::ptr::from_ref(&record.marks).cast_mut(), Relaxed);
        cached.member.store(member::own_word(attachment), Relaxed);
    }
}

/// Forgets what `set_room` was given. The variables of a thread go before its record.
pub(crate) fn forget_room() {
    if let Some(thread) = current() {
        thread.room.set(core::ptr::null_mut());
    }
}

/// Gives the calling thread a record and takes it into the list.
#[cold]
fn set_up() -> Result<&'static Thread> {
    super::fork::ensure_own_process()?;
    membarrier::is_available(); // asked once, so that calls need not fence
    let thread = match current() {
        // Wiped by a fork.
        Some(thread) => enlist(thread),
        None => match free_record() {
            Some(thread) => thread,
            None => new_record()?,
        },
    };
    thread.robust.set(RobustList::of_this_thread()?);
    EXIT.arrange(core::ptr::from_ref(thread).cast_mut().cast(), at_thread_exit)?;
    thread.calls.store(FIRST_CALL, Release);
    thread_slot::set(core::ptr::from_ref(thread).cast());
    Ok(thread)
}

fn records() -> impl Iterator<Item = &'static Thread> {
    // SAFETY: null or a record; records are never freed. Acquire: its fields.
    let mut next = unsafe { ALL.load(Acquire).as_ref() };
    core::iter::from_fn(move || {
        let thread = next?;
        // SAFETY: likewise.
        next = unsafe { thread.next.load(Acquire).as_ref() };
        Some(thread)
    })
}

fn free_record() -> Option<&'static Thread> {
    // Acquire: pairs with the Release in `at_thread_exit`.
    records().find(|t| t.used.compare_exchange(false, true, Acquire, Relaxed).is_ok())
}

fn new_record() -> Result<&'static Thread> {
    let memory = mapping::wiped_on_fork(size_of::<Thread>())?.cast::<Thread>();
    // SAFETY: fresh zeroed memory, page-aligned, never freed; all-zero bytes are a
    // valid `Thread` (null pointers, false, 0).
    let thread = unsafe { &*memory };
    Ok(enlist(thread))
}

/// Takes a fresh or wiped record into the list, in use.
fn enlist(thread: &'static Thread) -> &'static Thread {
    let record = core::ptr::from_ref(thread).cast_mut();
    thread.used.store(true, Relaxed);
    let mut head = ALL.load(Relaxed);
    loop {
        thread.next.store(head, Relaxed);
        // Release: the record's fields, for `records`.
        match ALL.compare_exchange_weak(head, record, Release, Relaxed) {
            Ok(_) => return thread,
            Err(seen) => head = seen,
        }
    }
}

/// Forgets the records of a parent process. Called in a child that has one thread.
pub(super) fn forget_all() {
    ALL.store(core::ptr::null_mut(), Release);
    witness::forget_guests();
}

/// Whether any thread of this process has a transaction open in that attachment.
pub(crate) fn any_transaction_in(attachment: &Attachment) -> bool {
    // Acquire: what a transaction that is over has done.
    records().any(|thread| thread.transaction.load(Acquire) == attachment.number())
}

/// Runs when a thread ends: it leaves all its seats in good order.
unsafe extern "C" fn at_thread_exit(record: *mut c_void) {
    // SAFETY: `set_up` passed the record, which is never freed.
    let thread = unsafe { &*record.cast_const().cast::<Thread>() };
    let Ok(call) = thread.begin_call() else {
        // Ended in the middle of a call (cancelled, or by `pthread_exit` in a signal
        // handler): whoever took the record over would take over its seats.
        return;
    };
    call.thread().leave_all();
    // While the call lasts: a signal handler that calls in after it must not take seats for
    // a record that is about to be somebody else's. It sets up one of its own.
    thread_slot::set(core::ptr::null());
    drop(call);
    thread.calls.store(0, Relaxed);
    // Release: the next user of the record sees all of the above.
    thread.used.store(false, Release);
}
