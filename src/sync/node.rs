//! Nodes: those who take part in something, each known by itself.
//!
//! Where the dead must not count, nobody is counted in the object. Everybody who takes part
//! says so in its own record, and whoever wants to know them looks at all records.
//!
//! # The state of a node
//!
//! ```text
//!  bits 63..32    tag      the generation of the owner of the slot that wrote it
//!  bits 31..8     turn     how often the node has been used
//!  bits 7..0      flags    0: it is not used; the rest is the object's business
//! ```
//!
//! # Invariants
//!
//! - **N1** `ticket`, `object` and `place` change only while the flags are 0, and each use
//!   has its own turn. So what is read between two loads of the state that agree in tag and
//!   turn is of one use. One that gets its ticket later says so by flags, and then by a new turn.
//! - **N2** Only the owner of the slot begins a use. Others change flags, by an exchange of
//!   the very state that they have seen.
//! - **N3** An object's `high` is above the slot of everybody who has ever had a node for it:
//!   raised before the node is used, never lowered.
//!
//! # Edges
//!
//! | edge   | release                   | acquire                 | what it carries         |
//! |--------|---------------------------|-------------------------|-------------------------|
//! | POSTED | `Own::post` stores state  | `read` loads the state  | the rest of the node    |
//!
//! # If a process dies
//!
//! A state with flags of somebody dead is its trace: it dies in the middle of something, and
//! what that means is told by the object. The trace stays until somebody has dealt with it,
//! at the latest the next owner of the slot (`segment::estate`).

use crate::error::{Result, corrupted};
use crate::layout::Offset;
use crate::platform::atomic::{
    AtomicU32, AtomicU64, HookableWord,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    low_half,
};
use crate::platform::futex::Watch;
use crate::roster::attachment::Attachment;
use crate::roster::death;
use crate::roster::participant;
use crate::roster::record::WaitNode;

const TAG: u64 = 0xffff_ffff << 32;
const FLAGS: u64 = 0xff;
const TURN: u64 = 0xffff_ff00;
const ONE_TURN: u64 = 0x100;

/// What all who take part in an object sleep on first, because hooks point at it: a word that
/// is always 0. With another value nobody could sleep, and it is shared memory.
pub(super) fn watch_bell(bell: &HookableWord) -> Result<Watch<'_>> {
    let word = bell.as_futex();
    // Relaxed: compared again by the kernel.
    if word.load(Relaxed) == 0 {
        return Ok(Watch { word, value: 0 });
    }
    Err(corrupted("a word that is always zero is not: the segment is damaged"))
}

/// Which object something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Its generation, never used twice in a segment.
    pub(crate) object: u64,
    /// Where its entry is.
    pub(crate) place: Offset,
}

/// The flags in a state.
pub(super) fn flags_in(state: u64) -> u64 {
    state & FLAGS
}

/// Whether two states are of one use of a node.
fn is_one_use(one: u64, other: u64) -> bool {
    one & !FLAGS == other & !FLAGS
}

/// A node of the calling thread.
#[derive(Clone, Copy)]
pub(super) struct Own {
    words: &'static WaitNode,
    tag: u64,
}

impl Own {
    /// `generation` is that of the thread's seat.
    pub(super) fn new(words: &'static WaitNode, generation: u32) -> Self {
        Self { words, tag: u64::from(generation) << 32 }
    }

    /// What the state is.
    pub(super) fn state(self) -> u64 {
        // Acquire: who sets a flag for us has done something before.
        self.words.state.load(Acquire)
    }

    /// The flags.
    pub(super) fn flags(self) -> u64 {
        flags_in(self.state())
    }

    /// What it is used for, if it is used.
    pub(super) fn identity(self) -> Option<Identity> {
        use_of(self.words)
    }

    /// Its place among the others.
    pub(super) fn ticket(self) -> u64 {
        // Relaxed: our own.
        self.words.ticket.load(Relaxed)
    }

    /// Begins to use it, and says what the state is.
    pub(super) fn post(self, which: Identity, ticket: u64, flags: u64) -> u64 {
        // Relaxed: nobody else writes it in this moment, or only flags that go (N2).
        let state = self.after(self.words.state.load(Relaxed), flags);
        // Release: after the flags of the last use were taken away (N1).
        self.words.object.store(which.object, Release);
        self.words.place.store(which.place, Release);
        self.words.ticket.store(ticket, Release);
        // Release, POSTED.
        self.words.state.store(state, Release);
        state
    }

    /// Goes on to the next use with this ticket, as `posted` for the same; false if somebody
    /// has changed its state meanwhile.
    pub(super) fn repost(self, posted: u64, ticket: u64, flags: u64) -> bool {
        // Release: as in `post`.
        self.words.ticket.store(ticket, Release);
        let state = self.after(posted, flags);
        // SeqCst, POSTED.
        self.words.state.compare_exchange(posted, state, SeqCst, Relaxed).is_ok()
    }

    /// The state of the next use.
    fn after(self, state: u64, flags: u64) -> u64 {
        self.tag | (state & TURN).wrapping_add(ONE_TURN) & TURN | flags
    }

    /// Sets flags, and says what the state was.
    pub(super) fn set(self, flags: u64) -> u64 {
        self.words.state.fetch_or(flags, SeqCst)
    }

    /// Takes flags away.
    pub(super) fn clear(self, flags: u64) {
        self.words.state.fetch_and(!flags, SeqCst);
    }

