//! A handle's share in an object: while there is one, the object stays.
//!
//! The first handle of a process to an object writes a hold down in the segment, the last
//! one takes it back (`holds`). What is between concerns nobody else.

use super::{directory, estate, holds, limbo};
use crate::error::{Error, Result, Status};
use crate::layout::Offset;
use crate::layout::block::{OWNER, Owner};
use crate::layout::entry::Entry;
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::{Relaxed, Release};
use crate::platform::private_lock::MutexGuard;
use crate::roster::attachment::Attachment;
use crate::roster::holdings::{Held, Holdings, Place};
use crate::roster::record::MemberId;
use crate::roster::{member, thread};
use crate::sync::guarded::Hold;
use crate::sync::mutex::Actor;

/// A share in the object at `entry`. Dropping it lets go.
///
/// Who can only read holds nothing: what it has open may be removed and used again.
#[derive(Debug)]
pub(crate) struct Holding {
    attachment: &'static Attachment,
    entry: Offset,
}

impl Holding {
    /// The share of a reader.
    pub(super) fn of_reader(attachment: &'static Attachment, entry: Offset) -> Self {
        Self::counted(attachment, entry)
    }

    /// A share that is among the handles that `Holdings` counts.
    pub(super) fn counted(attachment: &'static Attachment, entry: Offset) -> Self {
        attachment.retain();
        Self { attachment, entry }
    }

    /// Where the object's entry is.
    pub(crate) fn entry(&self) -> Offset {
        self.entry
    }

    /// The segment that it is in.
    pub(crate) fn attachment(&self) -> &'static Attachment {
        self.attachment
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        if self.attachment.memory().is_writable() {
            // What cannot be let go now (no seat to be had, a damaged segment) is let go
            // of by others, when this process has left the segment.
            let _ = let_go(self.attachment, self.entry);
        }
        self.attachment.release();
    }
}

/// Adds a handle to `entry`, which the caller has found under the directory's lock; if it
/// is the first one, notes the hold at `place` and says so.
pub(super) fn join_in(
    hold: &Hold<'_>,
    ours: &mut Holdings,
    entry: Offset,
    place: Place,
) -> Result<bool> {
    if let Some(held) = ours.held.get_mut(&entry) {
        held.handles += 1;
        return Ok(false);
    }
    holds::take(hold, place, entry, 0)?;
    hold.commit();
    let generation = hold.memory().at::<Entry>(entry)?.generation.load(Relaxed);
    ours.held.insert(entry, Held { handles: 1, generation, place });
    Ok(true)
}

/// What this process holds in a segment, locked, and the member that it is there.
///
/// In this order: a fork takes the lock of the membership first, too.
pub(super) fn our_holdings(
    attachment: &'static Attachment,
) -> Result<(MemberId, MutexGuard<'static, Holdings>)> {
    let member = member::joined(attachment)?;
    Ok((member, attachment.holdings.lock()))
}

/// A vacant place in our pages. The caller holds no shared lock.
pub(super) fn vacancy(actor: Actor, member: MemberId, ours: &mut Holdings) -> Result<Place> {
    loop {
        if let Some(place) = ours.vacant.pop() {
            return Ok(place);
        }
        // Tickets that were redeemed have left vacancies that we have not heard of.
        ours.vacant = holds::vacancies(actor, member)?;
        if ours.vacant.is_empty() {
            holds::add_page(actor, member)?;
        }
    }
}

fn let_go(attachment: &'static Attachment, entry: Offset) -> Result<()> {
    if is_one_of_many(attachment, entry) {
        return Ok(());
    }
    // Before the lock: to take a seat takes locks that come before it.
    let actor = Actor::new(thread::here()?, attachment)?;
    let mut ours = attachment.holdings.lock();
    let Some(held) = ours.held.get_mut(&entry) else {
        return Ok(());
    };
    held.handles -= 1;
    if held.handles > 0 {
        return Ok(());
    }
    if thread::any_transaction_in(attachment) {
        ours.kept.push(entry);
        // Release: the list is under its lock; this says only that there is one.
        attachment.keeps.store(true, Release);
        return Ok(());
    }
    end_hold(actor, &mut ours, entry)?;
    drop(ours);
    // A transaction may have ended just before something was kept for it.
    let_go_of_kept(&actor);
    Ok(())
}

