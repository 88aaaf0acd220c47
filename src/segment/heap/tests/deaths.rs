//! A death at every instruction of every change, and of the recovery from it.
//!
//! The operation runs once, and after each of its instructions that changed the memory
//! a copy is kept. Each copy is what a kill would have left there. On it somebody else
//! takes the lock, and has to find the heap as it was before or as it was to be.

use std::collections::BTreeMap;

use super::world::{Dice, ME, World, actor, payload};
use crate::error::Result;
use crate::layout::Offset;
use crate::layout::block::{HEAD_BYTES, Kind, NEXT, OWNER, Owner};
use crate::platform::atomic::Ordering::{Relaxed, Release};
use crate::platform::stepping;
use crate::segment::heap::{Block, Want};

/// What stands in front of the lock's log: the lock itself. That it can be taken from
/// the dead is shown elsewhere (`tests/crash`); here it is simply free again.
const LOCK_BYTES: usize = 64;
/// The lock with its log, and the directory's: not what is compared.
const LOCKS_BYTES: usize = 1280;

/// What everybody but the heap sees of it: the blocks that somebody has.
type Owned = BTreeMap<Offset, (Owner, u64)>;

fn owned(world: &World) -> Owned {
    let blocks = world.heap().blocks().map(|block| block.expect("sound"));
    let owned = blocks.filter(|block| !matches!(block.1, Owner::Free | Owner::Quick));
    owned.map(|(offset, owner, span)| (offset, (owner, span))).collect()
}

/// Every state of the memory while `body` runs, the first and the last one too.
fn film(world: &World, body: impl FnOnce()) -> Vec<Vec<u8>> {
    const MOST: usize = 4000;
    let length = world.image().len();
    // One allocation: the handler may make none.
    let mut frames: Vec<u8> = Vec::with_capacity(MOST * length);
    frames.extend_from_slice(world.image());
    let mut look = || {
        let now = world.image();
        if frames[frames.len() - length..] != *now && frames.len() < MOST * length {
            frames.extend_from_slice(now);
        }
    };
    stepping::each_instruction(&mut look, body);
    assert!(frames.len() < MOST * length, "the film is too short");
    frames.chunks_exact(length).map(<[u8]>::to_vec).collect()
}

/// One story: what may have happened when it broke off.
struct Story {
    world: World,
    /// A word in an owned block, where the operation notes the block that it takes.
    hint: Offset,
    before: (Owned, Vec<u8>),
    after: (Owned, Vec<u8>),
    /// The block that the operation takes.
    taken: Option<Block>,
    /// All of it is one change: nothing in between is ever seen.
    is_one_change: bool,
}

impl Story {
    fn tell(world: World, hint: Offset, body: impl FnOnce(&World) -> Result<Option<Block>>) -> u64 {
        world.word(hint).store(0, Relaxed);
        let before = (owned(&world), world.image().to_vec());
        let count = world.control().heap.changes().expect("quiet");
        let mut taken = Ok(None);
        let frames = film(&world, || taken = body(&world));
        let taken = taken.expect("sound");
        let after = (owned(&world), world.image().to_vec());
        let changes = world.control().heap.changes().expect("quiet") - count;
        let story = Self { world, hint, before, after, taken, is_one_change: changes <= 1 };
        for (number, frame) in frames.iter().enumerate() {
            story.break_off(frame, number % THOROUGHNESS == 0);
        }
        frames.len() as u64
    }

    /// The one who did it is dead in this state. Somebody else takes the lock, and if it
    /// `dies_again` is killed in turn at every instruction of that.
    fn break_off(&self, frame: &[u8], dies_again: bool) {
        self.bury(frame);
        let outcome = self.recover();
        if dies_again {
            self.bury(frame);
            for frame in film(&self.world, || drop(self.world.heap().hold(actor()))) {
                self.bury(&frame);
                assert_eq!(self.recover(), outcome, "the second recovery ends as the first");
            }
        }
        self.go_on();
    }

    fn bury(&self, frame: &[u8]) {
        let mut frame = frame.to_vec();
        frame[..LOCK_BYTES].fill(0);
        self.world.restore(&frame);
    }

    /// Recovers and looks; says whether the operation has happened.
    fn recover(&self) -> bool {
        self.world.verify().expect("sound after a death");
        let owned = owned(&self.world);
        let has_happened = owned == self.after.0 && (owned != self.before.0 || self.is_after());
        assert!(has_happened || owned == self.before.0, "neither before nor after");
        if self.is_one_change {
            let end = if has_happened { &self.after.1 } else { &self.before.1 };
            assert_eq!(self.first_difference(end), None, "bytes are neither before nor after");
        }
        if has_happened && let Some(taken) = self.taken {
            let noted = self.world.word(self.hint).load(Relaxed);
            assert_eq!(noted, taken.offset, "an owner's block is in its notes");
        }
        has_happened
    }

    fn is_after(&self) -> bool {
        self.first_difference(&self.after.1).is_none()
    }

    /// Where the memory is not `image`, but for locks, logs and the notes.
    fn first_difference(&self, image: &[u8]) -> Option<usize> {
        let hint = (self.hint - crate::layout::header::CONTROL_START) as usize;
        let now = self.world.image();
        (LOCKS_BYTES..now.len())
            .filter(|at| !(hint..hint + 8).contains(at))
            .find(|at| now[*at] != image[*at])
    }

