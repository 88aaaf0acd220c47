//! How players lock: by calls of the library, or by its short ways, which are compiled
//! into the program that uses them. `inlined.c` stands for that program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::abi::{self, FOREVER, Handle, OK, OWNER_DIED, Place, call};
use crate::loader::{Library, functions};
use crate::world::ok;

functions! {
    /// What `inlined.c` has.
    Program, "inlined_";
    lock(*const Place, Handle, i64) -> i32;
    unlock(*const Place, Handle) -> i32;
    lock_recursive(*const Place, Handle, i64) -> i32;
    unlock_recursive(*const Place, Handle) -> i32;
    add(*const Place, i64) -> i64;
    push(Handle, u64) -> i32;
    pop(Handle, *mut u64) -> i32;
    push_to_many(Handle, u64) -> i32;
    pop_of_many(Handle, *mut u64) -> i32;
}

static PROGRAM: OnceLock<Program> = OnceLock::new();

/// Compiles the program and loads it.
pub(crate) fn load() -> Result<(), String> {
    let library = compiled(&["cc", "-std=c99"], "inlined.c")?;
    PROGRAM.set(Program::bind(&library)?).map_err(|_| "inlined.c is loaded twice".into())
}

/// A program beside this file, compiled and loaded. The library is loaded already.
pub(crate) fn compiled(compiler: &[&str], source: &str) -> Result<Library, String> {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Where the headers are that the library under test came with.
    let include = std::env::var_os("ATOLL_INCLUDE").map_or(tree.join("include"), PathBuf::from);
    let object = format!("{source}-{}.so", std::process::id());
    let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join(object);
    let compiled = Command::new(compiler[0])
        .args(&compiler[1..])
        .args(["-O2", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(include)
        .arg(tree.join("tests/crash").join(source))
        .arg("-o")
        .arg(&object)
        .arg(abi::library()?)
        .output()
        .map_err(|e| format!("{}: {e}", compiler[0]))?;
    if !compiled.status.success() {
        return Err(format!("{source}: {}", String::from_utf8_lossy(&compiled.stderr)));
    }
    let library = Library::open(&object);
    // Loaded, it needs no name.
    let _ = std::fs::remove_file(&object);
    library
}

/// Calls a function of the program, as `call` does one of the library.
macro_rules! inlined {
    ($function:ident($($argument:expr),*)) => {{
        let function = PROGRAM.get().expect("the program is loaded first").$function;
        // SAFETY: places and handles come from the library, and belong together.
        unsafe { function($($argument),*) }
    }};
}

/// Pushes a number into a spsc, by the short way once it is known.
pub(crate) fn push(ring: Handle, number: u64) -> i32 {
    inlined!(push(ring, number))
}

/// Pops one, likewise.
pub(crate) fn pop(ring: Handle, out: &mut u64) -> i32 {
    inlined!(pop(ring, out))
}

/// Pushes a number into an mpmc without a call, or by one.
pub(crate) fn push_to_many(ring: Handle, number: u64) -> i32 {
    inlined!(push_to_many(ring, number))
}

/// Pops one, likewise.
pub(crate) fn pop_of_many(ring: Handle, out: &mut u64) -> i32 {
    inlined!(pop_of_many(ring, out))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Called,
    Inlined,
}

/// A mutex, and the way in which it is locked and unlocked.
#[derive(Clone, Copy)]
pub(crate) struct Lock {
    way: Way,
    pub(crate) mutex: Handle,
    place: Place,
}

// SAFETY: a handle is a number, and a place is the same for all threads.
unsafe impl Send for Lock {}

impl Lock {
    pub(crate) fn of(mutex: Handle, way: Way) -> Result<Self, String> {
        let mut place = Place::NOWHERE;
        ok("mutex_place", call!(mutex_place(mutex, Place::CONTRACT, &mut place)))?;
        match place.word.is_null() {
            true => Err("the mutex has no short way".into()),
            false => Ok(Self { way, mutex, place }),
        }
    }

    /// The same mutex, locked by the short way.
    pub(crate) fn inlined(&self) -> Self {
        Self { way: Way::Inlined, ..*self }
    }

    pub(crate) fn is_recursive(&self) -> bool {
        self.place.flags & Place::RECURSIVE != 0
    }

    /// Whether a thread that takes part in both segments remembers one at a time.
    pub(crate) fn shares_its_seat_with(&self, other: &Self) -> bool {
        self.place.seat == other.place.seat && self.place.segment != other.place.segment
    }

    pub(crate) fn lock(&self, timeout_ns: i64) -> i32 {
        match (self.way, self.is_recursive()) {
            (Way::Called, _) => call!(mutex_lock(self.mutex, timeout_ns)),
            (Way::Inlined, false) => inlined!(lock(&self.place, self.mutex, timeout_ns)),
            (Way::Inlined, true) => inlined!(lock_recursive(&self.place, self.mutex, timeout_ns)),
        }
    }

    pub(crate) fn unlock(&self) -> i32 {
        match (self.way, self.is_recursive()) {
            (Way::Called, _) => call!(mutex_unlock(self.mutex)),
            (Way::Inlined, false) => inlined!(unlock(&self.place, self.mutex)),
            (Way::Inlined, true) => inlined!(unlock_recursive(&self.place, self.mutex)),
        }
    }
}

impl Lock {
    /// Locks however long it takes; OK or OWNER_DIED.
    pub(crate) fn take(&self) -> Result<i32, String> {
        match self.lock(FOREVER) {
            OWNER_DIED => Ok(OWNER_DIED),
            status => ok("lock", status).map(|()| OK),
        }
    }

    pub(crate) fn give_back(&self) -> Result<(), String> {
        ok("unlock", self.unlock())
    }
}

/// A number in the segment, to which is added without a call.
pub(crate) struct Number {
    place: Place,
}

impl Number {
    pub(crate) fn of(value: Handle) -> Result<Self, String> {
        let mut place = Place::NOWHERE;
        ok("value_place", call!(value_place(value, Place::CONTRACT, &mut place)))?;
        match place.word.is_null() {
            true => Err("the value has no short way".into()),
            false => Ok(Self { place }),
        }
    }

    /// Gives what it was.
    pub(crate) fn add(&self, operand: i64) -> i64 {
        inlined!(add(&self.place, operand))
    }
}
