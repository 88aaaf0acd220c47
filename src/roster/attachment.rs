//! This process in one segment: the mapping, the descriptor, and who uses them.
//!
//! A process maps a segment once, however many handles it opens. The attachment
//! stays while there is a handle (an object or a segment that the user has open)
//! or a seat (a thread that the kernel has to be able to find): a thread's
//! liveness mutex must not be unmapped while libc has it in the thread's list.

use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use super::holdings::Holdings;
use super::member::Membership;
use super::record::{BLOCK_SLOTS, Block, MemberId, MemberRecord, ParticipantRecord};
use super::thread::Seat;
use crate::error::{Error, Result, Status, corrupted};
use crate::layout::header::{EPHEMERAL, Header, MAX_BLOCKS, ROSTER_BLOCK_BYTES};
use crate::layout::memory::Memory;
use crate::platform::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::byte_lock::{self, Byte};
use crate::platform::file::{self, FileId, SegmentPath};
use crate::platform::private_lock::PrivateLock;

/// One process in one segment.
pub(crate) struct Attachment {
    /// Tells attachments of this process apart; never used twice, never 0.
    number: u64,
    memory: Memory,
    path: SegmentPath,
    id: FileId,
    /// The descriptor. Programs close what they do not know, so it is checked
    /// before each use and replaced when it became something else.
    descriptor: AtomicI32,
    ground: &'static Ground,
    handles: AtomicUsize,
    seats: AtomicUsize,
    /// Blocks found so far, checked once; null where not looked at yet.
    blocks: [AtomicPtr<Block>; MAX_BLOCKS],
    /// What makes this process a member; taken when its first thread needs it.
    pub(super) membership: PrivateLock<Option<Membership>>,
    /// The identity in it, or 0; changes with it, for who can take no lock.
    pub(super) member_word: AtomicU64,
    /// Threads of this process exclude each other here; processes by the byte.
    registrar: PrivateLock<()>,
    /// What the process holds.
    pub(crate) holdings: PrivateLock<Holdings>,
    /// Some of it is only kept for a transaction.
    pub(crate) keeps: AtomicBool,
}

/// What the layers above do for the roster.
pub(crate) struct Ground {
    /// Adds a block to the roster.
    pub(crate) grow: fn(&Attachment) -> Result<()>,
    /// Removes an ephemeral segment if nobody is in any more. The list of attachments is
    /// locked, so that no forked child inherits what bars the segment meanwhile.
    pub(crate) reclaim: fn(&Attachment),
    /// Settles what former owners of a new participant's slot, and of its member's, have
    /// left, so that both begin with nothing.
    pub(crate) settle: fn(Seat) -> Result<()>,
    /// Holds for a child that is about to be forked what this process holds.
    pub(crate) bequeath: fn(&'static Attachment, &Holdings, MemberId) -> Result<Holdings>,
}

/// The attachments of this process.
static ATTACHMENTS: PrivateLock<Vec<&'static Attachment>> = PrivateLock::new(Vec::new());

/// Finds or makes the attachment to a file, with one handle counted.
pub(crate) fn attach(
    path: SegmentPath,
    file: &OwnedFd,
    writable: bool,
    map: impl FnOnce(&OwnedFd) -> Result<Memory>,
    ground: &'static Ground,
) -> Result<&'static Attachment> {
    use std::os::fd::AsFd;
    static NUMBERS: AtomicU64 = AtomicU64::new(1);

