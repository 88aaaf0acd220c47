//! What a witness finds in the segment: before or after, never between.

use std::fmt::Debug;
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering::SeqCst;

use crate::abi::{Handle, NOT_FOUND, OK, OWNER_DIED, SegmentInfo, TIMED_OUT, Type, abi, call};
use crate::board::Board;
use crate::operations::Sight;
use crate::world::{
    FRESH, LARGE_SIZE, LARGE_TYPE, NEW, OLD, SHAPE, SMALL_SIZE, World, handle, load, ok, store,
};

/// What the witness knows of a death.
#[derive(Clone, Copy)]
pub(crate) struct Death {
    pub(crate) victim: i32,
    /// The victim's call had returned.
    pub(crate) returned: bool,
    /// No survivor has been here before.
    pub(crate) first: bool,
    /// The segment before the victim entered.
    pub(crate) before: SegmentInfo,
}

impl Death {
    /// What the first lock after the call gives if it returned; later ones, or one in the
    /// middle of the call, may give anything.
    pub(crate) fn gives(&self, status: i32) -> Option<i32> {
        (self.returned && self.first).then_some(status)
    }
}

/// Fails unless `found` is what it must be.
pub(crate) fn is<T: PartialEq + Debug>(what: &str, found: T, must_be: T) -> Result<(), String> {
    match found == must_be {
        true => Ok(()),
        false => Err(format!("{what}: {found:?} instead of {must_be:?}")),
    }
}

/// The call touched no object and took no memory for good.
pub(crate) fn unchanged(world: &World, death: &Death) -> Result<(), String> {
    let info = world.info()?;
    is("objects", info.objects, death.before.objects)?;
    is("bytes used", info.used, death.before.used)
}

/// While everybody lives, nobody is told of a death.
pub(crate) fn nobody_died(world: &World) -> Result<(), String> {
    match call!(mutex_lock(world.mutex, 0)) {
        OK => world.unlock(),
        TIMED_OUT => Ok(()),
        OWNER_DIED => Err("told of the death of an owner who is alive".into()),
        status => ok("mutex_lock", status),
    }
}

/// Whoever created the segment, it is as good as any.
pub(crate) fn founded(world: &World, _: &Death) -> Result<(), String> {
    mutex_goes_on(world, Some(OK))
}

/// The death that the victim asked for is told to others too, once.
pub(crate) fn mourned(world: &World, death: &Death) -> Result<(), String> {
    let predecessor = Board::get().predecessor.load(SeqCst);
    let first = world.death(0)?;
    is("process that died first", first.pid as i32, predecessor)?;
    is("process that died next", world.death(first.epoch)?.pid as i32, death.victim)?;
    mutex_goes_on(world, Some(OWNER_DIED))?;
    unchanged(world, death)
}

/// The victim may have had the mutex, and has it for sure if its call returned.
pub(crate) fn locked(world: &World, death: &Death) -> Result<(), String> {
    mutex_goes_on(world, death.gives(OWNER_DIED))?;
    unchanged(world, death)
}

/// The victim died holding the mutex unless its call has given it back.
pub(crate) fn unlocked(world: &World, death: &Death) -> Result<(), String> {
    mutex_goes_on(world, death.gives(OK))?;
    unchanged(world, death)
}

/// Somebody died holding the mutex in any case, and nobody has marked it.
pub(crate) fn taken_over(world: &World, death: &Death) -> Result<(), String> {
    mutex_goes_on(world, death.first.then_some(OWNER_DIED))?;
    unchanged(world, death)
}

/// While the victim lives, nobody else has the mutex.
pub(crate) fn held(world: &World) -> Result<(), String> {
    is("status of a try", call!(mutex_lock(world.mutex, 0)), TIMED_OUT)
}

/// The same of the recursive one.
pub(crate) fn recursive_held(world: &World) -> Result<(), String> {
    held(&world.recursing())
}

/// The victim may have had the recursive mutex, and has it for sure if its call returned.
pub(crate) fn recursive_locked(world: &World, death: &Death) -> Result<(), String> {
    recursive_goes_on(world, death.gives(OWNER_DIED))?;
    unchanged(world, death)
}

/// It died holding it unless its call has given it back.
pub(crate) fn recursive_unlocked(world: &World, death: &Death) -> Result<(), String> {
    recursive_goes_on(world, death.gives(OK))?;
    unchanged(world, death)
}

/// Somebody died holding it in any case, and nobody has marked it.
pub(crate) fn recursive_taken_over(world: &World, death: &Death) -> Result<(), String> {
    recursive_goes_on(world, death.first.then_some(OWNER_DIED))?;
    unchanged(world, death)
}

