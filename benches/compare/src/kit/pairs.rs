//! Neighbouring slices of both sides.

use super::probe::{Probe, Regime};
use super::slice::{Side, Slice};
use super::{Missing, Result};

/// A slice of each side, in the same regime.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub regime: Regime,
    pub ours: Slice,
    pub peer: Slice,
}

impl Pair {
    /// How many times cheaper ours is.
    pub fn advantage(&self) -> f64 {
        self.peer.cost_ns / self.ours.cost_ns
    }
}

/// What was measured, and how much of it had to be dropped.
#[derive(Default)]
pub struct Pairs {
    kept: Vec<Pair>,
    /// Pairs during which the regime changed.
    pub moved: usize,
    /// Pairs during which a lane lost its processor.
    pub disturbed: usize,
}

/// For one pair that is wanted so many are tried.
const TRIES: usize = 4;

impl Pairs {
    /// Measures until there are so many pairs in one regime, or as many as can be had.
    /// Which side comes first changes from pair to pair.
    pub fn collect(
        probe: &mut Probe,
        wanted: usize,
        mut slice: impl FnMut(Side) -> Result<Slice>,
    ) -> Result<Self> {
        let mut pairs = Self::default();
        let mut first = Side::Ours;
        let mut before = probe.regime();
        for _ in 0..wanted * TRIES {
            let one = slice(first)?;
            let between = probe.regime();
            let other = slice(first.other())?;
            let after = probe.regime();
            if between != before || after != before {
                pairs.moved += 1;
            } else if one.disturbed || other.disturbed {
                pairs.disturbed += 1;
            } else {
                let (ours, peer) = match first {
                    Side::Ours => (one, other),
                    Side::Peer => (other, one),
                };
                pairs.kept.push(Pair { regime: before, ours, peer });
            }
            before = after;
            first = first.other();
            if pairs.of(pairs.usual()).len() >= wanted {
                break;
            }
        }
        if pairs.kept.is_empty() {
            let why = "the machine is too busy: no slice ran undisturbed";
            return Err(Missing(why.into()).into());
        }
        Ok(pairs)
    }

    /// The regime that most pairs met.
    pub fn usual(&self) -> Regime {
        let count = |regime| self.kept.iter().filter(|pair| pair.regime == regime).count();
        Regime::ALL.into_iter().max_by_key(|&regime| count(regime)).expect("there are regimes")
    }

    /// The pairs of one regime.
    pub fn of(&self, regime: Regime) -> Vec<Pair> {
        self.kept.iter().filter(|pair| pair.regime == regime).copied().collect()
    }

    /// All pairs, whatever their regime.
    pub fn all(&self) -> &[Pair] {
        &self.kept
    }
}
