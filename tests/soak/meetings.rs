//! A barrier at which the first two who come meet. Who waits for somebody who is dead, or too
//! late, goes away, and it is reset.

use std::time::Duration;

use atoll::{Barrier, Deadline, FetchOp, Segment, Status, Value};

use crate::board::{Board, MEETINGS};

const PARTIES: u32 = 2;
/// How long somebody waits for the other one.
const PATIENCE: Duration = Duration::from_millis(5);

pub(crate) struct Meetings {
    barrier: Barrier,
    /// How many have come, and how often as many as had to have met.
    came: Value<u64>,
    met: Value<u64>,
}

impl Meetings {
    pub(crate) fn open(segment: &Segment) -> atoll::Result<Self> {
        Ok(Self {
            barrier: Barrier::open_or_create(segment, Some("meeting"), PARTIES)?,
            came: Value::open_or_create(segment, "came")?,
            met: Value::open_or_create(segment, "met")?,
        })
    }

    pub(crate) fn one_operation(&self, board: &Board) {
        self.came.fetch(FetchOp::Add, 1).expect("a number");
        let patience = Deadline::after_ns(PATIENCE.as_nanos() as i64).expect("not negative");
        match self.barrier.arrive_and_wait(patience) {
            Ok(0) => self.have_met(board),
            Ok(_) => {}
            Err(error) if [Status::TimedOut, Status::Broken].contains(&error.status()) => {
                self.go_away(board);
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// One of those who met counts it.
    fn have_met(&self, board: &Board) {
        let met = self.met.fetch(FetchOp::Add, 1).expect("a number") + 1;
        let came = self.came.load();
        if came < met * u64::from(PARTIES) {
            board.accuse(&format!("{came} came and are said to have met {met} times"));
        }
        board.add(MEETINGS, 1);
    }

    fn go_away(&self, board: &Board) {
        let info = self.barrier.info();
        if info.broken {
            self.barrier.reset().expect("reset");
        }
        if info.waiting > PARTIES {
            board.accuse(&format!("{} wait for each other, and should meet", info.waiting));
        }
    }
}