    super::fork::ensure_own_process()?;
    let id = file::facts(file.as_fd())?.id;
    let mut all = ATTACHMENTS.lock();
    let known = all.iter().find(|a| a.id == id && a.memory.is_writable() == writable);
    if let Some(attachment) = known {
        attachment.handles.fetch_add(1, Relaxed);
        return Ok(attachment);
    }
    let memory = map(file)?;
    // Locks go through an open file of their own. The one that is mapped lives on in a
    // forked child, by the mapping that it inherits: a byte that we held when we were
    // killed would stay locked for as long as the child lives.
    let file = file::reopen(file.as_fd(), &path, writable)?;
    let attachment: &'static Attachment = Box::leak(Box::new(Attachment {
        // Relaxed: only uniqueness matters.
        number: NUMBERS.fetch_add(1, Relaxed),
        memory,
        path,
        id,
        descriptor: AtomicI32::new(file.into_raw_fd()),
        ground,
        handles: AtomicUsize::new(1),
        seats: AtomicUsize::new(0),
        blocks: [const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_BLOCKS],
        membership: PrivateLock::new(None),
        member_word: AtomicU64::new(0),
        registrar: PrivateLock::new(()),
        holdings: PrivateLock::new(Holdings::default()),
        keeps: AtomicBool::new(false),
    }));
    all.push(attachment);
    Ok(attachment)
}

/// The attachment of this process for writing to the segment of that identity, with one
/// handle counted.
pub(crate) fn find(identity: u64) -> Option<&'static Attachment> {
    let all = ATTACHMENTS.lock();
    let is_it = |a: &&&Attachment| a.header().identity == identity && a.memory.is_writable();
    let known = all.iter().find(is_it)?;
    known.retain();
    Some(known)
}

/// Whether this process has the segment of that identity open.
pub(crate) fn is_attached(identity: u64) -> bool {
    ATTACHMENTS.lock().iter().any(|a| a.header().identity == identity)
}

/// What is left to say of an ephemeral segment.
#[cold]
pub(crate) fn gone(path: &SegmentPath) -> Error {
    Error::with(
        Status::NotFound,
        format!(
            "segment \"{}\" is gone: it went with its last member; create it anew",
            path.name()
        ),
    )
}

/// Runs `action` while no other thread forks, so that no child inherits a descriptor
/// through which bytes are locked.
pub(crate) fn without_forks<T>(action: impl FnOnce() -> Result<T>) -> Result<T> {
    super::fork::ensure_own_process()?;
    let _list = ATTACHMENTS.lock();
    action()
}

