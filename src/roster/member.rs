//! Members: how a process joins a segment, and how its end is noticed.
//!
//! A member is a process that holds its byte of the file (`byte_lock`). The byte
//! is the right to write member record `index`, and the proof of life: free byte,
//! dead member. A record says `JOINED` from the moment its owner is complete until
//! it leaves in good order, so a `JOINED` record whose byte is free is news of a
//! death. Whoever finds such news writes it down once, with the next number of the
//! segment's *death epoch*.
//!
//! # Ephemeral segments
//!
//! They go with their last member (`segment::reclaim`), and nobody may come in while that
//! happens. Who comes takes its byte first and then looks at `destroyed`; who destroys
//! looks at the bytes first, behind the *door*, and then sets `destroyed`.
//!
//! - **M4** Who bars the door (`Byte::Door`) may lock any free member byte for a moment. So
//!   a byte that cannot be had says nothing about the room in the roster; who finds none
//!   looks again with the door in its own hand.
//! - **M5** A record turns from `PARTING` to `JOINED` only behind the door: who is parting
//!   does not keep a segment from being destroyed.
//!
//! # If a process dies
//!
//! - while joining: its record says `AWAY`; the byte is free again; nothing to do;
//! - as a member: the next one who looks announces it (`announce`);
//! - while announcing: the epoch moved on and no record has that number; the next
//!   one announces it under another number. Numbers may be skipped, never shared.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::attachment::Attachment;
use super::record::{
    AWAY, BLOCK_SLOTS, EXPECTED, JOINED, MemberId, MemberRecord, PARTING, store_name,
};
use crate::error::{Error, Result, Status};
use crate::platform::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::platform::byte_lock::{self, Bar, Byte, Guard, HeldByte};
use crate::platform::time::sleep_ns;
use crate::platform::{futex, process};

/// What makes this process a member of one segment.
pub(crate) struct Membership {
    id: MemberId,
    _byte: HeldByte,
}

/// A member slot whose byte is held through a descriptor of its own.
pub(super) struct ClaimedMember {
    file: OwnedFd,
    index: u32,
}

/// The process ends by `exit`. Its other threads may still take seats, and join.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Whether the process is about to leave all segments, from now on.
pub(super) fn set_leaving(leaving: bool) {
    LEAVING.store(leaving, Relaxed);
}

impl Membership {
    /// Says that the process takes part: from here on its death is news, unless it is
    /// about to leave.
    fn come_forward(&self, attachment: &Attachment) -> Result<()> {
        // Relaxed: who sets it takes the lock of each membership afterwards.
        if LEAVING.load(Relaxed) {
            return Ok(());
        }
        let presence = &attachment.member(self.id.index)?.presence;
        // Relaxed: our own record.
        let _door = match presence.load(Relaxed) {
            PARTING => Some(Guard::take(attachment.file()?, Byte::Door)?),
            _ => None,
        };
        attachment.refuse_if_destroyed()?;
        // Release: who sees JOINED sees whose it is.
        presence.store(JOINED, Release);
        Ok(())
    }

    /// Leaves in good order: no death is announced. The byte goes with the value.
    fn leave(self, attachment: &Attachment) {
        self.say(AWAY, attachment);
    }

    fn say(&self, presence: u32, attachment: &Attachment) {
        if let Ok(record) = attachment.member(self.id.index) {
            record.presence.store(presence, Release);
        }
    }
}

/// Takes leave of the segment. If threads of the process have seats there still, it
/// remains a member in name: its byte says that they live.
pub(super) fn leave(attachment: &Attachment) {
    let mut membership = attachment.membership.lock();
    // Who is taking a seat counted it before it asked for the membership.
    if attachment.has_seats() {
        if let Some(membership) = membership.as_ref() {
            membership.say(PARTING, attachment);
        }
    } else if let Some(membership) = membership.take() {
        // Relaxed: as it is stored in `join`.
        attachment.member_word.store(0, Relaxed);
        // Others give back what the member held. If we come back, it is as another one.
        attachment.holdings.lock().inherited = true;
        membership.leave(attachment);
    }
    drop(membership);
    if attachment.is_ephemeral() && attachment.memory().is_writable() {
        (attachment.ground().reclaim)(attachment);
    }
}

/// Bars the segment if nobody is in who has not taken leave.
pub(crate) fn bar_if_deserted<'a>(
    attachment: &Attachment,
    file: BorrowedFd<'a>,
) -> Result<Option<Bar<'a>>> {
    let Some(bar) = bar_door_patiently(file)? else {
        return Ok(None);
    };
    let slots = attachment.slot_count();
    for index in 0..slots {
        // Acquire: whoever is parting has done so before; it stays so (M5).
        if !bar.add(Byte::Member(index))?
            && attachment.member(index)?.presence.load(Acquire) != PARTING
        {
            return Ok(None);
        }
    }
    let rest = bar.add(Byte::Maker)? && bar.add_onwards(Byte::Member(slots))?;
    Ok(rest.then_some(bar))
}

