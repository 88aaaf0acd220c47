//! Objects that come and go: anonymous ones in a bag of each worker, named ones that
//! everybody makes and removes, and tickets that lie on a counter for whoever comes.
//!
//! All bytes of an object are the same. Two objects in the same place would show.

use std::cell::{Cell, RefCell};

use atoll::{
    Array, Deadline, Mutex, RawArray, RawValue, Segment, Status, Ticket, Transaction, Type,
    TypeCode,
};

use crate::board::{Board, OBJECTS, TICKETS};
use crate::dice::Dice;

/// What a worker keeps at most.
const BAG: usize = 24;
/// Names for objects of everybody.
const NAMES: u64 = 12;
/// Tickets on the counter, and words of one: what a `Ticket` has, and 1 if there is one.
const TICKETS_OUT: u64 = 8;
const TICKET_WORDS: u64 = 8;

enum Thing {
    Value(RawValue),
    Array(Array<u8>),
    Mutex(Mutex),
}

pub(crate) struct Churn {
    segment: Segment,
    board: Board,
    bag: RefCell<Vec<Thing>>,
    /// A forked child has the same bag, and may be killed with one of its mutexes.
    has_lost_child: Cell<bool>,
    /// The counter, and its mutex.
    mutex: Mutex,
    lent: RawArray,
    words: Array<u64>,
}

impl Churn {
    pub(crate) fn open(segment: &Segment) -> atoll::Result<Self> {
        let (name, ty) = ("counter", Type::scalar(TypeCode::U64)?);
        let shape = [TICKETS_OUT, TICKET_WORDS];
        Ok(Self {
            segment: segment.clone(),
            board: Board::open(segment)?,
            bag: RefCell::default(),
            has_lost_child: Cell::new(false),
            mutex: Mutex::open_or_create(segment, Some("counter's mutex"), false)?,
            lent: RawArray::open_or_create(segment, Some(name), &ty, &shape)?,
            words: Array::open(segment, name)?,
        })
    }

    pub(crate) fn one_operation(&self, dice: &Dice) {
        match dice.below(10) {
            0..=3 => self.make(dice),
            4..=5 => self.drop_any(dice),
            6 => self.use_name(dice),
            7 => self.remove_name(dice),
            8 => self.send(dice),
            _ => self.receive(dice),
        }
    }

    fn make(&self, dice: &Dice) {
        let size = 1 + dice.below([64, 256, 4096, 50_000][dice.below(4) as usize]);
        let mark = dice.bytes(size);
        let thing = self.board.timed(|| match dice.below(8) {
            0 => Mutex::create(&self.segment, None, false).map(Thing::Mutex),
            1 => Array::create(&self.segment, None, &[size]).map(Thing::Array),
            _ => self.value(None, &mark).map(Thing::Value),
        });
        let thing = thing.expect("room");
        if let Thing::Array(array) = &thing {
            (0..size).try_for_each(|n| array.set(n, mark[0])).expect("inside the array");
        }
        self.board.add(OBJECTS, 1);
        self.keep(thing, dice);
    }

    fn value(&self, name: Option<&str>, mark: &[u8]) -> atoll::Result<RawValue> {
        let ty = Type::bytes(mark.len() as u64)?;
        match name {
            None => RawValue::create(&self.segment, None, &ty, Some(mark)),
            name => RawValue::open_or_create(&self.segment, name, &ty, Some(mark)),
        }
    }

    fn keep(&self, thing: Thing, dice: &Dice) {
        self.bag.borrow_mut().push(thing);
        if self.bag.borrow().len() > BAG {
            self.drop_any(dice);
        }
    }

    fn drop_any(&self, dice: &Dice) {
        let mut bag = self.bag.borrow_mut();
        if bag.is_empty() {
            return;
        }
        let any = dice.below(bag.len() as u64) as usize;
        let thing = bag.swap_remove(any);
        self.check(&thing);
        self.board.timed(|| drop(thing));
    }

    /// A forked child of this worker was killed.
    pub(crate) fn note_lost_child(&self) {
        self.has_lost_child.set(true);
    }

