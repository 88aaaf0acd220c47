//! Operations in transactions: all of one happens, or nothing.
//!
//! What a transaction has changed may be looked at under its locks only; so a witness
//! begins one too, which puts back what a dead one has not committed.

use std::ptr::null_mut;

use crate::abi::{DEADLOCK, FOREVER, Handle, OK, OWNER_DIED, call};
use crate::operations::{News, Operation, PLAIN, Scene, Sight, open};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::short::{Lock, Way};
use crate::victim::stepped;
use crate::world::{LARGE_SIZE, NEW, OLD, SMALL_SIZE, TABLE, World, load, ok};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation { name: "transaction_begin", victim: begin, sight: nothing_happened, ..PLAIN },
    Operation { name: "transaction_store", victim: store, sight: nothing_happened, ..PLAIN },
    Operation {
        name: "transaction_store_often",
        victim: store_often,
        sight: nothing_happened,
        ..PLAIN
    },
    Operation { name: "transaction_modify", victim: modify, sight: nothing_happened, ..PLAIN },
    Operation { name: "transaction_commit", victim: commit, sight: all_or_nothing, ..PLAIN },
    Operation { name: "transaction_abort", victim: abort, sight: nothing_happened, ..PLAIN },
    Operation {
        name: "inlined_in_transaction",
        victim: lock_by_the_short_way,
        glance: outcomes::held,
        sight: nothing_happened,
        ..PLAIN
    },
    Operation { name: "transaction", victim: whole, sight: all_or_nothing, ..PLAIN },
    Operation {
        name: "transaction_begin_dead_owner",
        scene: Scene::DeadOwner,
        victim: begin,
        status: OWNER_DIED,
        outcome: outcomes::taken_over,
        ..PLAIN
    },
    Operation {
        name: "transaction_commit_marked",
        scene: Scene::DeadOwner,
        victim: commit_marked,
        sight: marked_if_all,
        outcome: outcomes::taken_over_or_marked,
        ..PLAIN
    },
    Operation {
        name: "transaction_begin_dead_transaction",
        scene: Scene::DeadTransaction,
        victim: begin,
        sight: nothing_happened,
        ..PLAIN
    },
    Operation {
        name: "lock_dead_transaction",
        scene: Scene::DeadTransaction,
        victim: lock,
        status: OWNER_DIED,
        sight: nothing_happened_or_told,
        outcome: outcomes::locked,
        fits_alone: false,
        ..PLAIN
    },
    Operation {
        name: "open_dead_transaction",
        scene: Scene::DeadTransaction,
        victim: open,
        sight: nothing_happened,
        news: News::OnceReturned,
        ..PLAIN
    },
];

/// What a transaction holds cannot be locked or unlocked beside it.
fn lock_by_the_short_way(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    let lock = Lock::of(world.mutex, Way::Inlined)?;
    is("status of a lock before it", lock.take()?, OK)?;
    lock.give_back()?;
    let _open = Transaction::begin(&world)?;
    stepped(stage, || match [lock.lock(FOREVER), lock.unlock()] {
        [DEADLOCK, DEADLOCK] => OK,
        [DEADLOCK, status] | [status, _] => status - 100,
    })
}

/// A transaction, mostly under both mutexes.
pub(crate) struct Transaction {
    world: World,
    handle: Handle,
    /// The owner of a mutex died outside of a transaction.
    owner_died: bool,
}

impl Transaction {
    pub(crate) fn begin(world: &World) -> Result<Self, String> {
        Self::begin_under(world, &[world.mutex, world.other])
    }

    fn begin_under(world: &World, mutexes: &[Handle]) -> Result<Self, String> {
        let mut handle = null_mut();
        let status = begin_status(mutexes, &mut handle);
        if status != OWNER_DIED {
            ok("transaction_begin", status)?;
        }
        Ok(Self { world: *world, handle, owner_died: status == OWNER_DIED })
    }

