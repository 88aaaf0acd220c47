//! Operations as programs in C++ make them: by what `atoll.hpp` inlines. `inlined.cpp`
//! stands for such a program. What an owner's death comes to there is an exception.

use std::ffi::{c_char, c_void};
use std::sync::OnceLock;

use crate::abi::{OK, OWNER_DIED};
use crate::loader::functions;
use crate::operations::{Operation, PLAIN, Scene};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::short::compiled;
use crate::victim::stepped;
use crate::world::{NEW, OLD, SEGMENT, SMALL_SIZE, World};

/// What the names of all these begin with.
pub(crate) const PREFIX: &str = "inlined_cpp";

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "inlined_cpp_lock",
        victim: |stage| with_things(stage, lock),
        glance: outcomes::nobody_died,
        outcome: outcomes::locked,
        ..PLAIN
    },
    Operation {
        name: "inlined_cpp_lock_dead_owner",
        scene: Scene::DeadOwner,
        victim: |stage| with_things(stage, lock),
        status: OWNER_DIED,
        outcome: outcomes::taken_over,
        ..PLAIN
    },
    Operation {
        name: "inlined_cpp_unlock",
        victim: unlock,
        glance: outcomes::nobody_died,
        outcome: outcomes::unlocked,
        ..PLAIN
    },
    Operation {
        name: "inlined_cpp_nest",
        victim: |stage| {
            // SAFETY: what `open` gave.
            with_things(stage, |cpp, things| unsafe { (cpp.nest)(things) })
        },
        outcome: both_unlocked,
        ..PLAIN
    },
    Operation {
        name: "inlined_cpp_add",
        victim: |stage| with_things(stage, add),
        glance: |world| outcomes::small_is_whole(world).map(drop),
        sight: |world, _| outcomes::small_is_whole(world),
        outcome: outcomes::small_stored,
        ..PLAIN
    },
];

functions! {
    /// What `inlined.cpp` has.
    Cpp, "cpp_";
    open(*const c_char) -> *mut c_void;
    lock(*mut c_void) -> i32;
    unlock(*mut c_void) -> i32;
    nest(*mut c_void) -> i32;
    add(*mut c_void, i64) -> i32;
}

static CPP: OnceLock<Cpp> = OnceLock::new();

/// Compiles the program and loads it.
pub(crate) fn load() -> Result<(), String> {
    let library = compiled(&["c++", "-std=c++17"], "inlined.cpp")?;
    CPP.set(Cpp::bind(&library)?).map_err(|_| "inlined.cpp is loaded twice".into())
}

/// What the program has open.
fn things() -> Result<(&'static Cpp, *mut c_void), String> {
    let cpp = CPP.get().expect("the program is loaded first");
    // SAFETY: a name that ends with NUL.
    let things = unsafe { (cpp.open)(SEGMENT.as_ptr()) };
    if things.is_null() {
        Err("inlined.cpp cannot open its things".into())
    } else {
        Ok((cpp, things))
    }
}

fn with_things(stage: Stage, call: fn(&Cpp, *mut c_void) -> i32) -> Result<(), String> {
    let (cpp, things) = things()?;
    stepped(stage, || call(cpp, things))
}

fn lock(cpp: &Cpp, things: *mut c_void) -> i32 {
    // SAFETY: what `open` gave.
    unsafe { (cpp.lock)(things) }
}

fn unlock(stage: Stage) -> Result<(), String> {
    let (cpp, things) = things()?;
    is("status of the lock", lock(cpp, things), OK)?;
    // SAFETY: what `open` gave.
    stepped(stage, || unsafe { (cpp.unlock)(things) })
}

/// From a number of old bytes to one of new bytes.
fn add(cpp: &Cpp, things: *mut c_void) -> i32 {
    let [old, new] = [OLD, NEW].map(|byte| i64::from_ne_bytes([byte; SMALL_SIZE]));
    // SAFETY: what `open` gave.
    unsafe { (cpp.add)(things, new - old) }
}

fn both_unlocked(world: &World, death: &Death) -> Result<(), String> {
    outcomes::recursive_unlocked(world, death)?;
    outcomes::unlocked(world, death)
}
