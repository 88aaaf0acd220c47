//! Random operations against a model that knows every block.

use std::collections::BTreeMap;

use super::world::{Dice, ME, World, actor, payload};
use crate::layout::Offset;
use crate::layout::block::{GRAIN, HEAD_BYTES, LEAST_SPAN, Owner, ParticipantId};
use crate::layout::header::HEAP_START;
use crate::platform::atomic::Ordering::Relaxed;
use crate::segment::heap::{Block, Want};

/// What was given out, and what its owner wrote into it.
#[derive(Default)]
struct Model {
    blocks: BTreeMap<Offset, (Block, u64)>,
}

impl Model {
    fn take(&mut self, world: &World, want: &Want, block: Block, seed: u64) {
        let Block { offset, span, clean_from } = block;
        assert!((offset + want.lead).is_multiple_of(want.align), "{want:?}: {block:?}");
        assert!(span >= want.bytes + HEAD_BYTES, "{want:?}: {block:?}");
        assert!(span < (want.bytes + HEAD_BYTES + 2 * GRAIN).max(LEAST_SPAN + GRAIN));
        assert!(offset >= HEAP_START && offset + span <= world.top());
        let before = self.blocks.range(..offset + span).next_back();
        assert!(before.is_none_or(|(_, (b, _))| b.offset + b.span <= offset), "{block:?} overlaps");
        assert!(clean_from >= offset + HEAD_BYTES && clean_from <= offset + span);
        let looked_at = clean_from.next_multiple_of(8);
        assert!(world.is_zero(looked_at, offset + span), "{block:?} is not clean");
        self.fill(world, block, seed);
        self.blocks.insert(offset, (block, seed));
    }

    /// The owner writes to all of a small block, and to both ends of a large one.
    fn places(block: Block) -> impl Iterator<Item = Offset> {
        let (from, to) = (block.offset + HEAD_BYTES, block.offset + block.span);
        (from..to).step_by(8).filter(move |place| *place < from + 512 || *place >= to - 512)
    }

    fn fill(&self, world: &World, block: Block, seed: u64) {
        Self::places(block).for_each(|place| world.word(place).store(seed ^ place, Relaxed));
    }

    fn check(&self, world: &World, block: Block, seed: u64) {
        let is_same = |place| world.word(place).load(Relaxed) == seed ^ place;
        assert!(Self::places(block).all(is_same), "the contents of {block:?} changed");
        assert_eq!(
            Owner::of_word(world.word(block.offset).load(Relaxed)),
            Some(Owner::Limbo(ME)),
            "{block:?}"
        );
    }

    fn give_back(&mut self, world: &World, dice: &mut Dice) {
        let which = dice.below(self.blocks.len() as u64) as usize;
        let (&offset, &(block, seed)) = self.blocks.iter().nth(which).expect("one of them");
        self.check(world, block, seed);
        self.blocks.remove(&offset);
        world.release(block);
    }

    /// What the heap says of itself is what the model knows.
    fn compare(&self, world: &World) {
        world.verify().expect("sound");
        let owned = |block: &(Offset, Owner, u64)| !matches!(block.1, Owner::Free | Owner::Quick);
        let blocks = world.heap().blocks().map(|block| block.expect("sound"));
        let seen: Vec<_> = blocks.filter(owned).map(|(offset, _, span)| (offset, span)).collect();
        let known: Vec<_> = self.blocks.values().map(|(b, _)| (b.offset, b.span)).collect();
        assert_eq!(seen, known);
        let facts = world.heap().facts().expect("sound");
        let used: u64 = known.iter().map(|(_, span)| span).sum();
        assert_eq!(facts.free, world.top() - HEAP_START - used);
        let free = world.heap().blocks().map(|block| block.expect("sound"));
        let free = free.filter(|block| !owned(block)).map(|(_, _, span)| span);
        assert_eq!(facts.largest, free.max().unwrap_or(0));
    }
}

fn some_want(dice: &mut Dice, most: u64) -> Want {
    let align = match dice.below(4) {
        0 => 1 << dice.below(13),
        1 => 64,
        _ => 16,
    };
    let lead = if dice.below(2) == 0 { 0 } else { HEAD_BYTES };
    Want { bytes: dice.size(most), align, lead }
}

