//! Acquiring a permit and releasing it, from C through the shared library.

use super::{Plan, alone, cpp_alone, in_two};
use crate::kit::row::Subject;

const SUBJECT: Subject = Subject {
    name: "semaphore_uncontended",
    variant: None,
    unit: "ns",
    unit_ns: 1.0,
    peer_name: Some("sem_t, process-shared"),
    target: Some(0.8),
};

/// One process, nobody else: the only permit, and back.
pub const UNCONTENDED: Plan = Plan {
    subject: SUBJECT,
    measure: |site, subject| alone(site, subject, "semaphore", &["uncontended"]),
};

/// The same by `atoll.hpp`, which does it in place.
pub const UNCONTENDED_CPP: Plan = Plan {
    subject: Subject { name: "semaphore_uncontended_cpp", target: None, ..SUBJECT },
    measure: |site, subject| cpp_alone(site, subject, "semaphore"),
};

/// Two processes that acquire, count and release as fast as they can: a section of either.
pub const CONTENDED: Plan = Plan {
    subject: Subject { name: "semaphore_contended", target: None, ..SUBJECT },
    measure: |site, subject| in_two(site, subject, "semaphore", &["contended"]),
};
