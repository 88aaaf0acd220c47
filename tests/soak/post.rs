//! A post office: letters (records) and parcels (messages of any length) from any worker to any,
//! through rings for many; telegrams by a wire, at whose ends one sits at a time; and cards, of which
//! each sender has a box of its own and one comes to empty them all. Who is killed at an end of a
//! wire or as the one who comes leaves its place to the next.
//!
//! Each carries who sent it and a number that its sender never uses again, noted before it is
//! sent. So nothing may arrive twice, whoever is killed; what arrives was sent, whole; and of
//! what was acknowledged only that may be missing which its receiver took with it.

use std::sync::Mutex;

use atoll::{Array, Deadline, Fanin, Mpmc, RingEnd, RingOptions, Segment, Spsc, Status, Type};

use crate::board::{Board, CARDS, LETTERS, REDELIVERED, TELEGRAMS, WORKERS};
use crate::dice::Dice;

const LETTER: usize = 16;
/// Numbers of one sender that may be on the way.
const WINDOW: u64 = 1 << 14;
/// In each of the rings, and of the boxes.
const PLACES: u64 = 64;
const LONGEST_PARCEL: u64 = 300;
/// Fewer than there are senders.
const BOXES: u32 = WORKERS as u32 - 1;
/// Sent and received in one go.
const BURST: u64 = 400;

/// In which way something goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Letter,
    Parcel,
    Wire,
    Card,
}

const WAYS: [Way; 4] = [Way::Letter, Way::Parcel, Way::Wire, Way::Card];

pub(crate) struct Post {
    letters: Mpmc,
    parcels: Mpmc,
    /// One thread at a time has an end, through this handle.
    wire: Mutex<Spsc>,
    boxes: Mutex<Fanin>,
    /// For each sender: the last number that it began with, and how many were acknowledged.
    begun: Array<u64>,
    acknowledged: Array<u64>,
    /// For each receiver, the last one being the director: how many it has got.
    got: Array<u64>,
    /// For each sender and number in its window: the lap in which it was got.
    laps: Array<u64>,
}

impl Post {
    pub(crate) fn open(segment: &Segment) -> atoll::Result<Self> {
        let options = RingOptions::with_capacity(PLACES);
        let boxes = options.with_lanes(BOXES);
        let letter = Type::bytes(LETTER as u64)?;
        let words = |name, length| Array::open_or_create(segment, name, &[length]);
        Ok(Self {
            letters: Mpmc::open_or_create(segment, Some("letters"), &letter, &options)?,
            parcels: Mpmc::open_or_create(segment, Some("parcels"), &Type::message(), &options)?,
            wire: Spsc::open_or_create(segment, Some("wire"), &letter, &options)?.into(),
            boxes: Fanin::open_or_create(segment, Some("boxes"), &letter, &boxes)?.into(),
            begun: words("post begun", WORKERS)?,
            acknowledged: words("post acknowledged", WORKERS)?,
            got: words("post got", WORKERS + 1)?,
            laps: words("post laps", WORKERS * WINDOW)?,
        })
    }

    /// Sends some, and receives some.
    pub(crate) fn one_operation(&self, me: u64, board: &Board, dice: &Dice) {
        let mut got = [0; WAYS.len()];
        for _ in 0..dice.below(BURST) {
            let which = dice.below(WAYS.len() as u64) as usize;
            let (way, deadline) = (WAYS[which], patience(dice));
            match dice.one_in(2) {
                true => self.send(me, way, deadline, dice),
                false => got[which] += u64::from(self.receive(me, way, deadline, board)),
            }
        }
        for (way, got) in WAYS.into_iter().zip(got) {
            board.add(way.counter(), got);
        }
        if dice.one_in(4) {
            self.make_way(if dice.one_in(2) { RingEnd::Producers } else { RingEnd::Consumers });
        }
    }

    fn send(&self, me: u64, way: Way, deadline: Deadline, dice: &Dice) {
        let number = self.begun.get(me).expect("a sender") + 1;
        self.begun.set(me, number).expect("a sender");
        let mut bytes = [me.to_ne_bytes(), number.to_ne_bytes()].concat();
        if way == Way::Parcel {
            let length = LETTER as u64 + dice.below(LONGEST_PARCEL);
            bytes.resize(length as usize, number as u8);
        }
        let sent = match way {
            Way::Letter => self.letters.put(&bytes, deadline),
            Way::Parcel => self.parcels.put(&bytes, deadline),
            Way::Wire => self.wire.lock().expect("sound").put(&bytes, deadline),
            Way::Card => self.boxes.lock().expect("sound").put(&bytes, deadline),
        };
        match sent.map_err(|error| error.status()) {
            Ok(()) => {
                let acknowledged = self.acknowledged.get(me).expect("a sender") + 1;
                self.acknowledged.set(me, acknowledged).expect("a sender");
            }
            Err(Status::TimedOut) => {}
            Err(Status::NotOwner | Status::NoSpace) if way.has_ends() => {}
            Err(status) => panic!("a letter cannot be put: {status:?}"),
        }
    }

