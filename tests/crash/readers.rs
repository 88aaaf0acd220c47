//! Operations on reader-writer locks, and those who wait to read or to write.

use std::sync::atomic::Ordering::SeqCst;

use crate::abi::{DEADLOCK, FOREVER, OK, OWNER_DIED, TIMED_OUT, call};
use crate::board::{Board, NONE_YET};
use crate::gates::{PATIENCE_NS, called};
use crate::nouns::{Object, RWLOCK, readers};
use crate::operations::{Operation, PLAIN};
use crate::outcomes::{self, Death, is};
use crate::player::Stage;
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{FIRST, HOLDER, VIGIL, Vigil, ask};
use crate::world::{World, ok};

const LOCK: Operation =
    Operation { noun: Some(&RWLOCK), glance: nobody_died, outcome: quiet, ..PLAIN };

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "read_lock",
        victim: |stage| called(stage, &RWLOCK, |_| Ok(()), read_lock),
        ..LOCK
    },
    Operation {
        name: "read_lock_again",
        victim: |stage| called(stage, &RWLOCK, |lock| ok("read", read_lock(lock)), read_lock),
        glance: readers_are_in,
        ..LOCK
    },
    Operation {
        name: "read_unlock",
        victim: |stage| called(stage, &RWLOCK, |lock| ok("read", read_lock(lock)), read_unlock),
        ..LOCK
    },
    Operation {
        name: "read_unlock_once",
        victim: |stage| called(stage, &RWLOCK, read_twice, read_unlock),
        glance: readers_are_in,
        ..LOCK
    },
    Operation {
        name: "read_lock_dead_writer",
        predecessor: Some(dies_writing),
        victim: |stage| called(stage, &RWLOCK, |_| Ok(()), read_lock),
        status: OWNER_DIED,
        glance: |_| Ok(()),
        outcome: |world, death| told(world, death, death.first.then_some(OWNER_DIED)),
        ..LOCK
    },
    Operation {
        name: "write_lock",
        victim: |stage| called(stage, &RWLOCK, |_| Ok(()), write_lock),
        outcome: |world, death| told(world, death, death.gives(OWNER_DIED)),
        ..LOCK
    },
    Operation {
        name: "write_lock_dead_writer",
        predecessor: Some(dies_writing),
        victim: |stage| called(stage, &RWLOCK, |_| Ok(()), write_lock),
        status: OWNER_DIED,
        glance: |_| Ok(()),
        outcome: |world, death| told(world, death, death.first.then_some(OWNER_DIED)),
        ..LOCK
    },
    Operation {
        name: "write_lock_dead_reader",
        predecessor: Some(dies_reading),
        victim: |stage| called(stage, &RWLOCK, |_| Ok(()), write_lock),
        outcome: |world, death| told(world, death, death.gives(OWNER_DIED)),
        ..LOCK
    },
    Operation {
        name: "write_unlock",
        victim: |stage| called(stage, &RWLOCK, |lock| ok("write", write_lock(lock)), write_unlock),
        outcome: |world, death| told(world, death, death.gives(OK)),
        ..LOCK
    },
    Operation {
        name: "write_mark_consistent",
        predecessor: Some(dies_writing),
        victim: |stage| called(stage, &RWLOCK, take_over, mark_and_unlock),
        glance: |_| Ok(()),
        outcome: |world, death| told(world, death, death.gives(OK)),
        ..LOCK
    },
];

const READER: Role =
    Role { wait: |lock, _| entered(read_lock(lock), false), leave: leave_reading, ..ROLE };
const WRITER: Role =
    Role { wait: |lock, _| entered(write_lock(lock), true), leave: leave_writing, ..ROLE };

/// The victim has the lock, and those wait who cannot come in beside it.
const HELD: Vigil = Vigil { noun: &RWLOCK, sleepers: &[&READER, &WRITER, &READER], ..VIGIL };
/// The victim waits, and others behind it.
const WAITED: Vigil = Vigil {
    noun: &RWLOCK,
    holder: Some(&WRITER),
    sleepers: &[&WRITER, &READER],
    waker: Some(|cast| cast.leaves(HOLDER)),
    ..VIGIL
};

