//! What happens to seats and memberships when the process forks.
//!
//! A forked child keeps its parent's mappings and handles and becomes a member of
//! its own. What outlives a call is to pass to it without a moment in which nobody
//! holds it, so the parent takes the child's byte *before* the fork, through a
//! descriptor of its own, and closes that descriptor after it: the child holds the
//! byte from birth. If the fork fails the byte is free again by itself.
//!
//! A child made by a raw `clone`, which runs no hooks, finds its mark erased by the
//! kernel and starts without a membership.

use parking_lot::MutexGuard;

use super::attachment::{self, Attachment};
use super::holdings::Holdings;
use super::member::{self, ClaimedMember};
use super::record::MemberId;
use super::{home, listening, thread};
use crate::error::Result;
use crate::platform::atomic::Ordering::Relaxed;
use crate::platform::doorbell;
use crate::platform::fork::{ForkHooks, ProcessMark, on_fork};
use crate::platform::private_lock::PrivateLock;
use crate::platform::robust::RobustList;

/// Set while this very process has set itself up.
static MARK: ProcessMark = ProcessMark::new();

/// Held while a segment is given its name, and by who forks. The maker's byte is locked
/// through what is mapped, which a child inherits.
static BIRTH: PrivateLock<()> = PrivateLock::new(());

/// The members reserved for the child of the fork in progress.
static EXPECTED: PrivateLock<Vec<ExpectedMember>> = PrivateLock::new(Vec::new());

struct ExpectedMember {
    attachment: &'static Attachment,
    claimed: ClaimedMember,
    id: MemberId,
    /// What it will hold.
    holdings: Holdings,
}

/// Makes sure that what is private to the process is this process's own, and that
/// forks from here on are noticed. Who attaches or changes the geometry of a segment
/// calls it first: a descriptor that parent and child share excludes neither.
pub(super) fn ensure_own_process() -> Result<()> {
    if MARK.is_set() {
        return Ok(());
    }
    MARK.set_after(|| {
        on_fork(&ForkHooks { prepare, parent, child })?;
        if MARK.is_erased() {
            start_over(Vec::new());
        }
        Ok(())
    })
}

/// Whether this very process takes part in anything.
pub(super) fn is_set_up() -> bool {
    MARK.is_set()
}

/// The word that is 2 in this very process, once it is set up, and 0 in a child that was just
/// forked, by whatever means.
pub(crate) fn mark_address() -> *const u32 {
    MARK.address()
}

/// Keeps other threads from forking until it is dropped.
pub(crate) fn hold_off() -> Result<MutexGuard<'static, ()>> {
    ensure_own_process()?;
    Ok(BIRTH.lock())
}

/// Forgets the parent. `expected` are the memberships that it reserved for us.
fn start_over(expected: Vec<ExpectedMember>) {
    thread::forget_all();
    member::set_leaving(false);
    home::forget();
    listening::forget_all();
    if let Ok(list) = RobustList::of_this_thread() {
        // It may point at a lock of the parent's, in a mapping that we may close.
        list.disarm();
    }
    attachment::for_each(|attachment| {
        attachment.forget_seats();
        // The parent's holds are not ours; ours come with our membership.
        attachment.holdings.lock().inherited = true;
        // The parent's byte is not ours, and its mapping is not here.
        core::mem::forget(attachment.membership.lock().take());
        // Relaxed: one thread.
        attachment.member_word.store(0, Relaxed);
        attachment.unshare_descriptor();
    });
    for ExpectedMember { attachment, claimed, id, holdings } in expected {
        // On failure we are no member and join at our first call.
        if let Ok(membership) = claimed.settle(attachment, id) {
            *attachment.membership.lock() = Some(membership);
            attachment.member_word.store(id.to_word(), Relaxed);
            *attachment.holdings.lock() = holdings;
        }
    }
}

