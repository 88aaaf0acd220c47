//! What Python programs see, with the accelerator and without it.
//!
//! Each comparison is two rows: one with the accelerator, and its twin `_ctypes` without.

use std::path::PathBuf;

use serde_json::json;

use super::{PAIRS, Plan, Site};
use crate::kit::lane::Lane;
use crate::kit::pairs::Pairs;
use crate::kit::row::{Row, Subject};
use crate::kit::slice::{self, Slice};
use crate::kit::{Missing, Result, interpreter};

/// Of the versions of Python that are told in passing.
const FEW_PAIRS: usize = 50;
/// Of fresh interpreters.
const IMPORTS: usize = 40;
const FEW_IMPORTS: usize = 10;

const ACCELERATED: &str = "accelerator";
const CTYPES: &str = "ctypes";

const SUBJECT: Subject = Subject {
    name: "",
    variant: Some(ACCELERATED),
    unit: "ns",
    unit_ns: 1.0,
    peer_name: None,
    target: None,
};

/// `lock.acquire()` and `lock.release()`.
pub const LOCK: Plan = Plan {
    subject: Subject {
        name: "py_lock_uncontended",
        peer_name: Some("multiprocessing.Lock"),
        target: Some(0.8),
        ..SUBJECT
    },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_lock", "uncontended")),
};
pub const LOCK_CTYPES: Plan = twin(LOCK, "py_lock_uncontended_ctypes", None);

/// `with lock: pass`.
pub const WITH: Plan = Plan {
    subject: Subject { name: "py_lock_with", target: Some(1.5), ..LOCK.subject },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_lock", "with")),
};
pub const WITH_CTYPES: Plan = twin(WITH, "py_lock_with_ctypes", None);

/// `lock.acquire()` and `lock.release()` of `atoll.multiprocessing.Lock`.
pub const DROPIN: Plan = Plan {
    subject: Subject { name: "py_dropin_lock_uncontended", ..LOCK.subject },
    measure: |site, subject| {
        versions(site, subject, |at| at.slices("py_lock", "dropin-uncontended"))
    },
};
pub const DROPIN_CTYPES: Plan = twin(DROPIN, "py_dropin_lock_uncontended_ctypes", None);

/// `with lock: pass` of the same.
pub const DROPIN_WITH: Plan = Plan {
    subject: Subject { name: "py_dropin_lock_with", ..WITH.subject },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_lock", "dropin-with")),
};
pub const DROPIN_WITH_CTYPES: Plan = twin(DROPIN_WITH, "py_dropin_lock_with_ctypes", None);

/// `lock.acquire()` and `lock.release()` in two processes, as fast as they can.
pub const CONTENDED: Plan = Plan {
    subject: Subject { name: "py_lock_contended", target: Some(1.5), ..LOCK.subject },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_lock", "contended")),
};
pub const CONTENDED_CTYPES: Plan = twin(CONTENDED, "py_lock_contended_ctypes", None);

/// `with lock: value.value += 1`.
pub const LOCKED_ADD: Plan = Plan {
    subject: Subject {
        name: "py_value_locked_add",
        peer_name: Some("multiprocessing.Value under its lock"),
        target: Some(4.0),
        ..SUBJECT
    },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_value", "locked_add")),
};
pub const LOCKED_ADD_CTYPES: Plan = twin(LOCKED_ADD, "py_value_locked_add_ctypes", Some(1.5));

/// `value.add(1)`, against a peer that needs its lock for that.
pub const ATOMIC_ADD: Plan = Plan {
    subject: Subject { name: "py_value_atomic_add", target: Some(10.0), ..LOCKED_ADD.subject },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_value", "atomic_add")),
};
pub const ATOMIC_ADD_CTYPES: Plan = twin(ATOMIC_ADD, "py_value_atomic_add_ctypes", None);

/// `event.is_set()`.
pub const EVENT: Plan = Plan {
    subject: Subject {
        name: "py_event_is_set",
        peer_name: Some("multiprocessing.Event"),
        target: Some(4.0),
        ..SUBJECT
    },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_event", "is_set")),
};
pub const EVENT_CTYPES: Plan = twin(EVENT, "py_event_is_set_ctypes", None);

/// `semaphore.acquire()` and `semaphore.release()`.
pub const SEMAPHORE: Plan = Plan {
    subject: Subject {
        name: "py_semaphore_uncontended",
        peer_name: Some("multiprocessing.Semaphore"),
        target: None,
        ..SUBJECT
    },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_semaphore", "uncontended")),
};
pub const SEMAPHORE_CTYPES: Plan = twin(SEMAPHORE, "py_semaphore_uncontended_ctypes", None);

