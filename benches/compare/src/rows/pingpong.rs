//! A ball between two processes: how long it takes from the one that wakes to the other one
//! that waits.
//!
//! What makes a wait sleep is the same for both sides. Asleep, who gets the ball keeps it
//! for longer than anybody spins; awake, it comes back at once. See `lanes/pingpong.c`.

use super::{Plan, Site, start};
use crate::kit::Result;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject};
use crate::kit::slice;

const PAIRS: usize = 100;
/// A ball that is kept makes few rounds.
const SLICE_NS: u64 = 5_000_000;

const ASLEEP: Subject = Subject {
    name: "event_pingpong",
    variant: None,
    unit: "us",
    unit_ns: 1000.0,
    peer_name: Some("bare futex"),
    target: Some(0.8),
};
const AWAKE: Subject = Subject {
    name: "event_pingpong_awake",
    peer_name: Some("the same asleep"),
    target: Some(20.0),
    ..ASLEEP
};
const CROWDED: Subject = Subject { name: "event_pingpong_one_cpu", target: None, ..ASLEEP };

/// Two events, one for each direction.
pub const EVENT: Plan = Plan {
    subject: ASLEEP,
    measure: |site, subject| on_two(site, subject, ["event:asleep", "futex:asleep"]),
};
pub const EVENT_AWAKE: Plan = Plan {
    subject: AWAKE,
    measure: |site, subject| on_two(site, subject, ["event:awake", "event:asleep"]),
};
pub const EVENT_ONE_CPU: Plan = Plan {
    subject: CROWDED,
    measure: |site, subject| on_one(site, subject, ["event:crowded", "futex:crowded"]),
};

/// A condition variable and a mutex.
pub const CONDVAR: Plan = Plan {
    subject: Subject { name: "condvar_pingpong", ..ASLEEP },
    measure: |site, subject| on_two(site, subject, ["condvar:asleep", "futex:asleep"]),
};
pub const CONDVAR_AWAKE: Plan = Plan {
    subject: Subject { name: "condvar_pingpong_awake", ..AWAKE },
    measure: |site, subject| on_two(site, subject, ["condvar:awake", "condvar:asleep"]),
};
pub const CONDVAR_ONE_CPU: Plan = Plan {
    subject: Subject { name: "condvar_pingpong_one_cpu", ..CROWDED },
    measure: |site, subject| on_one(site, subject, ["condvar:crowded", "futex:crowded"]),
};

/// Two rings, one for each direction.
pub const RING: Plan = Plan {
    subject: Subject { name: "ring_wakeup", target: Some(0.9), ..ASLEEP },
    measure: |site, subject| on_two(site, subject, ["ring:asleep", "futex:asleep"]),
};

/// Against what does the same work, and may be left locked by the dead.
pub const CONDVAR_PTHREAD: Plan = Plan {
    subject: Subject {
        name: "condvar_pingpong_pthread",
        peer_name: Some("pthread_cond_t, process-shared"),
        target: None,
        ..ASLEEP
    },
    measure: |site, subject| on_two(site, subject, ["condvar:asleep", "pthread:asleep"]),
};

/// Of two things that may come, one does.
const EITHER: Subject = Subject {
    name: "wait_any_2",
    peer_name: Some("poll on two eventfds"),
    target: Some(0.7),
    ..ASLEEP
};
pub const WAIT_ANY: Plan = Plan {
    subject: EITHER,
    measure: |site, subject| on_two(site, subject, ["any:asleep", "poll:asleep"]),
};
pub const WAIT_ANY_AWAKE: Plan = Plan {
    subject: Subject { name: "wait_any_2_awake", target: None, ..EITHER },
    measure: |site, subject| on_two(site, subject, ["any:awake", "poll:awake"]),
};

fn on_two(site: &mut Site, subject: &Subject, balls: [&str; 2]) -> Result<Row> {
    let cpus = site.cpus;
    play(site, subject, balls, cpus)
}

fn on_one(site: &mut Site, subject: &Subject, balls: [&str; 2]) -> Result<Row> {
    let [_, there] = site.cpus;
    play(site, subject, balls, [there; 2])
}

/// Plays our ball and the peer's on those processors.
fn play(site: &mut Site, subject: &Subject, balls: [&str; 2], cpus: [usize; 2]) -> Result<Row> {
    let program = site.shop.c_lane("pingpong")?;
    let lane = |role, cpu| start(&program, "pingpong", role, &balls, cpu);
    let mut lanes = [lane("create", cpus[0])?, lane("open", cpus[1])?];
    let play = |side| slice::run_for(SLICE_NS, &mut lanes, side);
    let pairs = Pairs::collect(&mut site.probe, PAIRS, play)?;
    Ok(subject.compared(&pairs))
}
