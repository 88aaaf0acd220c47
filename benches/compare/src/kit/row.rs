//! One line of the results.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::pairs::{Pair, Pairs};
use super::probe::Regime;
use super::slice::Slice;
use super::sorted::Sorted;
use super::{Failure, cpu};

/// A comparison, or a figure that is only reported. The names are fixed: programs
/// read them.
#[derive(Serialize)]
pub struct Row {
    pub name: &'static str,
    #[serde(skip)]
    pub variant: Option<&'static str>,
    pub unit: &'static str,
    /// Median costs: less is better.
    pub ours: Option<f64>,
    pub peer: Option<f64>,
    pub peer_name: Option<&'static str>,
    /// `peer / ours`.
    pub advantage: Option<f64>,
    /// The advantage asked for.
    pub target: Option<f64>,
    pub regime: Option<&'static str>,
    pub runs: Vec<Run>,
    /// The least and the greatest advantage of a run; without a peer, cost of a run.
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub extra: Map<String, Value>,
    /// Why there are no figures.
    pub skipped: Option<String>,
}

/// What one pair of slices came to.
#[derive(Serialize)]
pub struct Run {
    pub ours: f64,
    pub peer: Option<f64>,
}

/// What a row is about.
#[derive(Clone, Copy)]
pub struct Subject {
    pub name: &'static str,
    /// Which of the ways that rows stand side by side for; such rows share a beginning of
    /// their names.
    pub variant: Option<&'static str>,
    pub unit: &'static str,
    /// Nanoseconds in that unit.
    pub unit_ns: f64,
    pub peer_name: Option<&'static str>,
    pub target: Option<f64>,
}

impl Subject {
    fn empty_row(&self) -> Row {
        Row {
            name: self.name,
            variant: self.variant,
            unit: self.unit,
            ours: None,
            peer: None,
            peer_name: self.peer_name,
            advantage: None,
            target: self.target,
            regime: None,
            runs: Vec::new(),
            min: None,
            max: None,
            extra: Map::new(),
            skipped: None,
        }
    }

    /// The row of a comparison: the regime that most pairs met decides.
    pub fn compared(&self, pairs: &Pairs) -> Row {
        let regime = pairs.usual();
        let usual = pairs.of(regime);
        let [ours, peer] = medians(&usual, |slice| slice.cost_ns);
        let advantages = Sorted::of(usual.iter().map(Pair::advantage));
        let in_units = |ns: f64| round(ns / self.unit_ns);
        let run = |pair: &Pair| Run {
            ours: in_units(pair.ours.cost_ns),
            peer: Some(in_units(pair.peer.cost_ns)),
        };
        let mut row = Row {
            ours: Some(in_units(ours)),
            peer: Some(in_units(peer)),
            advantage: Some(round(peer / ours)),
            regime: Some(regime.name()),
            runs: usual.iter().map(run).collect(),
            min: Some(round(advantages.least())),
            max: Some(round(advantages.most())),
            ..self.empty_row()
        };
        row.note("load", json!(cpu::load()));
        row.note("dropped", json!({"moved": pairs.moved, "disturbed": pairs.disturbed}));
        let [ours, peer] = medians(&usual, |slice| slice.least_share);
        if ours < 1.0 {
            row.note("least_share", json!({"ours": round(ours), "peer": round(peer)}));
        }
        for other in Regime::ALL.into_iter().filter(|&other| other != regime) {
            let met = pairs.of(other);
            if !met.is_empty() {
                let [ours, peer] = medians(&met, |slice| slice.cost_ns);
                let seen = json!({
                    "runs": met.len(),
                    "ours": in_units(ours),
                    "peer": in_units(peer),
                    "advantage": round(peer / ours),
                });
                row.note(other.name(), seen);
            }
        }
        row
    }

    /// The row of figures that stand alone.
    pub fn reported(&self, samples: &[f64]) -> Row {
        let sorted = Sorted::of(samples.iter().copied());
        let mut row = Row {
            ours: Some(round(sorted.median())),
            runs: samples.iter().map(|&ours| Run { ours: round(ours), peer: None }).collect(),
            min: Some(round(sorted.least())),
            max: Some(round(sorted.most())),
            ..self.empty_row()
        };
        row.note("load", json!(cpu::load()));
        row
    }

    /// The row of what could not be measured.
    pub fn skipped(&self, reason: &Failure) -> Row {
        Row { skipped: Some(reason.to_string()), ..self.empty_row() }
    }
}

impl Row {
    /// Says something more about the row.
    pub fn note(&mut self, what: &str, value: Value) {
        self.extra.insert(what.to_owned(), value);
    }

    /// Whether the target is met, if there is one.
    pub fn is_met(&self) -> Option<bool> {
        Some(self.advantage? >= self.target?)
    }
}

/// Of ours and of the peer's.
fn medians(pairs: &[Pair], figure: fn(Slice) -> f64) -> [f64; 2] {
    let ours = Sorted::of(pairs.iter().map(|pair| figure(pair.ours)));
    let peer = Sorted::of(pairs.iter().map(|pair| figure(pair.peer)));
    [ours.median(), peer.median()]
}

/// Three decimals are more than anyone can measure.
pub fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