/// `array[i]`.
pub const READ: Plan = Plan {
    subject: Subject {
        name: "py_array_read",
        peer_name: Some("multiprocessing.Array"),
        target: Some(5.0),
        ..SUBJECT
    },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_array", "read")),
};
pub const READ_CTYPES: Plan = twin(READ, "py_array_read_ctypes", Some(5.0));

/// `array[i:j]` of 1000 elements: a view, where the peer makes a list.
pub const SLICE: Plan = Plan {
    subject: Subject { name: "py_array_slice1000", target: Some(20.0), ..READ.subject },
    measure: |site, subject| versions(site, subject, |at| at.slices("py_array", "slice1000")),
};
pub const SLICE_CTYPES: Plan = twin(SLICE, "py_array_slice1000_ctypes", Some(20.0));

/// `import atoll` in a fresh interpreter.
pub const IMPORT: Plan = Plan {
    subject: Subject {
        name: "py_import",
        unit: "ms",
        unit_ns: 1e6,
        peer_name: Some("import multiprocessing"),
        target: Some(0.67),
        ..SUBJECT
    },
    measure: |site, subject| versions(site, subject, |at| at.imports()),
};
pub const IMPORT_CTYPES: Plan = twin(IMPORT, "py_import_ctypes", None);

/// The same without the accelerator.
const fn twin(plan: Plan, name: &'static str, target: Option<f64>) -> Plan {
    Plan { subject: Subject { name, variant: Some(CTYPES), target, ..plan.subject }, ..plan }
}

/// One version of Python, with the accelerator or without it.
struct At<'a> {
    site: &'a mut Site,
    /// "" for the usual one, of which there are more pairs.
    version: &'a str,
    is_pure: bool,
}

/// The row of the usual Python, and what other versions say.
fn versions(
    site: &mut Site,
    subject: &Subject,
    compare: fn(&mut At<'_>) -> Result<Pairs>,
) -> Result<Row> {
    let is_pure = subject.variant == Some(CTYPES);
    let mut row = subject.compared(&compare(&mut At { site, version: "", is_pure })?);
    let others = std::env::var("PYTHONS").unwrap_or_else(|_| "3.9 3.13".into());
    for version in others.split_whitespace() {
        let other = match compare(&mut At { site, version, is_pure }) {
            Ok(pairs) => {
                let row = subject.compared(&pairs);
                json!({"ours": row.ours, "peer": row.peer, "advantage": row.advantage})
            }
            Err(why) if why.is::<Missing>() => json!({"skipped": why.to_string()}),
            Err(why) => return Err(why),
        };
        row.note(&format!("python{version}"), other);
    }
    Ok(row)
}

impl At<'_> {
    /// A lane that works slices.
    fn slices(&mut self, lane: &str, what: &str) -> Result<Pairs> {
        let [here, there] = self.site.cpus;
        let python = self.interpreter()?;
        let mut command = self.site.shop.python_lane(&python, lane, self.is_pure);
        command.arg(what);
        if what == "contended" {
            command.arg(here.to_string());
        }
        let mut lanes = [Lane::start(command, there)?];
        let pairs = self.few_or(PAIRS, FEW_PAIRS);
        Pairs::collect(&mut self.site.probe, pairs, |side| slice::run(&mut lanes, side))
    }

    /// Fresh interpreters.
    fn imports(&mut self) -> Result<Pairs> {
        let there = self.site.cpus[1];
        let pairs = self.few_or(IMPORTS, FEW_IMPORTS);
        let python = self.interpreter()?;
        let Site { shop, probe, .. } = self.site;
        let import = |side: slice::Side| {
            let mut command = shop.python_lane(&python, "py_import", self.is_pure);
            command.arg(side.name());
            let [took, preempted] = Lane::start(command, there)?.numbers()?[..] else {
                return Err("an import answers with two numbers".into());
            };
            Ok(Slice { disturbed: preempted > 0, ..Slice::of_one(took as f64) })
        };
        // The first one compiles.
        import(slice::Side::Ours)?;
        import(slice::Side::Peer)?;
        Pairs::collect(probe, pairs, import)
    }

    fn interpreter(&self) -> Result<PathBuf> {
        let python = interpreter::find(self.version)?;
        if !self.is_pure {
            self.site.shop.accelerate(&python)?;
        }
        Ok(python)
    }

    fn few_or(&self, usual: usize, few: usize) -> usize {
        if self.version.is_empty() { usual } else { few }
    }
}
