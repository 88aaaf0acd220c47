//! One death and what comes after it: a witness sets the scene, a victim is led
//! to where it dies, the witness looks, newcomers fill the roster to its brim.

use std::fs;
use std::path::PathBuf;
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;
use std::thread;

use crate::abi::{NOT_FOUND, OK, SegmentInfo, call};
use crate::board::{Board, watchdog};
use crate::operations::{KIN, Kin, News, Operation, Part, Scene};
use crate::outcomes::{Death, is};
use crate::player::{Player, Stage};
use crate::transactions;
use crate::travel::Lead;
use crate::victim::{Stand, Victim, nobody};
use crate::world::{CROWD, SEGMENT, World, ok};

const WITNESS: usize = 0;
const VICTIM: usize = 1;
const PREDECESSOR: usize = 2;
const NEWCOMERS: usize = 3;
/// Participants in a block of the roster, and room for two blocks.
const BLOCK: u32 = 32;
const TWO_BLOCKS: u32 = 64;

/// The directory of all segments on stage: a place of the harness's own.
pub(crate) struct Theatre {
    pub(crate) directory: PathBuf,
}

/// What went wrong, and which instruction the victim did not live to execute.
pub(crate) struct Trouble {
    pub(crate) address: u64,
    pub(crate) why: String,
}

