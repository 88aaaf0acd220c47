//! What all rings have in common for who opens one.

use super::types::Type;
use crate::error::{Error, Result, Status, corrupted, invalid};
use crate::layout::rings::RingHead;
use crate::platform::time::Deadline;
use crate::sync::wait::{Spin, Wait};

/// How the users of a ring wait when there is nothing to get, or no room.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waiting {
    /// Look for some microseconds, then sleep; and sleep at once where looking was in vain.
    #[default]
    Adaptive = 0,
    /// Never sleep: for who has a processor to spare for each side. Signal handlers do not
    /// end such a wait.
    Spin = 1,
    /// Sleep at once: for what takes its time.
    Sleep = 2,
}

impl Waiting {
    /// The way with this number.
    ///
    /// # Errors
    /// `InvalidArgument` for a number that is none.
    pub fn of(number: u32) -> Result<Self> {
        match number {
            0 => Ok(Self::Adaptive),
            1 => Ok(Self::Spin),
            2 => Ok(Self::Sleep),
            _ => Err(Error::with(
                Status::InvalidArgument,
                format!("{number} is no way of waiting: use ATOLL_WAIT_ADAPTIVE, _SPIN or _SLEEP"),
            )),
        }
    }

    /// A wait of that sort.
    pub(super) fn until(self, deadline: Deadline, spin: &Spin) -> Wait<'_> {
        match self {
            Self::Adaptive => Wait::new(deadline, spin),
            Self::Spin => Wait::busy(deadline),
            Self::Sleep => Wait::patient(deadline),
        }
    }
}

/// One of the two ends of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingEnd {
    /// Where records are put.
    Producers,
    /// Where they are got.
    Consumers,
}

/// What a ring is to be.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RingOptions {
    /// How many records there is room for, of a ring with lanes in each of them: a power of
    /// two. To open one, 0 stands for what it has.
    pub capacity: u64,
    /// How many lanes: 1 to 64, of a ring that has some. To open one, 0 stands for what it
    /// has.
    pub lanes: u32,
    /// How its users wait. To open one, it is not compared.
    pub waiting: Waiting,
}

impl RingOptions {
    /// Room for that many records.
    pub fn with_capacity(capacity: u64) -> Self {
        Self { capacity, ..Self::default() }
    }

    /// The same with that many lanes.
    #[must_use]
    pub fn with_lanes(self, lanes: u32) -> Self {
        Self { lanes, ..self }
    }

    /// The same with that way of waiting.
    #[must_use]
    pub fn with_waiting(self, waiting: Waiting) -> Self {
        Self { waiting, ..self }
    }

    /// Refuses a capacity that no ring has.
    pub(super) fn check_capacity(&self, most: u64) -> Result<()> {
        if self.capacity.is_power_of_two() && self.capacity <= most {
            return Ok(());
        }
        let text = match self.capacity {
            0 => "a ring with a capacity of 0 holds nothing: say for how many records".to_owned(),
            capacity if capacity > most => {
                format!("a capacity of {capacity} is more than any ring has: at most {most}")
            }
            capacity => format!(
                "a capacity of {capacity} is no power of two: take {} or {}",
                capacity.next_power_of_two() / 2,
                capacity.next_power_of_two()
            ),
        };
        Err(Error::with(Status::InvalidArgument, text))
    }
}

/// What a ring is, and what has gone through it. Counts are those of one moment, and may be off
/// by what others do meanwhile. Of a ring of messages they count cells, not messages.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RingInfo {
    /// The type of its records.
    pub ty: Type,
    /// How many there is room for, in each lane.
    pub capacity: u64,
    /// How many lanes; 0 of a ring that has none.
    pub lanes: u32,
    /// How its users wait.
    pub waiting: Waiting,
    /// How many records are in it.
    pub length: u64,
    /// How many were ever put.
    pub pushed: u64,
    /// How many were ever got.
    pub popped: u64,
    /// How many went to somebody else because who was about to get them died.
    pub redelivered: u64,
    /// How many places were skipped because who was about to fill them died.
    pub skipped: u64,
    /// The most records that were found in it (in one lane of it) by who looked for more.
    pub high_water: u64,
    /// Whether the producers' end is closed.
    pub producers_ended: bool,
    /// Whether the consumers' end is.
    pub consumers_ended: bool,
}

/// What a head in a segment says of the records and of waiting; it is shared memory.
pub(super) fn read_head(head: &RingHead) -> Result<(Type, Waiting)> {
    let waiting = Waiting::of(head.waiting).map_err(|_| {
        corrupted("the head of a ring says an impossible way of waiting: the segment is damaged")
    })?;
    Ok((Type::of_ring(&head.ty)?, waiting))
}

/// Refuses a ring that is not as it was wanted.
pub(super) fn check_wanted(
    noun: &str,
    there: (&Type, &RingOptions),
    wanted: (Option<&Type>, &RingOptions),
) -> Result<()> {
    let ((ty, is), (wanted_type, wants)) = (there, wanted);
    let differs = |text: String| Err(Error::with(Status::WrongKind, text));
    if let Some(wanted) = wanted_type.filter(|wanted| !ty.agrees_with(wanted)) {
        return differs(format!(
            "the {noun} has records of {}, and was opened for {}",
            ty.describe(),
            wanted.describe()
        ));
    }
    if wants.capacity != 0 && wants.capacity != is.capacity {
        return differs(format!(
            "the {noun} has a capacity of {}, not {}: open it with 0 for any",
            is.capacity, wants.capacity
        ));
    }
    if wants.lanes != 0 && wants.lanes != is.lanes {
        return differs(format!(
            "the {noun} has {} lanes, not {}: open it with 0 for any",
            is.lanes, wants.lanes
        ));
    }
    Ok(())
}

/// Nothing is there to be got.
pub(super) const EMPTY: Error = Error::new(
    Status::Empty,
    "the ring is empty: try again when something was put, or wait for it with get",
);

/// There is no room.
pub(super) const FULL: Error = Error::new(
    Status::Full,
    "the ring is full: try again when something was got, or wait for that with put",
);

/// The refusal of bytes that are not whole records.
#[cold]
pub(super) fn wrong_length(bytes: usize, record: usize) -> Error {
    Error::with(
        Status::InvalidArgument,
        format!("a record of this ring has {record} bytes, not {bytes}"),
    )
}

/// The refusal of room that is too small for a record, which stays.
#[cold]
pub(super) fn too_small(room: usize, record: usize) -> Error {
    Error::with(
        Status::TooSmall,
        format!("a record has {record} bytes, and there is room for {room}: it stays in the ring"),
    )
}

pub(super) const NO_CLAIM: Error = invalid(
    "no place is claimed here, or something was pushed since: claim, write, then commit at most \
     as many as were claimed",
);

pub(super) const NO_PEEK: Error = invalid(
    "nothing was peeked at here, or something was popped since: peek, read, then advance by at \
     most as many as were shown",
);

pub(super) const NO_RESERVATION: Error = invalid(
    "this is no place that was claimed through this handle and not given back, or none of that \
     sort: claim, write, commit; or peek, read, advance",
);
