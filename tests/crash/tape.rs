//! What a process did to a segment, store by store, in memory that it shares with the
//! harness.
//!
//! ```text
//!  marks      whether it is recording, and how much is on the tape
//!  before     the segment when the recording began
//!  changes    { instruction, offset, length } and the new bytes, one after the other
//! ```
//!
//! A page of a file that was never written reads as zeros, so memory that was only
//! committed is no state of its own: who finds it cannot tell.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use crate::image::{Change, Image};
use crate::world::{self, SEGMENT_SIZE};

/// Room for changes. Memory that is not needed is not used.
const ROOM: usize = 256 << 20;
const HEAD: usize = size_of::<ChangeHead>();

/// The shared memory.
#[repr(C)]
pub(crate) struct Tape {
    recording: AtomicBool,
    full: AtomicBool,
    used: AtomicUsize,
    before: [u8; SEGMENT_SIZE],
    changes: [u8; ROOM],
}

/// What precedes the new bytes of a change.
#[repr(C)]
#[derive(Clone, Copy)]
struct ChangeHead {
    instruction: u64,
    offset: u64,
    length: u64,
}

/// What was on the tape: the segment as it was, and everything that came after.
pub(crate) struct Recording {
    pub(crate) before: Image,
    pub(crate) changes: Vec<Change>,
}

impl Tape {
    /// The tape, mapped before the first player is forked.
    pub(crate) fn get() -> &'static Self {
        static TAPE: OnceLock<&Tape> = OnceLock::new();
        TAPE.get_or_init(|| {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let kind = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            // SAFETY: asks for fresh shared zeroed memory.
            let memory = unsafe { libc::mmap(null_mut(), size_of::<Self>(), access, kind, -1, 0) };
            assert_ne!(memory, libc::MAP_FAILED, "no shared memory for the tape");
            // SAFETY: mapped above, large enough, never unmapped; valid as zeros.
            unsafe { &*memory.cast::<Self>() }
        })
    }

    /// In the player: everything that it stores from now on goes on the tape.
    pub(crate) fn begin(&self) {
        let file = File::open(world::segment_path()).expect("there is a segment");
        let place = self.before.as_ptr().cast_mut();
        // SAFETY: the place for the copy; the harness waits for this process to end.
        let before = unsafe { std::slice::from_raw_parts_mut(place, SEGMENT_SIZE) };
        file.read_exact_at(before, 0).expect("the segment is of the size that it was given");
        self.used.store(0, SeqCst);
        self.full.store(false, SeqCst);
        self.recording.store(true, SeqCst);
    }

    /// In the player: what it stores from now on is nobody's business.
    pub(crate) fn end(&self) {
        self.recording.store(false, SeqCst);
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.recording.load(SeqCst)
    }

    /// Adds a change. Called in a signal handler: nothing is allocated here.
    pub(crate) fn add(&self, instruction: u64, offset: usize, bytes: &[u8]) {
        let used = self.used.load(SeqCst);
        let needed = HEAD + bytes.len().next_multiple_of(align_of::<ChangeHead>());
        if used + needed > ROOM {
            self.full.store(true, SeqCst);
            return;
        }
        let head = ChangeHead { instruction, offset: offset as u64, length: bytes.len() as u64 };
        // SAFETY: inside `changes`, as compared above.
        let place = unsafe { self.changes.as_ptr().cast_mut().add(used) };
        // SAFETY: there is room for the head, and the place is aligned for it.
        unsafe { place.cast::<ChangeHead>().write(head) };
        // SAFETY: likewise for the bytes after it.
        let after = unsafe { place.add(HEAD) };
        // SAFETY: likewise; the segment and the tape are different memory.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), after, bytes.len()) };
        self.used.store(used + needed, SeqCst);
    }

    /// In the harness, when the player is gone: everything that is on the tape.
    pub(crate) fn take(&self) -> Result<Recording, String> {
        self.recording.store(false, SeqCst);
        if self.full.load(SeqCst) {
            return Err(format!("more than {} MiB of changes", ROOM >> 20));
        }
        let mut changes = Vec::new();
        let mut rest = &self.changes[..self.used.swap(0, SeqCst)];
        while !rest.is_empty() {
            // SAFETY: `add` wrote a head here, and aligned it.
            let head = unsafe { rest.as_ptr().cast::<ChangeHead>().read() };
            let bytes = rest[HEAD..][..head.length as usize].to_vec();
            rest = &rest[HEAD + bytes.len().next_multiple_of(align_of::<ChangeHead>())..];
            let (instruction, offset) = (head.instruction, head.offset as usize);
            changes.push(Change { instruction, offset, bytes });
        }
        Ok(Recording { before: Image::of(&self.before), changes })
    }
}