/// Runs `visit` on every attachment, with the list locked.
pub(super) fn for_each(mut visit: impl FnMut(&'static Attachment)) {
    ATTACHMENTS.lock().iter().for_each(|a| visit(a));
}

/// The lock of the list, for the fork hooks.
pub(super) fn list_lock() -> &'static PrivateLock<Vec<&'static Attachment>> {
    &ATTACHMENTS
}

impl Attachment {
    /// Tells attachments of this process apart; never 0.
    #[inline(always)]
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(crate) fn header(&self) -> &Header {
        self.memory.header()
    }

    /// What names this process as a member, 0 if it is none: good for who is in a call, with
    /// which a forked child is a process of its own.
    #[inline(always)]
    pub(crate) fn member_word(&self) -> u64 {
        // Relaxed: it publishes nothing.
        self.member_word.load(Relaxed)
    }

    /// Where that is, for code in other programs, while there is a handle.
    pub(crate) fn member_address(&self) -> *const u64 {
        self.member_word.as_ptr().cast_const()
    }

    /// Whether the segment goes with its last member.
    pub(crate) fn is_ephemeral(&self) -> bool {
        self.header().flags & EPHEMERAL != 0
    }

    /// Whether nobody may come in any more.
    pub(crate) fn is_destroyed(&self) -> bool {
        // Acquire: what the kernel ordered by the bytes; see `member`.
        self.header().destroyed.load(Acquire) != 0
    }

    pub(super) fn refuse_if_destroyed(&self) -> Result<()> {
        if self.is_destroyed() { Err(gone(&self.path)) } else { Ok(()) }
    }

    pub(crate) fn path(&self) -> &SegmentPath {
        &self.path
    }

    /// Counts one more handle.
    pub(crate) fn retain(&self) {
        // Relaxed: the caller has a handle already.
        self.handles.fetch_add(1, Relaxed);
    }

    /// Gives back one handle. With the last one the process leaves the segment,
    /// as soon as its threads have left their seats.
    pub(crate) fn release(&'static self) {
        let this = core::ptr::from_ref(self);
        // Release, then Acquire under the list's lock in `drop_if_unused`.
        if self.handles.fetch_sub(1, Release) == 1 {
            if let Ok(thread) = super::thread::here() {
                thread.leave_closed();
            }
            Self::drop_if_unused(this);
        }
    }

    pub(super) fn has_handles(&self) -> bool {
        self.handles.load(Acquire) != 0
    }

    pub(super) fn count_seat(&self) {
        self.seats.fetch_add(1, Relaxed);
    }

    pub(super) fn uncount_seat(&'static self) {
        let this = core::ptr::from_ref(self);
        self.seats.fetch_sub(1, Release);
        Self::drop_if_unused(this);
    }

    pub(super) fn has_seats(&self) -> bool {
        self.seats.load(Acquire) != 0
    }

    /// Forgets the seats of a parent's threads, in a forked child.
    pub(super) fn forget_seats(&self) {
        self.seats.store(0, Relaxed);
    }

    /// Frees an attachment without handles and seats, once.
    ///
    /// Takes an address: as soon as the caller has given back what it had, somebody
    /// else may have found the attachment unused and freed it. So what is in the list
    /// is looked at, and nothing else.
    fn drop_if_unused(this: *const Self) {
        let mut all = ATTACHMENTS.lock();
        // Acquire: whatever was done under the last handle or seat is done.
        let is_unused = |a: &Self| a.handles.load(Acquire) == 0 && a.seats.load(Acquire) == 0;
        let at = all.iter().position(|a| core::ptr::eq(*a, this) && is_unused(a));
        let Some(at) = at else {
            return;
        };
        all.swap_remove(at);
        // SAFETY: made by `Box::leak` in `attach`, and taken out of the list just
        // now, which happens once. No handle and no seat refers to it any more.
        let owned = unsafe { Box::from_raw(this.cast_mut()) };
        super::member::leave(&owned);
        drop(all);
        owned.shut();
    }

    fn shut(self: Box<Self>) {
        let descriptor = self.descriptor.load(Acquire);
        if self.is_ours(descriptor) {
            file::close(descriptor);
        }
    }

    fn is_ours(&self, descriptor: i32) -> bool {
        file::facts_of(descriptor).is_ok_and(|facts| facts.id == self.id)
    }

    /// A descriptor of the segment's file.
    pub(crate) fn file(&self) -> Result<BorrowedFd<'_>> {
        let descriptor = self.descriptor.load(Acquire);
        if self.is_ours(descriptor) {
            // SAFETY: it is open, and stays so for as long as the program keeps
            // its hands off it; if not, the next use notices again.
            return Ok(unsafe { BorrowedFd::borrow_raw(descriptor) });
        }
        let fresh = file::open(&self.path, self.memory.is_writable())?;
        if !self.is_ours(fresh.as_raw_fd()) {
            return Err(Error::with(
                Status::System,
                format!(
                    "the descriptor of segment \"{}\" was closed by the program and its name is \
                     gone: do not close descriptors that are not yours",
                    self.path.name()
                ),
            ));
        }
        // The old number belongs to somebody else now: it is left alone.
        let fresh = fresh.into_raw_fd();
        self.descriptor.store(fresh, Release);
        // SAFETY: just opened.
        Ok(unsafe { BorrowedFd::borrow_raw(fresh) })
    }

    /// The same if it is at hand: allocates nothing, for signal handlers.
    pub(super) fn file_at_hand(&self) -> Option<BorrowedFd<'_>> {
        let descriptor = self.descriptor.load(Acquire);
        // SAFETY: as in `file`.
        self.is_ours(descriptor).then(|| unsafe { BorrowedFd::borrow_raw(descriptor) })
    }

    /// Replaces a descriptor shared with the parent process by one of our own.
    pub(super) fn unshare_descriptor(&self) {
        let descriptor = self.descriptor.load(Acquire);
        if !self.is_ours(descriptor) {
            return;
        }
        // SAFETY: checked to be our file just above.
        let shared = unsafe { BorrowedFd::borrow_raw(descriptor) };
        match file::reopen(shared, &self.path, self.memory.is_writable()) {
            Ok(own) => file::replace(descriptor, own),
            Err(_) => file::close(descriptor),
        }
    }

    /// Opens the file once more, so that locks taken there are separate.
    pub(crate) fn fresh_file(&self) -> Result<OwnedFd> {
        file::reopen(self.file()?, &self.path, true)
    }

    /// Runs `change` while no other thread or process changes the geometry.
    ///
    /// Whoever dies in there leaves its half-done work to the next one.
    pub(crate) fn as_registrar<T>(&self, change: impl FnOnce() -> Result<T>) -> Result<T> {
        super::fork::ensure_own_process()?;
        let _threads = self.registrar.lock();
        let _processes = byte_lock::Guard::take(self.file()?, Byte::Registrar)?;
        change()
    }

    /// Opens the private locks in a forked child.
    ///
    /// # Safety
    /// The process has one thread, which held the two that it holds over a fork, and no
    /// other.
    pub(super) unsafe fn reopen_locks_in_child(&self) {
        // SAFETY: per the caller; the value is `()`.
        unsafe { self.registrar.reopen_in_child() };
        // SAFETY: the forking thread held it, per the caller.
        unsafe { self.membership.reopen_in_child() };
        // SAFETY: likewise.
        unsafe { self.holdings.reopen_in_child() };
    }

    pub(super) fn ground(&self) -> &'static Ground {
        self.ground
    }

    /// Blocks that are published, never more than the layout allows.
    pub(crate) fn block_count(&self) -> u32 {
        // Acquire, GROWN: the blocks counted are real memory.
        self.header().block_count.load(Acquire).min(MAX_BLOCKS as u32)
    }

    /// Slots that exist: of members, and of participants.
    pub(crate) fn slot_count(&self) -> u32 {
        (self.block_count() * BLOCK_SLOTS).min(self.header().max_participants)
    }

    /// Block `index`, looked up and checked once.
    pub(crate) fn block(&self, index: u32) -> Result<&Block> {
        let Some(cached) = self.blocks.get(index as usize) else {
            return Err(corrupted("a slot number is out of range: the segment is damaged"));
        };
        // Acquire: pairs with the store below.
        // SAFETY: null, or a block in the mapping, which lives as long as `self`.
        if let Some(block) = unsafe { cached.load(Acquire).as_ref() } {
            return Ok(block);
        }
        if index >= self.block_count() {
            return Err(corrupted("a slot of the roster does not exist: the segment is damaged"));
        }
        let from_end = u64::from(index + 1) * ROSTER_BLOCK_BYTES;
        let start = self.memory.length().checked_sub(from_end);
        let Some(start) = start.filter(|start| *start >= self.memory.committed()) else {
            return Err(corrupted("the roster reaches into the blocks: the segment is damaged"));
        };
        let block: &Block = self.memory.at(start)?;
        cached.store(core::ptr::from_ref(block).cast_mut(), Release);
        Ok(block)
    }

    /// The member record of slot `index`.
    pub(crate) fn member(&self, index: u32) -> Result<&MemberRecord> {
        let block = self.block(index / BLOCK_SLOTS)?;
        Ok(&block.members[(index % BLOCK_SLOTS) as usize])
    }

    /// The participant record of `slot`.
    #[inline]
    pub(crate) fn participant(&self, slot: u32) -> Result<&ParticipantRecord> {
        let block = self.block(slot / BLOCK_SLOTS)?;
        Ok(&block.participants[(slot % BLOCK_SLOTS) as usize])
    }
}

impl core::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Attachment({:?})", self.path.name())
    }
}
