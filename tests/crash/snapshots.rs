//! Deaths on copies: every distinct state of the segment during a call, recovered.
//!
//! A victim makes its call once, and whatever it stores is recorded. Each state that the
//! segment was in becomes a segment of its own, in which everybody is dead. A *witness*
//! opens it and finds what it has to find after a death, as in `scene`: several witnesses,
//! each of whom begins with something else. Then a *worker* opens the copy and does what
//! survivors do; it is recorded likewise, and after each state that it passes through
//! another witness comes. So dies a victim, and then its survivor in the middle of the
//! repair.

use std::collections::HashSet;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use crate::abi::SegmentInfo;
use crate::board::{Board, NONE_YET};
use crate::image::{Image, roster_block};
use crate::operations::{Operation, Scene, Sight};
use crate::outcomes::{Death, is};
use crate::player::Player;
use crate::report::{Line, Unit};
use crate::scene::{self, Theatre, Trouble};
use crate::tape::{Recording, Tape};
use crate::transactions::transact;
use crate::world::{self, CROWD, World};

const FOUNDER: usize = 0;
const VICTIM: usize = 1;
const SURVIVOR: usize = 3;

/// What a witness does first. All of it is done in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum First {
    Verifies,
    Locks,
    Transacts,
    Allocates,
}

const FIRSTS: [First; 4] = [First::Verifies, First::Locks, First::Transacts, First::Allocates];

/// One operation's states and their survivors.
pub(crate) struct Snapshots<'a> {
    pub(crate) operation: &'static Operation,
    pub(crate) theatre: &'a Theatre,
    pub(crate) thoroughness: Thoroughness,
}

/// What is done for each state of the victim.
#[derive(Clone, Copy)]
pub(crate) struct Thoroughness {
    /// How many witnesses come, each with another beginning.
    witnesses: usize,
    /// After one state of so many a worker comes too,
    workers: usize,
    /// and after one of so many of its states it dies. Others after the next state of the
    /// victim, so that in the end it has died in all of them.
    deaths: usize,
}

impl Thoroughness {
    pub(crate) const QUICK: Self = Self { witnesses: 1, workers: 16, deaths: 397 };
    pub(crate) const USUAL: Self = Self { witnesses: 2, workers: 2, deaths: 199 };
    pub(crate) const FULL: Self = Self { witnesses: FIRSTS.len(), workers: 1, deaths: 1 };
}

/// A state on the way.
struct State {
    /// Stores since the beginning, and the instruction of the last one.
    number: usize,
    instruction: u64,
    /// The call had returned.
    is_last: bool,
}

impl Snapshots<'_> {
    /// Everything about the operation: with room in the roster, and, where that is enough,
    /// with one place, which each survivor has to take from the dead.
    pub(crate) fn recover(&self, line: &mut Line) -> Unit {
        let rooms = if self.operation.fits_alone { &[CROWD, 1][..] } else { &[CROWD] };
        let second = rooms.iter().map(|places| self.recover_among(*places, line)).sum();
        Unit::States { second }
    }

    /// Gives how many of the counted states are a worker's.
    fn recover_among(&self, places: u32, line: &mut Line) -> u32 {
        let mut call = None;
        let recorded = self.theatre.play(|| {
            call = Some(self.record_victim(places)?);
            Ok(())
        });
        let Some(call) = call else {
            line.count("while it was recorded", recorded);
            return 0;
        };
        Board::get().begin_copies();
        let (mut latest, mut second) = (Sight::Either, 0);
        each_state(&call, |state, image| {
            let place = format!("after store {} in a segment of {places}", state.number);
            let mut sight = Sight::Either;
            let result = self.survive(&state, || {
                for number in 0..self.thoroughness.witnesses {
                    let first = FIRSTS[(2 * state.number + number) % FIRSTS.len()];
                    sight = self.witness(image, first, Some(state.is_last))?;
                    never_back(latest, sight)?;
                }
                Ok(())
            });
            let recovers = result.is_ok();
            line.count(&place, result);
            latest = latest.max(sight);
            let comes = state.number.is_multiple_of(self.thoroughness.workers) || state.is_last;
            if recovers && comes {
                second += self.second_deaths(line, &place, &state, image, sight);
            }
            !line.is_hopeless()
        });
        second
    }

    /// The same with a worker who dies as well. Says how often it died.
    fn second_deaths(
        &self,
        line: &mut Line,
        place: &str,
        state: &State,
        image: &Image,
        sight: Sight,
    ) -> u32 {
        let mut work = None;
        let recorded = self.survive(state, || {
            work = Some(self.record_worker(image)?);
            Ok(())
        });
        let Some(work) = work else {
            line.count(&format!("{place}, the survivor being recorded"), recorded);
            return 0;
        };
        let (mut index, mut second) = (state.number, 0);
        each_state(&work, |work_state, image| {
            index += 1;
            if work_state.is_last || index.is_multiple_of(self.thoroughness.deaths) {
                second += 1;
                let first = FIRSTS[index % FIRSTS.len()];
                let place = format!("{place}, its survivor after store {}", work_state.number);
                let result = self.survive(&work_state, || {
                    let found = self.witness(image, first, None)?;
                    is("what the second survivor sees", found, sight)
                });
                line.count(&place, result);
            }
            !line.is_hopeless()
        });
        second
    }

    /// Plays on an empty stage; should there be trouble, the state's instruction is named.
    fn survive(
        &self,
        state: &State,
        scene: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), Trouble> {
        self.theatre.play(|| {
            Board::get().address.store(state.instruction, SeqCst);
            scene()
        })
    }

    /// Sets the scene and has the victim make its call.
    fn record_victim(&self, places: u32) -> Result<Recording, String> {
        let mut founder = Player::enter(FOUNDER, |stage| {
            let world = scene::set(self.operation.scene, places)?;
            if let (Some(world), Some(noun)) = (&world, self.operation.noun) {
                noun.found(world)?;
            }
            if places > 1 {
                stage.pause();
            }
            // Makes room for the victim.
            // SAFETY: ends the process as a program would that returns from main.
            unsafe { libc::exit(0) }
        });
        let founded = if places > 1 { founder.reaches(1) } else { founder.ends() };
        founded.map_err(|why| format!("founder: {why}"))?;
        scene::precede(self.operation.predecessor, self.operation.scene)?;
        let mut victim = Player::enter_recorded(VICTIM, self.operation.victim);
        victim.ends().map_err(|why| format!("victim: {why}"))?;
        let status = victim.seat().status.load(SeqCst);
        is("status of the victim's call", status, self.operation.status)?;
        Tape::get().take()
    }

    /// A survivor opens a copy in which everybody is dead, and works.
    fn record_worker(&self, image: &Image) -> Result<Recording, String> {
        image.become_segment_of_the_dead(&world::segment_path())?;
        let mut worker = Player::enter_recorded(SURVIVOR, |_| {
            Tape::get().begin();
            let world = World::open()?;
            transact(&world)?;
            world.lock_all()?;
            world.allocate()?;
            world.verify()
        });
        worker.ends().map_err(|why| format!("worker: {why}"))?;
        Tape::get().take()
    }

    /// A survivor opens a copy in which everybody is dead, and looks. `returned`: whether
    /// the victim's call had, which is of interest only to the first survivor.
    fn witness(
        &self,
        image: &Image,
        first: First,
        returned: Option<bool>,
    ) -> Result<Sight, String> {
        image.become_segment_of_the_dead(&world::segment_path())?;
        let mut witness = Player::enter(SURVIVOR, |stage| {
            let sight = look(self.operation, first, returned)?;
            stage.seat().status.store(sight as i32, SeqCst);
            Ok(())
        });
        witness.ends().map_err(|why| format!("witness who {first:?} first: {why}"))?;
        Ok(Sight::of_number(witness.seat().status.load(SeqCst)))
    }
}

