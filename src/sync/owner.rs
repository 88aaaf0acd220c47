//! Who an owner is, for people: read from the roster by the name in a lock word.

use crate::error::Result;
use crate::platform::atomic::Ordering::{Acquire, Relaxed};
use crate::roster::attachment::Attachment;
use crate::roster::record::{MemberId, load_name};
use crate::roster::{member, participant};
use crate::sync::mutex::INCONSISTENT;

/// Who holds a mutex, or died holding it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner {
    /// Process id in the owner's own pid namespace.
    pub pid: u32,
    /// Thread id in the owner's own pid namespace.
    pub tid: u32,
    /// The owner's slot in the roster.
    pub slot: u32,
    /// Which owner of that slot it is.
    pub generation: u32,
    /// False if it is dead.
    pub alive: bool,
    /// The mutex is inconsistent: an owner died and nobody has marked it since.
    pub owner_died: bool,
    /// The thread's name, zero-padded.
    pub name: [u8; 16],
}

/// Reads who the owner in `word` is, dead or alive, as long as its slot is its own.
pub(super) fn identify(attachment: &Attachment, word: u64) -> Result<Owner> {
    let slot = participant::slot_in(word);
    let record = attachment.participant(slot)?;
    let (tid, name) = participant::describe(record);
    let generation = record.generation.load(Acquire);
    let owner_died = word & INCONSISTENT != 0;
    if generation & 0xffff != participant::generation_in(word) {
        // The slot has a new owner already; its name is all that is left. Never 0,
        // which stands for nobody.
        let generation = participant::generation_in(word).max(1);
        return Ok(Owner { slot, generation, owner_died, ..Owner::default() });
    }
    let pid = match MemberId::of_word(record.member.load(Acquire)) {
        Some(member) => pid_of(attachment, member)?,
        None => 0,
    };
    Ok(Owner { pid, tid, slot, generation, alive: false, owner_died, name })
}

/// The same for a process that is a member.
pub(super) fn identify_member(attachment: &Attachment, id: MemberId) -> Result<Owner> {
    let alive = !member::is_gone(attachment, id)?;
    let record = attachment.member(id.index)?;
    let name = load_name(&record.name);
    let owner = Owner { slot: id.index, generation: id.generation, alive, ..Owner::default() };
    Ok(match pid_of(attachment, id)? {
        // The name may be that of the record's next owner, too.
        0 => owner,
        pid => Owner { pid, name, ..owner },
    })
}

/// The process id of a member; 0 if its record has a new owner, who is innocent.
fn pid_of(attachment: &Attachment, id: MemberId) -> Result<u32> {
    let record = attachment.member(id.index)?;
    // Acquire: with a new owner's pid comes its generation, so the pid first.
    let pid = record.pid.load(Acquire);
    Ok(if record.generation.load(Relaxed) == id.generation { pid } else { 0 })
}