pub(crate) const VIGILS: &[Vigil] = &[
    Vigil {
        name: "write_unlock_waiters",
        before: |lock| ok("write", write_lock(lock)),
        call: write_unlock,
        judge: |cast, fate| turns(cast, if fate.returned { News::None } else { News::Any }),
        ..HELD
    },
    Vigil {
        name: "read_unlock_waiters",
        before: |lock| ok("read", read_lock(lock)),
        call: read_unlock,
        sleepers: &[&WRITER, &READER],
        judge: |cast, _| turns(cast, News::None),
        ..HELD
    },
    // It lives on, and wakes the writer by itself.
    Vigil {
        name: "read_unlock_lives",
        before: |lock| ok("read", read_lock(lock)),
        call: read_unlock,
        lives: true,
        sleepers: &[&WRITER, &READER],
        judge: |cast, _| turns(cast, News::None),
        ..HELD
    },
    // A writer waits for two readers, of whom the other one stays for a while.
    Vigil {
        name: "read_unlock_beside_another",
        is_variant: true,
        holder: Some(&READER),
        before: |lock| ok("read", read_lock(lock)),
        call: read_unlock,
        sleepers: &[&WRITER, &READER],
        judge: |cast, _| {
            is("status of a writer beside a reader", cast.status(FIRST), None)?;
            turns(cast, News::None)
        },
        ..HELD
    },
    Vigil {
        name: "read_lock_wait",
        is_variant: true,
        call: read_lock,
        judge: |cast, _| turns(cast, News::None),
        ..WAITED
    },
    Vigil {
        name: "read_lock_wait_writer_dies",
        call: |lock| told_as_ok(read_lock(lock)),
        waker: Some(holder_dies),
        judge: |cast, _| turns(cast, News::Some),
        ..WAITED
    },
    Vigil {
        name: "read_lock_timeout",
        is_variant: true,
        call: |lock| call!(rwlock_read_lock(lock.handle, PATIENCE_NS)),
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        judge: |cast, _| turns(cast, News::None),
        ..WAITED
    },
    Vigil {
        name: "write_lock_wait",
        is_variant: true,
        call: write_lock,
        judge: |cast, fate| turns(cast, if fate.returned { News::Some } else { News::Any }),
        ..WAITED
    },
    Vigil {
        name: "write_lock_wait_writer_dies",
        call: |lock| told_as_ok(write_lock(lock)),
        waker: Some(holder_dies),
        judge: |cast, _| turns(cast, News::Some),
        ..WAITED
    },
    // Once it has the mutex, the victim waits for a reader who is in.
    Vigil {
        name: "write_lock_wait_reader",
        holder: Some(&READER),
        call: write_lock,
        judge: |cast, fate| turns(cast, if fate.returned { News::Some } else { News::Any }),
        ..WAITED
    },
    Vigil {
        name: "write_lock_wait_reader_dies",
        holder: Some(&READER),
        call: write_lock,
        waker: Some(|cast| {
            let reading = &Board::get().inside[READING];
            reading.fetch_sub(1, SeqCst);
            holder_dies(cast)
        }),
        judge: |cast, fate| turns(cast, if fate.returned { News::Some } else { News::Any }),
        ..WAITED
    },
    // It dies waiting for a reader who stays: nobody has written, so nobody is told.
    Vigil {
        name: "write_lock_dies_waiting",
        holder: Some(&READER),
        sleepers: &[],
        call: write_lock,
        status: NONE_YET,
        judge: |cast, _| turns(cast, News::None),
        ..HELD
    },
    Vigil {
        name: "write_lock_timeout_reader",
        holder: Some(&READER),
        call: |lock| call!(rwlock_write_lock(lock.handle, PATIENCE_NS)),
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        judge: |cast, _| turns(cast, News::None),
        ..WAITED
    },
    Vigil {
        name: "write_lock_timeout",
        is_variant: true,
        call: |lock| call!(rwlock_write_lock(lock.handle, PATIENCE_NS)),
        status: TIMED_OUT,
        waker: Some(|_| Ok(())),
        judge: |cast, _| turns(cast, News::None),
        ..WAITED
    },
];

/// Whether survivors are told that a writer died.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    None,
    Any,
    Some,
}

fn read_lock(lock: &Object) -> i32 {
    call!(rwlock_read_lock(lock.handle, FOREVER))
}

fn read_unlock(lock: &Object) -> i32 {
    call!(rwlock_read_unlock(lock.handle))
}

fn write_lock(lock: &Object) -> i32 {
    call!(rwlock_write_lock(lock.handle, FOREVER))
}

fn write_unlock(lock: &Object) -> i32 {
    call!(rwlock_write_unlock(lock.handle))
}

fn mark_and_unlock(lock: &Object) -> i32 {
    match call!(rwlock_mark_consistent(lock.handle)) {
        OK => write_unlock(lock),
        status => status,
    }
}

fn read_twice(lock: &Object) -> Result<(), String> {
    ok("read", read_lock(lock))?;
    ok("read again", read_lock(lock))
}

fn take_over(lock: &Object) -> Result<(), String> {
    is("status of the victim's first lock", write_lock(lock), OWNER_DIED)
}

fn told_as_ok(status: i32) -> i32 {
    if status == OWNER_DIED { OK } else { status }
}

fn dies_writing(stage: Stage) -> Result<(), String> {
    ok("write", write_lock(&RWLOCK.open()?))?;
    stage.pause();
    Ok(())
}

