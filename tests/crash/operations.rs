//! The table of operations that a victim makes alone: what it does between its
//! marks, and who is to find what afterwards. Those about recursive mutexes and inlined
//! code are in `locks`, memory and lifetimes in `lifetimes`, transactions in
//! `transactions`. Where others wait at the same time is
//! in `contention`.

use std::ptr::{null, null_mut};
use std::thread;

use crate::abi::{FOREVER, Handle, OK, OWNER_DIED, Roomy, Type, call};
use crate::bells;
use crate::board::{Board, NONE_YET, WATCHDOG};
use crate::cpp;
use crate::gates;
use crate::lifetimes;
use crate::listeners;
use crate::locks;
use crate::makers;
use crate::nouns::Noun;
use crate::outcomes::{self, Death, is};
use crate::parties;
use crate::permits;
use crate::player::Stage;
use crate::possessions;
use crate::readers;
use crate::rings;
use crate::transactions;
use crate::victim::{marked, stepped};
use crate::waiters;
use crate::world::{
    self, CROWD, FRESH, LARGE_SIZE, LARGE_TYPE, NEW, SEGMENT, SHAPE, SMALL_SIZE, World, ok,
};

/// A call, and everything that has to hold however far a victim comes with it.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// Much is as in another operation: played if it is named, or everything is asked for.
    pub(crate) is_variant: bool,
    /// What there is before the victim enters.
    pub(crate) scene: Scene,
    /// Of what kind there is an object besides.
    pub(crate) noun: Option<&'static Noun>,
    /// What somebody did to that object who died then.
    pub(crate) predecessor: Option<Part>,
    /// Prepares, and makes the call between the marks.
    pub(crate) victim: Part,
    /// Who else is there if the call is a fork.
    pub(crate) kin: Kin,
    /// What the call returns if it gets that far. `NONE_YET`: it ends its thread.
    pub(crate) status: i32,
    /// Whether survivors must hear of the death.
    pub(crate) news: News,
    /// What the witness may see while the victim stands still.
    pub(crate) glance: fn(&World) -> Result<(), String>,
    /// What anybody may see after the death: the same as before the call or as after it.
    pub(crate) sight: fn(&World, &Death) -> Result<Sight, String>,
    /// What the witness must find after the death.
    pub(crate) outcome: fn(&World, &Death) -> Result<(), String>,
    /// Whether the call makes states of the segment that can be looked at on copies, in
    /// which everybody is dead.
    pub(crate) recorded: bool,
    /// Whether a segment with one place will do for the victim.
    pub(crate) fits_alone: bool,
}

/// What a player does.
pub(crate) type Part = fn(Stage) -> Result<(), String>;

/// What there is before the victim enters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// No segment.
    Nothing,
    /// A segment with a mutex and two values, held open by the witness.
    Segment,
    /// The same, and the mutex names somebody who died holding it, and objects besides.
    DeadOwner,
    /// The same, and both mutexes name somebody who died in a transaction.
    DeadTransaction,
    /// The same segment; the next participant needs a new block of the roster.
    FullBlock,
}

/// The process on the other side of a fork. It must be able to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kin {
    /// The victim is the parent, or nobody forks.
    Child,
    /// The victim is the child.
    Parent,
}

/// The seat of the kin.
pub(crate) const KIN: usize = 11;

/// How the objects look that the call is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Sight {
    /// It makes no difference, or none that can be seen.
    Either = 0,
    /// As before the call.
    Before = 1,
    /// As after it.
    After = 2,
}

impl Sight {
    /// The inverse of `as i32`.
    pub(crate) fn of_number(number: i32) -> Self {
        match number {
            1 => Self::Before,
            2 => Self::After,
            _ => Self::Either,
        }
    }

    /// Fails if a call has returned and its effect is not there.
    pub(crate) fn fitting(self, returned: bool) -> Result<Self, String> {
        match (self, returned) {
            (Self::Before, true) => Err("as before the call, which had returned".into()),
            _ => Ok(self),
        }
    }

