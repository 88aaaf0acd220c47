//! Records whose consumer died before it had got them, and who takes them over.
//!
//! Such a record is FULL, behind the head, and nobody living claims it. Nobody comes by there
//! but the producers, a lap later; so who suspects a death says so (`orphaned`), and the next
//! getter looks at all slots behind the head. Suspicion is raised by who finds a claim of
//! somebody dead (getters who find nothing look for such claims), by the next owner of a dead
//! one's slot in the roster, and by a producer that comes to the slot.
//!
//! To take one over is to announce its position and to raise `times` in its word by one
//! exchange: of many who try one has it, and it carries the mark of how often that happened.

use super::mpmc::{By, DAMAGED, FULL, Mpmc, STATE, TIMES, TOMB, word_of};
use super::plan::MpmcHead;
use crate::error::Result;
use crate::layout::Offset;
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::roster::claims::{self, Purpose};

impl Mpmc {
    /// There may be orphans: has a getter look, and wakes one for it.
    pub(crate) fn suspect(&self) {
        suspect(self.head);
    }

    /// A place was freed that nobody said would be.
    pub(super) fn suspect_putters(&self) {
        self.head.room.nudge();
    }

    /// Looks whether somebody died in the middle of getting something; true if there may be
    /// something to be taken over.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn look_for_dead(&self) -> Result<bool> {
        // Relaxed: a hint, here and below.
        if self.head.orphaned.load(Relaxed) == 0 && self.news_of_the_dead()? {
            self.head.orphaned.store(1, Release);
        }
        Ok(self.head.orphaned.load(Relaxed) != 0)
    }

    /// Whether there are claims of the dead that this handle has not looked for.
    fn news_of_the_dead(&self) -> Result<bool> {
        let mut is_news = false;
        claims::each_dead(self.attachment, self.id, |claim| {
            is_news |= self.looked_for.iter().all(|known| known.load(Relaxed) != claim);
        })?;
        Ok(is_news)
    }

    /// They have been looked for, at all positions.
    fn note_looked_for(&self, claims: &[u64]) {
        for claim in claims {
            if self.looked_for.iter().all(|known| known.load(Relaxed) != *claim) {
                let at = self.next_known.fetch_add(1, Relaxed) as usize % self.looked_for.len();
                self.looked_for[at].store(*claim, Relaxed);
            }
        }
    }

    /// Those living who have claimed records and not freed them: they may die with them in the
    /// hand. What lock words call them.
    ///
    /// # Errors
    /// `Corrupted`.
    pub(crate) fn holders(&self) -> Result<Vec<u64>> {
        claims::holders(self.attachment, self.id, |position| {
            self.word(position).load(Acquire) & !TIMES == word_of(position, FULL)
        })
    }

    /// Takes over a record behind the head, if there is one that is nobody's: where it is, and
    /// how many slots it has, as `cells` says; where that gives none it is left.
    ///
    /// # Errors
    /// `Corrupted`.
    #[cold]
    #[inline(never)]
    pub(super) fn take_orphan(
        &self,
        by: By<'_>,
        mut cells: impl FnMut(u64) -> Option<u64>,
    ) -> Result<Option<(u64, u64)>> {
        // Taken away before the look: who suspects something after that says so again. Killed
        // here, the claims of the dead are there still.
        self.head.orphaned.store(0, SeqCst);
        let mut dead = Vec::new();
        claims::each_dead(self.attachment, self.id, |claim| dead.push(claim))?;
        // Acquire, CLAIMED: of all positions before it.
        let [head, _] = self.counters();
        let mut some_claimed = false;
        let first = head.saturating_sub(self.plan.capacity);
        for position in first..head {
            let word = self.word(position).load(Acquire);
            let is_of_lap = (word ^ word_of(position, 0)) & !(STATE | TIMES) == 0;
            if !is_of_lap || word & STATE == 0 {
                continue;
            }
            if claims::is_claimed(self.attachment, by.name, self.id, Purpose::Empty, position)? {
                some_claimed = true;
                continue;
            }
            if word & STATE == TOMB {
                let free = word_of(position.wrapping_add(self.plan.capacity), 0);
                // Release, FREE. If it fails somebody else has done so.
                let _ = self.word(position).compare_exchange(word, free, Release, Relaxed);
                self.suspect_putters();
                continue;
            }
            let Some(n) = cells(position) else {
                // It stays, for who has more room.
                self.head.orphaned.store(1, Release);
                return Ok(None);
            };
            if self.take_over(by, position, n, word)? {
                // There may be more.
                self.head.orphaned.store(1, Release);
                return Ok(Some((position, n)));
            }
        }
        if !some_claimed {
            // Whoever was dead before the look has left nothing that was not found: it claims no
            // position behind the counters that were loaded after that.
            self.note_looked_for(&dead);
        }
        Ok(None)
    }

    fn take_over(&self, by: By<'_>, position: u64, n: u64, word: u64) -> Result<bool> {
        if word & STATE != FULL {
            return Err(DAMAGED);
        }
        by.claimant.announce(self.id, Purpose::Empty, position, n);
        // Beyond the last number it is a mark, not a count: but never the same twice in a row.
        let times = word & TIMES;
        let times = if times == TIMES { times - 1 } else { times + 1 };
        let marked = word_of(position, FULL | times);
        // AcqRel: the record (FULL); and our claim is there for who finds the mark.
        let is_ours = self.word(position).compare_exchange(word, marked, AcqRel, Relaxed).is_ok();
        if is_ours {
            // Relaxed: for people.
            self.head.redelivered.fetch_add(1, Relaxed);
        } else {
            by.claimant.withdraw();
        }
        Ok(is_ours)
    }

    /// How often the record of a position was taken over from the dead.
    #[inline(always)]
    pub(crate) fn times(&self, position: u64) -> u32 {
        // Relaxed: it is ours.
        (self.word(position).load(Relaxed) & TIMES) as u32
    }
}

fn suspect(head: &MpmcHead) {
    head.orphaned.store(1, SeqCst);
    head.items.nudge();
}

/// Has the next getter of a ring look for orphans: somebody died who may have left some.
pub(crate) fn suspect_at(memory: &Memory, body: Offset) -> Result<()> {
    memory.at(body).map(suspect)
}

/// Nobody listens any more to the ring whose body that is.
pub(crate) fn forget_listeners(memory: &Memory, body: Offset) -> Result<()> {
    let head: &MpmcHead = memory.at(body)?;
    head.items.forget_listeners();
    head.room.forget_listeners();
    Ok(())
}
