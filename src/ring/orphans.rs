//! Records whose consumer died before it had got them, and who takes them over.
//!
//! Such a record is FULL, behind the head, and nobody living claims it. Nobody comes by there
//! but the producers, a lap later; so who suspects a death says so (`suspected`), and the next
//! getter looks at all slots behind the head, and says when it has found nothing (`looked`). Suspicion is raised by who finds a claim of
//! somebody dead (getters who find nothing look for such claims), by the next owner of a dead
//! one's slot in the roster, and by a producer that comes to the slot.
//!
//! To take one over is to announce its position and to raise `times` in its word by one
//! exchange: of many who try one has it, and it carries the mark of how often that happened.

use super::mpmc::{By, DAMAGED, FULL, Mpmc, STATE, TIMES, TOMB, word_of};
use super::plan::MpmcHead;
use super::reservations::Standing;
use crate::error::Result;
use crate::layout::Offset;
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::platform::time::now_ns;
use crate::roster::claims::{self, Purpose};

impl Mpmc {
    /// There may be orphans: has a getter look, and wakes one for it.
    pub(crate) fn suspect(&self) {
        suspect(self.head);
    }

    /// Leaves what was claimed to whoever gets it next.
    pub(crate) fn leave_to_others(&self, by: By<'_>) {
        // First: killed between the two, somebody looks for what is nobody's then.
        self.suspect();
        by.claimant.withdraw();
        self.head.items.nudge();
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
        if !self.is_suspected() && self.news_of_the_dead()? {
            self.head.suspected.fetch_add(1, SeqCst);
        }
        Ok(self.is_suspected())
    }

    /// Whether there may be orphans.
    #[inline(always)]
    pub(super) fn is_suspected(&self) -> bool {
        // Relaxed: hints; what they are about is ordered by the slots.
        self.head.suspected.load(Relaxed) != self.head.looked.load(Relaxed)
    }

    /// Whether it is time to look for them: where some are claimed by others, not at every call.
    #[inline(always)]
    pub(super) fn is_to_be_searched(&self) -> bool {
        self.is_suspected() && self.is_time_to_search()
    }

    #[cold]
    fn is_time_to_search(&self) -> bool {
        const PAUSE_NS: u64 = 500_000;
        let now = now_ns();
        let is_time = now.wrapping_sub(self.searched_ns.load(Relaxed)) > PAUSE_NS;
        if is_time {
            self.searched_ns.store(now, Relaxed);
        }
        is_time
    }

    /// Whether there are claims of the dead that this handle has not looked for.
    fn news_of_the_dead(&self) -> Result<bool> {
        let mut is_news = false;
        self.each_dead(|claim| {
            is_news |= self.looked_for.iter().all(|known| known.load(Relaxed) != claim);
        })?;
        Ok(is_news)
    }

    /// Shows `visit` what stands for each claim of the dead to empty something.
    fn each_dead(&self, mut visit: impl FnMut(u64)) -> Result<()> {
        claims::each_dead(self.attachment, self.id, &mut visit)?;
        self.reservations.each_dead(visit)
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
        // Before the look: who suspects something after that does so again. Killed in the look, the
        // suspicion stays.
        let suspected = self.head.suspected.load(SeqCst);
        let mut dead = Vec::new();
        self.each_dead(|claim| dead.push(claim))?;
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
            match self.standing(by, Purpose::Empty, position)? {
                Standing::Nobodys => {}
                // Perhaps by somebody who has come too late for it.
                Standing::AtWork => {
                    some_claimed = true;
                    continue;
                }
                Standing::Open => continue,
            }
            if word & STATE == TOMB {
                let free = word_of(position.wrapping_add(self.plan.capacity), 0);
                // Release, FREE. If it fails somebody else has done so.
                let _ = self.word(position).compare_exchange(word, free, Release, Relaxed);
                self.suspect_putters();
                continue;
            }
            let Some(n) = cells(position) else {
                self.search_again();
                return Ok(None); // it stays, for who has more room
            };
            if self.take_over(by, position, n, word)? {
                self.search_again(); // there may be more
                return Ok(Some((position, n)));
            }
        }
        if !some_claimed {
            // Whoever was dead before the look has left nothing that was not found: it claims no
            // position behind the counters that were loaded after that.
            self.note_looked_for(&dead);
            self.reservations.clear(&dead)?;
            self.note_search(suspected);
        }
        Ok(None)
    }

    /// Nothing was found that was suspected until then.
    fn note_search(&self, suspected: u32) {
        let mut looked = self.head.looked.load(Relaxed);
        while (suspected.wrapping_sub(looked) as i32) > 0 {
            // Release: nothing but the count.
            match self.head.looked.compare_exchange(looked, suspected, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => looked = now,
            }
        }
    }

    /// The next call searches, whenever that is.
    fn search_again(&self) {
        self.searched_ns.store(0, Relaxed);
    }

    fn take_over(&self, by: By<'_>, position: u64, n: u64, word: u64) -> Result<bool> {
        if word & STATE != FULL {
            return Err(DAMAGED);
        }
        by.claimant.announce(Purpose::Empty, position, n);
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
    head.suspected.fetch_add(1, SeqCst);
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
