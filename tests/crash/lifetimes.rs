//! Operations about memory: how objects come, whose they are, and how they go.

use std::ptr::{null, null_mut};

use crate::abi::{Handle, NOT_FOUND, Ticket, call};
use crate::board::Board;
use crate::operations::{News, Operation, PLAIN, Scene, Sight, open};
use crate::outcomes::{self, Death, FRESH_VALUE, is};
use crate::player::Stage;
use crate::victim::stepped;
use crate::world::{
    FRESH, LARGE_SIZE, LARGE_TYPE, MOST_WORDS, NEW, SPARE, World, handle, load, ok,
};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation { name: "create_anonymous", victim: create_anonymous, ..PLAIN },
    Operation { name: "create_anonymous_dirty", victim: create_anonymous_dirty, ..PLAIN },
    Operation { name: "create_anonymous_growing", victim: create_anonymous_growing, ..PLAIN },
    Operation {
        name: "create_anonymous_after_death",
        scene: Scene::DeadOwner,
        victim: create_anonymous_growing,
        outcome: outcomes::taken_over,
        ..PLAIN
    },
    Operation {
        name: "create_with",
        victim: create_with,
        sight: created_with,
        outcome: goes_again,
        ..PLAIN
    },
    Operation { name: "open_value", victim: open_value, ..PLAIN },
    Operation { name: "close_named", victim: close_named, ..PLAIN },
    Operation { name: "close_last", victim: close_last, ..PLAIN },
    Operation { name: "close_last_between", victim: close_last_between, ..PLAIN },
    Operation { name: "close_last_large", victim: close_last_large, ..PLAIN },
    Operation { name: "close_last_removed", victim: close_last_removed, ..PLAIN },
    Operation { name: "remove", victim: remove, sight: removed, outcome: goes_again, ..PLAIN },
    Operation {
        name: "remove_held",
        victim: remove_held,
        sight: removed,
        outcome: goes_again,
        ..PLAIN
    },
    Operation {
        name: "remove_shared",
        victim: remove_shared,
        sight: spare_removed,
        outcome: spare_comes_again,
        ..PLAIN
    },
    Operation { name: "export", victim: export, ..PLAIN },
    Operation { name: "import", victim: import, fits_alone: false, ..PLAIN },
    Operation { name: "import_own", victim: import_own, ..PLAIN },
    Operation {
        name: "open_after_death",
        scene: Scene::DeadOwner,
        victim: open,
        news: News::OnceReturned,
        outcome: outcomes::taken_over,
        ..PLAIN
    },
    Operation {
        name: "verify_after_death",
        scene: Scene::DeadOwner,
        victim: verify,
        outcome: outcomes::taken_over,
        ..PLAIN
    },
];

/// An object that is nobody's but the victim's, and goes with it.
fn create_anonymous(stage: Stage) -> Result<(), String> {
    let (segment, mut out) = (World::open()?.segment, null_mut());
    stepped(stage, || call!(value_create(segment, null(), &LARGE_TYPE, &mut out)))
}

/// The same where others had left something in the memory.
fn create_anonymous_dirty(stage: Stage) -> Result<(), String> {
    const WORDS: u64 = 100;
    let world = World::open()?;
    let dirty = world.array(WORDS)?;
    let words = call!(array_data(dirty)).cast::<u64>();
    for word in 0..WORDS as usize {
        // SAFETY: the array has that many words.
        let place = unsafe { words.add(word) };
        // SAFETY: likewise.
        unsafe { place.write(u64::MAX) };
    }
    ok("array_close", call!(array_close(dirty)))?;
    let mut out = null_mut();
    stepped(stage, || world.create_array(WORDS / 2, &mut out))
}

/// The same where the segment has not enough memory yet.
fn create_anonymous_growing(stage: Stage) -> Result<(), String> {
    let (world, mut out) = (World::open()?, null_mut());
    stepped(stage, || world.create_array(MOST_WORDS, &mut out))
}

/// Others may open it again, or have it open.
fn close_named(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    stepped(stage, || call!(value_close(world.small)))
}

/// What nobody can open any more is memory again.
fn close_last(stage: Stage) -> Result<(), String> {
    close_array(stage, |world| world.array(2))
}

/// The same where the memory before and behind it is free already.
fn close_last_between(stage: Stage) -> Result<(), String> {
    close_array(stage, |world| {
        let arrays: Vec<Handle> = (0..4).map(|_| world.array(200)).collect::<Result<_, _>>()?;
        ok("array_close", call!(array_close(arrays[0])))?;
        ok("array_close", call!(array_close(arrays[2])))?;
        Ok(arrays[1])
    })
}

fn close_last_large(stage: Stage) -> Result<(), String> {
    close_array(stage, |world| world.array(MOST_WORDS))
}

fn close_array(stage: Stage, make: fn(&World) -> Result<Handle, String>) -> Result<(), String> {
    let array = make(&World::open()?)?;
    stepped(stage, || call!(array_close(array)))
}

/// What was removed while it was held goes with its last holder.
fn close_last_removed(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    let value = fresh(&world)?;
    ok("value_remove", call!(value_remove(world.segment, FRESH.as_ptr())))?;
    stepped(stage, || call!(value_close(value)))
}