/// Of many who leave at once each finds the others parting, or is found so by the next one
/// to have the door. It is not waited for for ever: nobody has to be able to leave.
fn bar_door_patiently(file: BorrowedFd<'_>) -> Result<Option<Bar<'_>>> {
    const PAUSE_NS: u64 = 50_000;
    const TRIES: u32 = 200;
    for _ in 0..TRIES {
        if let Some(bar) = Bar::door(file)? {
            return Ok(Some(bar));
        }
        sleep_ns(PAUSE_NS);
    }
    Ok(None)
}

/// This process's identity in the segment; joins if it has none yet.
pub(super) fn join(attachment: &Attachment) -> Result<MemberId> {
    let mut membership = attachment.membership.lock();
    if membership.is_none() {
        process::at_exit(super::leave::at_process_exit);
        let claimed = claim(attachment)?;
        let id = claimed.prepare(attachment)?;
        *membership = Some(claimed.settle(attachment, id)?);
        // Relaxed: it publishes nothing. Who has a seat sees it, for it came here.
        attachment.member_word.store(id.to_word(), Relaxed);
    }
    let membership = membership.as_ref().expect("taken just now or before");
    membership.come_forward(attachment)?;
    Ok(membership.id)
}

/// This process's identity in a segment that it has joined.
pub(crate) fn joined(attachment: &Attachment) -> Result<MemberId> {
    match attachment.membership.lock().as_ref() {
        Some(membership) => Ok(membership.id),
        None => join(attachment),
    }
}

/// What names this process as a member (`MemberId::to_word`), 0 if it is none. For signal
/// handlers, and for who has a seat, without which the process may leave meanwhile.
pub(crate) fn own_word(attachment: &Attachment) -> u64 {
    // A child that was made without our hooks has its parent's word still.
    if super::fork::is_set_up() { attachment.member_word.load(Relaxed) } else { 0 }
}

/// Takes the byte of a member slot that nobody living has.
pub(super) fn claim(attachment: &Attachment) -> Result<ClaimedMember> {
    let claimed = claim_byte(attachment)?;
    // After the byte: whoever destroys the segment from here on finds it taken.
    attachment.refuse_if_destroyed()?;
    Ok(claimed)
}

fn claim_byte(attachment: &Attachment) -> Result<ClaimedMember> {
    let file = attachment.fresh_file()?;
    loop {
        let slots = attachment.slot_count();
        if let Some(index) = claim_among(attachment, &file, slots)? {
            return Ok(ClaimedMember { file, index });
        }
        announce_deaths(attachment)?;
        let door = Guard::take(file.as_fd(), Byte::Door)?;
        let claimed = claim_among(attachment, &file, slots)?; // M4
        drop(door);
        if let Some(index) = claimed {
            return Ok(ClaimedMember { file, index });
        }
        if slots >= attachment.header().max_participants {
            return Err(roster_full(attachment));
        }
        (attachment.ground().grow)(attachment)?;
    }
}

/// A slot that keeps the news of a death is used when there is no other, the oldest news
/// first: who waits for news may not have been there to read it. The others in turn.
fn claim_among(attachment: &Attachment, file: &OwnedFd, slots: u32) -> Result<Option<u32>> {
    let next = &attachment.header().next_member;
    // Relaxed: a hint; the byte decides.
    let start = next.load(Relaxed) % slots.max(1);
    let mut with_news = Vec::new();
    for index in (start..slots).chain(0..start) {
        // Relaxed: looked at again by who waits; here it only says which slot comes first.
        match attachment.member(index)?.died.load(Relaxed) {
            0 if claim_one(attachment, file, index)? => {
                next.store(index + 1, Relaxed);
                return Ok(Some(index));
            }
            0 => {}
            died => with_news.push((died, index)),
        }
    }
    with_news.sort_unstable();
    for (_, index) in with_news {
        if claim_one(attachment, file, index)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Takes the byte of a member slot unless somebody has it, or its last owner's death has
/// not been announced.
fn claim_one(attachment: &Attachment, file: &OwnedFd, index: u32) -> Result<bool> {
    let record = attachment.member(index)?;
    let byte = Byte::Member(index);
    if is_news(record) || !byte_lock::try_lock(file.as_fd(), byte)? {
        return Ok(false);
    }
    // Somebody may have joined and died between the two looks: its death is news
    // still, and nobody can announce it while we hold the byte.
    if is_news(record) {
        byte_lock::unlock(file.as_fd(), byte);
        return Ok(false);
    }
    Ok(true)
}

#[cold]
pub(super) fn roster_full(attachment: &Attachment) -> Error {
    Error::with(
        Status::NoSpace,
        format!(
            "the roster of segment \"{}\" is full: {} processes or threads take part; create the \
             segment with a larger max_participants",
            attachment.path().name(),
            attachment.header().max_participants
        ),
    )
}

impl ClaimedMember {
    /// Gives the slot a new generation. It is not `JOINED` yet.
    pub(super) fn prepare(&self, attachment: &Attachment) -> Result<MemberId> {
        let record = attachment.member(self.index)?;
        record.presence.store(EXPECTED, Relaxed);
        record.died.store(0, Relaxed);
        // Release: whoever sees the new generation sees no old death (M3).
        let generation = record.generation.load(Relaxed).wrapping_add(1);
        record.generation.store(generation, Release);
        Ok(MemberId { index: self.index, generation })
    }

    /// Makes the calling process the member. It is news of nobody's until it comes
    /// forward: a forked child does so at its first call, and many never make one.
    pub(super) fn settle(self, attachment: &Attachment, id: MemberId) -> Result<Membership> {
        let record = attachment.member(self.index)?;
        // Release: who sees the pid sees whose generation it is.
        record.pid.store(process::id(), Release);
        record.uid.store(process::user_id(), Relaxed);
        record.namespace.store(process::pid_namespace(), Relaxed);
        store_name(&record.name, process::thread_name());
        Ok(Membership { id, _byte: HeldByte::keep(self.file)? })
    }
}

/// Whether the member that a participant record names is gone.
pub(crate) fn is_gone(attachment: &Attachment, id: MemberId) -> Result<bool> {
    if has_ended(attachment.member(id.index)?, id) {
        return Ok(true);
    }
    Ok(!byte_lock::is_locked(attachment.file()?, Byte::Member(id.index))?)
}

/// The same for signal handlers: allocates nothing. Who cannot be asked about is there.
pub(crate) fn is_known_to_be_gone(attachment: &Attachment, id: MemberId) -> bool {
    let Ok(record) = attachment.member(id.index) else {
        return false;
    };
    has_ended(record, id)
        || attachment
            .file_at_hand()
            .is_some_and(|file| byte_lock::ask(file, Byte::Member(id.index)) == Ok(false))
}

/// Whether the record says that this owner of it is gone.
fn has_ended(record: &MemberRecord, id: MemberId) -> bool {
    // Acquire: a newer generation, or the announcement of a death, is final (M1).
    record.generation.load(Acquire) != id.generation || record.died.load(Acquire) != 0
}

/// Looks at every member that has joined and writes down who died.
pub(crate) fn announce_deaths(attachment: &Attachment) -> Result<()> {
    let file = attachment.file()?;
    for index in 0..attachment.slot_count() {
        let record = attachment.member(index)?;
        if is_news(record) && !byte_lock::is_locked(file, Byte::Member(index))? {
            announce(attachment, index)?;
        }
    }
    Ok(())
}

/// A member of whose death nobody has heard, if it is dead.
pub(super) fn is_news(record: &MemberRecord) -> bool {
    // Acquire: a record that says JOINED is complete.
    record.presence.load(Acquire) == JOINED && record.died.load(Acquire) == 0
}

/// Writes down that member `index` died, unless somebody else did meanwhile.
fn announce(attachment: &Attachment, index: u32) -> Result<()> {
    attachment.as_registrar(|| {
        let record = attachment.member(index)?;
        let byte = Byte::Member(index);
        if !is_news(record) || byte_lock::is_locked(attachment.file()?, byte)? {
            return Ok(());
        }
        let epoch = &attachment.header().death_epoch;
        // Relaxed: only the registrar changes it.
        let number = epoch.load(Relaxed).wrapping_add(1);
        // Release, MOURNED: the number first. Killed here, it is skipped.
        epoch.store(number, Release);
        record.died.store(number, Release);
        futex::wake_all(super::death::epoch_word(attachment));
        Ok(())
    })
}

/// How many members and participants there are, as far as the records say.
pub(crate) fn population(attachment: &Attachment) -> Result<(u32, u32)> {
    let (mut members, mut participants) = (0, 0);
    for index in 0..attachment.block_count() {
        let block = attachment.block(index)?;
        members += block.members.iter().filter(|m| is_news(m)).count() as u32;
        // Relaxed: a count for people.
        let taken = block.participants.iter().filter(|p| p.member.load(Relaxed) != 0);
        participants += taken.count() as u32;
    }
    debug_assert!(members <= MAX_COUNT && participants <= MAX_COUNT);
    Ok((members, participants))
}

const MAX_COUNT: u32 = crate::layout::header::MAX_BLOCKS as u32 * BLOCK_SLOTS;
