//! The segment on stage, as every player but the victim uses it: through the C
//! ABI, with each refusal turned into a sentence.

use std::ffi::CStr;
use std::path::PathBuf;
use std::ptr::{null, null_mut};

use crate::abi::{
    FOREVER, Handle, MemberInfo, MutexOptions, OK, OWNER_DIED, Owner, Roomy, SegmentInfo,
    SegmentOptions, Type, abi, call,
};
use crate::board::{Board, now_ns};

/// The name of the segment.
pub(crate) const SEGMENT: &CStr = c"scene";
/// Its size.
pub(crate) const SEGMENT_SIZE: usize = 1 << 20;
/// What lies in it.
pub(crate) const MUTEX: &CStr = c"mutex";
pub(crate) const OTHER: &CStr = c"other";
pub(crate) const RECURSIVE: &CStr = c"recursive";
pub(crate) const SMALL: &CStr = c"small";
pub(crate) const LARGE: &CStr = c"large";
pub(crate) const TABLE_NAME: &CStr = c"table";
/// A value that the founder has open and nobody else.
pub(crate) const SPARE: &CStr = c"spare";
/// What is created on stage.
pub(crate) const FRESH: &CStr = c"fresh";

/// Bytes in a value that one store can set, and in one that takes several.
pub(crate) const SMALL_SIZE: usize = 8;
pub(crate) const LARGE_SIZE: usize = 40;
pub(crate) const LARGE_TYPE: Type = Type::bytes(LARGE_SIZE as u64);
/// What each byte of a value is before the victim stores, and after.
pub(crate) const OLD: u8 = 1;
pub(crate) const NEW: u8 = 2;
/// Participants for which there is room in most scenes: so few that a lost place
/// is missed.
pub(crate) const CROWD: u32 = 4;
/// The shape of the array that is created on stage.
pub(crate) const SHAPE: [u64; 2] = [3, 500];

/// Elements of the array.
pub(crate) const TABLE: u64 = 64;
/// Words of an array that takes most of the segment.
pub(crate) const MOST_WORDS: u64 = SEGMENT_SIZE as u64 / 8 / 10 * 7;

/// The segment and its objects, open in this process.
#[derive(Clone, Copy)]
pub(crate) struct World {
    pub(crate) segment: Handle,
    pub(crate) mutex: Handle,
    pub(crate) other: Handle,
    pub(crate) recursive: Handle,
    pub(crate) small: Handle,
    pub(crate) large: Handle,
    pub(crate) table: Handle,
}

// SAFETY: handles are numbers in the shape of pointers; any thread may use them.
unsafe impl Send for World {}

/// Where the segment's file is.
pub(crate) fn segment_path() -> PathBuf {
    let directory = std::env::var_os("ATOLL_DIR").expect("the theatre is open");
    PathBuf::from(directory).join(SEGMENT.to_str().expect("a plain name"))
}

/// Turns a status other than OK into the library's own sentence.
pub(crate) fn ok(call: &str, status: i32) -> Result<(), String> {
    match status {
        OK => Ok(()),
        status => Err(format!("{call} gives status {status}: {}", abi().sentence())),
    }
}

/// The options with which the segment is created.
pub(crate) fn options(max_participants: u32) -> SegmentOptions {
    let struct_size = size_of::<SegmentOptions>() as u32;
    SegmentOptions {
        struct_size,
        size: SEGMENT_SIZE as u64,
        max_participants,
        ..Default::default()
    }
}

/// The handle that a call puts out.
pub(crate) fn handle(call: &str, make: impl FnOnce(*mut Handle) -> i32) -> Result<Handle, String> {
    let mut out = null_mut();
    ok(call, make(&mut out))?;
    Ok(out)
}

pub(crate) fn open_segment() -> Result<Handle, String> {
    handle("segment_open", |out| call!(segment_open(SEGMENT.as_ptr(), null(), out)))
}

impl World {
    /// Creates the segment and what every scene has in it.
    pub(crate) fn found(max_participants: u32) -> Result<Self, String> {
        let options = options(max_participants);
        let segment =
            handle("segment_create", |out| call!(segment_create(SEGMENT.as_ptr(), &options, out)))?;
        Self::furnish(segment)
    }

