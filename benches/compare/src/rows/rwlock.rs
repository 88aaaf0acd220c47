//! Locking for reading or for writing, and unlocking, from C through the shared library.

use super::{Plan, alone, cpp_in_two, in_two};
use crate::kit::row::Subject;

/// Two processes that lock for reading and unlock as fast as they can: a lock and its unlock
/// of either.
pub const READ_IN_TWO: Plan = Plan {
    subject: Subject {
        name: "rwlock_read_2p",
        variant: None,
        unit: "ns",
        unit_ns: 1.0,
        peer_name: Some("pthread_rwlock_t, process-shared"),
        target: Some(5.0),
    },
    measure: |site, subject| in_two(site, subject, "rwlock", &["read"]),
};

/// The same by `atoll.hpp`, which does it in place.
pub const READ_IN_TWO_CPP: Plan = Plan {
    subject: Subject { name: "rwlock_read_2p_cpp", ..READ_IN_TWO.subject },
    measure: |site, subject| cpp_in_two(site, subject, "rwlock"),
};

/// One process, nobody else: a lock for reading and its unlock.
pub const READ_ALONE: Plan = Plan {
    subject: Subject { name: "rwlock_read", target: None, ..READ_IN_TWO.subject },
    measure: |site, subject| alone(site, subject, "rwlock", &["read"]),
};

/// One process, nobody else: a lock for writing and its unlock.
pub const WRITE_ALONE: Plan = Plan {
    subject: Subject { name: "rwlock_write", ..READ_ALONE.subject },
    measure: |site, subject| alone(site, subject, "rwlock", &["write"]),
};