/// Lets go of an object that we hold and have no handle to.
fn end_hold(actor: Actor, ours: &mut Holdings, entry: Offset) -> Result<()> {
    let Some(Held { place, .. }) = ours.held.remove(&entry) else {
        return Ok(());
    };
    drop_hold(actor, place, entry)?;
    ours.vacant.push(place);
    Ok(())
}

/// Lets go of what was kept for transactions, if none is open any more.
#[inline(always)]
pub(crate) fn let_go_of_kept(actor: &Actor) {
    // Relaxed: who keeps something later sees that our transaction has ended.
    if actor.attachment().keeps.load(Relaxed) {
        let_go_of_all_kept(actor);
    }
}

#[cold]
#[inline(never)]
fn let_go_of_all_kept(actor: &Actor) {
    let attachment = actor.attachment();
    let mut ours = attachment.holdings.lock();
    if thread::any_transaction_in(attachment) {
        return;
    }
    attachment.keeps.store(false, Relaxed);
    for entry in core::mem::take(&mut ours.kept) {
        if ours.held.get(&entry).is_some_and(|held| held.handles == 0) {
            // As in `drop`: what fails now is let go of by others.
            let _ = end_hold(*actor, &mut ours, entry);
        }
    }
}

/// Takes one handle off if there are more, or if the object is none of ours.
fn is_one_of_many(attachment: &Attachment, entry: Offset) -> bool {
    let ours = &mut *attachment.holdings.lock();
    match ours.held.get_mut(&entry) {
        Some(held) if held.handles > 1 => {
            held.handles -= 1;
            true
        }
        // Nobody comes back only to let go: others give back what the former member held.
        Some(_) if ours.inherited => ours.held.remove(&entry).is_some(),
        Some(_) => false,
        None => true,
    }
}

/// Takes back the hold or ticket at `place`; the object goes if it was the last one and
/// nobody can find it by a name.
fn drop_hold(actor: Actor, place: Place, entry: Offset) -> Result<()> {
    let hold = directory::hold(actor)?;
    let goes = give_back(actor, &hold, place, entry)?;
    hold.commit();
    drop(hold);
    if goes { limbo::release(actor, entry) } else { Ok(()) }
}

/// The part of it under the lock, not committed yet. True: the object is ours in limbo.
pub(super) fn give_back(
    actor: Actor,
    hold: &Hold<'_>,
    place: Place,
    entry: Offset,
) -> Result<bool> {
    let object = directory::Object::at(hold.memory(), entry)?.entry;
    let left = holds::give_back(hold, place, entry)?;
    // Relaxed: changes under the lock.
    let has_name = object.name_length.load(Relaxed) != 0 && object.removed.load(Relaxed) == 0;
    if left > 0 || has_name {
        return Ok(false);
    }
    take_into_limbo(actor, hold, entry)?;
    Ok(true)
}

/// Makes a block that nothing links to any more ours. Not committed yet.
pub(super) fn take_into_limbo(actor: Actor, hold: &Hold<'_>, block: Offset) -> Result<()> {
    limbo::note(actor.attachment().participant(actor.slot())?, block);
    hold.set(block + OWNER, Owner::Limbo(actor.id()?).to_word())
}

/// What another process needs to come to the same object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) entry: Offset,
    pub(crate) generation: u64,
    pub(crate) place: Place,
    pub(crate) number: u64,
}

/// Writes a ticket for the object: it stays until somebody has redeemed it, or this
/// process has left.
pub(crate) fn write_ticket(holding: &Holding) -> Result<Ticket> {
    let attachment = holding.attachment;
    if !attachment.memory().is_writable() {
        return Err(crate::error::READ_ONLY);
    }
    let actor = Actor::new(thread::here()?, attachment)?;
    let (member, mut ours) = our_holdings(attachment)?;
    let place = vacancy(actor, member, &mut ours)?;
    // Relaxed: only uniqueness matters.
    let number = attachment.header().generations.fetch_add(1, Relaxed).wrapping_add(1);
    let hold = directory::hold(actor)?;
    let generation = attachment.memory().at::<Entry>(holding.entry)?.generation.load(Relaxed);
    holds::take(&hold, place, holding.entry, number)?;
    hold.commit();
    Ok(Ticket { entry: holding.entry, generation, place, number })
}