    /// Creates in an empty segment what every scene has in it.
    pub(crate) fn furnish(segment: Handle) -> Result<Self, String> {
        let mutex = |name: &CStr| {
            handle("mutex_create", |out| call!(mutex_create(segment, name.as_ptr(), null(), out)))
        };
        let value = |name: &CStr, ty: &Type| {
            handle("value_create", |out| call!(value_create(segment, name.as_ptr(), ty, out)))
        };
        let (small, large) = (value(SMALL, &Type::I64)?, value(LARGE, &LARGE_TYPE)?);
        store(small, &[OLD; SMALL_SIZE])?;
        store(large, &[OLD; LARGE_SIZE])?;
        value(SPARE, &LARGE_TYPE)?;
        let table = handle("array_create", |out| {
            call!(array_create(segment, TABLE_NAME.as_ptr(), &Type::I64, 1, &TABLE, out))
        })?;
        let recursive = handle("mutex_create", |out| {
            call!(mutex_create(segment, RECURSIVE.as_ptr(), &MutexOptions::RECURSIVE, out))
        })?;
        let (mutex, other) = (mutex(MUTEX)?, mutex(OTHER)?);
        let world = Self { segment, mutex, other, recursive, small, large, table };
        let elements = call!(array_data(table)).cast::<i64>();
        for element in 0..TABLE as usize {
            // SAFETY: inside the array.
            let place = unsafe { elements.add(element) };
            // SAFETY: likewise.
            unsafe { place.write(OLD.into()) };
        }
        world.write_ticket()?;
        Ok(world)
    }

    /// Opens the segment, which makes the process a member and gives the thread its
    /// seat, and what every scene has in it.
    pub(crate) fn open() -> Result<Self, String> {
        let segment = open_segment()?;
        let mutex = |name: &CStr| {
            handle("mutex_open", |out| call!(mutex_open(segment, name.as_ptr(), null(), out)))
        };
        let value = |name: &CStr| {
            handle("value_open", |out| call!(value_open(segment, name.as_ptr(), null(), out)))
        };
        let (mutex, other) = (mutex(MUTEX)?, mutex(OTHER)?);
        let recursive = handle("mutex_open", |out| {
            call!(mutex_open(segment, RECURSIVE.as_ptr(), &MutexOptions::RECURSIVE, out))
        })?;
        let (small, large) = (value(SMALL)?, value(LARGE)?);
        let table = handle("array_open", |out| {
            call!(array_open(segment, TABLE_NAME.as_ptr(), null(), 0, null(), out))
        })?;
        Ok(Self { segment, mutex, other, recursive, small, large, table })
    }

    /// For whoever wants to import something.
    fn write_ticket(&self) -> Result<(), String> {
        let mut ticket = [0; _];
        let value = handle("value_create", |out| {
            call!(value_create(self.segment, null(), &LARGE_TYPE, out))
        })?;
        ok("value_export", call!(value_export(value, &mut ticket)))?;
        Board::get().leave_ticket(ticket);
        Ok(())
    }

    /// What is in the array.
    pub(crate) fn table(&self) -> Result<[i64; TABLE as usize], String> {
        let elements = call!(array_data(self.table)).cast::<[i64; TABLE as usize]>();
        match elements.is_null() {
            true => Err(format!("array_data gives NULL: {}", abi().sentence())),
            // SAFETY: the array has that many elements, and nobody writes there: we hold
            // its locks.
            false => Ok(unsafe { elements.read_volatile() }),
        }
    }

    /// The same world, where the mutex is the other one.
    pub(crate) fn turned(self) -> Self {
        Self { mutex: self.other, other: self.mutex, ..self }
    }

    /// The same world, where the mutex is the recursive one.
    pub(crate) fn recursing(self) -> Self {
        Self { mutex: self.recursive, recursive: self.mutex, ..self }
    }

    /// Gives another thread its seat, by a call that needs one and changes nothing.
    pub(crate) fn take_seat(&self) -> Result<(), String> {
        store(self.large, &[OLD; LARGE_SIZE])
    }

