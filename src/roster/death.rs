//! Who is dead: the kernel's word, read two ways, and the news of it.
//!
//! A thread is dead if its slot has another generation, or if its liveness word
//! says so. The word is loaded first and the generation second: in the other order
//! a re-used slot could look alive, and we would sleep on a stranger's word. The
//! values loaded are the ones handed to the kernel when going to sleep.
//!
//! The second detector is the member's byte. It covers what the robust list cannot:
//! exec by a thread that is not the leader, and memory reaped before the walk.

use super::attachment::Attachment;
use super::member;
use super::participant::{generation_in, liveness_word, slot_in};
use super::record::{BLOCK_SLOTS, JOINED, MemberId, load_name};
use crate::error::{Error, Result, Status};
use crate::platform::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed},
    low_half,
};
use crate::platform::futex::{self, Watch};
use crate::platform::robust;

/// A participant as it looked at one moment.
pub(crate) struct Pulse<'a> {
    word: &'a AtomicU32,
    seen: u32,
    generation: &'a AtomicU32,
    seen_generation: u32,
}

/// Looks at the participant that the name in a lock word belongs to.
///
/// `None` if it is dead.
pub(crate) fn feel_pulse(attachment: &Attachment, name: u64) -> Result<Option<Pulse<'_>>> {
    let slot = slot_in(name);
    let word = liveness_word(attachment, slot)?;
    let generation = &attachment.participant(slot)?.generation;
    // Acquire, DEPARTED: the dying thread's stores come before its death. The word
    // first, then the generation.
    let seen = word.load(Acquire);
    let seen_generation = generation.load(Acquire);
    let dead = seen_generation & 0xffff != generation_in(name) || robust::word_says_dead(seen);
    Ok((!dead).then_some(Pulse { word, seen, generation, seen_generation }))
}

impl<'a> Pulse<'a> {
    /// What to sleep on to learn of the death: in this order.
    pub(crate) fn watches(&self) -> [Watch<'a>; 2] {
        [
            Watch { word: self.word, value: self.seen },
            // After the word: the slot may have been re-used by a thread with the
            // same id in another namespace.
            Watch { word: self.generation, value: self.seen_generation },
        ]
    }
}

/// Asks the second detector about a participant that looks alive, and if it is dead
/// makes everybody see it. Costs a system call; for the ends of slices.
pub(crate) fn examine(attachment: &Attachment, name: u64) -> Result<()> {
    let slot = slot_in(name);
    // Acquire: an owner that took the slot before is seen with its generation.
    let owner = attachment.participant(slot)?.member.load(Acquire);
    let Some(pulse) = feel_pulse(attachment, name)? else {
        return Ok(());
    };
    // Where it cannot be asked, because the program closed our descriptor and the name
    // is gone, the first detector has to do.
    let is_gone = |owner| member::is_gone(attachment, owner).unwrap_or(false);
    if MemberId::of_word(owner).is_some_and(is_gone) {
        robust::declare_dead(pulse.word, pulse.seen);
    }
    Ok(())
}

/// After a death was noticed through a participant's name: everybody who sleeps on
/// its liveness word looks again. Any number may do so, at any time.
pub(crate) fn spread_word(attachment: &Attachment, name: u64) {
    if let Ok(word) = liveness_word(attachment, slot_in(name)) {
        futex::wake_all(word);
    }
}

/// A member that died.
#[derive(Clone, Copy, Debug)]
pub struct MemberInfo {
    /// The number of this death in the segment, counted from 1.
    pub epoch: u64,
    /// The process id it had in its own pid namespace.
    pub pid: u32,
    /// Its effective user id.
    pub uid: u32,
    /// Its slot in the roster.
    pub slot: u32,
    /// Which owner of that slot it was.
    pub generation: u32,
    /// The name of its thread that joined, zero-padded.
    pub name: [u8; 16],
}

/// The futex word of the death epoch: its low half.
pub(super) fn epoch_word(attachment: &Attachment) -> &AtomicU32 {
    low_half(&attachment.header().death_epoch)
}

/// What to sleep on for news: loaded before `news` is asked for.
pub(crate) fn watch_for_news(attachment: &Attachment) -> Watch<'_> {
    let word = epoch_word(attachment);
    // Acquire, MOURNED: pairs with `announce`.
    Watch { word, value: word.load(Acquire) }
}

/// The first death with a number above `seen_epoch` that is not forgotten.
pub(crate) fn news(attachment: &Attachment, seen_epoch: u64) -> Result<Option<MemberInfo>> {
    member::announce_deaths(attachment)?;
    oldest_news(attachment, seen_epoch)
}

/// A signal handler ended a wait.
pub(crate) const INTERRUPTED: Error = Error::new(
    Status::Interrupted,
    "a signal handler ran during the wait: nothing changed, call again",
);

/// Shows `watch` the liveness word of everybody who takes part. True: a thread is dead whose
/// process has not quite ended.
pub(crate) fn watch_the_living<'a>(
    attachment: &'a Attachment,
    mut watch: impl FnMut(Watch<'a>),
) -> Result<bool> {
    let mut some_are_ending = false;
    for index in 0..attachment.block_count() {
        let block = attachment.block(index)?;
        for (place, record) in block.participants.iter().enumerate() {
            if record.member.load(Acquire) == 0 {
                continue;
            }
            let word = liveness_word(attachment, index * BLOCK_SLOTS + place as u32)?;
            let value = word.load(Acquire);
            if robust::word_says_dead(value) {
                some_are_ending |= is_ending(attachment, record.member.load(Acquire))?;
            } else {
                watch(Watch { word, value });
            }
        }
    }
    Ok(some_are_ending)
}

/// Whether the member of a dead participant may still be announced.
fn is_ending(attachment: &Attachment, owner: u64) -> Result<bool> {
    let Some(owner) = MemberId::of_word(owner) else {
        return Ok(false);
    };
    let record = attachment.member(owner.index)?;
    let same = record.generation.load(Acquire) == owner.generation;
    Ok(same && member::is_news(record))
}

fn oldest_news(attachment: &Attachment, seen_epoch: u64) -> Result<Option<MemberInfo>> {
    let mut oldest: Option<MemberInfo> = None;
    for slot in 0..attachment.slot_count() {
        let record = attachment.member(slot)?;
        // Acquire, MOURNED: the rest of the record was final before.
        let epoch = record.died.load(Acquire);
        let is_older = oldest.is_none_or(|o| epoch < o.epoch);
        if epoch <= seen_epoch || !is_older || record.presence.load(Acquire) != JOINED {
            continue;
        }
        // Relaxed: ordered by the loads above; checked again below.
        let news = MemberInfo {
            epoch,
            pid: record.pid.load(Relaxed),
            uid: record.uid.load(Relaxed),
            slot,
            generation: record.generation.load(Acquire),
            name: load_name(&record.name),
        };
        // The slot may have found a new owner while we read.
        if record.died.load(Acquire) == epoch {
            oldest = Some(news);
        }
    }
    Ok(oldest)
}