    /// Replaces the state `from` by one with these flags, and says what that is; none if
    /// somebody has changed it.
    pub(super) fn exchange(self, from: u64, flags: u64) -> Option<u64> {
        let to = from & !FLAGS | flags;
        self.words.state.compare_exchange(from, to, SeqCst, Relaxed).ok().map(|_| to)
    }

    /// Replaces the flags, whatever they are.
    pub(super) fn become_only(self, flags: u64) {
        // Relaxed: tag and turn are ours.
        let state = self.words.state.load(Relaxed) & !FLAGS | flags;
        // SeqCst: what is loaded next is loaded after this, see the objects.
        self.words.state.swap(state, SeqCst);
    }

    /// Ends the use.
    pub(super) fn end(self) {
        let state = self.words.state.load(Relaxed) & !FLAGS;
        // Release: after all that was done for it.
        self.words.state.store(state, Release);
    }

    /// Ends the use from any thread, if the slot has its owner still; says what the flags
    /// were.
    pub(super) fn retire(self) -> u64 {
        let end = |state: u64| (state & TAG == self.tag).then_some(state & !FLAGS);
        // SeqCst: what is loaded next is loaded after this, see the objects.
        self.words.state.fetch_update(SeqCst, Relaxed, end).map_or(0, flags_in)
    }

    /// The state's word.
    pub(super) fn word(self) -> &'static AtomicU64 {
        &self.words.state
    }

    /// The word that the thread may sleep on.
    pub(super) fn futex(self) -> &'static AtomicU32 {
        futex_of(self.words)
    }

    /// What to sleep on while the state is `state`.
    pub(super) fn watch(self, state: u64) -> Watch<'static> {
        Watch { word: self.futex(), value: state as u32 }
    }
}

/// A node of anybody as it looked at one moment.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    words: &'a WaitNode,
    pub(super) slot: u32,
    pub(super) state: u64,
    pub(super) ticket: u64,
    pub(super) is_alive: bool,
}

impl<'a> Seen<'a> {
    /// The flags.
    pub(super) fn flags(&self) -> u64 {
        flags_in(self.state)
    }

    /// What lock words would call its owner.
    pub(super) fn name(&self) -> u64 {
        participant::name_of(self.slot, (self.state >> 32) as u32)
    }

    /// The word that its owner may sleep on.
    pub(super) fn futex(&self) -> &'a AtomicU32 {
        futex_of(self.words)
    }

    /// Changes the flags as `change` says, as long as it is the same use; says what they
    /// were.
    pub(super) fn update(&self, change: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        let mut state = self.state;
        loop {
            let flags = change(flags_in(state))?;
            let new = state & !FLAGS | flags;
            match self.words.state.compare_exchange(state, new, SeqCst, SeqCst) {
                Ok(_) => return Some(flags_in(state)),
                Err(now) if is_one_use(now, state) => state = now,
                Err(_) => return None,
            }
        }
    }

    /// Takes away what somebody dead has left.
    pub(super) fn clear(&self) {
        self.update(|flags| (flags != 0).then_some(0));
    }
}

/// A node, if it is used for that object; whether its owner lives.
pub(super) fn read<'a>(
    attachment: &Attachment,
    slot: u32,
    words: &'a WaitNode,
    which: Identity,
) -> Result<Option<Seen<'a>>> {
    // SeqCst, here and below: after what the caller has done before it looks, see the
    // objects. POSTED.
    let mut first = words.state.load(SeqCst);
    let seen = loop {
        if flags_in(first) == 0 {
            return Ok(None);
        }
        // Acquire: before the state is loaded again (N1).
        let object = words.object.load(Acquire);
        let ticket = words.ticket.load(Acquire);
        let state = words.state.load(SeqCst);
        if is_one_use(first, state) {
            if object != which.object || flags_in(state) == 0 {
                return Ok(None);
            }
            break Seen { words, slot, state, ticket, is_alive: false };
        }
        first = state;
    };
    // Acquire: as in `feel_pulse`, which looks at half of it.
    let is_owner = attachment.participant(slot)?.generation.load(Acquire) == tag_in(seen.state);
    let is_alive = is_owner && death::feel_pulse(attachment, seen.name())?.is_some();
    Ok(Some(Seen { is_alive, ..seen }))
}

/// What a node of the caller's slot is used for, be it by the caller or a former owner.
pub(crate) fn use_of(words: &WaitNode) -> Option<Identity> {
    // Relaxed, here and below: nobody else has the slot.
    if flags_in(words.state.load(Relaxed)) == 0 {
        return None;
    }
    Some(Identity { object: words.object.load(Relaxed), place: words.place.load(Relaxed) })
}

/// Ends that use.
pub(crate) fn end_use(words: &WaitNode) {
    words.state.fetch_and(!FLAGS, Release);
}

fn tag_in(state: u64) -> u32 {
    (state >> 32) as u32
}

fn futex_of(words: &WaitNode) -> &AtomicU32 {
    low_half(&words.state)
}

/// Raises an object's `high` above `slot` (N3).
pub(super) fn raise(high: &AtomicU32, slot: u32) {
    if high.load(SeqCst) <= slot {
        // SeqCst: with the node that follows, before what is loaded after that.
        high.fetch_max(slot + 1, SeqCst);
    }
}

/// The slots that may have a node for an object.
pub(super) fn slots(attachment: &Attachment, high: &AtomicU32) -> core::ops::Range<u32> {
    // SeqCst: as for the state in `read`.
    0..high.load(SeqCst).min(attachment.slot_count())
}
