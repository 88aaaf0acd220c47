//! The objects that threads wait for, one of a kind on stage, as every player uses them.

use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

use crate::abi::{
    BROKEN, BarrierInfo, EMPTY, FULL, Handle, Roomy, SemaphoreInfo, SemaphoreOptions, TIMED_OUT,
    call,
};
use crate::outcomes::{Fresh, is};
use crate::ring_kinds;
use crate::world::{FRESH, World, handle, ok};

/// The name of the object on stage, of whichever kind.
const NAME: &CStr = c"noun";
/// Those who meet at the barrier: the victim and two more.
pub(crate) const PARTIES: u32 = 3;
/// Permits of the tracked semaphore.
pub(crate) const PERMITS: u32 = 2;
/// What the latch counts down from.
pub(crate) const COUNT: u32 = 2;

/// How a function of the library makes or opens an object.
type Opener = fn(Handle, *const c_char, *mut Handle) -> i32;

/// A kind of object.
pub(crate) struct Noun {
    create: Opener,
    open: Opener,
    /// The same object, by a name that is free.
    pub(crate) fresh: Fresh,
}

/// An object on stage, and what else is in its segment.
#[derive(Clone, Copy)]
pub(crate) struct Object {
    pub(crate) world: World,
    pub(crate) handle: Handle,
}

impl Noun {
    /// Puts one on stage.
    pub(crate) fn found(&self, world: &World) -> Result<Handle, String> {
        handle("creating the object", |out| (self.create)(world.segment, NAME.as_ptr(), out))
    }

    /// The one on stage.
    pub(crate) fn of(&self, world: &World) -> Result<Object, String> {
        let handle =
            handle("opening the object", |out| (self.open)(world.segment, NAME.as_ptr(), out))?;
        Ok(Object { world: *world, handle })
    }

    /// The same, for who has not opened the segment.
    pub(crate) fn open(&self) -> Result<Object, String> {
        self.of(&World::open()?)
    }

    /// Makes one with the name of what is created on stage.
    pub(crate) fn create_fresh(&self, segment: Handle, out: *mut Handle) -> i32 {
        (self.create)(segment, FRESH.as_ptr(), out)
    }

    /// Opens the one on stage, looks, and closes it.
    pub(crate) fn look<T>(
        &self,
        world: &World,
        look: impl FnOnce(&Object) -> Result<T, String>,
    ) -> Result<T, String> {
        let object = self.of(world)?;
        let seen = look(&object)?;
        ok("closing the object", (self.fresh.close)(object.handle)).map(|()| seen)
    }
}

/// A kind, by the functions that every kind has and what they are given.
macro_rules! noun {
    (
        $noun:ident, $create:ident, $open:ident, $open_or_create:ident, $close:ident,
        [$($argument:expr),*], [$($opening:expr),*], $as_new:expr
    ) => {
        pub(crate) const $noun: Noun = Noun {
            create: |segment, name, out| call!($create(segment, name, $($argument,)* out)),
            open: |segment, name, out| call!($open(segment, name, $($opening,)* out)),
            fresh: Fresh {
                open: |segment, out| call!($open(segment, FRESH.as_ptr(), $($opening,)* out)),
                open_or_create: |segment, out| {
                    call!($open_or_create(segment, FRESH.as_ptr(), $($argument,)* out))
                },
                close: |handle| call!($close(handle)),
                as_new: $as_new,
            },
        };
    };
}

noun!(EVENT, event_create, event_open, event_open_or_create, event_close, [], [], |event| {
    is("the new event's being set", is_set(event)?, false)?;
    ok("event_set", call!(event_set(event)))?;
    ok("event_wait", call!(event_wait(event, 0)))?;
    ok("event_clear", call!(event_clear(event)))?;
    is("status of a wait", call!(event_wait(event, 0)), TIMED_OUT)
});

