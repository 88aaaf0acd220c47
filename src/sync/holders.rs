//! The members that hold something, as those see them who wait for it.
//!
//! A member is gone when its byte is free; nobody can sleep on that. But the kernel marks
//! its threads first, so a sleeper watches one of them, whichever lives. A member without
//! any is about to end, or all its threads that took part have ended in good order: who
//! waits for it looks again after a short while.

use crate::error::{Result, corrupted};
use crate::platform::atomic::Ordering::Acquire;
use crate::roster::attachment::Attachment;
use crate::roster::death::feel_pulse;
use crate::roster::member;
use crate::roster::participant::name_of;
use crate::roster::record::MemberId;

/// What was found out about some members.
#[derive(Default)]
pub(crate) struct Holders {
    /// A living thread of each that has one: its name, as in lock words.
    pub(crate) threads: Vec<u64>,
    /// Some live and have none.
    pub(crate) some_unseen: bool,
    /// All that live, in order.
    pub(super) living: Vec<u64>,
    /// Those that are gone, in order.
    gone: Vec<u64>,
}

impl Holders {
    /// Looks at the members that `words` name (`MemberId::to_word`).
    ///
    /// # Errors
    /// `Corrupted` if one cannot be.
    pub(crate) fn of(attachment: &Attachment, mut words: Vec<u64>) -> Result<Self> {
        words.sort_unstable();
        words.dedup();
        let mut threads = vec![None; words.len()];
        let mut missing = words.len();
        find_threads(attachment, |owner, name| {
            if let Ok(at) = words.binary_search(&owner)
                && threads[at].replace(name).is_none()
            {
                missing -= 1;
            }
            missing > 0
        })?;
        let mut holders = Self::default();
        for (word, thread) in words.into_iter().zip(threads) {
            match thread {
                Some(name) => holders.threads.push(name),
                None if member::is_gone(attachment, id_in(word)?)? => {
                    holders.gone.push(word);
                    continue;
                }
                None => holders.some_unseen = true,
            }
            holders.living.push(word);
        }
        Ok(holders)
    }

    /// Whether that one is gone.
    pub(super) fn is_gone(&self, word: u64) -> bool {
        self.gone.binary_search(&word).is_ok()
    }

    /// Whether any of them is.
    pub(super) fn any_gone(&self) -> bool {
        !self.gone.is_empty()
    }
}

/// Whether the member that a word names lives, as far as can be told without allocating
/// anything: for signal handlers.
pub(super) fn seems_to_live(attachment: &Attachment, word: u64) -> Result<bool> {
    let id = id_in(word)?;
    let mut has_thread = false;
    find_threads(attachment, |owner, _| {
        has_thread = owner == word;
        !has_thread
    })?;
    Ok(has_thread || !member::is_known_to_be_gone(attachment, id))
}

/// The member that a word names.
pub(super) fn id_in(word: u64) -> Result<MemberId> {
    MemberId::of_word(word).ok_or(corrupted("a member has a name that is none"))
}

/// Shows `visit` each living thread, by its member and its name, until it says that this is
/// enough.
fn find_threads(attachment: &Attachment, mut visit: impl FnMut(u64, u64) -> bool) -> Result<()> {
    for slot in 0..attachment.slot_count() {
        let record = attachment.participant(slot)?;
        // Acquire: who took the slot before is seen with its generation.
        let owner = record.member.load(Acquire);
        let name = name_of(slot, record.generation.load(Acquire));
        let lives = owner != 0 && feel_pulse(attachment, name)?.is_some();
        // Asked again: the generation may be that of another member's thread.
        if lives && record.member.load(Acquire) == owner && !visit(owner, name) {
            return Ok(());
        }
    }
    Ok(())
}
