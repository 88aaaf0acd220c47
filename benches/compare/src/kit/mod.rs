//! Compares two ways of doing the same thing on a machine that changes under them.
//!
//! Virtual machines move between core-to-core latencies that differ by a factor of
//! seven, without notice and for seconds at a time. A figure taken now says nothing
//! about one taken a minute ago. So nothing is compared but neighbours:
//!
//! ```text
//!   probe   ours   probe   peer   probe   peer   probe   ours   probe  ...
//!           1 ms           1 ms           1 ms           1 ms
//!          `------- a pair -------'      `------- a pair -------'
//! ```
//!
//! - A **lane** is a process on a processor of its own. It is a program in any language
//!   that reads one line per request from its standard input and answers with one.
//!   One program holds both sides, ours and the peer's, so all else is equal.
//! - A **slice** is a millisecond of work of one side on all lanes at once.
//! - A **probe** bounces a cache line between the two processors and tells the regime
//!   that they are in: near, mid or far.
//! - A **pair** is a slice of each side. It counts if the three probes around it found
//!   the same regime and no lane lost its processor to somebody else.
//! - A **row** is what all pairs of one comparison come to: medians of the regime that
//!   most of them met, and the extremes.
//!
//! # The lines
//!
//! ```text
//!   to a lane              from it
//!                          ready                      once it has set itself up, or
//!                          missing WHY                if this machine cannot do that
//!   SIDE FROM_NS UNTIL_NS  OPERATIONS NS PREEMPTED    a slice between two moments of
//!                                                     CLOCK_MONOTONIC: what it did, how
//!                                                     long that took, how often it was
//!                                                     taken off its processor; a lane of
//!                                                     several processes says so of each,
//!                                                     all on the same line
//!   (end of file)                                     it ends
//! ```

pub mod chart;
pub mod cpu;
pub mod interpreter;
pub mod lane;
pub mod pairs;
pub mod probe;
pub mod report;
pub mod row;
pub mod slice;
pub mod sorted;
pub mod workshop;

/// What the machine does not have, or not now: no fault of what is measured.
#[derive(Debug)]
pub struct Missing(pub String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// What went wrong, for people; or what is [`Missing`].
pub type Failure = Box<dyn std::error::Error>;
pub type Result<T> = std::result::Result<T, Failure>;