// Others may have counted it down.
noun!(LATCH, latch_create, latch_open, latch_open_or_create, latch_close, [COUNT], [], |latch| {
    let left = count(latch)?;
    if left > 0 {
        is("count of the new latch", left, COUNT)?;
        is("status of a wait", call!(latch_wait(latch, 0)), TIMED_OUT)?;
        ok("latch_count_down", call!(latch_count_down(latch, left)))?;
    }
    ok("latch_wait", call!(latch_wait(latch, 0)))
});

noun!(
    SEMAPHORE,
    semaphore_create,
    semaphore_open,
    semaphore_open_or_create,
    semaphore_close,
    [&SemaphoreOptions::PLAIN],
    [&SemaphoreOptions::PLAIN],
    |semaphore| {
        is("permits of the new semaphore", permits(semaphore)?, 0)?;
        is("status of a try", call!(semaphore_acquire(semaphore, 0)), TIMED_OUT)?;
        ok("semaphore_release", call!(semaphore_release(semaphore, 1)))?;
        ok("semaphore_acquire", call!(semaphore_acquire(semaphore, 0)))
    }
);

noun!(
    TRACKED,
    semaphore_create,
    semaphore_open,
    semaphore_open_or_create,
    semaphore_close,
    [&SemaphoreOptions::TRACKED],
    [&SemaphoreOptions::TRACKED],
    |semaphore| {
        is("permits of the new semaphore", permits(semaphore)?, PERMITS)?;
        is("status of a release", call!(semaphore_release(semaphore, 1)), FULL)?;
        for _ in 0..PERMITS {
            ok("semaphore_acquire", call!(semaphore_acquire(semaphore, 0)))?;
        }
        is("status of a try", call!(semaphore_acquire(semaphore, 0)), TIMED_OUT)?;
        ok("semaphore_release", call!(semaphore_release(semaphore, PERMITS)))
    }
);

noun!(PROCESS_LOCK, lock_create, lock_open, lock_open_or_create, lock_close, [], [], |lock| {
    ok("lock_acquire", call!(lock_acquire(lock, 0, null_mut())))?;
    is("status of a try", call!(lock_acquire(lock, 0, null_mut())), TIMED_OUT)?;
    ok("lock_release", call!(lock_release(lock)))
});

noun!(RWLOCK, rwlock_create, rwlock_open, rwlock_open_or_create, rwlock_close, [], [], |rwlock| {
    ok("rwlock_read_lock", call!(rwlock_read_lock(rwlock, 0)))?;
    is("readers", readers(rwlock)?, 1)?;
    ok("rwlock_read_unlock", call!(rwlock_read_unlock(rwlock)))?;
    ok("rwlock_write_lock", call!(rwlock_write_lock(rwlock, 0)))?;
    ok("rwlock_write_unlock", call!(rwlock_write_unlock(rwlock)))
});

noun!(
    CONDVAR,
    condvar_create,
    condvar_open,
    condvar_open_or_create,
    condvar_close,
    [],
    [],
    |condvar| {
        ok("condvar_prepare_wait", call!(condvar_prepare_wait(condvar)))?;
        is("status of a wait", call!(condvar_commit_wait(condvar, 0)), TIMED_OUT)?;
        ok("condvar_notify_one", call!(condvar_notify_one(condvar)))?;
        ok("condvar_commit_wait", call!(condvar_commit_wait(condvar, 0)))
    }
);

noun!(
    BARRIER,
    barrier_create,
    barrier_open,
    barrier_open_or_create,
    barrier_close,
    [PARTIES],
    [],
    |barrier| {
        let mut index = 0;
        let arrived = call!(barrier_arrive_and_wait(barrier, 0, &mut index));
        is("status of who does not wait", arrived, TIMED_OUT)?;
        is("the barrier's being broken", barrier_info(barrier)?.broken, true)?;
        let status = call!(barrier_arrive_and_wait(barrier, 0, &mut index));
        is("status of who comes late", status, BROKEN)?;
        ok("barrier_reset", call!(barrier_reset(barrier)))?;
        let info = barrier_info(barrier)?;
        is(
            "parties, waiting, broken",
            (info.parties, info.waiting, info.broken),
            (PARTIES, 0, false),
        )
    }
);