    /// What is seen of something that is there after the call and not before.
    pub(crate) fn of(is_after: bool) -> Self {
        if is_after { Self::After } else { Self::Before }
    }
}

/// Whether the victim's death is news to whoever waits for deaths.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// It is a member all the time.
    Always,
    /// It becomes one in the call.
    OnceReturned,
    /// It leaves in the call, or is no member before the next.
    Never,
}

pub(crate) const PLAIN: Operation = Operation {
    name: "",
    is_variant: false,
    scene: Scene::Segment,
    noun: None,
    predecessor: None,
    victim: |_| Ok(()),
    kin: Kin::Child,
    status: OK,
    news: News::Always,
    glance: |_| Ok(()),
    sight: |_, _| Ok(Sight::Either),
    outcome: outcomes::unchanged,
    recorded: true,
    fits_alone: true,
};

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    let locks = [locks::CALLED, locks::INLINED_RECURSIVE, locks::INLINED_PLAIN];
    let more = [cpp::OPERATIONS, lifetimes::OPERATIONS, transactions::OPERATIONS];
    let waits = [makers::OPERATIONS, gates::OPERATIONS, permits::OPERATIONS];
    let more_waits = [readers::OPERATIONS, bells::OPERATIONS, parties::OPERATIONS];
    let objects = [listeners::OPERATIONS, waiters::OPERATIONS, possessions::OPERATIONS];
    let all = [OPERATIONS].into_iter().chain(locks).chain(more).chain(waits).chain(more_waits);
    all.chain(objects).flatten().chain(rings::operations())
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "create",
        scene: Scene::Nothing,
        victim: create,
        news: News::OnceReturned,
        outcome: outcomes::founded,
        recorded: false,
        ..PLAIN
    },
    Operation { name: "open", victim: open, news: News::OnceReturned, ..PLAIN },
    Operation { name: "close", victim: close, news: News::Never, ..PLAIN },
    Operation {
        name: "attach",
        victim: attach,
        glance: outcomes::nobody_died,
        outcome: outcomes::locked,
        fits_alone: false,
        ..PLAIN
    },
    Operation {
        name: "attach_growing",
        scene: Scene::FullBlock,
        victim: attach,
        glance: outcomes::nobody_died,
        outcome: outcomes::grown,
        fits_alone: false,
        ..PLAIN
    },
    Operation {
        name: "wait_death",
        scene: Scene::DeadOwner,
        victim: wait_death,
        outcome: outcomes::mourned,
        recorded: false,
        ..PLAIN
    },
    Operation { name: "detach", victim: detach, status: NONE_YET, fits_alone: false, ..PLAIN },
    Operation { name: "exit", victim: exit, status: NONE_YET, news: News::Never, ..PLAIN },
    Operation { name: "fork", victim: fork, recorded: false, ..PLAIN },
    Operation {
        name: "fork_child",
        victim: fork_child,
        kin: Kin::Parent,
        news: News::Never,
        recorded: false,
        ..PLAIN
    },
    Operation {
        name: "lock",
        victim: lock,
        glance: outcomes::nobody_died,
        outcome: outcomes::locked,
        ..PLAIN
    },
    Operation {
        name: "lock_dead_owner",
        scene: Scene::DeadOwner,
        victim: lock,
        status: OWNER_DIED,
        outcome: outcomes::taken_over,
        ..PLAIN
    },
    Operation {
        name: "unlock",
        victim: unlock,
        glance: outcomes::nobody_died,
        outcome: outcomes::unlocked,
        ..PLAIN
    },
    Operation {
        name: "mark_consistent",
        scene: Scene::DeadOwner,
        victim: mark_consistent,
        glance: outcomes::nobody_died,
        outcome: outcomes::unlocked,
        ..PLAIN
    },
    Operation {
        name: "store",
        victim: store_small,
        glance: |world| outcomes::small_is_whole(world).map(drop),
        sight: |world, _| outcomes::small_is_whole(world),
        outcome: outcomes::small_stored,
        ..PLAIN
    },
    Operation {
        name: "store_large",
        victim: store_large,
        glance: |world| outcomes::large_is_whole(world).map(drop),
        sight: |world, _| outcomes::large_is_whole(world),
        outcome: outcomes::large_stored,
        ..PLAIN
    },
    Operation {
        name: "swap",
        victim: swap_small,
        glance: |world| outcomes::small_is_whole(world).map(drop),
        sight: |world, _| outcomes::small_is_whole(world),
        outcome: outcomes::small_stored,
        ..PLAIN
    },
    Operation {
        name: "swap_large",
        victim: swap_large,
        glance: |world| outcomes::large_is_whole(world).map(drop),
        sight: |world, _| outcomes::large_is_whole(world),
        outcome: outcomes::large_stored,
        ..PLAIN
    },
    Operation {
        name: "create_mutex",
        victim: create_mutex,
        sight: outcomes::fresh_mutex_is_whole,
        outcome: outcomes::mutex_created,
        ..PLAIN
    },
    Operation {
        name: "create_value",
        victim: create_value,
        sight: outcomes::fresh_value_is_whole,
        outcome: outcomes::value_created,
        ..PLAIN
    },
    Operation {
        name: "create_array",
        victim: create_array,
        sight: outcomes::fresh_array_is_whole,
        outcome: outcomes::array_created,
        ..PLAIN
    },
];