    /// Nobody else has touched it, but for forked children that lock it.
    fn check(&self, thing: &Thing) {
        let bytes = match thing {
            Thing::Value(value) => contents(value),
            Thing::Array(array) => {
                (0..array.len()).map(|n| array.get(n).expect("inside")).collect()
            }
            Thing::Mutex(mutex) => {
                let news = mutex.lock(Deadline::NEVER).expect("free").owner_died();
                vec![0, (news && !self.has_lost_child.get()).into()]
            }
        };
        self.check_bytes(&bytes);
    }

    fn check_bytes(&self, bytes: &[u8]) {
        if let Some(place) = bytes.iter().position(|byte| *byte != bytes[0]) {
            let (first, other, length) = (bytes[0], bytes[place], bytes.len());
            self.board.accuse(&format!(
                "byte {place} of {length} of an object is {other:#x}, and the first one {first:#x}"
            ));
        }
    }

    /// Opens what has a name or makes it, stores to it and lets go.
    fn use_name(&self, dice: &Dice) {
        let number = dice.below(NAMES);
        let mark = dice.bytes(8 + 97 * number);
        let value = self.board.timed(|| self.value(Some(&name_of(number)), &mark)).expect("room");
        self.board.add(OBJECTS, 1);
        self.check_bytes(&contents(&value));
        value.store(&mark, Deadline::NEVER).expect("stored");
        if dice.one_in(4) {
            self.keep(Thing::Value(value), dice);
        }
    }

    fn remove_name(&self, dice: &Dice) {
        let name = name_of(dice.below(NAMES));
        match self.board.timed(|| RawValue::remove(&self.segment, &name)) {
            Err(error) if error.status() != Status::NotFound => panic!("remove: {error}"),
            _ => {}
        }
    }

    /// Puts a ticket for a value from the bag onto the counter.
    fn send(&self, dice: &Dice) {
        let mut bag = self.bag.borrow_mut();
        let Some(at) = bag.iter().position(|thing| matches!(thing, Thing::Value(_))) else {
            return;
        };
        let Thing::Value(value) = &bag[at] else { unreachable!("found as one") };
        let ticket = value.export().expect("room");
        let words = ticket.words.into_iter().chain([ticket.identity, 1]);
        self.at_the_counter(dice.below(TICKETS_OUT), |place| {
            for (n, word) in words.enumerate() {
                self.words.set(place + n as u64, word).expect("on the counter");
            }
        });
        if dice.one_in(2) {
            // The ticket keeps it.
            bag.swap_remove(at);
        }
    }

    /// Takes a ticket from the counter. Who sent it may be gone, and the value with it.
    fn receive(&self, dice: &Dice) {
        let mut words = [0; TICKET_WORDS as usize];
        self.at_the_counter(dice.below(TICKETS_OUT), |place| {
            for (n, word) in (place..).zip(&mut words) {
                *word = self.words.get(n).expect("on the counter");
            }
            self.words.set(place + TICKET_WORDS - 1, 0).expect("on the counter");
        });
        let [.., identity, 1] = words else { return };
        let segment = self.segment.info().expect("sound").name;
        let six = *words.first_chunk().expect("there are eight");
        match RawValue::import(&Ticket { segment, identity, words: six }) {
            Ok(value) => {
                self.board.add(TICKETS, 1);
                self.keep(Thing::Value(value), dice);
            }
            Err(error) if error.status() == Status::NotFound => {}
            Err(error) => panic!("a ticket: {error}"),
        }
    }

    /// Changes one place on the counter, from its first word on, in a transaction.
    fn at_the_counter(&self, place: u64, act: impl FnOnce(u64)) {
        let begun = self.board.timed(|| Transaction::begin(&[&self.mutex], Deadline::NEVER));
        let mut transaction = begun.expect("begun");
        let first = place * TICKET_WORDS;
        transaction.modify(&self.lent, first, TICKET_WORDS).expect("noted");
        act(first);
        transaction.commit().expect("ours");
    }
}

fn contents(value: &RawValue) -> Vec<u8> {
    let mut bytes = vec![0; value.ty().size() as usize];
    value.load(&mut bytes).expect("as many bytes as it has");
    bytes
}

fn name_of(number: u64) -> String {
    format!("passing value {number}")
}
