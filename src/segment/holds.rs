//! Who holds which object: pages of holds, one chain for each member.
//!
//! A process that has an object open holds it once, however many handles it has. The hold
//! is an entry in a page of its member's, and is counted in the object; both change in one
//! step under the directory's lock. An object without a name, or whose name was removed,
//! goes with its last hold.
//!
//! A *ticket* is an entry too, with a number: it holds the object for whoever comes with
//! the number first. It lives as long as the member that wrote it.
//!
//! # If a process dies
//!
//! Its pages stay. Who finds that the member is gone lets go of them one by one
//! (`estate`), each in a step of its own, so that it may be killed in turn.

use super::directory;
use super::heap::Want;
use super::limbo;
use crate::error::{Result, corrupted};
use crate::layout::block::{BlockHead, HEAD_BYTES, Kind, OWNER, Owner};
use crate::layout::entry::Entry;
use crate::layout::memory::Memory;
use crate::layout::{Offset, shared};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::roster::attachment::Attachment;
use crate::roster::holdings::Place;
use crate::roster::record::{MemberId, MemberRecord};
use crate::sync::guarded::Hold;
use crate::sync::mutex::Actor;

/// Entries of a page.
const PAGE_ENTRIES: usize = 14;

shared! {
    /// A page of holds: a block whose kind is `Holds`.
    pub(crate) struct HoldPage: 256 {
        block: BlockHead,
        next: AtomicU64,
        reserved: u64,
        entries: [HoldEntry; 14],
    }
}

shared! {
    /// A hold, or a ticket.
    pub(crate) struct HoldEntry: 16 {
        /// The object's entry; 0: vacant.
        object: AtomicU64,
        /// The ticket's number; 0: a hold.
        ticket: AtomicU64,
    }
}

impl Place {
    /// Where it lies.
    fn offset(self) -> Offset {
        let first = core::mem::offset_of!(HoldPage, entries) as u64;
        self.page + first + u64::from(self.index) * size_of::<HoldEntry>() as u64
    }

    fn object(self) -> Offset {
        self.offset() + core::mem::offset_of!(HoldEntry, object) as u64
    }

    fn ticket(self) -> Offset {
        self.offset() + core::mem::offset_of!(HoldEntry, ticket) as u64
    }
}

/// Where the count of an object's holders lies.
pub(crate) fn holders_of(entry: Offset) -> Offset {
    entry + core::mem::offset_of!(Entry, holders) as u64
}

/// The page at `offset`; it is a page, or the segment is damaged.
fn page_at(memory: &Memory, offset: Offset) -> Result<&HoldPage> {
    let page = memory.at::<HoldPage>(offset)?;
    // Relaxed: changes under the directory's lock, which the caller holds.
    if page.block.owner.load(Relaxed) != Owner::Used(Kind::Holds).to_word() {
        return Err(corrupted("a chain of holds leads to something else: the segment is damaged"));
    }
    Ok(page)
}

/// Runs `visit` on the pages of a member until it gives something. The caller holds the
/// directory's lock.
fn find_page<T>(
    memory: &Memory,
    record: &MemberRecord,
    mut visit: impl FnMut(Offset, &HoldPage) -> Result<Option<T>>,
) -> Result<Option<T>> {
    let mut offset = record.holds.load(Relaxed);
    for _ in 0..=memory.committed() / size_of::<HoldPage>() as u64 {
        if offset == 0 {
            return Ok(None);
        }
        let page = page_at(memory, offset)?;
        if let Some(found) = visit(offset, page)? {
            return Ok(Some(found));
        }
        offset = page.next.load(Relaxed);
    }
    Err(corrupted("a chain of holds has no end: the segment is damaged"))
}

/// The vacant entries of the member's pages.
pub(crate) fn vacancies(actor: Actor, member: MemberId) -> Result<Vec<Place>> {
    let attachment = actor.attachment();
    let _hold = directory::hold(actor)?;
    let mut places = Vec::new();
    find_page(attachment.memory(), attachment.member(member.index)?, |page, entries| {
        for (index, entry) in (0..).zip(&entries.entries) {
            // Relaxed: changes under the lock.
            if entry.object.load(Relaxed) == 0 {
                places.push(Place { page, index });
            }
        }
        Ok(None::<()>)
    })?;
    Ok(places)
}

