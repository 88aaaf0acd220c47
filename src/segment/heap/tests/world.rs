//! A memory with nothing but a heap in it, and somebody who may lock it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use crate::error::{Result, Status};
use crate::layout::Offset;
use crate::layout::block::{HEAD_BYTES, NEXT, Owner, ParticipantId};
use crate::layout::header::{CONTROL_START, Constants, HEAP_START, Header};
use crate::layout::memory::Memory;
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use crate::platform::directory;
use crate::platform::file::SegmentPath;
use crate::platform::mapping::{Mapping, PAGE};
use crate::roster::attachment::{Attachment, Ground, attach};
use crate::roster::holdings::Holdings;
use crate::roster::thread;
use crate::segment::control::Control;
use crate::segment::heap::{Block, Heap, Want};
use crate::sync::mutex::Actor;

/// Who owns what tests allocate.
pub(super) const ME: ParticipantId = ParticipantId { slot: 3, generation: 7 };

pub(super) struct World {
    pub(super) memory: Memory,
}

/// A file with holes, which has no name any more.
fn nameless_file(what: &str, length: u64) -> (SegmentPath, OwnedFd) {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let number = NUMBERS.fetch_add(1, Relaxed);
    let name = format!("atoll-test-{}-{what}-{number}", std::process::id());
    let full = directory::path().join(&name);
    let file = File::options().read(true).write(true).create_new(true).open(&full);
    let file = file.expect("a new file");
    std::fs::remove_file(&full).expect("it was just made");
    file.set_len(length).expect("room for holes");
    (SegmentPath::of(&name).expect("a good name"), file.into())
}

fn memory_of(file: &OwnedFd, length: u64, committed: u64) -> Memory {
    let memory = Memory::new(Mapping::of(file, length, true).expect("mapped"), true);
    let constants =
        Constants { flags: 0, fingerprint: 0, size: length, identity: 0, max_participants: 32 };
    memory.write_header(Header::new(constants, committed));
    memory
}

/// The calling thread in a segment that has a roster and nothing else: the lock of a
/// heap asks no more of who takes it.
pub(super) fn actor() -> Actor {
    static GROUND: Ground = Ground {
        grow: |_| unreachable!("32 threads are enough"),
        reclaim: |_| unreachable!("it is not ephemeral"),
        settle: |_| Ok(()),
        bequeath: |_, _, _| Ok(Holdings::default()),
    };
    static CROWD: OnceLock<&'static Attachment> = OnceLock::new();
    let crowd = CROWD.get_or_init(|| {
        let length = HEAP_START + 16 * PAGE;
        let (path, file) = nameless_file("crowd", length);
        let memory = memory_of(&file, length, HEAP_START);
        memory.header().block_count.store(1, SeqCst);
        attach(path, &file, true, |_| Ok(memory), &GROUND).expect("attached")
    });
    Actor::new(thread::here().expect("a thread"), crowd).expect("a seat")
}

impl World {
    /// A heap with `heap_bytes` committed out of `length` for the whole.
    pub(super) fn new(length: u64, heap_bytes: u64) -> Self {
        let (_, file) = nameless_file("heap", length);
        let memory = memory_of(&file, length, HEAP_START + heap_bytes);
        Heap::found(&memory).expect("founded");
        Self { memory }
    }

    pub(super) fn heap(&self) -> Heap<'_> {
        Heap::of(&self.memory).expect("it has a control page")
    }

    pub(super) fn control(&self) -> &Control {
        Control::of(&self.memory).expect("it has a control page")
    }

    pub(super) fn top(&self) -> Offset {
        self.control().top.load(Relaxed)
    }

    pub(super) fn word(&self, place: Offset) -> &AtomicU64 {
        self.memory.at(place).expect("a word")
    }

    /// Commits more memory without telling the heap.
    pub(super) fn commit(&self, bytes: u64) {
        self.memory.header().committed.fetch_add(bytes, SeqCst);
    }

    pub(super) fn try_allocate(&self, want: &Want) -> Result<Option<Block>> {
        self.heap().allocate(actor(), ME, want, |_| {})
    }

    /// Allocates where there is room.
    pub(super) fn allocate(&self, bytes: u64) -> Block {
        self.try_allocate(&payload(bytes)).expect("sound").expect("room")
    }

    pub(super) fn release(&self, block: Block) {
        let released = self.heap().release(actor(), block.offset, Owner::Limbo(ME));
        assert!(released.expect("sound"), "{block:?} was ours");
    }

    /// Verifies the heap, and that memory which was never given out is clean (H6).
    pub(super) fn verify(&self) -> Result<()> {
        let held = self.heap().hold(actor())?;
        let heap = self.heap();
        heap.verify()?;
        drop(held);
        let (touched, top) = (self.control().touched.load(Relaxed), self.top());
        let last = heap.blocks().last().transpose()?;
        if let Some((offset, Owner::Free, span)) = last
            && touched < top
        {
            let from = touched.max(offset + NEXT + 8);
            assert!(self.is_zero(from, offset + span - 8), "from {from} on it is not clean");
        }
        Ok(())
    }

    /// Whether the words of a range are zero; of a long one, those at both ends: to look
    /// at a hole of the file fills it.
    pub(super) fn is_zero(&self, from: Offset, to: Offset) -> bool {
        const MOST: u64 = 64 << 10;
        let count = to.saturating_sub(from) / 8;
        let are_zero = |first: u64, count: u64| {
            let words = self.memory.words(from + 8 * first, count).expect("inside");
            words.iter().all(|word| word.load(Relaxed) == 0)
        };
        let part = count.min(MOST / 8);
        are_zero(0, part) && are_zero(count - part, part)
    }

    /// The control page and the committed heap, as bytes.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn image(&self) -> &[u8] {
        let length = self.memory.committed() - CONTROL_START;
        let bytes = self.memory.bytes(CONTROL_START, length).expect("committed");
        // SAFETY: committed memory as checked, which only this thread changes, and not
        // while it looks.
        unsafe { core::slice::from_raw_parts(bytes, length as usize) }
    }

    /// Makes them what they were.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn restore(&self, image: &[u8]) {
        let bytes = self.memory.bytes(CONTROL_START, image.len() as u64).expect("committed");
        // SAFETY: committed memory as checked, of this test alone; `image` is a copy.
        unsafe { bytes.copy_from_nonoverlapping(image.as_ptr(), image.len()) };
    }
}

/// So many bytes, aligned as blocks are.
pub(super) fn payload(bytes: u64) -> Want {
    Want { bytes, align: 16, lead: HEAD_BYTES }
}

/// Whether a call succeeded or found damage; anything else is wrong.
pub(super) fn is_bearable<T>(result: &Result<T>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => error.status() == Status::Corrupted,
    }
}

/// A sequence of numbers that looks random and is the same each time (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.throw() % limit
    }

    /// A size: each doubling up to `most` as likely as the others.
    pub(super) fn size(&mut self, most: u64) -> u64 {
        let doubling = self.below(u64::from(most.ilog2()) + 1);
        ((1 << doubling) + self.below(1 << doubling)).min(most)
    }
}