fn create(stage: Stage) -> Result<(), String> {
    let (options, mut out) = (world::options(CROWD), null_mut());
    stepped(stage, || call!(segment_create(SEGMENT.as_ptr(), &options, &mut out)))
}

pub(crate) fn open(stage: Stage) -> Result<(), String> {
    let mut out = null_mut();
    stepped(stage, || call!(segment_open(SEGMENT.as_ptr(), null(), &mut out)))
}

/// The last handle goes, and with it the membership.
fn close(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    ok("mutex_close", call!(mutex_close(world.mutex)))?;
    ok("mutex_close", call!(mutex_close(world.other)))?;
    ok("mutex_close", call!(mutex_close(world.recursive)))?;
    ok("value_close", call!(value_close(world.small)))?;
    ok("value_close", call!(value_close(world.large)))?;
    ok("array_close", call!(array_close(world.table)))?;
    stepped(stage, || call!(segment_close(world.segment)))
}

/// The first call of a thread in a process that is a member already.
fn attach(stage: Stage) -> Result<(), String> {
    in_a_thread(stage, World::open()?, move |world| {
        stepped(stage, || call!(mutex_lock(world.mutex, FOREVER)))
    })
}

/// The end of a thread that has made calls.
fn detach(stage: Stage) -> Result<(), String> {
    in_a_thread(stage, World::open()?, move |world| {
        world.take_seat()?;
        marked(stage);
        Ok(())
    })
}

/// Whoever asks for deaths writes down those that nobody has noticed.
fn wait_death(stage: Stage) -> Result<(), String> {
    let (world, mut epoch, mut dead) = (World::open()?, 0, Roomy::default());
    stepped(stage, || call!(segment_wait_death(world.segment, 0, FOREVER, &mut epoch, &mut dead)))
}

fn exit(stage: Stage) -> Result<(), String> {
    let _world = World::open()?;
    // SAFETY: ends the process as a program would that returns from main.
    stepped(stage, || unsafe { libc::exit(0) })
}

fn fork(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    // SAFETY: the process has one thread.
    stepped(stage, || match unsafe { libc::fork() } {
        0 => go_on(world),
        child => child.min(0),
    })
}

fn fork_child(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    // SAFETY: the process has one thread.
    stepped(stage, || match unsafe { libc::fork() } {
        0 => 0,
        _ => go_on(world),
    })
}