    /// Stores in everything there is, some of it twice.
    fn change_all(&self) -> i32 {
        let mut status = self.store(self.world.small, &[NEW + 1; SMALL_SIZE]);
        if status == OK {
            status = self.store(self.world.large, &[NEW; LARGE_SIZE]);
        }
        if status == OK {
            status = self.store(self.world.small, &[NEW; SMALL_SIZE]);
        }
        if status == OK { self.modify(TABLE / 4, TABLE / 2) } else { status }
    }

    fn store(&self, value: Handle, bytes: &[u8]) -> i32 {
        let (data, length) = (bytes.as_ptr(), bytes.len());
        call!(transaction_store(self.handle, value, data, length, FOREVER))
    }

    fn modify(&self, first: u64, count: u64) -> i32 {
        let mut out = null_mut();
        let status =
            call!(transaction_modify(self.handle, self.world.table, first, count, &mut out));
        if status == OK {
            for element in 0..count as usize {
                // SAFETY: inside the range that is lent.
                let place = unsafe { out.cast::<i64>().add(element) };
                // SAFETY: likewise.
                unsafe { place.write_volatile(NEW.into()) };
            }
        }
        status
    }

    fn commit(self) -> i32 {
        call!(transaction_commit(self.handle))
    }

    fn abort(self) -> i32 {
        call!(transaction_abort(self.handle))
    }
}

fn begin_status(mutexes: &[Handle], out: *mut Handle) -> i32 {
    call!(transaction_begin(mutexes.as_ptr(), mutexes.len(), FOREVER, out))
}

fn begin(stage: Stage) -> Result<(), String> {
    let (world, mut out) = (World::open()?, null_mut());
    stepped(stage, || begin_status(&[world.mutex, world.other], &mut out))
}

fn store(stage: Stage) -> Result<(), String> {
    let transaction = Transaction::begin(&World::open()?)?;
    stepped(stage, || match transaction.store(transaction.world.small, &[NEW; SMALL_SIZE]) {
        OK => transaction.store(transaction.world.large, &[NEW; LARGE_SIZE]),
        status => status,
    })
}

/// More often than the log has room in the roster.
fn store_often(stage: Stage) -> Result<(), String> {
    let transaction = Transaction::begin(&World::open()?)?;
    for _ in 0..18 {
        is(
            "status of a store",
            transaction.store(transaction.world.small, &[NEW; SMALL_SIZE]),
            OK,
        )?;
    }
    stepped(stage, || {
        let stored = |_| transaction.store(transaction.world.small, &[NEW + 1; SMALL_SIZE]);
        (0..4).map(stored).find(|status| *status != OK).unwrap_or(OK)
    })
}

fn modify(stage: Stage) -> Result<(), String> {
    let transaction = Transaction::begin(&World::open()?)?;
    stepped(stage, || match transaction.modify(2, 3) {
        OK => transaction.modify(4, TABLE / 2),
        status => status,
    })
}

fn commit(stage: Stage) -> Result<(), String> {
    let transaction = Transaction::begin(&World::open()?)?;
    is("status of the changes", transaction.change_all(), OK)?;
    stepped(stage, || transaction.commit())
}

fn abort(stage: Stage) -> Result<(), String> {
    let transaction = Transaction::begin(&World::open()?)?;
    is("status of the changes", transaction.change_all(), OK)?;
    stepped(stage, || transaction.abort())
}

fn whole(stage: Stage) -> Result<(), String> {
    let (world, mut handle) = (World::open()?, null_mut());
    stepped(stage, || {
        let mut status = begin_status(&[world.mutex, world.other], &mut handle);
        let transaction = Transaction { world, handle, owner_died: false };
        if status == OK {
            status = transaction.change_all();
        }
        if status == OK { transaction.commit() } else { status }
    })
}

/// Marks the mutex whose owner died before, as part of the transaction.
fn commit_marked(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    let transaction = Transaction::begin(&world)?;
    is("owner death is told", transaction.owner_died, true)?;
    is("status of the changes", transaction.change_all(), OK)?;
    world.mark_consistent()?;
    stepped(stage, || transaction.commit())
}

fn lock(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    stepped(stage, || call!(mutex_lock(world.mutex, FOREVER)))
}