noun!(
    SPSC,
    spsc_create,
    spsc_open,
    spsc_open_or_create,
    spsc_close,
    [&ring_kinds::NUMBER, &ring_kinds::OPTIONS],
    [&ring_kinds::NUMBER, &ring_kinds::OPTIONS],
    |ring| {
        let (number, mut out) = (7u64, 0u64);
        ok("push", call!(spsc_push(ring, (&raw const number).cast(), 8)))?;
        let record = (&raw mut out).cast();
        ok("pop", call!(spsc_pop(ring, record, 8, null_mut())))?;
        is("what was put", out, number)?;
        is("status of a pop", call!(spsc_pop(ring, record, 8, null_mut())), EMPTY)
    }
);

noun!(
    FANIN,
    fanin_create,
    fanin_open,
    fanin_open_or_create,
    fanin_close,
    [&ring_kinds::NUMBER, &ring_kinds::LANES],
    [&ring_kinds::NUMBER, &ring_kinds::LANES],
    |ring| {
        let (number, mut out) = (7u64, 0u64);
        ok("push", call!(fanin_push(ring, (&raw const number).cast(), 8)))?;
        let record = (&raw mut out).cast();
        ok("pop", call!(fanin_pop(ring, record, 8, null_mut())))?;
        is("what was put", out, number)?;
        is("status of a pop", call!(fanin_pop(ring, record, 8, null_mut())), EMPTY)
    }
);

noun!(
    MPMC,
    mpmc_create,
    mpmc_open,
    mpmc_open_or_create,
    mpmc_close,
    [&ring_kinds::NUMBER, &ring_kinds::OPTIONS],
    [&ring_kinds::NUMBER, &ring_kinds::OPTIONS],
    |ring| {
        let (number, mut out) = (7u64, 0u64);
        ok("push", call!(mpmc_push(ring, (&raw const number).cast(), 8)))?;
        let record = (&raw mut out).cast();
        ok("pop", call!(mpmc_pop(ring, record, 8, null_mut(), null_mut())))?;
        is("what was put", out, number)?;
        is("status of a pop", call!(mpmc_pop(ring, record, 8, null_mut(), null_mut())), EMPTY)
    }
);

noun!(
    MESSAGES,
    mpmc_create,
    mpmc_open,
    mpmc_open_or_create,
    mpmc_close,
    [&ring_kinds::ANY_BYTES, &ring_kinds::CELLS],
    [&ring_kinds::ANY_BYTES, &ring_kinds::CELLS],
    |ring| {
        let (message, mut out, mut len) = ([7u8; 100], [0u8; 100], 0);
        ok("push", call!(mpmc_push(ring, message.as_ptr().cast(), 100)))?;
        let room = out.as_mut_ptr().cast();
        ok("pop", call!(mpmc_pop(ring, room, 100, &mut len, null_mut())))?;
        is("what was put", (out, len), (message, 100))
    }
);

pub(crate) fn is_set(event: Handle) -> Result<bool, String> {
    let mut out = false;
    ok("event_is_set", call!(event_is_set(event, &mut out))).map(|()| out)
}

/// What a latch still counts.
pub(crate) fn count(latch: Handle) -> Result<u32, String> {
    let mut out = 0;
    ok("latch_count", call!(latch_count(latch, &mut out))).map(|()| out)
}

/// Permits that can be acquired.
pub(crate) fn permits(semaphore: Handle) -> Result<u32, String> {
    let mut info = Roomy::<SemaphoreInfo>::default();
    ok("semaphore_stat", call!(semaphore_stat(semaphore, &mut info)))?;
    Ok(info.content.value)
}

pub(crate) fn readers(rwlock: Handle) -> Result<u32, String> {
    let mut out = 0;
    ok("rwlock_readers", call!(rwlock_readers(rwlock, &mut out))).map(|()| out)
}

pub(crate) fn barrier_info(barrier: Handle) -> Result<BarrierInfo, String> {
    let mut info = Roomy::<BarrierInfo>::default();
    ok("barrier_stat", call!(barrier_stat(barrier, &mut info)))?;
    Ok(info.content)
}
