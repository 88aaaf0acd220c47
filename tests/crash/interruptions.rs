//! A signal at every instruction, whose handler locks by the short way, sets an event or
//! releases a semaphore: what it interrupts goes on as if nothing had been.
//!
//! Between calls a handler may lock as anybody else. In a call it is refused, for it comes
//! to the call by itself: the thread's record says so. To set and to release is never
//! refused.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering::SeqCst};
use std::thread;

use crate::abi::{DEADLOCK, FOREVER, Handle, OK, OWNER_DIED, Owner, REENTRANT, Roomy, call};
use crate::board::{Board, NONE_YET, watchdog};
use crate::locks::nested;
use crate::nouns::{EVENT, Noun, Object, SEMAPHORE, permits};
use crate::operations::{Scene, in_a_thread};
use crate::outcomes::is;
use crate::player::{Player, Stage};
use crate::scene;
use crate::short::{Lock, Way};
use crate::travel::{self, Lead};
use crate::victim::{Morning, Stand, Victim, marked, nobody, stepped};
use crate::world::{World, handle, ok, options};

const FOUNDER: usize = 0;
const VICTIM: usize = 1;
/// Participants for which there is room.
const ROOM: u32 = 6;
const SIGNAL: i32 = libc::SIGUSR1;

/// A stretch of code that is interrupted.
pub(crate) struct Interruption {
    pub(crate) name: &'static str,
    scene: Scene,
    /// Of what kind there is an object besides.
    noun: Option<&'static Noun>,
    /// Arranges for the handler, and runs the stretch.
    part: fn(Stage) -> Result<(), String>,
    /// What the stretch gives. `NONE_YET`: it ends its thread.
    status: i32,
}

const PLAIN: Interruption =
    Interruption { name: "", scene: Scene::Segment, noun: None, part: |_| Ok(()), status: OK };

pub(crate) const INTERRUPTIONS: &[Interruption] = &[
    Interruption { name: "interrupted_lock", part: |stage| lock(stage, Way::Called), ..PLAIN },
    Interruption { name: "interrupted_inlined", part: |stage| lock(stage, Way::Inlined), ..PLAIN },
    Interruption { name: "interrupted_nested", part: |stage| nest(stage, Way::Called), ..PLAIN },
    Interruption {
        name: "interrupted_inlined_nested",
        part: |stage| nest(stage, Way::Inlined),
        ..PLAIN
    },
    Interruption { name: "interrupted_inlined_seat", part: lose_the_seat, ..PLAIN },
    Interruption {
        name: "interrupted_take_over",
        scene: Scene::DeadOwner,
        part: take_over,
        ..PLAIN
    },
    Interruption { name: "interrupted_by_set", noun: Some(&EVENT), part: be_set, ..PLAIN },
    Interruption {
        name: "interrupted_by_release",
        noun: Some(&SEMAPHORE),
        part: be_released,
        ..PLAIN
    },
    Interruption { name: "interrupted_attach", part: attach, ..PLAIN },
    Interruption { name: "interrupted_detach", part: detach, status: NONE_YET, ..PLAIN },
];

impl Interruption {
    /// Plays the scene: the victim is led by `lead` to where the signal comes.
    pub(crate) fn play(&self, lead: Lead) -> Result<(), String> {
        let mut founder = Player::enter(FOUNDER, |stage| found(stage, self));
        let founded = |found: Result<(), String>| found.map_err(|why| format!("founder: {why}"));
        founded(founder.reaches(1))?;
        scene::precede(None, self.scene)?;
        let mut victim = Victim::enter(VICTIM, self.part)?;
        lead(&mut victim, &mut nobody)?;
        victim.is_interrupted(SIGNAL);
        travel::run(&mut victim, &mut || Ok(Morning::LeftAsleep))?;
        if victim.stand == Stand::Asleep {
            return self.may_sleep();
        }
        is("status of what was interrupted", victim.status(), self.status)?;
        let seat = &Board::get().seats[VICTIM];
        if self.status == NONE_YET && !seat.reached.wait(1, watchdog()) {
            return Err("the thread that comes next does not get the mutex".into());
        }
        if seat.failed.load(SeqCst) {
            return Err(seat.failure());
        }
        founded(founder.plays())?;
        victim.dies();
        founded(founder.ends())
    }
}