fn play(seed: u64, rounds: u64, most: u64, heap_bytes: u64, length: u64) {
    let world = World::new(length, heap_bytes);
    let mut dice = Dice(seed);
    let mut model = Model::default();
    for round in 0..rounds {
        // Waves of growing and shrinking.
        let hunger = if round / 64 % 2 == 0 { 2 } else { 1 };
        if model.blocks.is_empty() || dice.below(3) < hunger {
            let want = some_want(&mut dice, most);
            match world.try_allocate(&want).expect("sound") {
                Some(block) => model.take(&world, &want, block, dice.throw()),
                None if dice.below(4) == 0 && world.memory.committed() + 65536 < length => {
                    world.commit(4096 << dice.below(4));
                    world.heap().adopt(actor()).expect("sound");
                }
                None if !model.blocks.is_empty() => model.give_back(&world, &mut dice),
                None => {}
            }
        } else {
            model.give_back(&world, &mut dice);
        }
        model.compare(&world);
    }
    while !model.blocks.is_empty() {
        model.give_back(&world, &mut dice);
    }
    model.compare(&world);
    // And it all comes together again.
    let all = world.top() - HEAP_START - HEAD_BYTES;
    let block = world.allocate(all);
    assert_eq!((block.offset, block.span), (HEAP_START, all + HEAD_BYTES));
}

#[test]
fn random_operations_do_what_the_model_does() {
    for seed in 0..12 {
        play(seed, 600, 2048, 16 << 10, 1 << 20);
        play(seed, 300, 200 << 10, 256 << 10, 4 << 20);
        play(seed, 600, 120, 4 << 10, 1 << 20);
    }
}

#[test]
fn blocks_of_every_size_up_to_the_whole_segment() {
    const LENGTH: u64 = 1 << 46;
    let heap_bytes = LENGTH - HEAP_START;
    let world = World::new(LENGTH, heap_bytes);
    for doubling in 4..46 {
        for bytes in [(1 << doubling) - 1, 1 << doubling, (1 << doubling) + 1] {
            let blocks = [world.allocate(bytes), world.allocate(bytes / 3 + 1)];
            world.verify().expect("sound");
            blocks.into_iter().for_each(|block| world.release(block));
        }
    }
    let all = world.allocate(heap_bytes - HEAD_BYTES);
    assert_eq!(world.try_allocate(&payload(1)).expect("sound"), None, "nothing is left");
    world.verify().expect("sound");
    world.release(all);
    for too_much in [heap_bytes - HEAD_BYTES + 1, LENGTH, u64::MAX - 20, u64::MAX] {
        assert_eq!(world.try_allocate(&payload(too_much)).expect("sound"), None);
    }
    world.verify().expect("sound");
}

#[test]
fn small_blocks_cost_no_more_than_their_head() {
    let world = World::new(1 << 20, 64 << 10);
    for (bytes, span) in [(0, 32), (1, 32), (16, 32), (17, 48), (64, 80), (513, 544)] {
        assert_eq!(world.allocate(bytes).span, span, "{bytes}");
    }
}

#[test]
fn a_free_block_of_just_the_size_is_found_behind_many_that_are_too_small() {
    let world = World::new(8 << 20, 4 << 20);
    // All in one bin: 1280 to 1535 bytes. Walls between them keep them apart.
    let wanted = world.allocate(1500);
    let _wall = world.allocate(600);
    let decoys: Vec<_> = (0..100).map(|_| (world.allocate(1300), world.allocate(600))).collect();
    let rest = world.heap().facts().expect("sound").largest;
    let _rest = world.allocate(rest - HEAD_BYTES);
    world.release(wanted);
    decoys.iter().for_each(|(decoy, _)| world.release(*decoy));
    assert_eq!(world.allocate(1500).offset, wanted.offset);
}

#[test]
fn only_the_expected_owner_gives_a_block_back() {
    let world = World::new(1 << 20, 64 << 10);
    // The large ones lie side by side: what was the second one's head is inside then.
    for block in [64, 4000, 4000].map(|bytes| world.allocate(bytes)) {
        let next_one = ParticipantId { generation: ME.generation + 1, ..ME };
        let release = |owner| world.heap().release(actor(), block.offset, owner).expect("sound");
        assert!(!release(Owner::Limbo(next_one)));
        assert!(release(Owner::Limbo(ME)));
        assert!(!release(Owner::Limbo(ME)), "once");
        world.verify().expect("sound");
    }
}
