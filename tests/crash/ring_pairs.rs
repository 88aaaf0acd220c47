//! Two victims at a ring (`FULL=1`): one stands still, alive, wherever it has come to in its call,
//! while the other dies in its own; a survivor puts and gets meanwhile; then the first goes on,
//! knowing nothing of it. Nothing that was put is got twice, and nothing is lost but what was in
//! the hands of the dead.

use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;

use crate::abi::{EMPTY, FULL, NOT_OWNER, OK};
use crate::board::{Board, NONE_YET};
use crate::changes;
use crate::nouns::{Noun, Object};
use crate::outcomes::is;
use crate::player::{Player, Stage};
use crate::ring_kinds::{Calls, Fanin, InlinedMpmc, Mpmc, Pairs, Spsc};
use crate::rings::{drain, fill, goes_on};
use crate::travel::{self, Lead, Point};
use crate::victim::{Morning, Victim, nobody, stepped};
use crate::world::World;

const FOUNDER: usize = 0;
const LIVING: usize = 1;
const DYING: usize = 2;
const FILLER: usize = 3;
/// Participants for which there is room.
const ROOM: u32 = 6;
/// Where the ring begins, in its first lap, so that the calls come into the second one.
const START: u64 = 3;
/// What the two put, and who works meanwhile.
const OF_LIVING: u64 = 10;
const OF_DYING: u64 = 20;
const OF_FOUNDER: u64 = 30;
/// Of a call that has got this number.
const GOT: i32 = 1000;

/// Two calls, and how many records there are before them.
pub(crate) struct RingPair {
    pub(crate) name: &'static str,
    noun: &'static Noun,
    level: u64,
    living: fn(&Object, u64) -> i32,
    dying: fn(&Object, u64) -> i32,
    /// Whether the one that dies gets something.
    dying_gets: bool,
    fill: fn(&Object, u64) -> Result<(), String>,
    work: fn(&Object) -> Result<Vec<u64>, String>,
    rest: fn(&Object) -> Result<Vec<u64>, String>,
}

macro_rules! pair {
    ($kind:ident, $name:literal, $level:literal, $living:ident, $dying:ident, $gets:literal) => {
        RingPair {
            name: concat!($name, "_pairs_with_", $level),
            noun: $kind::NOUN,
            level: $level,
            living: $living::<$kind>,
            dying: $dying::<$kind>,
            dying_gets: $gets,
            fill: |ring, level| fill::<$kind>(ring, START, level),
            work: work::<$kind>,
            rest: rest::<$kind>,
        }
    };
}

macro_rules! pairs {
    ($kind:ident, $push_push:literal, $push_pop:literal, $pop_push:literal, $pop_pop:literal) => {
        &[
            pair!($kind, $push_push, 0, push, push, false),
            pair!($kind, $push_push, 3, push, push, false),
            pair!($kind, $push_pop, 0, push, pop, true),
            pair!($kind, $push_pop, 1, push, pop, true),
            pair!($kind, $push_pop, 4, push, pop, true),
            pair!($kind, $pop_push, 0, pop, push, false),
            pair!($kind, $pop_push, 1, pop, push, false),
            pair!($kind, $pop_push, 4, pop, push, false),
            pair!($kind, $pop_pop, 1, pop, pop, true),
            pair!($kind, $pop_pop, 4, pop, pop, true),
        ]
    };
}

const OF_SPSC: &[RingPair] =
    pairs!(Spsc, "spsc_push_push", "spsc_push_pop", "spsc_pop_push", "spsc_pop_pop");
const OF_FANIN: &[RingPair] =
    pairs!(Fanin, "fanin_push_push", "fanin_push_pop", "fanin_pop_push", "fanin_pop_pop");
const OF_MPMC: &[RingPair] =
    pairs!(Mpmc, "mpmc_push_push", "mpmc_push_pop", "mpmc_pop_push", "mpmc_pop_pop");
const OF_INLINED: &[RingPair] = pairs!(
    InlinedMpmc,
    "inlined_mpmc_push_push",
    "inlined_mpmc_push_pop",
    "inlined_mpmc_pop_push",
    "inlined_mpmc_pop_pop"
);
const OF_MESSAGES: &[RingPair] =
    pairs!(Pairs, "message_push_push", "message_push_pop", "message_pop_push", "message_pop_pop");

pub(crate) fn all() -> impl Iterator<Item = &'static RingPair> {
    [OF_SPSC, OF_FANIN, OF_MPMC, OF_INLINED, OF_MESSAGES].into_iter().flatten()
}

impl RingPair {
    /// Where the living victim stands still: everywhere, for what it has read may be out of date
    /// when it goes on.
    pub(crate) fn stands(&'static self, directory: &Path) -> Result<Vec<Point>, String> {
        let mut founder = Player::enter(FOUNDER, |stage| self.found(stage));
        founder.reaches(1)?;
        self.is_filled()?;
        let mut living = self.enter(LIVING, self.living, OF_LIVING)?;
        changes::list(&mut living, directory, &mut nobody)
    }