/// Makes sure that this thread can act where the child is to inherit something. It cannot
/// take a seat any more when the locks are held.
fn take_seats() {
    let mut inherited = Vec::new();
    attachment::for_each(|attachment| {
        if !attachment.holdings.lock().held.is_empty() {
            attachment.retain();
            inherited.push(attachment);
        }
    });
    for attachment in inherited {
        // If there is none for us, the child inherits nothing and is told so.
        let _ = thread::here().and_then(|thread| thread.name_in(attachment));
        attachment.release();
    }
}

unsafe extern "C" fn prepare() {
    take_seats();
    listening::lock().hold_over_fork();
    home::lock().hold_over_fork();
    BIRTH.hold_over_fork();
    attachment::list_lock().hold_over_fork();
    EXPECTED.hold_over_fork();
    // SAFETY: this thread holds both locks, just taken.
    let all = unsafe { attachment::list_lock().held_over_fork() };
    // SAFETY: likewise.
    let expected = unsafe { EXPECTED.held_over_fork() };
    expected.clear();
    for attachment in all.iter() {
        // Until the fork is over nobody joins: the child would inherit the descriptor
        // that holds the byte while its holder moves it to a mapping.
        attachment.membership.hold_over_fork();
        attachment.holdings.hold_over_fork();
        // SAFETY: this thread holds it, just taken.
        let is_member = unsafe { attachment.membership.held_over_fork() }.is_some();
        if is_member {
            // SAFETY: likewise.
            let holdings = unsafe { attachment.holdings.held_over_fork() };
            expected.extend(reserve(attachment, holdings));
        }
    }
    doorbell::before_fork();
}

/// Takes a member slot for the child, and holds for it what we hold. `None` lets the child
/// join by itself, with nothing.
fn reserve(attachment: &'static Attachment, ours: &Holdings) -> Option<ExpectedMember> {
    let claimed = member::claim(attachment).ok()?;
    let id = claimed.prepare(attachment).ok()?;
    let holdings = (attachment.ground().bequeath)(attachment, ours, id).ok()?;
    Some(ExpectedMember { attachment, claimed, id, holdings })
}

unsafe extern "C" fn parent() {
    // SAFETY: held by this thread since `prepare`. Dropping the descriptors leaves
    // the bytes to the child, or frees them if there is none.
    unsafe { EXPECTED.held_over_fork() }.clear();
    // SAFETY: held by this thread since `prepare`.
    unsafe { EXPECTED.release_after_fork() };
    // SAFETY: likewise.
    for attachment in unsafe { attachment::list_lock().held_over_fork() } {
        // SAFETY: likewise, as the list has not changed since.
        unsafe { attachment.holdings.release_after_fork() };
        // SAFETY: likewise.
        unsafe { attachment.membership.release_after_fork() };
    }
    // SAFETY: likewise.
    unsafe { attachment::list_lock().release_after_fork() };
    // SAFETY: likewise.
    unsafe { BIRTH.release_after_fork() };
    // SAFETY: likewise.
    unsafe { home::lock().release_after_fork() };
    // SAFETY: likewise.
    unsafe { listening::lock().release_after_fork() };
}

unsafe extern "C" fn child() {
    // SAFETY: the forking thread, which is the only one here, held it.
    unsafe { EXPECTED.reopen_in_child() };
    // SAFETY: likewise.
    unsafe { attachment::list_lock().reopen_in_child() };
    // SAFETY: likewise.
    unsafe { BIRTH.reopen_in_child() };
    // SAFETY: likewise.
    unsafe { home::lock().reopen_in_child() };
    // SAFETY: likewise.
    unsafe { listening::lock().reopen_in_child() };
    doorbell::after_fork_in_child();
    // SAFETY: one thread, which is in the fork and in nothing else.
    attachment::for_each(|a| unsafe { a.reopen_locks_in_child() });
    let expected = core::mem::take(&mut *EXPECTED.lock());
    // The page is there, or we would have no hooks.
    let _ = MARK.set_after(|| {
        start_over(expected);
        Ok(())
    });
}