/// The part of the kin: what it holds open works, and waits for nobody dead.
fn go_on(world: World) -> ! {
    as_kin(|| {
        world.take_seat()?;
        is("status of the kin's lock", world.lock()?, OK)?;
        world.unlock()?;
        world.verify()
    })
}

/// What the kin does, and stays for.
pub(crate) fn as_kin(calls: impl FnOnce() -> Result<(), String>) -> ! {
    let seat = &Board::get().seats[KIN];
    if let Err(why) = calls() {
        seat.fail(&why);
    }
    seat.reached.raise();
    // To be killed; but whoever should do that may be dead.
    thread::sleep(2 * WATCHDOG);
    // SAFETY: ends this process, which was forked off.
    unsafe { libc::_exit(0) }
}

fn lock(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    stepped(stage, || call!(mutex_lock(world.mutex, FOREVER)))
}

fn unlock(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    world.lock()?;
    stepped(stage, || call!(mutex_unlock(world.mutex)))
}

/// Ends the news of an owner's death. The unlock belongs to it: a victim that
/// marks and then dies holding the mutex is news again.
fn mark_consistent(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    world.lock()?;
    stepped(stage, || match call!(mutex_mark_consistent(world.mutex)) {
        OK => call!(mutex_unlock(world.mutex)),
        status => status,
    })
}

fn store_small(stage: Stage) -> Result<(), String> {
    store::<SMALL_SIZE>(stage, World::open()?.small)
}

fn store_large(stage: Stage) -> Result<(), String> {
    store::<LARGE_SIZE>(stage, World::open()?.large)
}

fn store<const N: usize>(stage: Stage, value: Handle) -> Result<(), String> {
    let new = [NEW; N];
    stepped(stage, || call!(value_store(value, new.as_ptr(), N, FOREVER)))
}

fn swap_small(stage: Stage) -> Result<(), String> {
    swap::<SMALL_SIZE>(stage, World::open()?.small)
}

fn swap_large(stage: Stage) -> Result<(), String> {
    swap::<LARGE_SIZE>(stage, World::open()?.large)
}

fn swap<const N: usize>(stage: Stage, value: Handle) -> Result<(), String> {
    let (new, mut old, mut length) = ([NEW; N], [0; N], 0);
    stepped(stage, || {
        let (new, old) = (new.as_ptr(), old.as_mut_ptr());
        call!(value_swap(value, new, N, FOREVER, old, N, &mut length))
    })
}

fn create_mutex(stage: Stage) -> Result<(), String> {
    let (segment, mut out) = (World::open()?.segment, null_mut());
    stepped(stage, || call!(mutex_create(segment, FRESH.as_ptr(), null(), &mut out)))
}

fn create_value(stage: Stage) -> Result<(), String> {
    let (segment, mut out) = (World::open()?.segment, null_mut());
    stepped(stage, || call!(value_create(segment, FRESH.as_ptr(), &LARGE_TYPE, &mut out)))
}

fn create_array(stage: Stage) -> Result<(), String> {
    let (segment, mut out) = (World::open()?.segment, null_mut());
    let (dimensions, shape) = (SHAPE.len() as u32, SHAPE.as_ptr());
    stepped(stage, || {
        call!(array_create(segment, FRESH.as_ptr(), &Type::I64, dimensions, shape, &mut out))
    })
}

/// Plays in a thread of its own, while the first one takes part and stands by.
pub(crate) fn in_a_thread(
    stage: Stage,
    world: World,
    part: impl FnOnce(World) -> Result<(), String> + Send + 'static,
) -> Result<(), String> {
    match thread::spawn(move || part(world)).join() {
        Ok(Ok(())) if stage.is_recorded => Ok(()),
        Ok(Ok(())) => loop {
            thread::park();
        },
        Ok(refused) => refused,
        Err(_) => Err("the thread panicked".into()),
    }
}