/// A value with a name, open.
fn fresh(world: &World) -> Result<Handle, String> {
    handle("value_create", |out| {
        call!(value_create(world.segment, FRESH.as_ptr(), &LARGE_TYPE, out))
    })
}

fn create_with(stage: Stage) -> Result<(), String> {
    let (segment, mut out, new) = (World::open()?.segment, null_mut(), [NEW; LARGE_SIZE]);
    let name = FRESH.as_ptr();
    stepped(stage, || {
        call!(value_create_with(segment, name, &LARGE_TYPE, new.as_ptr(), LARGE_SIZE, &mut out))
    })
}

fn open_value(stage: Stage) -> Result<(), String> {
    let (world, mut out) = (World::open()?, null_mut());
    stepped(stage, || call!(value_open(world.segment, SPARE.as_ptr(), null(), &mut out)))
}

/// The name of something that nobody has open.
fn remove(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    ok("value_close", call!(value_close(fresh(&world)?)))?;
    stepped(stage, || call!(value_remove(world.segment, FRESH.as_ptr())))
}

/// The same where the victim itself has it open.
fn remove_held(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    fresh(&world)?;
    stepped(stage, || call!(value_remove(world.segment, FRESH.as_ptr())))
}

/// The same where others have it open.
fn remove_shared(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    stepped(stage, || call!(value_remove(world.segment, SPARE.as_ptr())))
}

/// A ticket goes with its writer if nobody has imported it.
fn export(stage: Stage) -> Result<(), String> {
    let (world, mut ticket) = (World::open()?, [0; _]);
    let value = anonymous(&world)?;
    stepped(stage, || call!(value_export(value, &mut ticket)))
}

/// A ticket of somebody else.
fn import(stage: Stage) -> Result<(), String> {
    let (_world, mut out) = (World::open()?, null_mut());
    let ticket: Ticket = Board::get().ticket();
    stepped(stage, || call!(value_import(&ticket, &mut out)))
}

/// The victim's own ticket, after it has closed what the ticket is for.
fn import_own(stage: Stage) -> Result<(), String> {
    let (world, mut ticket, mut out) = (World::open()?, [0; _], null_mut());
    let value = anonymous(&world)?;
    ok("value_export", call!(value_export(value, &mut ticket)))?;
    ok("value_close", call!(value_close(value)))?;
    stepped(stage, || call!(value_import(&ticket, &mut out)))
}

fn anonymous(world: &World) -> Result<Handle, String> {
    handle("value_create", |out| call!(value_create(world.segment, null(), &LARGE_TYPE, out)))
}

/// Whoever verifies settles what the dead have left.
fn verify(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    stepped(stage, || call!(segment_verify(world.segment)))
}

fn removed(world: &World, _: &Death) -> Result<Sight, String> {
    FRESH_VALUE.is_whole(world).map(|there| Sight::of(!there))
}

/// It was never seen without what it holds.
fn created_with(world: &World, _: &Death) -> Result<Sight, String> {
    let mut value = null_mut();
    match call!(value_open(world.segment, FRESH.as_ptr(), null(), &mut value)) {
        NOT_FOUND => Ok(Sight::Before),
        status => {
            ok("value_open", status)?;
            is("the new value", load::<LARGE_SIZE>(value)?, [NEW; LARGE_SIZE])?;
            ok("value_close", call!(value_close(value)))?;
            Ok(Sight::After)
        }
    }
}

/// If it is there it can be removed; then the name can be used again, and removed again.
fn goes_again(world: &World, _: &Death) -> Result<(), String> {
    let before = world.info()?.objects;
    let there = match call!(value_remove(world.segment, FRESH.as_ptr())) {
        NOT_FOUND => 0,
        status => ok("value_remove", status).map(|()| 1)?,
    };
    is("objects", world.info()?.objects, before - there)?;
    let value = fresh(world)?;
    is("objects", world.info()?.objects, before - there + 1)?;
    ok("value_remove", call!(value_remove(world.segment, FRESH.as_ptr())))?;
    ok("value_close", call!(value_close(value)))?;
    is("objects", world.info()?.objects, before - there)
}

fn spare_removed(world: &World, _: &Death) -> Result<Sight, String> {
    let mut value = null_mut();
    match call!(value_open(world.segment, SPARE.as_ptr(), null(), &mut value)) {
        NOT_FOUND => Ok(Sight::After),
        status => {
            ok("value_open", status)?;
            ok("value_close", call!(value_close(value)))?;
            Ok(Sight::Before)
        }
    }
}

/// The name is free for another object.
fn spare_comes_again(world: &World, _: &Death) -> Result<(), String> {
    match call!(value_remove(world.segment, SPARE.as_ptr())) {
        NOT_FOUND => {}
        status => ok("value_remove", status)?,
    }
    let spare = handle("value_open_or_create", |out| {
        call!(value_open_or_create(world.segment, SPARE.as_ptr(), &LARGE_TYPE, out))
    })?;
    ok("value_close", call!(value_close(spare)))
}