impl Interruption {
    /// A thread at its end frees memory, and a handler that makes its next call needs some:
    /// in the middle of `malloc` it waits for ever, as any handler would.
    fn may_sleep(&self) -> Result<(), String> {
        match self.status {
            NONE_YET => Ok(()),
            _ => Err("the handler, or what it interrupted, hangs".into()),
        }
    }
}

/// Sets the scene; looks at the victim when it has come through, and when it is dead.
fn found(stage: Stage, interruption: &Interruption) -> Result<(), String> {
    let world = scene::set(interruption.scene, ROOM)?.ok_or("there is a segment")?;
    if let Some(noun) = interruption.noun {
        noun.found(&world)?;
    }
    stage.pause();
    let holder = world.owner()?;
    if holder.generation != 0 {
        is("process that holds the mutex", holder.pid as i32, Board::get().victim.load(SeqCst))?;
        is("its being alive", holder.alive, true)?;
    }
    let left = if holder.generation == 0 { OK } else { OWNER_DIED };
    world.verify()?;
    stage.pause();
    is("status of a lock after the end", world.lock()?, left)?;
    world.unlock()?;
    world.lock_all()?;
    if interruption.name == "interrupted_by_release" {
        let released = Board::get().news.load(SeqCst);
        is("permits", SEMAPHORE.look(&world, |semaphore| permits(semaphore.handle))?, released)?;
    }
    world.verify()
}

// --- the handlers ---

/// What the handler locks.
static INTRUDER: AtomicPtr<Lock> = AtomicPtr::new(null_mut());

/// From here on a signal makes this process lock and unlock it.
fn expect_signals(lock: Lock) {
    INTRUDER.store(Box::into_raw(Box::new(lock)), SeqCst);
    let handler: extern "C" fn(i32) = intrude;
    // SAFETY: a handler that does nothing but lock, which is what is tried here.
    unsafe { libc::signal(SIGNAL, handler as *const () as usize) };
}

extern "C" fn intrude(_: i32) {
    // SAFETY: set before the first signal, and never freed.
    let lock = unsafe { &*INTRUDER.load(SeqCst) };
    if let Err(why) = intrusion(lock) {
        Board::get().seats[VICTIM].fail(why);
    }
}

/// Not a word that has to be made up: the code that is interrupted may be in `malloc`.
fn intrusion(lock: &Lock) -> Result<(), &'static str> {
    match lock.lock(0) {
        OK => {}
        REENTRANT => return Ok(()),
        DEADLOCK if !lock.is_recursive() => return Ok(()),
        _ => return Err("the handler's lock is refused for no reason"),
    }
    let mut owner = Roomy::<Owner>::default();
    if call!(mutex_owner(lock.mutex, &mut owner)) != OK {
        return Err("the handler locks in the middle of a call, and that is no call");
    }
    // SAFETY: a plain system call.
    if owner.content.tid as i32 != unsafe { libc::gettid() } || !owner.content.alive {
        return Err("the handler's lock is somebody else's");
    }
    if lock.is_recursive() && nested(lock) != OK {
        return Err("the handler cannot lock again");
    }
    match lock.unlock() {
        OK => Ok(()),
        _ => Err("the handler's unlock is refused"),
    }
}

/// What the other handlers call.
static TARGET: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// From here on a signal makes this process call `handler`, which is about that object.
fn expect_calls(object: &Object, handler: extern "C" fn(i32)) {
    TARGET.store(object.handle, SeqCst);
    // SAFETY: a handler that calls what may be called in one, which is what is tried here.
    unsafe { libc::signal(SIGNAL, handler as *const () as usize) };
}

extern "C" fn set_the_event(_: i32) {
    let event = TARGET.load(SeqCst);
    let cleared = match call!(event_set(event)) {
        OK => call!(event_clear(event)),
        _ => return Board::get().seats[VICTIM].fail("a handler may not set an event"),
    };
    if !matches!(cleared, OK | REENTRANT) || call!(event_set(event)) != OK {
        Board::get().seats[VICTIM].fail("clearing it is refused for no reason");
    }
}

extern "C" fn release_the_semaphore(_: i32) {
    let semaphore = TARGET.load(SeqCst);
    if call!(semaphore_release(semaphore, 1)) != OK {
        return Board::get().seats[VICTIM].fail("a handler may not release a semaphore");
    }
    Board::get().news.fetch_add(1, SeqCst);
    let fits = match call!(semaphore_acquire(semaphore, 0)) {
        OK => call!(semaphore_release(semaphore, 1)) == OK,
        status => status == REENTRANT,
    };
    if !fits {
        Board::get().seats[VICTIM].fail("acquiring is refused for no reason");
    }
}

