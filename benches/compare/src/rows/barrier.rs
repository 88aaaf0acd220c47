//! A barrier of two processes, from C through the shared library.

use super::{Plan, in_two};
use crate::kit::row::Subject;

/// Both arrive as soon as they are released: half a round.
pub const IN_TWO: Plan = Plan {
    subject: Subject {
        name: "barrier_2p",
        variant: None,
        unit: "ns",
        unit_ns: 1.0,
        peer_name: Some("pthread_barrier_t, process-shared"),
        target: None,
    },
    measure: |site, subject| in_two(site, subject, "barrier", &[]),
};