    /// The living victim stands still at `stand` while the other is led by `lead` to where it dies.
    pub(crate) fn play(&'static self, stand: &Point, lead: Lead) -> Result<(), String> {
        let founded = |found: Result<(), String>| found.map_err(|why| format!("survivor: {why}"));
        let mut founder = Player::enter(FOUNDER, |stage| self.found(stage));
        founded(founder.reaches(1))?;
        self.is_filled()?;
        let mut living = self.enter(LIVING, self.living, OF_LIVING)?;
        let mut dying = self.enter(DYING, self.dying, OF_DYING)?;
        travel::leap(&mut living, stand, &mut nobody)?;
        lead(&mut dying, &mut nobody)?;
        dying.dies();
        founded(founder.plays().map_err(|why| format!("beside the living victim: {why}")))?;
        travel::run(&mut living, &mut || Ok(Morning::Woken))
            .map_err(|why| format!("living victim: {why}"))?;
        living.dies(); // so that its place, if it had one, is free
        founded(founder.ends())
    }

    /// Somebody fills the ring, and goes.
    fn is_filled(&'static self) -> Result<(), String> {
        let mut filler = Player::enter(FILLER, |_| {
            self.noun.open().and_then(|ring| (self.fill)(&ring, self.level))
        });
        filler.ends().map_err(|why| format!("filling the ring: {why}"))
    }

    fn enter(
        &'static self,
        seat: usize,
        call: fn(&Object, u64) -> i32,
        number: u64,
    ) -> Result<Victim, String> {
        Victim::enter(seat, move |stage| {
            let ring = self.noun.open()?;
            stepped(stage, || call(&ring, number))
        })
    }

    /// Sets the scene; works beside the living victim; and looks what is left.
    fn found(&self, stage: Stage) -> Result<(), String> {
        let world = World::found(ROOM)?;
        self.noun.found(&world)?;
        stage.pause();
        let ring = self.noun.of(&world)?;
        let mut found = (self.work)(&ring)?;
        stage.pause();
        found.append(&mut (self.rest)(&ring)?);
        self.judge(found)?;
        world.verify()
    }

    fn judge(&self, mut found: Vec<u64>) -> Result<(), String> {
        let board = Board::get();
        let [living, dying] = [LIVING, DYING].map(|seat| board.seats[seat].status.load(SeqCst));
        for status in [living, dying] {
            match status {
                GOT.. => found.push((status - GOT) as u64),
                OK | EMPTY | FULL | NOT_OWNER | NONE_YET => {}
                status => return Err(format!("status of a victim's call: {status}")),
            }
        }
        found.sort_unstable();
        let whole = found.clone();
        found.retain(|number| *number != OF_FOUNDER);
        let mut must_be: Vec<u64> = (START..START + self.level).collect();
        let puts = |status, number| (status == OK).then_some(number);
        must_be.extend(puts(living, OF_LIVING));
        must_be.extend(puts(dying, OF_DYING));
        let missing = must_be.iter().filter(|number| !found.contains(number)).count();
        let may_be_lost = usize::from(self.dying_gets && dying == NONE_YET);
        let may_be_there = |number: &u64| {
            must_be.contains(number) || *number == OF_DYING && !self.dying_gets && dying == NONE_YET
        };
        let is_once = whole.windows(2).all(|two| two[0] != two[1]);
        if missing > may_be_lost || !is_once || !found.iter().all(may_be_there) {
            return Err(format!("found {whole:?}, not {must_be:?} ({living} and {dying})"));
        }
        Ok(())
    }
}

fn push<C: Calls>(ring: &Object, number: u64) -> i32 {
    C::push(ring.handle, number)
}

fn pop<C: Calls>(ring: &Object, _: u64) -> i32 {
    let mut number = 0;
    match C::pop(ring.handle, &mut number) {
        OK => GOT + number as i32,
        status => status,
    }
}

/// Gets one, puts one, and gets one, if that can be: what it has got. The other may be in the way.
fn work<C: Calls>(ring: &Object) -> Result<Vec<u64>, String> {
    let mut got = Vec::new();
    for turn in 0..3 {
        let mut number = 0;
        let status = match turn {
            1 => C::push(ring.handle, OF_FOUNDER),
            _ => C::pop(ring.handle, &mut number),
        };
        match status {
            OK if turn != 1 => got.push(number),
            OK | EMPTY | FULL | NOT_OWNER => {}
            status => return Err(format!("status of a survivor's call: {status}")),
        }
    }
    Ok(got)
}

/// All that is left, in a ring that has lost no place.
fn rest<C: Calls>(ring: &Object) -> Result<Vec<u64>, String> {
    let rest = drain::<C>(ring.handle)?;
    goes_on::<C>(ring.handle)?;
    is("records left", drain::<C>(ring.handle)?, Vec::new()).map(|()| rest)
}