/// Adds an empty page to the member's chain. The caller holds no lock.
pub(crate) fn add_page(actor: Actor, member: MemberId) -> Result<()> {
    let attachment = actor.attachment();
    let memory = attachment.memory();
    let bytes = size_of::<HoldPage>() as u64 - HEAD_BYTES;
    let block = limbo::allocate(actor, &Want { bytes, align: 64, lead: 0 })?.offset;
    memory.clear(block + HEAD_BYTES, bytes)?;
    let record = attachment.member(member.index)?;
    {
        let hold = directory::hold(actor)?;
        let page = memory.at::<HoldPage>(block)?;
        // Release: before the block is linked.
        page.next.store(record.holds.load(Relaxed), Release);
        hold.set(memory.offset_of(&record.holds), block)?;
        hold.set(block + OWNER, Owner::Used(Kind::Holds).to_word())?;
        hold.commit();
    }
    limbo::forget(attachment.participant(actor.slot())?, block);
    Ok(())
}

/// Writes a hold of `object`, or a ticket if the number is not 0, and counts it. Not
/// committed yet.
pub(crate) fn take(hold: &Hold<'_>, place: Place, object: Offset, ticket: u64) -> Result<()> {
    hold.set(place.ticket(), ticket)?;
    hold.set(place.object(), object)?;
    let holders = hold.get(holders_of(object))?;
    hold.set(holders_of(object), holders.wrapping_add(1))
}

/// Takes a hold back. Not committed yet. Returns how many are left.
pub(crate) fn give_back(hold: &Hold<'_>, place: Place, object: Offset) -> Result<u64> {
    hold.set(place.object(), 0)?;
    let left = hold.get(holders_of(object))?.checked_sub(1);
    let left =
        left.ok_or(corrupted("an object has fewer holders than holds: the segment is damaged"))?;
    hold.set(holders_of(object), left)?;
    Ok(left)
}

/// Makes the ticket at `from` a hold at `to`. Not committed yet.
pub(crate) fn redeem(hold: &Hold<'_>, from: Place, to: Place, object: Offset) -> Result<()> {
    hold.set(from.object(), 0)?;
    hold.set(to.ticket(), 0)?;
    hold.set(to.object(), object)
}

/// Whether the ticket is still there. It comes from outside.
pub(crate) fn is_ticket(
    hold: &Hold<'_>,
    place: Place,
    object: Offset,
    number: u64,
) -> Result<bool> {
    let memory = hold.memory();
    let sound = (place.index as usize) < PAGE_ENTRIES
        && place.page.is_multiple_of(64)
        && place
            .page
            .checked_add(size_of::<HoldPage>() as u64)
            .is_some_and(|end| end <= memory.committed());
    if !sound || page_at(memory, place.page).is_err() {
        return Ok(false);
    }
    Ok(hold.get(place.object())? == object && hold.get(place.ticket())? == number)
}

/// One hold or ticket of the member, wherever it is, or else its last page, empty.
pub(crate) enum Left {
    Nothing,
    Entry(Place, Offset),
    EmptyPage(Offset, Offset),
}

/// What a member has left. The caller holds the directory's lock.
pub(crate) fn left_of(attachment: &Attachment, member: u32) -> Result<Left> {
    let memory = attachment.memory();
    let record = attachment.member(member)?;
    // The first page is worth looking at, for it goes when it is empty.
    let first = find_page(memory, record, |page, entries| {
        for (index, entry) in (0..).zip(&entries.entries) {
            let object = entry.object.load(Relaxed);
            if object != 0 {
                return Ok(Some(Left::Entry(Place { page, index }, object)));
            }
        }
        Ok(Some(Left::EmptyPage(page, entries.next.load(Relaxed))))
    })?;
    Ok(first.unwrap_or(Left::Nothing))
}

/// Counts what each object is held by, for `verify`. The caller holds the lock.
pub(crate) fn count_all(
    attachment: &Attachment,
    mut count: impl FnMut(Offset),
    mut page_seen: impl FnMut(Offset) -> Result<()>,
) -> Result<()> {
    for index in 0..attachment.slot_count() {
        find_page(attachment.memory(), attachment.member(index)?, |page, entries| {
            page_seen(page)?;
            for entry in &entries.entries {
                match entry.object.load(Acquire) {
                    0 => {}
                    object => count(object),
                }
            }
            Ok(None::<()>)
        })?;
    }
    Ok(())
}