impl Theatre {
    /// A directory in shared memory, and in the environment of all players.
    pub(crate) fn open() -> Result<Self, String> {
        let directory = PathBuf::from(format!("/dev/shm/atoll-test-{}-crash", std::process::id()));
        fs::create_dir(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
        // SAFETY: the harness has one thread.
        unsafe { std::env::set_var("ATOLL_DIR", &directory) };
        Ok(Self { directory })
    }

    /// Plays one scene on an empty stage, and looks at what is left over.
    pub(crate) fn play(&self, scene: impl FnOnce() -> Result<(), String>) -> Result<(), Trouble> {
        let board = Board::get();
        board.clear();
        let outcome = scene();
        let left = self.sweep();
        outcome.and(left).map_err(|why| Trouble { address: board.address.load(SeqCst), why })
    }

    /// Empties the directory, in which nothing but the segment may be left.
    fn sweep(&self) -> Result<(), String> {
        let mut strangers = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(|e| e.to_string())?.flatten() {
            if entry.file_name().as_encoded_bytes() != SEGMENT.to_bytes() {
                strangers.push(entry.file_name().to_string_lossy().into_owned());
            }
            // What cannot be removed is found again by the next sweep.
            let _ = fs::remove_file(entry.path());
        }
        if strangers.is_empty() {
            Ok(())
        } else {
            Err(format!("left over: {}", strangers.join(", ")))
        }
    }
}

impl Drop for Theatre {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The death of a victim that nobody stands in the way of, led by `lead`.
pub(crate) fn death(operation: &'static Operation, lead: Lead) -> Result<(), String> {
    let mut witness = Player::enter(WITNESS, |stage| witness(operation, stage));
    let witnessed = |found: Result<(), String>| found.map_err(|why| format!("witness: {why}"));
    witnessed(witness.reaches(1))?;
    precede(operation.predecessor, operation.scene)?;
    let mut victim = Victim::enter(VICTIM, operation.victim)?;
    if operation.kin == Kin::Parent {
        victim.becomes_child()?;
    }
    lead(&mut victim, &mut nobody)?;
    if victim.stand == Stand::Returned {
        is("status of the victim's call", victim.status(), operation.status)?;
    }
    witnessed(witness.plays().map_err(|why| format!("while the victim stands still: {why}")))?;
    victim.dies();
    if operation.kin == Kin::Parent || victim.child.is_some() {
        kin_goes_on()?;
    }
    // The kin goes too: the newcomers want its place.
    drop(victim);
    witnessed(witness.plays())?;
    crowd(if operation.scene == Scene::FullBlock { 2 } else { CROWD - 1 })?;
    witnessed(witness.ends())
}

/// What there is before the victim enters, if anything.
pub(crate) fn set(scene: Scene, places: u32) -> Result<Option<World>, String> {
    Ok(match scene {
        Scene::Nothing => None,
        Scene::FullBlock => Some(full_block()?),
        Scene::Segment | Scene::DeadOwner | Scene::DeadTransaction => Some(World::found(places)?),
    })
}

/// Whoever has to die before the victim enters does so.
pub(crate) fn precede(part: Option<Part>, scene: Scene) -> Result<(), String> {
    let part = match (part, scene) {
        (Some(part), _) => part,
        (_, Scene::DeadOwner) => dies_holding,
        (_, Scene::DeadTransaction) => transactions::dies_in_transaction,
        _ => return Ok(()),
    };
    let mut predecessor = Player::enter(PREDECESSOR, part);
    Board::get().predecessor.store(predecessor.pid, SeqCst);
    predecessor.reaches(1).map_err(|why| format!("predecessor: {why}"))
}

/// The survivor that was there before.
fn witness(operation: &Operation, stage: Stage) -> Result<(), String> {
    let world = set(operation.scene, CROWD)?;
    if let (Some(world), Some(noun)) = (&world, operation.noun) {
        noun.found(world)?;
    }
    // Where there is no segment yet, nobody has died in it.
    let mut before = SegmentInfo::default();
    if let Some(world) = &world {
        before = world.info()?;
    }
    stage.pause();
    if let Some(world) = &world {
        (operation.glance)(world)?;
    }
    stage.pause();
    let board = Board::get();
    let returned = board.returned.load(SeqCst);
    let world = match world {
        Some(world) => world,
        None => revived(returned)?,
    };
    let death = Death { victim: board.victim.load(SeqCst), returned, first: true, before };
    world.verify()?;
    (operation.sight)(&world, &death)?.fitting(returned)?;
    (operation.outcome)(&world, &death)?;
    is_news(&world, operation.news, &death)?;
    world.verify()?;
    stage.pause();
    world.verify()?;
    let used = world.info()?.used;
    is("bytes used in the end", used, board.usual_use(used))
}

/// The segment whose creator died: there and empty, or not there at all.
fn revived(must_be_there: bool) -> Result<World, String> {
    let mut segment = null_mut();
    match call!(segment_open(SEGMENT.as_ptr(), null(), &mut segment)) {
        NOT_FOUND if !must_be_there => World::found(CROWD),
        status => {
            ok("segment_open", status)?;
            World::furnish(segment)
        }
    }
}

/// The segment, with so many threads in it that a victim whose process has
/// joined needs another block for its second thread.
fn full_block() -> Result<World, String> {
    let world = World::found(TWO_BLOCKS)?;
    for joined in 1..BLOCK - 1 {
        is("participants", world.info()?.participants, joined)?;
        let (done, news) = mpsc::channel();
        thread::spawn(move || {
            let sent = done.send(world.take_seat());
            while sent.is_ok() {
                thread::park();
            }
        });
        news.recv().map_err(|e| e.to_string())??;
    }
    Ok(world)
}

/// The process on the other side of the fork plays its part.
fn kin_goes_on() -> Result<(), String> {
    let seat = &Board::get().seats[KIN];
    match (seat.reached.wait(1, watchdog()), seat.failed.load(SeqCst)) {
        (false, _) => Err("the kin of the victim hangs".into()),
        (true, true) => Err(format!("the kin of the victim: {}", seat.failure())),
        (true, false) => Ok(()),
    }
}

/// Takes the mutex, and the recursive one three times, makes objects, and waits to be
/// killed, which happens as soon as it has.
fn dies_holding(stage: Stage) -> Result<(), String> {
    let world = World::open()?;
    world.array(20)?;
    world.array(1000)?;
    world.lock()?;
    for _ in 0..3 {
        world.recursing().lock()?;
    }
    stage.pause();
    Ok(())
}

/// The death of a member is news to whoever asks; leaving is none.
fn is_news(world: &World, news: News, death: &Death) -> Result<(), String> {
    let must_be_news = match news {
        News::Always => true,
        News::OnceReturned => death.returned,
        News::Never => false,
    };
    let mut seen = death.before.death_epoch;
    while must_be_news && seen < u64::MAX {
        let dead = world.death(seen)?;
        seen = if dead.pid as i32 == death.victim { u64::MAX } else { dead.epoch };
    }
    Ok(())
}

/// Newcomers take every place in the roster, all at the same time.
pub(crate) fn crowd(newcomers: u32) -> Result<(), String> {
    let mut crowd = Vec::new();
    for number in 0..newcomers as usize {
        let mut newcomer = Player::enter(NEWCOMERS + number, |stage| {
            let world = World::open()?;
            is("status of a newcomer's lock", world.lock()?, OK)?;
            world.unlock()?;
            stage.pause();
            Ok(())
        });
        newcomer.reaches(1).map_err(|why| format!("newcomer {number}: {why}"))?;
        crowd.push(newcomer);
    }
    Ok(())
}
