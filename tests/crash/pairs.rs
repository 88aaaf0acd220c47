//! Two victims in the same call (`FULL=1`): one stands still, alive, wherever it has
//! come to, while the other dies in its way; survivors work meanwhile; then the first
//! goes on, knowing nothing of it.
//!
//! What the living one has read before it stands still may be out of date when it
//! goes on, so it stands still after every instruction. Where the other dies, only
//! changes make a difference, as everywhere.

use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;

use crate::abi::{FOREVER, OK, OWNER_DIED, TIMED_OUT, call};
use crate::board::{Board, NONE_YET};
use crate::changes;
use crate::outcomes::{FRESH_VALUE, is};
use crate::player::{Player, Stage};
use crate::short::{Lock, Way};
use crate::travel::{self, Lead, Point};
use crate::victim::{Morning, Stand, Victim, nobody, stepped};
use crate::world::{LARGE_SIZE, World, load, ok};

const FOUNDER: usize = 0;
const LIVING: usize = 1;
const DYING: usize = 2;
/// Participants for which there is room.
const ROOM: u32 = 4;
/// How long the founder tries while the living victim stands still.
const TRY_NS: i64 = 5_000_000;
/// Of longer calls only so many instructions are tried, and all changes.
const STANDS: usize = 200;

/// A call that both victims make.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    /// What is called: by whom (a seat), and how long it may wait if it can tell.
    call: fn(&World, usize, i64) -> i32,
    /// Whether what it is about looks whole.
    whole: fn(&World) -> Result<(), String>,
    /// Whether looking waits for nobody, and the call takes no for an answer when the
    /// living victim is in its way.
    can_try: bool,
}

pub(crate) const PAIRS: &[Pair] = &[
    Pair {
        name: "lock_pairs",
        call: |world, seat, wait| lock_and_unlock(world, seat, wait, Way::Called),
        whole: |_| Ok(()),
        can_try: true,
    },
    Pair {
        name: "inlined_lock_pairs",
        call: |world, seat, wait| lock_and_unlock(world, seat, wait, Way::Inlined),
        whole: |_| Ok(()),
        can_try: true,
    },
    Pair { name: "store_large_pairs", call: store, whole: is_of_one_piece, can_try: true },
    Pair {
        name: "create_value_pairs",
        call: create,
        whole: |world| FRESH_VALUE.is_whole(world).map(|_| ()),
        can_try: false,
    },
];

impl Pair {
    /// Where the living victim stands still.
    pub(crate) fn stands(&self, directory: &Path) -> Result<Vec<Point>, String> {
        let mut founder = Player::enter(FOUNDER, |stage| self.found(stage));
        founder.reaches(1)?;
        let mut living = Victim::enter(LIVING, |stage| self.make_call(stage))?;
        let mut points = changes::list(&mut living, directory, &mut nobody)?;
        let stride = points.len().div_ceil(STANDS) as u32;
        points.retain(|point| point.changes || point.number % stride == 0);
        Ok(points)
    }

    /// The living victim stands still at `stand` while the other is led by `lead` to
    /// where it dies.
    pub(crate) fn play(&self, stand: &Point, lead: Lead) -> Result<(), String> {
        let board = Board::get();
        let mut founder = Player::enter(FOUNDER, |stage| self.found(stage));
        let founded = |found: Result<(), String>| found.map_err(|why| format!("founder: {why}"));
        founded(founder.reaches(1))?;
        let mut living = Victim::enter(LIVING, |stage| self.make_call(stage))?;
        let mut dying = Victim::enter(DYING, |stage| self.make_call(stage))?;
        travel::leap(&mut living, stand, &mut nobody)?;
        lead(&mut dying, &mut || Ok(Morning::LeftAsleep))?;
        if dying.stand == Stand::Returned {
            is("status of the dying victim's call", dying.status(), OK)?;
        }
        board.doomed.store(DYING as u32 + 1, SeqCst);
        dying.dies();
        founded(founder.plays().map_err(|why| format!("beside the living victim: {why}")))?;
        travel::run(&mut living, &mut || Ok(Morning::Woken))
            .map_err(|why| format!("living victim: {why}"))?;
        is("status of the living victim's call", living.status(), OK)?;
        founded(founder.ends())?;
        is("players inside together", board.intrusions.load(SeqCst), 0)
    }

    fn make_call(&self, stage: Stage) -> Result<(), String> {
        let world = World::open()?;
        stepped(stage, || (self.call)(&world, stage.seat, FOREVER))
    }

    /// Sets the scene; works beside the living victim, and after it has gone on.
    fn found(&self, stage: Stage) -> Result<(), String> {
        let world = World::found(ROOM)?;
        stage.pause();
        if self.can_try {
            (self.whole)(&world)?;
            match (self.call)(&world, stage.seat, TRY_NS) {
                OK | TIMED_OUT => {}
                status => ok("the call", status)?,
            }
            (self.whole)(&world)?;
        }
        stage.pause();
        ok("the call", (self.call)(&world, stage.seat, FOREVER))?;
        (self.whole)(&world)?;
        is("status of the last lock", world.lock()?, OK)?;
        world.unlock()?;
        world.verify()
    }
}

/// Once through the critical section.
fn lock_and_unlock(world: &World, seat: usize, timeout_ns: i64, way: Way) -> i32 {
    let board = Board::get();
    let Ok(lock) = Lock::of(world.mutex, way) else { return NONE_YET };
    let status = lock.lock(timeout_ns);
    if status != OK && status != OWNER_DIED {
        return status;
    }
    let within = board.inside[0].swap(seat as u32 + 1, SeqCst);
    if within != 0 && within != board.doomed.load(SeqCst) {
        board.intrusions.fetch_add(1, SeqCst);
    }
    if status == OWNER_DIED {
        call!(mutex_mark_consistent(world.mutex));
    }
    board.inside[0].store(0, SeqCst);
    lock.unlock()
}

/// Everybody stores another value, the same in each byte.
fn store(world: &World, seat: usize, timeout_ns: i64) -> i32 {
    let value = [seat as u8; LARGE_SIZE];
    call!(value_store(world.large, value.as_ptr(), LARGE_SIZE, timeout_ns))
}

fn is_of_one_piece(world: &World) -> Result<(), String> {
    let bytes = load::<LARGE_SIZE>(world.large)?;
    is("the value", bytes, [bytes[0]; LARGE_SIZE])
}

fn create(world: &World, _: usize, _: i64) -> i32 {
    let mut value = null_mut();
    (FRESH_VALUE.open_or_create)(world.segment, &mut value)
}