    /// What any survivor may do next: takes every lock, and leaves it in good order.
    pub(crate) fn lock_all(&self) -> Result<(), String> {
        for world in [*self, self.turned(), self.recursing()] {
            if world.lock()? == OWNER_DIED {
                world.mark_consistent()?;
            }
            world.unlock()?;
        }
        Ok(())
    }

    /// Likewise: creates objects of all sizes, and gives them back.
    pub(crate) fn allocate(&self) -> Result<(), String> {
        let arrays: Vec<Handle> =
            [1, 30, 700].iter().map(|words| self.array(*words)).collect::<Result<_, _>>()?;
        arrays.iter().try_for_each(|array| ok("array_close", call!(array_close(*array))))
    }

    /// An array without a name, of so many words.
    pub(crate) fn array(&self, words: u64) -> Result<Handle, String> {
        handle("array_create", |out| self.create_array(words, out))
    }

    pub(crate) fn create_array(&self, words: u64, out: *mut Handle) -> i32 {
        call!(array_create(self.segment, null(), &Type::I64, 1, &words, out))
    }

    pub(crate) fn verify(&self) -> Result<(), String> {
        ok("segment_verify", call!(segment_verify(self.segment)))
    }

    pub(crate) fn info(&self) -> Result<SegmentInfo, String> {
        let mut info = Roomy::<SegmentInfo>::default();
        ok("segment_stat", call!(segment_stat(self.segment, &mut info)))?;
        Ok(info.content)
    }

    /// Locks the mutex however long it takes, and notes how long that was. Gives
    /// OK or OWNER_DIED.
    pub(crate) fn lock(&self) -> Result<i32, String> {
        let start = now_ns();
        let status = self.lock_behind_others();
        Board::get().note_wait(now_ns() - start);
        status
    }

    /// The same, where the time is taken from when the mutex was free.
    pub(crate) fn lock_behind_others(&self) -> Result<i32, String> {
        let status = call!(mutex_lock(self.mutex, FOREVER));
        if status == OWNER_DIED { Ok(status) } else { ok("mutex_lock", status).map(|()| OK) }
    }

    pub(crate) fn unlock(&self) -> Result<(), String> {
        ok("mutex_unlock", call!(mutex_unlock(self.mutex)))
    }

    pub(crate) fn mark_consistent(&self) -> Result<(), String> {
        ok("mutex_mark_consistent", call!(mutex_mark_consistent(self.mutex)))
    }

    pub(crate) fn owner(&self) -> Result<Owner, String> {
        let mut owner = Roomy::<Owner>::default();
        ok("mutex_owner", call!(mutex_owner(self.mutex, &mut owner)))?;
        Ok(owner.content)
    }

    /// Whether it can be seen without locking that an owner died, and nobody has marked it.
    pub(crate) fn owner_death_is_announced(&self) -> Result<bool, String> {
        let owner = self.owner()?;
        let mut dead = Roomy::<Owner>::default();
        ok("mutex_dead_owner", call!(mutex_dead_owner(self.mutex, &mut dead)))?;
        Ok(owner.generation != 0 || dead.content.generation != 0)
    }

    /// The next death after `seen`, however long it takes.
    pub(crate) fn death(&self, seen: u64) -> Result<MemberInfo, String> {
        let (mut epoch, mut member) = (0, Roomy::<MemberInfo>::default());
        let start = now_ns();
        let status =
            call!(segment_wait_death(self.segment, seen, FOREVER, &mut epoch, &mut member));
        Board::get().note_wait(now_ns() - start);
        ok("segment_wait_death", status).map(|()| member.content)
    }
}

/// The bytes of a value, of which there must be exactly `N`.
pub(crate) fn load<const N: usize>(value: Handle) -> Result<[u8; N], String> {
    let (mut bytes, mut length) = ([0; N], 0);
    ok("value_load", call!(value_load(value, bytes.as_mut_ptr(), N, &mut length)))?;
    match length {
        length if length == N => Ok(bytes),
        length => Err(format!("value_load gives {length} bytes instead of {N}")),
    }
}

pub(crate) fn store(value: Handle, bytes: &[u8]) -> Result<(), String> {
    let start = now_ns();
    let status = call!(value_store(value, bytes.as_ptr(), bytes.len(), FOREVER));
    Board::get().note_wait(now_ns() - start);
    ok("value_store", status)
}