    fn receive(&self, me: u64, way: Way, deadline: Deadline, board: &Board) -> bool {
        let mut bytes = [0; LETTER + LONGEST_PARCEL as usize];
        let unmarked = |length| (length, 0);
        let received = match way {
            Way::Letter => self.letters.get_marked(&mut bytes, deadline),
            Way::Parcel => self.parcels.get_marked(&mut bytes, deadline),
            Way::Wire => self.wire.lock().expect("sound").get(&mut bytes, deadline).map(unmarked),
            Way::Card => self.boxes.lock().expect("sound").get(&mut bytes, deadline).map(unmarked),
        };
        match received {
            Ok((length, times)) => {
                board.add(REDELIVERED, u64::from(times.min(1)));
                self.note(&bytes[..length], way, board);
                let got = self.got.get(me).expect("a receiver") + 1;
                self.got.set(me, got).expect("a receiver");
                true
            }
            Err(error) if error.status() == Status::TimedOut => false,
            Err(error) if error.status() == Status::NotOwner && way.has_ends() => false,
            Err(error) => panic!("a letter cannot be got: {error}"),
        }
    }

    /// A letter has come: whole, sent by somebody, and not before.
    fn note(&self, bytes: &[u8], way: Way, board: &Board) {
        let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight"));
        let (sender, number) = (word(0), word(8));
        let is_whole = bytes[LETTER..].iter().all(|byte| *byte == number as u8);
        if sender >= WORKERS || !is_whole || way != Way::Parcel && bytes.len() != LETTER {
            return board.accuse(&format!("a letter that nobody sent: {bytes:?}"));
        }
        if number > self.begun.get(sender).expect("a sender") {
            board.accuse(&format!("letter {number} of {sender} comes before it was sent"));
        }
        let (place, lap) = (sender * WINDOW + number % WINDOW, number / WINDOW + 1);
        if self.laps.get(place).expect("a place") >= lap {
            board.accuse(&format!("letter {number} of {sender} comes twice"));
        }
        self.laps.set(place, lap).expect("a place");
    }

    /// Gives up an end of the wire, and of the boxes.
    fn make_way(&self, end: RingEnd) {
        self.wire.lock().expect("sound").leave(end);
        self.boxes.lock().expect("sound").leave(end);
    }

    /// Each ring, now empty, has room for as many as on its first day.
    fn count_places(&self, way: Way, board: &Board) {
        let bytes = &mut [0; LETTER];
        let push = |bytes: &[u8]| match way {
            Way::Letter => self.letters.push(bytes),
            Way::Parcel => self.parcels.push(bytes),
            Way::Wire => self.wire.lock().expect("sound").push(bytes),
            Way::Card => self.boxes.lock().expect("sound").push(bytes),
        };
        let pop = |bytes: &mut [u8]| match way {
            Way::Letter => self.letters.pop(bytes),
            Way::Parcel => self.parcels.pop(bytes),
            Way::Wire => self.wire.lock().expect("sound").pop(bytes),
            Way::Card => self.boxes.lock().expect("sound").pop(bytes),
        };
        let put = (0..=2 * PLACES).take_while(|_| push(bytes).is_ok()).count();
        let got = (0..=2 * PLACES).take_while(|_| pop(bytes).is_ok()).count();
        if (put as u64, got) != (PLACES, put) {
            board.accuse(&format!("a ring has {put} places of {PLACES}, and {got} records"));
        }
    }

    /// Everybody has left: what is on the way is got, and what was sent and what was got agree but
    /// for what was in the hands of the killed.
    pub(crate) fn audit(&self, board: &Board, kills: u64) {
        for way in WAYS {
            // What a dead one had in the hand is found by who waits.
            let a_while = || Deadline::after_ns(50_000_000).expect("positive");
            while self.receive(WORKERS, way, a_while(), board) {}
            self.count_places(way, board);
        }
        for end in [RingEnd::Producers, RingEnd::Consumers] {
            self.make_way(end);
        }
        let sum = |words: &Array<u64>, n| (0..n).map(|at| words.get(at).expect("inside")).sum();
        let (sent, got): (u64, u64) =
            (sum(&self.acknowledged, WORKERS), sum(&self.got, WORKERS + 1));
        if sent.abs_diff(got) > kills {
            board.accuse(&format!("{sent} letters were sent and {got} got, with {kills} kills"));
        }
    }
}

impl Way {
    /// Where it is counted what is got so.
    fn counter(self) -> usize {
        match self {
            Self::Letter | Self::Parcel => LETTERS,
            Self::Wire => TELEGRAMS,
            Self::Card => CARDS,
        }
    }

    /// Whether somebody else may have the place that one needs.
    fn has_ends(self) -> bool {
        matches!(self, Self::Wire | Self::Card)
    }
}

/// Mostly none.
fn patience(dice: &Dice) -> Deadline {
    if dice.one_in(16) { dice.soon() } else { Deadline::NOW }
}
