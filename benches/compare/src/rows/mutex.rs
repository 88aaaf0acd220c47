//! Locking and unlocking, from C through the shared library.

use super::{Plan, alone, cpp_alone, in_two};
use crate::kit::row::Subject;

const SUBJECT: Subject = Subject {
    name: "mutex_uncontended",
    variant: None,
    unit: "ns",
    unit_ns: 1.0,
    peer_name: Some("glibc robust process-shared mutex"),
    target: Some(1.0),
};

/// One process, nobody else: a lock and its unlock.
pub const UNCONTENDED: Plan = Plan {
    subject: SUBJECT,
    measure: |site, subject| alone(site, subject, "mutex", &["uncontended"]),
};

/// The same by `atoll.hpp`, which does it in place.
pub const UNCONTENDED_CPP: Plan = Plan {
    subject: Subject { name: "mutex_uncontended_cpp", target: Some(1.8), ..SUBJECT },
    measure: |site, subject| cpp_alone(site, subject, "mutex"),
};

/// Two processes that lock, count and unlock as fast as they can: a section of either.
pub const CONTENDED: Plan = Plan {
    subject: Subject { name: "mutex_contended", ..SUBJECT },
    measure: |site, subject| in_two(site, subject, "mutex", &["contended"]),
};