/// Changes everything in a transaction, and waits to be killed in it.
pub(crate) fn dies_in_transaction(stage: Stage) -> Result<(), String> {
    let transaction = Transaction::begin(&World::open()?)?;
    is("status of the changes", transaction.change_all(), OK)?;
    stage.pause();
    Ok(())
}

/// What any survivor may do next: a transaction that is aborted, and one that ends well
/// and leaves everything as it was.
pub(crate) fn transact(world: &World) -> Result<(), String> {
    let (seen, _) = look(world)?;
    let transaction = Transaction::begin(world)?;
    is("status of the changes", transaction.change_all(), OK)?;
    ok("transaction_abort", transaction.abort())?;
    is("what is there after an abort", look(world)?.0, seen)?;
    let transaction = Transaction::begin(world)?;
    let (small, large) = (load::<SMALL_SIZE>(world.small)?, load::<LARGE_SIZE>(world.large)?);
    is("status of a store", transaction.store(world.small, &small), OK)?;
    is("status of a store", transaction.store(world.large, &large), OK)?;
    ok("transaction_commit", transaction.commit())
}

/// What is there, and whether an owner's death was told. The small value is looked at
/// under one mutex, and all else under the other: each alone has to be enough.
fn look(world: &World) -> Result<([i64; 3], bool), String> {
    let one = |what: &str, first: i64, are_alike: bool| match are_alike {
        true => Ok(first),
        false => Err(format!("{what} is half changed")),
    };
    let transaction = Transaction::begin_under(world, &[world.mutex])?;
    let mut told = transaction.owner_died;
    let small = load::<SMALL_SIZE>(world.small)?;
    ok("transaction_abort", transaction.abort())?;
    let transaction = Transaction::begin_under(world, &[world.other])?;
    told |= transaction.owner_died;
    let (large, table) = (load::<LARGE_SIZE>(world.large)?, world.table()?);
    ok("transaction_abort", transaction.abort())?;
    let changed = &table[TABLE as usize / 4..TABLE as usize / 4 * 3];
    let seen = [
        one("the small value", small[0].into(), small == [small[0]; SMALL_SIZE])?,
        one("the large value", large[0].into(), large == [large[0]; LARGE_SIZE])?,
        one("the array", changed[0], changed.iter().all(|element| *element == changed[0]))?,
    ];
    Ok((seen, told))
}

const BEFORE: [i64; 3] = [OLD as i64; 3];
const AFTER: [i64; 3] = [NEW as i64; 3];

fn sight_and_news(world: &World) -> Result<(Sight, bool), String> {
    match look(world)? {
        (BEFORE, told) => Ok((Sight::Before, told)),
        (AFTER, told) => Ok((Sight::After, told)),
        (seen, _) => Err(format!("{seen:?}: neither as before the transaction nor as after it")),
    }
}

/// Everybody who has died so far died in a transaction, and no transaction is told so.
fn all_or_nothing(world: &World, death: &Death) -> Result<Sight, String> {
    let (sight, told) = sight_and_news(world)?;
    if death.first {
        is("the death of an owner in a transaction is told", told, false)?;
    }
    Ok(sight)
}

/// Nothing was committed.
fn nothing_happened(world: &World, death: &Death) -> Result<Sight, String> {
    is("what a transaction sees", all_or_nothing(world, death)?, Sight::Before)?;
    Ok(Sight::Either)
}

/// The same where somebody may have locked by `mutex_lock`.
fn nothing_happened_or_told(world: &World, _: &Death) -> Result<Sight, String> {
    is("what a transaction sees", sight_and_news(world)?.0, Sight::Before)?;
    Ok(Sight::Either)
}

/// The mark counts if the changes do.
fn marked_if_all(world: &World, death: &Death) -> Result<Sight, String> {
    let (sight, told) = sight_and_news(world)?;
    if death.first && sight == Sight::Before {
        is("the owner's death is told as nobody has marked it", told, true)?;
    }
    if death.returned {
        is("the owner's death is told though it is marked", told, false)?;
    }
    Ok(sight)
}