/// The same, and somebody died holding the other mutex too.
pub(crate) fn both_taken_over(world: &World, death: &Death) -> Result<(), String> {
    recursive_taken_over(world, death)?;
    taken_over(world, death)
}

/// The same; and who has taken over the recursive one held it once, so that its unlock gave it back.
pub(crate) fn recursive_given_back(world: &World, death: &Death) -> Result<(), String> {
    if death.returned && death.first {
        is("generation of the owner after the unlock", world.recursing().owner()?.generation, 0)?;
    }
    both_taken_over(world, death)
}

/// Whoever gets the recursive mutex next holds it once, however often its last owner did.
fn recursive_goes_on(world: &World, must_be: Option<i32>) -> Result<(), String> {
    let world = world.recursing();
    let status = world.lock()?;
    is("status of the survivor's lock", status, must_be.unwrap_or(status))?;
    is("status of its second lock", world.lock()?, status)?;
    world.unlock()?;
    is("process that holds it once", world.owner()?.pid, std::process::id())?;
    world.unlock()?;
    is("generation of its owner in the end", world.owner()?.generation, 0)?;
    mutex_goes_on(&world, Some(status))
}

/// Somebody died holding the mutex before, and somebody may have marked it since.
pub(crate) fn taken_over_or_marked(world: &World, death: &Death) -> Result<(), String> {
    mutex_goes_on(world, None)?;
    unchanged(world, death)
}

/// The same where the roster may have grown. The survivors are too many for its
/// first block, so in the end it has.
pub(crate) fn grown(world: &World, death: &Death) -> Result<(), String> {
    if death.returned && world.info()?.used == death.before.used {
        return Err("the scene does not fill a block: the roster did not grow".into());
    }
    mutex_goes_on(world, death.gives(OWNER_DIED))
}

/// The mutex changes hands, and owner death is news until somebody marks it.
fn mutex_goes_on(world: &World, must_be: Option<i32>) -> Result<(), String> {
    let owner = world.owner()?;
    let announced = world.owner_death_is_announced()?;
    let status = world.lock()?;
    is("status of the survivor's lock", status, must_be.unwrap_or(status))?;
    is("owner death, as announced before the lock", announced, status == OWNER_DIED)?;
    if owner.pid != 0 && owner.alive {
        return Err(format!("process {} is dead and still counts as a living owner", owner.pid));
    }
    if status == OWNER_DIED {
        world.unlock()?;
        is("status of a lock nobody has marked", world.lock()?, OWNER_DIED)?;
        world.mark_consistent()?;
    }
    world.unlock()?;
    is("status of a lock in good order", world.lock()?, OK)?;
    world.unlock()
}

pub(crate) fn small_is_whole(world: &World) -> Result<Sight, String> {
    is_whole::<SMALL_SIZE>(world.small)
}

pub(crate) fn large_is_whole(world: &World) -> Result<Sight, String> {
    is_whole::<LARGE_SIZE>(world.large)
}

pub(crate) fn small_stored(world: &World, death: &Death) -> Result<(), String> {
    stored::<SMALL_SIZE>(world.small)?;
    unchanged(world, death)
}

pub(crate) fn large_stored(world: &World, death: &Death) -> Result<(), String> {
    stored::<LARGE_SIZE>(world.large)?;
    unchanged(world, death)
}

/// The next store goes through.
fn stored<const N: usize>(value: Handle) -> Result<(), String> {
    const NEWER: u8 = NEW + 1;
    store(value, &[NEWER; N])?;
    is("value after the survivor's store", load::<N>(value)?, [NEWER; N])
}

fn is_whole<const N: usize>(value: Handle) -> Result<Sight, String> {
    match load::<N>(value)? {
        bytes if bytes == [OLD; N] => Ok(Sight::Before),
        bytes if bytes == [NEW; N] => Ok(Sight::After),
        bytes => Err(format!("value {bytes:?}: neither as before nor as after the store")),
    }
}

/// An object that a victim creates, as others come to know it.
pub(crate) struct Fresh {
    pub(crate) open: fn(Handle, *mut Handle) -> i32,
    pub(crate) open_or_create: fn(Handle, *mut Handle) -> i32,
    pub(crate) close: fn(Handle) -> i32,
    /// Fails unless the object is as new.
    pub(crate) as_new: fn(Handle) -> Result<(), String>,
}

