//! What one sleep is to end by: the words of all the objects that it is for.
//!
//! The order is that of `wait`'s rules: first the words that hooks point at, of all objects
//! (W1), then what else is compared, and the words of the living last (W2). If there are
//! more than the kernel takes, the last ones are left out, and the sleep is a short one.

use crate::platform::atomic::Ordering::Relaxed;
use crate::platform::futex::{self, Watch};
use crate::platform::robust;
use crate::roster::attachment::Attachment;

/// A process that ends frees its byte a little after its threads are dead.
const FIRST_UNREST_NS: u64 = 50_000;
const LONGEST_UNREST_NS: u64 = 20_000_000;

/// What one sleep is to end by.
pub(crate) struct Bed<'a> {
    /// All words, once `words` was asked: until then the first one of each object.
    words: Vec<Watch<'a>>,
    others: Vec<Watch<'a>>,
    /// Words of living threads that are slept on without their names.
    threads: Vec<Watch<'a>>,
    /// Participants that are watched, and their names there.
    living: Vec<(&'a Attachment, u64)>,
    /// Something may change that nobody wakes us for.
    unrest: bool,
    unrest_ns: u64,
}

impl<'a> Bed<'a> {
    pub(super) fn new() -> Self {
        Self {
            words: Vec::new(),
            others: Vec::new(),
            threads: Vec::new(),
            living: Vec::new(),
            unrest: false,
            unrest_ns: FIRST_UNREST_NS,
        }
    }

    /// Empties it for the next sleep.
    pub(super) fn make(&mut self) {
        self.words.clear();
        self.others.clear();
        self.threads.clear();
        self.living.clear();
        self.unrest_ns = match self.unrest {
            true => (self.unrest_ns * 2).min(LONGEST_UNREST_NS),
            false => FIRST_UNREST_NS,
        };
        self.unrest = false;
    }

    /// The word on which sleepers of one object are woken, and where hooks point. It is there
    /// once, however often it is added, or two wake-ups of one sleeper each were spent on us.
    pub(super) fn add(&mut self, first: Watch<'a>) {
        if !self.words.iter().any(|known| core::ptr::eq(known.word, first.word)) {
            self.words.push(first);
        }
    }

    /// What else has to be as it was seen.
    pub(super) fn compare(&mut self, other: Watch<'a>) {
        self.others.push(other);
    }

    /// The death of that participant ends the sleep.
    pub(crate) fn watch(&mut self, attachment: &'a Attachment, name: u64) {
        self.living.push((attachment, name));
    }

    /// The death of the thread with that liveness word ends it, by whatever name it goes.
    pub(super) fn watch_thread(&mut self, word: Watch<'a>) {
        self.threads.push(word);
    }

    /// Something may change soon that nobody wakes us for: the sleep is short, and the next
    /// one a little longer.
    pub(crate) fn look_again_soon(&mut self) {
        self.unrest = true;
    }

    /// How long the sleep may be at most.
    pub(super) fn span_ns(&self) -> u64 {
        if self.unrest { self.unrest_ns } else { u64::MAX }
    }

    /// All words in order, and who is watched by name. Nothing is added after that.
    pub(super) fn words(&mut self) -> (&[Watch<'a>], &[(&'a Attachment, u64)]) {
        self.words.append(&mut self.others);
        self.words.extend_from_slice(&self.threads);
        (&self.words, &self.living)
    }

    /// W3, of those who are watched without a name.
    pub(super) fn spread_word(&self) {
        for thread in &self.threads {
            // Relaxed: a hint. Who looks again reads the roster.
            if robust::word_says_dead(thread.word.load(Relaxed)) {
                futex::wake_all(thread.word);
            }
        }
    }
}
