//! Objects that threads wait for, as they are made.

use std::ptr::null_mut;

use crate::nouns::{BARRIER, CONDVAR, EVENT, LATCH, Noun, RWLOCK, SEMAPHORE, TRACKED};
use crate::operations::{Operation, PLAIN, Sight};
use crate::player::Stage;
use crate::victim::stepped;
use crate::world::World;

macro_rules! made {
    ($name:literal, $noun:ident) => {
        Operation {
            name: $name,
            victim: |stage| create(stage, &$noun),
            sight: |world, _| $noun.fresh.is_whole(world).map(Sight::of),
            outcome: |world, death| $noun.fresh.created(world, death),
            ..PLAIN
        }
    };
}

pub(crate) const OPERATIONS: &[Operation] = &[
    made!("create_barrier", BARRIER),
    made!("create_condvar", CONDVAR),
    made!("create_event", EVENT),
    made!("create_latch", LATCH),
    made!("create_rwlock", RWLOCK),
    made!("create_semaphore", SEMAPHORE),
    made!("create_tracked", TRACKED),
];

fn create(stage: Stage, noun: &Noun) -> Result<(), String> {
    let (segment, mut out) = (World::open()?.segment, null_mut());
    stepped(stage, || noun.create_fresh(segment, &mut out))
}