    /// The survivor can use the heap: it takes and gives back all of it.
    fn go_on(&self) {
        let world = &self.world;
        let blocks = [40, 64, 700, 1200].map(|bytes| world.try_allocate(&payload(bytes)));
        world.verify().expect("sound in use");
        let given = blocks.into_iter().filter_map(|block| block.expect("sound"));
        given.for_each(|block| world.release(block));
        world.heap().adopt(actor()).expect("sound");
        for (offset, (owner, _)) in owned(world) {
            assert!(world.heap().release(actor(), offset, owner).expect("sound"));
        }
        world.verify().expect("sound at the end");
        let all = world.memory.committed() - crate::layout::header::HEAP_START;
        assert_eq!(world.allocate(all - HEAD_BYTES).span, all, "no byte is lost");
    }
}

/// A heap with a past, a block for notes, and blocks that are owned.
fn lived_in(dice: &mut Dice, most: u64, rounds: u64) -> (World, Offset, Vec<Block>) {
    let world = World::new(1 << 20, 4 << 10);
    let notes = world.allocate(16).offset;
    world.word(notes + OWNER).store(Owner::Used(Kind::Holds).to_word(), Relaxed);
    let mut blocks: Vec<Block> = Vec::new();
    for _ in 0..rounds {
        if dice.below(5) < 3 {
            blocks.extend(world.try_allocate(&payload(dice.size(most))).expect("sound"));
        } else if !blocks.is_empty() {
            world.release(blocks.swap_remove(dice.below(blocks.len() as u64) as usize));
        }
    }
    (world, notes + NEXT, blocks)
}

fn allocate_noting(world: &World, hint: Offset, want: &Want) -> Result<Option<Block>> {
    let note = |block| world.word(hint).store(block, Release);
    world.heap().allocate(actor(), ME, want, note)
}

/// How many stories a test tells: a story is some thousand deaths.
const STORIES: u64 = if cfg!(debug_assertions) { 6 } else { 12 };
/// In each of how many states the survivor dies, too.
const THOROUGHNESS: usize = if cfg!(debug_assertions) { 7 } else { 1 };

#[test]
fn deaths_in_allocate() {
    let mut states = 0;
    for seed in 0..STORIES {
        let mut dice = Dice(seed);
        let (world, hint, _) = lived_in(&mut dice, 600, seed % 40);
        let align = if seed % 3 == 0 { 64 } else { 16 };
        let want = Want { bytes: dice.size(900), align, lead: HEAD_BYTES };
        states += Story::tell(world, hint, |world| allocate_noting(world, hint, &want));
    }
    assert!(states > 30 * STORIES, "{states} states are not all of them");
}

#[test]
fn deaths_in_allocate_from_a_quick_list() {
    let (world, hint, _) = lived_in(&mut Dice(1), 100, 0);
    let blocks = [64, 64, 64].map(|bytes| world.allocate(bytes));
    blocks.into_iter().for_each(|block| world.release(block));
    Story::tell(world, hint, |world| allocate_noting(world, hint, &payload(64)));
}

#[test]
fn deaths_in_release() {
    for seed in 0..STORIES {
        let mut dice = Dice(seed + 1000);
        let (world, hint, blocks) = lived_in(&mut dice, 1200, 10 + seed % 30);
        let Some(&block) = blocks.iter().max_by_key(|block| block.span * (seed % 2)) else {
            continue;
        };
        let mine = Owner::Limbo(ME);
        Story::tell(world, hint, |world| {
            world.heap().release(actor(), block.offset, mine).map(|_| None)
        });
    }
}

/// What is released keeps its contents until it is released: if it was linked to
/// something, it still is.
#[test]
fn deaths_in_the_release_of_a_used_block() {
    for bytes in [48, 1000] {
        let (world, hint, _) = lived_in(&mut Dice(5), 100, 6);
        let used = Owner::Used(Kind::Array);
        let block = world.allocate(bytes);
        world.word(block.offset + OWNER).store(used.to_word(), Relaxed);
        world.word(block.offset + NEXT).store(0x1234_5678, Relaxed);
        Story::tell(world, hint, |world| {
            world.heap().release(actor(), block.offset, used).map(|_| None)
        });
    }
}

#[test]
fn deaths_while_quick_blocks_are_coalesced() {
    let (world, hint, _) = lived_in(&mut Dice(3), 100, 0);
    let mut blocks = Vec::new();
    while let Some(block) = world.try_allocate(&payload(500)).expect("sound") {
        blocks.push(block);
    }
    blocks.iter().for_each(|block| world.release(*block));
    let want = payload(1500);
    Story::tell(world, hint, |world| allocate_noting(world, hint, &want));
}

#[test]
fn deaths_in_adopt() {
    for is_last_free in [true, false] {
        let (world, hint, _) = lived_in(&mut Dice(7), 100, 5);
        if !is_last_free {
            while world.try_allocate(&payload(16)).expect("sound").is_some() {}
        }
        world.commit(4096);
        Story::tell(world, hint, |world| world.heap().adopt(actor()).map(|()| None));
    }
}
