//! Objects that threads wait for, as they are made.

use std::ptr::null_mut;

use crate::nouns::{
    BARRIER, CONDVAR, EVENT, FANIN, LATCH, MPMC, Noun, PROCESS_LOCK, RWLOCK, SEMAPHORE, SPSC,
    TRACKED,
};
use crate::operations::{Operation, PLAIN, Sight};
use crate::player::Stage;
use crate::victim::stepped;
use crate::world::World;

/// What is made alike needs to be looked at on copies once: `recorded`.
macro_rules! made {
    ($name:literal, $noun:ident, recorded: $recorded:literal) => {
        Operation {
            name: $name,
            recorded: $recorded,
            victim: |stage| create(stage, &$noun),
            sight: |world, _| $noun.fresh.is_whole(world).map(Sight::of),
            outcome: |world, death| $noun.fresh.created(world, death),
            ..PLAIN
        }
    };
}

pub(crate) const OPERATIONS: &[Operation] = &[
    made!("create_barrier", BARRIER, recorded: false),
    made!("create_condvar", CONDVAR, recorded: false),
    made!("create_event", EVENT, recorded: false),
    made!("create_fanin", FANIN, recorded: false),
    made!("create_latch", LATCH, recorded: false),
    made!("create_mpmc", MPMC, recorded: true),
    made!("create_process_lock", PROCESS_LOCK, recorded: false),
    made!("create_rwlock", RWLOCK, recorded: true),
    made!("create_semaphore", SEMAPHORE, recorded: false),
    made!("create_spsc", SPSC, recorded: true),
    made!("create_tracked", TRACKED, recorded: true),
];

fn create(stage: Stage, noun: &Noun) -> Result<(), String> {
    let (segment, mut out) = (World::open()?.segment, null_mut());
    stepped(stage, || noun.create_fresh(segment, &mut out))
}
