//! A post office: letters (records) and parcels (messages of any length) from any worker to any,
//! through rings for many.
//!
//! Each carries who sent it and a number that its sender never uses again, noted before it is
//! sent. So nothing may arrive twice, whoever is killed; what arrives was sent, whole; and of
//! what was acknowledged only that may be missing which its receiver took with it.

use atoll::{Array, Deadline, Mpmc, RingOptions, Segment, Status, Type};

use crate::board::{Board, LETTERS, REDELIVERED, WORKERS};
use crate::dice::Dice;

const LETTER: usize = 16;
/// Numbers of one sender that may be on the way.
const WINDOW: u64 = 1 << 14;
const LONGEST_PARCEL: u64 = 300;
/// Sent and received in one go.
const BURST: u64 = 400;

pub(crate) struct Post {
    letters: Mpmc,
    parcels: Mpmc,
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
        let options = RingOptions::with_capacity(64);
        let letter = Type::bytes(LETTER as u64)?;
        let words = |name, length| Array::open_or_create(segment, name, &[length]);
        Ok(Self {
            letters: Mpmc::open_or_create(segment, Some("letters"), &letter, &options)?,
            parcels: Mpmc::open_or_create(segment, Some("parcels"), &Type::message(), &options)?,
            begun: words("post begun", WORKERS)?,
            acknowledged: words("post acknowledged", WORKERS)?,
            got: words("post got", WORKERS + 1)?,
            laps: words("post laps", WORKERS * WINDOW)?,
        })
    }

    /// Sends some, and receives some.
    pub(crate) fn one_operation(&self, me: u64, board: &Board, dice: &Dice) {
        let mut got = 0;
        for _ in 0..dice.below(BURST) {
            let (is_letter, deadline) = (dice.below(4) != 0, patience(dice));
            match dice.one_in(2) {
                true => self.send(me, is_letter, deadline, dice),
                false => got += u64::from(self.receive(me, is_letter, deadline, board)),
            }
        }
        board.add(LETTERS, got);
    }

    fn send(&self, me: u64, is_letter: bool, deadline: Deadline, dice: &Dice) {
        let number = self.begun.get(me).expect("a sender") + 1;
        self.begun.set(me, number).expect("a sender");
        let mut bytes = [me.to_ne_bytes(), number.to_ne_bytes()].concat();
        if !is_letter {
            let length = LETTER as u64 + dice.below(LONGEST_PARCEL);
            bytes.resize(length as usize, number as u8);
        }
        let sent = self.ring(is_letter).put(&bytes, deadline);
        match sent.map_err(|error| error.status()) {
            Ok(()) => {
                let acknowledged = self.acknowledged.get(me).expect("a sender") + 1;
                self.acknowledged.set(me, acknowledged).expect("a sender");
            }
            Err(Status::TimedOut) => {}
            Err(status) => panic!("a letter cannot be put: {status:?}"),
        }
    }

    fn receive(&self, me: u64, is_letter: bool, deadline: Deadline, board: &Board) -> bool {
        let mut bytes = [0; LETTER + LONGEST_PARCEL as usize];
        match self.ring(is_letter).get_marked(&mut bytes, deadline) {
            Ok((length, times)) => {
                board.add(REDELIVERED, u64::from(times.min(1)));
                self.note(&bytes[..length], is_letter, board);
                let got = self.got.get(me).expect("a receiver") + 1;
                self.got.set(me, got).expect("a receiver");
                true
            }
            Err(error) if error.status() == Status::TimedOut => false,
            Err(error) => panic!("a letter cannot be got: {error}"),
        }
    }

    /// A letter has come: whole, sent by somebody, and not before.
    fn note(&self, bytes: &[u8], is_letter: bool, board: &Board) {
        let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight"));
        let (sender, number) = (word(0), word(8));
        let is_whole = bytes[LETTER..].iter().all(|byte| *byte == number as u8);
        if sender >= WORKERS || !is_whole || is_letter != (bytes.len() == LETTER) && is_letter {
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

    fn ring(&self, is_letter: bool) -> &Mpmc {
        if is_letter { &self.letters } else { &self.parcels }
    }

    /// Everybody has left: what is on the way is got, and what was sent and what was got agree but
    /// for what was in the hands of the killed.
    pub(crate) fn audit(&self, board: &Board, kills: u64) {
        for is_letter in [true, false] {
            while self.receive(WORKERS, is_letter, Deadline::NOW, board) {}
        }
        let sum = |words: &Array<u64>, n| (0..n).map(|at| words.get(at).expect("inside")).sum();
        let (sent, got): (u64, u64) =
            (sum(&self.acknowledged, WORKERS), sum(&self.got, WORKERS + 1));
        if sent.abs_diff(got) > kills {
            board.accuse(&format!("{sent} letters were sent and {got} got, with {kills} kills"));
        }
    }
}

/// Mostly none.
fn patience(dice: &Dice) -> Deadline {
    if dice.one_in(16) { dice.soon() } else { Deadline::NOW }
}
