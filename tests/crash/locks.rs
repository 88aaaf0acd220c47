//! Operations on mutexes in more than one way: recursive ones by calls, and all by the
//! short ways that are inlined into programs.

use crate::abi::{FOREVER, OK, OWNER_DIED};
use crate::operations::{Kin, News, Operation, PLAIN, Scene, as_kin, in_a_thread};
use crate::outcomes::{self, is};
use crate::player::Stage;
use crate::short::{Lock, Number, Way};
use crate::victim::stepped;
use crate::world::{NEW, OLD, SMALL_SIZE, World};

/// What is done to a recursive mutex, in one way or another.
macro_rules! recursive {
    ($prefix:literal, $way:expr) => {
        [
            Operation {
                name: concat!($prefix, "lock_recursive"),
                victim: |stage| lock_after(stage, 0, $way),
                glance: outcomes::nobody_died,
                outcome: outcomes::recursive_locked,
                ..PLAIN
            },
            Operation {
                name: concat!($prefix, "lock_recursive_again"),
                victim: |stage| lock_after(stage, 1, $way),
                glance: outcomes::recursive_held,
                outcome: outcomes::recursive_taken_over,
                ..PLAIN
            },
            Operation {
                name: concat!($prefix, "lock_recursive_dead_owner"),
                scene: Scene::DeadOwner,
                victim: |stage| lock_after(stage, 0, $way),
                status: OWNER_DIED,
                outcome: outcomes::both_taken_over,
                ..PLAIN
            },
            Operation {
                name: concat!($prefix, "lock_recursive_nested"),
                victim: |stage| nest(stage, $way),
                outcome: outcomes::recursive_unlocked,
                ..PLAIN
            },
            Operation {
                name: concat!($prefix, "unlock_recursive"),
                victim: |stage| unlock_of(stage, 1, $way),
                outcome: outcomes::recursive_unlocked,
                ..PLAIN
            },
            Operation {
                name: concat!($prefix, "unlock_recursive_once"),
                victim: |stage| unlock_of(stage, 2, $way),
                glance: outcomes::recursive_held,
                outcome: outcomes::recursive_taken_over,
                ..PLAIN
            },
            Operation {
                name: concat!($prefix, "unlock_recursive_dead_owner"),
                scene: Scene::DeadOwner,
                victim: |stage| take_over_and_give_back(stage, $way),
                outcome: outcomes::recursive_given_back,
                ..PLAIN
            },
        ]
    };
}

/// By calls, as far as `operations` does not have it.
pub(crate) const CALLED: &[Operation] = &recursive!("", Way::Called);

/// The same, inlined.
pub(crate) const INLINED_RECURSIVE: &[Operation] = &recursive!("inlined_", Way::Inlined);

/// What else is inlined: plain mutexes, and numbers.
pub(crate) const INLINED_PLAIN: &[Operation] = &[
    Operation {
        name: "inlined_attach",
        victim: attach,
        glance: outcomes::nobody_died,
        outcome: outcomes::locked,
        fits_alone: false,
        ..PLAIN
    },
    Operation {
        name: "inlined_fork_child",
        victim: fork_child,
        kin: Kin::Parent,
        news: News::OnceReturned,
        glance: outcomes::nobody_died,
        outcome: outcomes::locked,
        recorded: false,
        ..PLAIN
    },
    Operation {
        name: "inlined_lock",
        victim: lock,
        glance: outcomes::nobody_died,
        outcome: outcomes::locked,
        ..PLAIN
    },
    Operation {
        name: "inlined_lock_dead_owner",
        scene: Scene::DeadOwner,
        victim: lock,
        status: OWNER_DIED,
        outcome: outcomes::taken_over,
        ..PLAIN
    },
    Operation {
        name: "inlined_unlock",
        victim: unlock,
        glance: outcomes::nobody_died,
        outcome: outcomes::unlocked,
        ..PLAIN
    },
    Operation {
        name: "inlined_add",
        victim: add,
        glance: |world| outcomes::small_is_whole(world).map(drop),
        sight: |world, _| outcomes::small_is_whole(world),
        outcome: outcomes::small_stored,
        ..PLAIN
    },
];

/// The recursive mutex, locked so many times.
fn recursive(times: u32, way: Way) -> Result<Lock, String> {
    let lock = Lock::of(World::open()?.recursive, way)?;
    (0..times).try_for_each(|_| is("status of an earlier lock", lock.lock(FOREVER), OK))?;
    Ok(lock)
}

fn lock_after(stage: Stage, times: u32, way: Way) -> Result<(), String> {
    let lock = recursive(times, way)?;
    stepped(stage, || lock.lock(FOREVER))
}

fn unlock_of(stage: Stage, times: u32, way: Way) -> Result<(), String> {
    let lock = recursive(times, way)?;
    stepped(stage, || lock.unlock())
}

fn nest(stage: Stage, way: Way) -> Result<(), String> {
    let lock = recursive(0, way)?;
    stepped(stage, || nested(&lock))
}

/// Locks twice and unlocks twice; gives the first status that is not OK.
pub(crate) fn nested(lock: &Lock) -> i32 {
    match [lock.lock(FOREVER), lock.lock(FOREVER), lock.unlock(), lock.unlock()] {
        [OK, OK, OK, OK] => OK,
        statuses => statuses.into_iter().find(|status| *status != OK).expect("one of them"),
    }
}

/// What a dead owner had counted is not given back with it.
fn take_over_and_give_back(stage: Stage, way: Way) -> Result<(), String> {
    let lock = recursive(0, way)?;
    stepped(stage, || match lock.lock(FOREVER) {
        OWNER_DIED => lock.unlock(),
        status => status - 100,
    })
}

/// The first that a thread does, in a process that is a member already: it has no name
/// yet, so this comes to the call.
fn attach(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    let lock = Lock::of(world.mutex, Way::Inlined)?;
    in_a_thread(stage, world, move |_| stepped(stage, || lock.lock(FOREVER)))
}

/// The first that a child does: what its parent's thread was called means nothing there.
fn fork_child(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    let lock = Lock::of(world.mutex, Way::Inlined)?;
    is("status of the parent's lock", lock.lock(FOREVER), OK)?;
    is("status of its unlock", lock.unlock(), OK)?;
    // SAFETY: the process has one thread.
    stepped(stage, || match unsafe { libc::fork() } {
        0 => lock.lock(FOREVER),
        _ => as_kin(|| world.verify()),
    })
}

fn lock(stage: Stage) -> Result<(), String> {
    let lock = Lock::of(World::open()?.mutex, Way::Inlined)?;
    stepped(stage, || lock.lock(FOREVER))
}

fn unlock(stage: Stage) -> Result<(), String> {
    let lock = Lock::of(World::open()?.mutex, Way::Inlined)?;
    is("status of the lock", lock.lock(FOREVER), OK)?;
    stepped(stage, || lock.unlock())
}

/// From a number of old bytes to one of new bytes.
fn add(stage: Stage) -> Result<(), String> {
    let number = Number::of(World::open()?.small)?;
    let [old, new] = [OLD, NEW].map(|byte| i64::from_ne_bytes([byte; SMALL_SIZE]));
    stepped(stage, || if number.add(new - old) == old { OK } else { -1 })
}