// --- what is interrupted ---

/// The first status of some calls that is not OK.
fn in_turn(calls: &[&dyn Fn() -> i32]) -> i32 {
    calls.iter().map(|call| call()).find(|status| *status != OK).unwrap_or(OK)
}

fn be_set(stage: Stage) -> Result<(), String> {
    let event = EVENT.open()?;
    let recursive = Lock::of(event.world.recursive, Way::Called)?;
    expect_calls(&event, set_the_event);
    stepped(stage, || {
        in_turn(&[
            &|| call!(event_set(event.handle)),
            &|| call!(event_wait(event.handle, FOREVER)),
            &|| call!(event_clear(event.handle)),
            &|| nested(&recursive),
            &|| call!(event_set(event.handle)),
        ])
    })
}

fn be_released(stage: Stage) -> Result<(), String> {
    let semaphore = SEMAPHORE.open()?;
    let lock = Lock::of(semaphore.world.mutex, Way::Called)?;
    expect_calls(&semaphore, release_the_semaphore);
    stepped(stage, || {
        in_turn(&[
            &|| call!(semaphore_release(semaphore.handle, 2)),
            &|| call!(semaphore_acquire(semaphore.handle, FOREVER)),
            &|| once(&lock),
            &|| call!(semaphore_acquire(semaphore.handle, FOREVER)),
        ])
    })
}

fn lock(stage: Stage, way: Way) -> Result<(), String> {
    let lock = Lock::of(World::open()?.mutex, way)?;
    expect_signals(lock.inlined());
    stepped(stage, || once(&lock))
}

fn once(lock: &Lock) -> i32 {
    match lock.lock(FOREVER) {
        OK => lock.unlock(),
        status => status,
    }
}

fn nest(stage: Stage, way: Way) -> Result<(), String> {
    let lock = Lock::of(World::open()?.recursive, way)?;
    expect_signals(lock.inlined());
    stepped(stage, || nested(&lock))
}

/// The handler locks in another segment, which takes the thread's seat here.
fn lose_the_seat(stage: Stage) -> Result<(), String> {
    let lock = Lock::of(World::open()?.mutex, Way::Inlined)?;
    let rival = loop {
        let rival = Lock::of(mutex_in_another_segment()?, Way::Inlined)?;
        if rival.shares_its_seat_with(&lock) {
            break rival;
        }
    };
    is("status of the handler's first lock", once(&rival), OK)?;
    is("status of the first lock", once(&lock), OK)?;
    expect_signals(rival);
    stepped(stage, || once(&lock))
}

/// In a segment of its own, which has no name any more.
fn mutex_in_another_segment() -> Result<Handle, String> {
    const ANOTHER: &std::ffi::CStr = c"another";
    let options = options(ROOM);
    let segment =
        handle("segment_create", |out| call!(segment_create(ANOTHER.as_ptr(), &options, out)))?;
    ok("segment_unlink", call!(segment_unlink(ANOTHER.as_ptr())))?;
    handle("mutex_create", |out| call!(mutex_create(segment, null(), null(), out)))
}

fn take_over(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    let lock = Lock::of(world.mutex, Way::Inlined)?;
    expect_signals(Lock::of(world.other, Way::Inlined)?);
    stepped(stage, || match lock.lock(FOREVER) {
        OWNER_DIED => match call!(mutex_mark_consistent(world.mutex)) {
            OK => lock.unlock(),
            status => status,
        },
        status => status - 100,
    })
}

fn attach(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    let lock = Lock::of(world.mutex, Way::Inlined)?;
    expect_signals(lock);
    in_a_thread(stage, world, move |_| stepped(stage, || once(&lock)))
}

/// A thread ends, and another comes, which may get what the library knew of the first.
fn detach(stage: Stage) -> Result<(), String> {
    let lock = Lock::of(World::open()?.mutex, Way::Inlined)?;
    expect_signals(lock);
    let first = thread::spawn(move || {
        let status = once(&lock);
        marked(stage);
        status
    });
    is("status of the first thread", first.join().map_err(|_| "the thread panicked")?, OK)?;
    let second = thread::spawn(move || {
        lock.take()?;
        stage.pause();
        Ok(())
    });
    second.join().map_err(|_| "the thread panicked")?
}