/// A share in the object that the ticket is for. The ticket is used up; who comes later
/// with a copy of it gets a share too, if the object is still there.
pub(crate) fn redeem(attachment: &'static Attachment, ticket: &Ticket) -> Result<Holding> {
    let actor = Actor::new(thread::here()?, attachment)?;
    let (member, mut ours) = our_holdings(attachment)?;
    let place = vacancy(actor, member, &mut ours)?;
    let hold = directory::hold(actor)?;
    let entry = ticket.entry;
    let is_there = holds::is_ticket(&hold, ticket.place, entry, ticket.number)?;
    if !is_object(hold.memory(), entry, ticket.generation) {
        ours.vacant.push(place);
        return Err(GONE);
    }
    match ours.held.get_mut(&entry) {
        Some(held) => {
            held.handles += 1;
            ours.vacant.push(place);
            if is_there {
                // Ours holds it too, so this is not the last one.
                holds::give_back(&hold, ticket.place, entry)?;
            }
        }
        None => {
            if is_there {
                holds::redeem(&hold, ticket.place, place, entry)?;
            } else {
                holds::take(&hold, place, entry, 0)?;
            }
            ours.held.insert(entry, Held { handles: 1, generation: ticket.generation, place });
        }
    }
    hold.commit();
    Ok(Holding::counted(attachment, entry))
}

const GONE: Error = Error::new(
    Status::NotFound,
    "the object that was handed over is gone: keep it open in the process that sends it until \
     it has arrived",
);

/// Whether the object is still there. Both numbers come from outside, so they are checked.
fn is_object(memory: &Memory, entry: Offset, generation: u64) -> bool {
    let Ok(object) = memory.at::<Entry>(entry) else {
        return false;
    };
    // Relaxed: changes under the lock.
    let owner = Owner::of_word(object.block.owner.load(Relaxed));
    matches!(owner, Some(Owner::Used(kind)) if kind.is_object())
        && object.generation.load(Relaxed) == generation
}

/// Where the holds are those of a former member: takes them anew.
pub(super) fn take_inherited(actor: Actor) -> Result<()> {
    let (member, mut ours) = our_holdings(actor.attachment())?;
    if !ours.inherited {
        return Ok(());
    }
    let mut taken = Holdings::default();
    for (entry, held) in ours.held.iter().filter(|(_, held)| held.handles > 0) {
        let place = vacancy(actor, member, &mut taken)?;
        let hold = directory::hold(actor)?;
        if !is_object(hold.memory(), *entry, held.generation) {
            return Err(FORSAKEN);
        }
        holds::take(&hold, place, *entry, 0)?;
        hold.commit();
        taken.held.insert(*entry, Held { place, ..*held });
    }
    *ours = taken;
    Ok(())
}

const FORSAKEN: Error = Error::new(
    Status::InvalidArgument,
    "an object that this process had open is gone: the fork could not hand it over to this child, \
     or the process had left; close all handles to the segment and open it again",
);

/// Holds for the member of a child that is about to be forked all that `ours` holds.
pub(crate) fn bequeath(
    attachment: &'static Attachment,
    ours: &Holdings,
    child: MemberId,
) -> Result<Holdings> {
    let mut theirs = Holdings::default();
    if ours.held.is_empty() {
        return Ok(theirs);
    }
    let thread = thread::here()?;
    let name = thread.known_name_in(attachment).ok_or(FORSAKEN)?;
    let actor = Actor::named(attachment, name);
    estate::take_possession(actor, child)?;
    // What is only kept for a transaction of ours is none of the child's.
    for (entry, held) in ours.held.iter().filter(|(_, held)| held.handles > 0) {
        if theirs.vacant.is_empty() {
            holds::add_page(actor, child)?;
            theirs.vacant = holds::vacancies(actor, child)?;
        }
        let place = theirs.vacant.pop().expect("a page was added just now");
        let hold = directory::hold(actor)?;
        holds::take(&hold, place, *entry, 0)?;
        hold.commit();
        theirs.held.insert(*entry, Held { place, ..*held });
    }
    Ok(theirs)
}
