//! Shared memory is input: whatever it holds, there is an answer.

use super::world::{Dice, ME, World, actor, is_bearable, payload};
use crate::error::Status;
use crate::layout::Offset;
use crate::layout::block::{HEAD_BYTES, NEXT, Owner};
use crate::layout::header::{CONTROL_START, HEAP_START};
use crate::platform::atomic::Ordering::Relaxed;
use crate::segment::control::{Control, control_word};
use crate::segment::heap::{Block, Want};

/// A heap in which there is some of everything.
fn lived_in(dice: &mut Dice) -> (World, Vec<Block>) {
    let world = World::new(1 << 20, 32 << 10);
    let mut blocks: Vec<Block> = (0..40).map(|_| world.allocate(dice.size(900))).collect();
    for _ in 0..25 {
        let which = dice.below(blocks.len() as u64) as usize;
        world.release(blocks.swap_remove(which));
    }
    (world, blocks)
}

/// A word that the heap lives by: of the control page without the locks' own (who holds
/// a lock, and is it alive, is settled elsewhere), of a log, or of a block.
fn some_place(world: &World, blocks: &[Offset], dice: &mut Dice) -> Offset {
    let lock_bytes = 64;
    match dice.below(4) {
        0 => CONTROL_START + lock_bytes + 8 * dice.below((640 - lock_bytes) / 8),
        1 => {
            let from = control_word!(top);
            from + 8 * dice.below((CONTROL_START + size_of::<Control>() as u64 - from) / 8)
        }
        2 => blocks[dice.below(blocks.len() as u64) as usize] + 8 * dice.below(4),
        _ => HEAP_START + 8 * dice.below((world.top() - HEAP_START) / 8),
    }
}

/// A word that may be believed.
fn some_word(world: &World, blocks: &[Offset], place: Offset, dice: &mut Dice) -> u64 {
    let old = world.word(place).load(Relaxed);
    match dice.below(6) {
        0 => dice.throw(),
        1 => old ^ 1 << dice.below(64),
        2 => old.wrapping_add(16).wrapping_sub(32 * dice.below(2)),
        3 => blocks[dice.below(blocks.len() as u64) as usize],
        4 => world.word(blocks[dice.below(blocks.len() as u64) as usize]).load(Relaxed),
        _ => dice.below(70),
    }
}

#[test]
fn damaged_memory_is_told_and_never_followed() {
    let mut dice = Dice(99);
    let mut found = 0;
    for _ in 0..4_000 {
        let (world, blocks) = lived_in(&mut dice);
        let offsets: Vec<Offset> =
            world.heap().blocks().map(|block| block.expect("sound").0).collect();
        for _ in 0..=dice.below(3) {
            let place = some_place(&world, &offsets, &mut dice);
            world.word(place).store(some_word(&world, &offsets, place, &mut dice), Relaxed);
        }
        let told = use_all(&world, &blocks, &mut dice);
        found += u64::from(told);
    }
    assert!(found > 1_000, "damage is noticed when it is met: {found}");
}

/// Uses the heap in every way. Says whether damage was found.
fn use_all(world: &World, blocks: &[Block], dice: &mut Dice) -> bool {
    let heap = world.heap();
    let mut told = false;
    let mut note = |is_told: bool| told |= is_told;
    for block in blocks {
        let released = heap.release(actor(), block.offset, Owner::Limbo(ME));
        assert!(is_bearable(&released), "{released:?}");
        note(released.is_err());
        let want = Want { bytes: dice.size(9000), align: 1 << dice.below(13), lead: HEAD_BYTES };
        let allocated = world.try_allocate(&want);
        assert!(is_bearable(&allocated), "{allocated:?}");
        if let Ok(Some(block)) = allocated {
            let in_bounds = world.memory.bytes(block.offset, block.span).is_ok();
            assert!(in_bounds && block.offset >= HEAP_START, "{block:?}");
        }
    }
    let facts = heap.facts();
    assert!(is_bearable(&facts), "{facts:?}");
    let walked: Result<Vec<_>, _> = heap.blocks().collect();
    assert!(is_bearable(&walked));
    let adopted = heap.adopt(actor());
    assert!(is_bearable(&adopted), "{adopted:?}");
    let held = heap.hold(actor());
    assert!(held.as_ref().is_ok_and(|_| true) || held.as_ref().is_err_and(is_corrupted));
    note(walked.is_err() || heap.verify().is_err());
    told
}

fn is_corrupted(error: &crate::error::Error) -> bool {
    error.status() == Status::Corrupted
}

#[test]
fn a_bin_that_goes_in_a_circle_is_told() {
    let world = World::new(1 << 20, 32 << 10);
    // Three in one bin, too small for what is wanted, and no other free block.
    let blocks: Vec<_> = (0..6).map(|_| world.allocate(1300)).collect();
    let rest = world.heap().facts().expect("sound").largest;
    world.allocate(rest - HEAD_BYTES);
    blocks.iter().step_by(2).for_each(|block| world.release(*block));
    let (last, second) = (blocks[0].offset, blocks[2].offset);
    world.word(last + NEXT).store(second, Relaxed);
    let error = world.try_allocate(&payload(1500)).expect_err("a circle");
    assert_eq!(error.status(), Status::Corrupted);
    assert_eq!(world.verify().expect_err("a circle").status(), Status::Corrupted);
}
