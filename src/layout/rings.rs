//! The heads of rings.
//!
//! ```text
//!  0    type       128 bytes
//!  128  capacity, lanes, waiting
//!  192  the consumer's role, in a line of its own
//!  256  items      where getters wait
//!  320  what follows is the ring's own
//! ```

use super::bodies::TypeRecord;
use super::shared;
use crate::platform::atomic::AtomicU64;

shared! {
    /// What is the same for all who use a ring; constant once published, but for the role.
    pub(crate) struct RingHead: 256 {
        pub(crate) ty: TypeRecord,
        /// Records that it, or each of its lanes, has room for: a power of two.
        pub(crate) capacity: u64,
        /// Lanes of a ring that has some, else 0.
        pub(crate) lanes: u32,
        /// How its users wait (`Waiting`).
        pub(crate) waiting: u32,
        pub(crate) reserved: [u64; 6],
        /// Who consumes, if that is one (`sync::role`).
        pub(crate) consumer: AtomicU64,
        pub(crate) unused: [u64; 7],
    }
}

impl RingHead {
    /// The head of a new ring, which nobody consumes yet, and whose users wait in the usual way.
    pub(crate) fn new(ty: TypeRecord, capacity: u64, lanes: u32) -> Self {
        let consumer = AtomicU64::new(0);
        Self { ty, capacity, lanes, waiting: 0, reserved: [0; 6], consumer, unused: [0; 7] }
    }

    /// The same with another way of waiting.
    pub(crate) fn waiting(self, waiting: u32) -> Self {
        Self { waiting, ..self }
    }
}
