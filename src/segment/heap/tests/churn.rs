//! Long use: memory stays flat, and threads do not disturb each other.

use std::sync::Barrier;

use super::world::{Dice, ME, World, actor, payload};
use crate::layout::block::{HEAD_BYTES, Owner};
use crate::layout::header::HEAP_START;
use crate::segment::heap::{Block, Want};

#[test]
fn churn_needs_no_more_and_more_memory() {
    const IN_USE: u64 = 1 << 20;
    let world = World::new(64 << 20, 2 * IN_USE);
    let mut dice = Dice(1);
    let mut blocks: Vec<Block> = Vec::new();
    let mut in_use = 0;
    for _ in 0..100_000 {
        while in_use > IN_USE {
            let block = blocks.swap_remove(dice.below(blocks.len() as u64) as usize);
            in_use -= block.span;
            world.release(block);
        }
        let align = if dice.below(4) == 0 { 64 } else { 16 };
        let want = Want { bytes: dice.size(16 << 10), align, lead: HEAD_BYTES };
        // It never has to grow.
        let block = world.try_allocate(&want).expect("sound").expect("room");
        in_use += block.span;
        blocks.push(block);
    }
    world.verify().expect("sound");
    blocks.into_iter().for_each(|block| world.release(block));
    let all = world.top() - HEAP_START;
    assert_eq!(world.heap().facts().expect("sound").free, all);
    assert_eq!(world.allocate(all - HEAD_BYTES).span, all);
}

#[test]
fn many_small_blocks_make_room_for_a_large_one() {
    let world = World::new(4 << 20, 1 << 20);
    let mut blocks = Vec::new();
    while let Some(block) = world.try_allocate(&payload(48)).expect("sound") {
        blocks.push(block);
    }
    assert!(blocks.len() > 10_000);
    blocks.into_iter().for_each(|block| world.release(block));
    assert_eq!(world.heap().facts().expect("sound").largest, 64, "quick blocks wait");
    let all = (1 << 20) - HEAD_BYTES;
    assert_eq!(world.allocate(all).offset, HEAP_START);
}

/// Allocates, with more memory if there is need.
fn allocate(world: &World, want: &Want) -> Block {
    loop {
        if let Some(block) = world.try_allocate(want).expect("sound") {
            return block;
        }
        world.commit(64 << 10);
        world.heap().adopt(actor()).expect("sound");
    }
}

#[test]
fn threads_share_the_heap() {
    const THREADS: u64 = 4;
    let world = &World::new(64 << 20, 64 << 10);
    // Nobody leaves before all are done: who reads the lock, and then that its owner is gone,
    // looks where the lock lies in the owner's segment, and here that is another one.
    let done = &Barrier::new(THREADS as usize);
    let work = |seed: u64| {
        let mut dice = Dice(seed);
        let mut blocks: Vec<Block> = Vec::new();
        for _ in 0..5_000 {
            if blocks.len() < 50 && dice.below(2) == 0 {
                let bytes = dice.size(3000);
                blocks.push(allocate(world, &payload(bytes)));
            } else if let Some(block) = blocks.pop() {
                world.release(block);
            }
        }
        blocks.into_iter().for_each(|block| world.release(block));
        done.wait();
    };
    std::thread::scope(|scope| {
        (0..THREADS).for_each(|seed| drop(scope.spawn(move || work(seed))));
    });
    world.verify().expect("sound");
    let owner = Owner::Limbo(ME);
    assert!(world.heap().blocks().all(|block| block.expect("sound").1 != owner), "all given back");
}