const FRESH_MUTEX: Fresh = Fresh {
    open: |segment, out| call!(mutex_open(segment, FRESH.as_ptr(), null(), out)),
    open_or_create: |segment, out| {
        call!(mutex_open_or_create(segment, FRESH.as_ptr(), null(), out))
    },
    close: |mutex| call!(mutex_close(mutex)),
    as_new: |mutex| {
        ok("mutex_lock of the new mutex", call!(mutex_lock(mutex, 0)))?;
        ok("mutex_unlock of the new mutex", call!(mutex_unlock(mutex)))
    },
};

pub(crate) const FRESH_VALUE: Fresh = Fresh {
    open: |segment, out| call!(value_open(segment, FRESH.as_ptr(), &LARGE_TYPE, out)),
    open_or_create: |segment, out| {
        call!(value_open_or_create(segment, FRESH.as_ptr(), &LARGE_TYPE, out))
    },
    close: |value| call!(value_close(value)),
    as_new: |value| is("the new value", load::<LARGE_SIZE>(value)?, [0; LARGE_SIZE]),
};

const FRESH_ARRAY: Fresh = Fresh {
    open: |segment, out| {
        let (dimensions, shape) = (SHAPE.len() as u32, SHAPE.as_ptr());
        call!(array_open(segment, FRESH.as_ptr(), &Type::I64, dimensions, shape, out))
    },
    open_or_create: |segment, out| {
        let (dimensions, shape) = (SHAPE.len() as u32, SHAPE.as_ptr());
        call!(array_open_or_create(segment, FRESH.as_ptr(), &Type::I64, dimensions, shape, out))
    },
    close: |array| call!(array_close(array)),
    as_new: |array| {
        let data = call!(array_data(array)).cast::<u8>();
        if data.is_null() {
            return Err(format!("array_data gives NULL: {}", abi().sentence()));
        }
        let bytes = (SHAPE[0] * SHAPE[1]) as usize * size_of::<i64>();
        // SAFETY: an array of this shape and type has that many bytes.
        let elements = unsafe { std::slice::from_raw_parts(data, bytes) };
        is(
            "bytes of the new array that are not zero",
            elements.iter().filter(|b| **b != 0).count(),
            0,
        )
    },
};

impl Fresh {
    /// Not there at all, or there and as new. Says whether it is there.
    pub(crate) fn is_whole(&self, world: &World) -> Result<bool, String> {
        let mut object = null_mut();
        match (self.open)(world.segment, &mut object) {
            OK => {
                (self.as_new)(object)?;
                ok("closing the new object", (self.close)(object)).map(|()| true)
            }
            NOT_FOUND => Ok(false),
            status => ok("opening the new object", status).map(|()| false),
        }
    }

    /// Whole or not there, whatever is created next; and there after the survivor has
    /// asked for it too.
    pub(crate) fn created(&self, world: &World, death: &Death) -> Result<(), String> {
        let there = self.is_whole(world)?;
        if death.returned && !there {
            return Err("the new object is gone though its creation had returned".into());
        }
        let objects = death.before.objects + u64::from(there);
        is("objects", world.info()?.objects, objects)?;
        handle("value_create after the death", |out| {
            call!(value_create(world.segment, c"next".as_ptr(), &Type::I64, out))
        })?;
        is("the new object is there", self.is_whole(world)?, there)?;
        is("objects", world.info()?.objects, objects + 1)?;
        let object = handle("open_or_create after the death", |out| {
            (self.open_or_create)(world.segment, out)
        })?;
        (self.as_new)(object)?;
        is("objects", world.info()?.objects, death.before.objects + 2)
    }
}

pub(crate) fn fresh_mutex_is_whole(world: &World, _: &Death) -> Result<Sight, String> {
    FRESH_MUTEX.is_whole(world).map(Sight::of)
}

pub(crate) fn fresh_value_is_whole(world: &World, _: &Death) -> Result<Sight, String> {
    FRESH_VALUE.is_whole(world).map(Sight::of)
}

pub(crate) fn fresh_array_is_whole(world: &World, _: &Death) -> Result<Sight, String> {
    FRESH_ARRAY.is_whole(world).map(Sight::of)
}

pub(crate) fn mutex_created(world: &World, death: &Death) -> Result<(), String> {
    FRESH_MUTEX.created(world, death)
}

pub(crate) fn value_created(world: &World, death: &Death) -> Result<(), String> {
    FRESH_VALUE.created(world, death)
}

pub(crate) fn array_created(world: &World, death: &Death) -> Result<(), String> {
    FRESH_ARRAY.created(world, death)
}