fn dies_reading(stage: Stage) -> Result<(), String> {
    ok("read", read_lock(&RWLOCK.open()?))?;
    stage.pause();
    Ok(())
}

// --- alone ---

/// While everybody lives, nobody is told of a death.
fn nobody_died(world: &World) -> Result<(), String> {
    RWLOCK.look(world, |lock| match call!(rwlock_read_lock(lock.handle, 0)) {
        OK => ok("read_unlock", read_unlock(lock)),
        TIMED_OUT => Ok(()),
        status => is("status of a try to read", status, OK),
    })
}

/// While somebody reads, others may, and nobody may write.
fn readers_are_in(world: &World) -> Result<(), String> {
    nobody_died(world)?;
    RWLOCK.look(world, |lock| {
        is("readers", readers(lock.handle)?, 1)?;
        is("status of a try to write", call!(rwlock_write_lock(lock.handle, 0)), TIMED_OUT)
    })
}

/// The death of a reader is in nobody's way and no news.
fn quiet(world: &World, death: &Death) -> Result<(), String> {
    told(world, death, Some(OK))
}

/// Survivors read and write, and are told of a writer's death until somebody marks it.
fn told(world: &World, death: &Death, must_be: Option<i32>) -> Result<(), String> {
    RWLOCK.look(world, |lock| {
        is("readers", readers(lock.handle)?, 0)?;
        let status = read_lock(lock);
        is("status of a survivor who reads", status, must_be.unwrap_or(told_or_not(status)))?;
        is("readers", readers(lock.handle)?, 1)?;
        is("status of a reader who would write", write_lock(lock), DEADLOCK)?;
        ok("read_unlock", read_unlock(lock))?;
        is("status of one who writes", write_lock(lock), status)?;
        is("status of a writer who would read", read_lock(lock), DEADLOCK)?;
        if status == OWNER_DIED {
            ok("write_unlock", write_unlock(lock))?;
            is("status of a writer after nobody has marked it", write_lock(lock), OWNER_DIED)?;
            ok("mark_consistent", call!(rwlock_mark_consistent(lock.handle)))?;
        }
        ok("write_unlock", write_unlock(lock))?;
        ok("write", write_lock(lock))?;
        ok("write_unlock", write_unlock(lock))?;
        ok("read", read_lock(lock))?;
        ok("read_unlock", read_unlock(lock))
    })?;
    outcomes::unchanged(world, death)
}

/// The status itself if it is one of the two that a lock may give.
fn told_or_not(status: i32) -> i32 {
    if status == OWNER_DIED { OWNER_DIED } else { OK }
}

// --- among others ---

/// Where the board counts who reads; before it, who writes.
const WRITING: usize = 0;
const READING: usize = 1;

/// Notes who is in; a status that says that nobody came in is passed on.
fn entered(status: i32, writes: bool) -> i32 {
    if status != OK && status != OWNER_DIED {
        return status;
    }
    let board = Board::get();
    let [writing, reading] = &board.inside;
    let others = if writes {
        writing.fetch_add(1, SeqCst) + reading.load(SeqCst)
    } else {
        reading.fetch_add(1, SeqCst);
        writing.load(SeqCst)
    };
    // A writer that was killed inside is there for ever.
    if others > 0 && board.doomed.load(SeqCst) == 0 {
        board.intrusions.fetch_add(1, SeqCst);
    }
    status
}

fn leave_reading(lock: &Object, _: i32) -> Result<(), String> {
    Board::get().inside[READING].fetch_sub(1, SeqCst);
    ok("read_unlock", read_unlock(lock))
}

fn leave_writing(lock: &Object, status: i32) -> Result<(), String> {
    if status == OWNER_DIED {
        ok("mark_consistent", call!(rwlock_mark_consistent(lock.handle)))?;
    }
    Board::get().inside[WRITING].fetch_sub(1, SeqCst);
    ok("write_unlock", write_unlock(lock))
}

fn holder_dies(cast: &mut Cast) -> Result<(), String> {
    cast.dies(HOLDER);
    Ok(())
}

/// Everybody gets in, writers alone, and is told of a death if there was one.
fn turns(cast: &mut Cast, news: News) -> Result<(), String> {
    cast.take_turns()?;
    let mut told = cast.statuses().iter().filter(|status| **status == OWNER_DIED).count() as u32;
    // Should all have been in before.
    told += ask(cast, |lock| match write_lock(lock) {
        OK => ok("write_unlock", write_unlock(lock)).map(|()| 0),
        status => {
            is("status of the last to write", status, OWNER_DIED)?;
            ok("mark_consistent", mark_and_unlock(lock)).map(|()| 1)
        }
    })?;
    match news {
        News::None => is("survivors who are told that a writer died", told, 0),
        News::Some if told == 0 => Err("nobody is told that a writer died".into()),
        _ => Ok(()),
    }
}
