//! How far apart two processors are at this moment.
//!
//! A cache line bounces between them; half a round trip is the latency one way. It is
//! a property of the processors, not of processes, so threads do for the measurement.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread::{JoinHandle, park};

use super::sorted::Sorted;
use super::{Result, cpu};

/// Which of the latencies that such machines have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Regime {
    /// About 26 ns one way.
    Near,
    /// About 54 ns.
    Mid,
    /// About 190 ns.
    Far,
}

impl Regime {
    pub const ALL: [Self; 3] = [Self::Near, Self::Mid, Self::Far];

    fn of(one_way_ns: f64) -> Self {
        match one_way_ns {
            ns if ns < 40.0 => Self::Near,
            ns if ns < 100.0 => Self::Mid,
            _ => Self::Far,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Mid => "mid",
            Self::Far => "far",
        }
    }
}

/// Returns of a ball in one chunk, and chunks in a measurement: some 20 to 150 µs.
const RALLY: u32 = 16;
const CHUNKS: u32 = 16;

/// What the two players share.
struct Court {
    /// How often it was hit: the probe makes it odd, the partner even.
    ball: Alone,
    match_on: AtomicU32,
}

/// A word alone on its line and the one beside it.
#[repr(align(128))]
struct Alone(AtomicU32);

const REST: u32 = 0;
const PLAY: u32 = 1;
const HOME: u32 = 2;

/// Measures from the processor of the calling thread to another one.
pub struct Probe {
    court: Arc<Court>,
    partner: Option<JoinHandle<()>>,
}

impl Probe {
    /// The calling thread should be pinned to another processor already.
    pub fn to(cpu: usize) -> Result<Self> {
        let court =
            Arc::new(Court { ball: Alone(AtomicU32::new(0)), match_on: AtomicU32::new(REST) });
        let theirs = Arc::clone(&court);
        let (say, hear) = std::sync::mpsc::channel();
        let partner = std::thread::spawn(move || {
            let _ = say.send(cpu::pin(cpu));
            theirs.partner();
        });
        // Until it has left the caller's processor, which the caller keeps busy.
        hear.recv()??;
        Ok(Self { court, partner: Some(partner) })
    }

    /// The regime at this moment.
    pub fn regime(&mut self) -> Regime {
        Regime::of(self.one_way_ns())
    }

    /// Latency of one store to be seen on the other side.
    pub fn one_way_ns(&mut self) -> f64 {
        self.court.ball.0.store(0, Relaxed);
        self.call(PLAY);
        self.court.rally(0); // until the partner is awake
        let chunks = (1..=CHUNKS).map(|chunk| {
            let begin = cpu::now_ns();
            self.court.rally(chunk);
            (cpu::now_ns() - begin) as f64 / f64::from(2 * RALLY)
        });
        Sorted::of(chunks).median()
    }

    fn call(&self, what: u32) {
        self.court.match_on.store(what, Release);
        if let Some(partner) = &self.partner {
            partner.thread().unpark();
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.call(HOME);
        if let Some(partner) = self.partner.take() {
            let _ = partner.join();
        }
    }
}

impl Court {
    /// Both players know which ball comes next, so they do nothing but wait for it and
    /// hit it. They wait without a pause, which would take longer than the ball.
    fn rally(&self, chunk: u32) {
        for ball in chunk * RALLY..(chunk + 1) * RALLY {
            self.ball.0.store(2 * ball + 1, Release);
            while self.ball.0.load(Acquire) != 2 * ball + 2 {}
        }
    }

    fn return_balls(&self) {
        for ball in 0..(CHUNKS + 1) * RALLY {
            while self.ball.0.load(Acquire) != 2 * ball + 1 {}
            self.ball.0.store(2 * ball + 2, Release);
        }
    }

    fn partner(&self) {
        loop {
            match self.match_on.load(Acquire) {
                HOME => return,
                PLAY => {
                    self.match_on.store(REST, Relaxed);
                    self.return_balls();
                }
                _ => park(),
            }
        }
    }
}
