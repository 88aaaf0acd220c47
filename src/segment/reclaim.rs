//! How an ephemeral segment goes: with its last member, or after it.
//!
//! ```text
//!   a member leaves  ──► nobody is in who has not left?  ──► destroyed = 1 ──► unlink
//!   all were killed  ──► whoever makes a segment looks ──┘
//! ```
//!
//! A last member that was killed leaves the file. The next process of its user that makes
//! a segment, or asks for it (`sweep`), finds all member bytes free and removes it.
//!
//! # Invariants
//!
//! - **E1** `destroyed` is set by who bars all bytes of those that are not parting
//!   (`roster::member`), and is final when the door is open again.
//! - **E2** A name is removed by who has the door of the very file that it leads to, so of
//!   several who find a segment destroyed none removes the name of its successor.
//! - **E3** From before it has a name until its maker is in, the maker's byte is locked: a
//!   segment is not found deserted because it is new.
//!
//! # If a process dies
//!
//! - behind the door: the door is open again;
//! - between `destroyed = 1` and `unlink`: the name leads to a segment that nobody can
//!   enter; who is told so, or sweeps, removes it (`bury`, `sweep`).

use core::mem::offset_of;
use std::os::fd::{AsFd, BorrowedFd};

use super::bells;
use super::fingerprint::LAYOUT_FINGERPRINT;
use crate::error::{Result, Status};
use crate::layout::header::{EPHEMERAL, Header, LAYOUT_VERSION, MAGIC};
use crate::platform::byte_lock::Bar;
use crate::platform::file::{self, SegmentPath};
use crate::platform::{directory, process};
use crate::roster::attachment::{self, Attachment, without_forks};
use crate::roster::member;

/// Removes every ephemeral segment of this user whose members are all gone, and says how
/// many there were. What cannot be judged is left alone.
pub(crate) fn sweep() -> Result<u64> {
    let mut reclaimed = 0;
    for name in directory::own_files()? {
        let Ok(path) = SegmentPath::of(&name) else {
            continue;
        };
        let is_gone = without_forks(|| reclaim(&path));
        reclaimed += u64::from(is_gone.unwrap_or(false));
    }
    bells::sweep()?;
    Ok(reclaimed)
}

/// Removes the segment of that name if it is an ephemeral one of ours in which nobody is.
fn reclaim(path: &SegmentPath) -> Result<bool> {
    let file = file::open(path, true)?;
    let file = file.as_fd();
    if !is_ephemeral(file) || file::facts(file)?.owner != process::user_id() {
        return Ok(false);
    }
    if let Some(_bar) = Bar::all(file)? {
        return destroy(path, file);
    }
    bury_file(path, file)
}

/// After a member has left: removes the segment if it was the last one. What fails here is
/// left to the next one who sweeps.
pub(crate) fn after_leaving(attachment: &Attachment) {
    let _ = attachment.fresh_file().and_then(|file| {
        match member::bar_if_deserted(attachment, file.as_fd())? {
            Some(_bar) => destroy(attachment.path(), file.as_fd()),
            None => Ok(false),
        }
    });
}

/// Removes the name of a segment that is destroyed. It may lead to another one by now.
pub(crate) fn bury(path: &SegmentPath) -> Result<()> {
    without_forks(|| match file::open(path, true) {
        Ok(file) if is_ephemeral(file.as_fd()) => bury_file(path, file.as_fd()).map(drop),
        Ok(_) => Ok(()),
        Err(error) if error.status() == Status::NotFound => Ok(()),
        Err(error) => Err(error),
    })
}

fn bury_file(path: &SegmentPath, file: BorrowedFd<'_>) -> Result<bool> {
    if !is_destroyed(file) {
        return Ok(false);
    }
    match Bar::door(file)? {
        // Again, for it is final only now (E1).
        Some(_bar) if is_destroyed(file) => file::unlink_if_leads_to(path, file),
        _ => Ok(false),
    }
}

/// Removes the name of a segment, whoever is in.
pub(crate) fn unlink(path: &SegmentPath) -> Result<()> {
    let file = file::open(path, false);
    file::unlink(path)?;
    if let Some(identity) = file.ok().and_then(|file| identity_with_bells(file.as_fd())) {
        match attachment::find(identity) {
            None => bells::remove_all_of(identity),
            Some(attachment) => {
                bells::clear_up(attachment);
                attachment.release();
            }
        }
    }
    Ok(())
}

/// The identities of all segments that have a name, whoever may enter them.
pub(super) fn identities() -> Result<impl Iterator<Item = u64>> {
    Ok(directory::all_files()?.filter_map(|name| {
        let file = file::open(&SegmentPath::of(&name).ok()?, false).ok()?;
        identity_of(file.as_fd())
    }))
}

/// The identity in a file that looks like a segment's.
fn identity_of(file: BorrowedFd<'_>) -> Option<u64> {
    let is_ours = file::read_at(file, 0) == Some(MAGIC);
    let identity = file::read_at(file, offset_of!(Header, identity) as u64)?;
    is_ours.then_some(u64::from_le_bytes(identity))
}

/// The same if somebody has ever listened to something in it.
fn identity_with_bells(file: BorrowedFd<'_>) -> Option<u64> {
    let bells = file::read_at(file, offset_of!(Header, bells) as u64)?;
    if u32::from_le_bytes(bells) == 0 { None } else { identity_of(file) }
}

/// The caller has barred the segment.
fn destroy(path: &SegmentPath, file: BorrowedFd<'_>) -> Result<bool> {
    let done = destroy_file(path, file);
    if done.is_ok()
        && let Some(identity) = identity_with_bells(file)
    {
        bells::remove_all_of(identity);
    }
    done
}

fn destroy_file(path: &SegmentPath, file: BorrowedFd<'_>) -> Result<bool> {
    file::write_at(file, DESTROYED, 1)?;
    match file::unlink_if_leads_to(path, file) {
        Err(error) if error.status() == Status::Permission => {
            // Who may come in may not always remove the name. It is left to its owner,
            // as one in which nobody is.
            file::write_at(file, DESTROYED, 0)?;
            Ok(false)
        }
        done => done,
    }
}

const DESTROYED: u64 = offset_of!(Header, destroyed) as u64;

fn is_destroyed(file: BorrowedFd<'_>) -> bool {
    file::read_at(file, DESTROYED).is_some_and(|word| u32::from_ne_bytes(word) != 0)
}

/// Whether the file is a segment as this library makes them, and ephemeral. Anybody can
/// put anything there, so nothing is mapped to find out.
fn is_ephemeral(file: BorrowedFd<'_>) -> bool {
    const CONSTANTS: usize = offset_of!(Header, identity);
    let Some(bytes) = file::read_at::<CONSTANTS>(file, 0) else {
        return false;
    };
    bytes[offset_of!(Header, magic)..].starts_with(&MAGIC)
        && bytes[offset_of!(Header, layout_version)..].starts_with(&LAYOUT_VERSION.to_le_bytes())
        && bytes[offset_of!(Header, flags)..].starts_with(&EPHEMERAL.to_le_bytes())
        && bytes[offset_of!(Header, fingerprint)..].starts_with(&LAYOUT_FINGERPRINT.to_le_bytes())
        && file::facts(file).is_ok_and(|facts| {
            let length = facts.length.to_le_bytes();
            facts.is_regular && bytes[offset_of!(Header, size)..].starts_with(&length)
        })
}