/// What there is looks as before the call or as after it, and all else as before.
fn look(
    operation: &'static Operation,
    first: First,
    returned: Option<bool>,
) -> Result<Sight, String> {
    let board = Board::get();
    let world = World::open()?;
    match first {
        First::Verifies => world.verify()?,
        First::Locks => world.lock_all()?,
        First::Transacts => transact(&world)?,
        First::Allocates => world.allocate()?,
    }
    world.verify()?;
    // At the first state of all, the call has not begun.
    let before = board.usual_sight(&world.info()?);
    let has_returned = returned.unwrap_or(false);
    let death = Death {
        victim: NONE_YET,
        returned: has_returned,
        first: returned.is_some() && !matches!(first, First::Locks | First::Transacts),
        before,
    };
    let sight = (operation.sight)(&world, &death)?.fitting(has_returned)?;
    if first == First::Transacts {
        newcomers_see(operation, &world, &death, sight)?;
    }
    (operation.outcome)(&world, &death)?;
    transact(&world)?;
    world.lock_all()?;
    world.allocate()?;
    world.verify()?;
    let used = bytes_of_objects(operation.scene, &world.info()?);
    is("bytes used in the end", used, board.usual_use(used))?;
    Ok(sight)
}

/// Threads take all the other places, those of the dead too, one after the other: what is
/// seen stays so.
fn newcomers_see(
    operation: &'static Operation,
    world: &World,
    death: &Death,
    sight: Sight,
) -> Result<(), String> {
    for _ in 1..world.info()?.max_participants.min(CROWD) {
        let (world, death) = (*world, *death);
        let newcomer = thread::spawn(move || {
            transact(&world)?;
            (operation.sight)(&world, &death)
        });
        let found = newcomer.join().map_err(|_| "a newcomer panicked")??;
        is("what a newcomer sees in the end", found, sight)?;
    }
    Ok(())
}

/// Bytes in use, whether or not the roster has grown, should it be about to grow.
fn bytes_of_objects(scene: Scene, info: &SegmentInfo) -> u64 {
    match scene {
        Scene::FullBlock => info.used % roster_block() as u64,
        _ => info.used,
    }
}

/// A call takes effect once.
fn never_back(latest: Sight, sight: Sight) -> Result<(), String> {
    match (latest, sight) {
        (Sight::After, Sight::Before) => {
            Err("as before the call, though a moment earlier it was as after it".into())
        }
        _ => Ok(()),
    }
}

/// Visits each distinct state of a recording, the last one in any case, until `visit` has
/// seen enough.
fn each_state(recording: &Recording, mut visit: impl FnMut(State, &Image) -> bool) {
    let mut image = recording.before.clone();
    let mut seen = HashSet::from([image.fingerprint()]);
    let total = recording.changes.len();
    if !visit(State { number: 0, instruction: 0, is_last: total == 0 }, &image) {
        return;
    }
    for (index, change) in recording.changes.iter().enumerate() {
        image.apply(change);
        let number = index + 1;
        let is_last = number == total;
        let is_new = seen.insert(image.fingerprint());
        let state = State { number, instruction: change.instruction, is_last };
        if (is_new || is_last) && !visit(state, &image) {
            return;
        }
    }
}
