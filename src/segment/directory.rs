//! Names of objects: chains of entries, hashed by name.
//!
//! A chain grows at its end by one store, and an entry never leaves it, so a search
//! needs no lock and a position in a chain stays valid.

use super::space::{NewRecord, Record, Space};
use crate::error::{Error, READ_ONLY, Result, Status, corrupted, invalid};
use crate::layout::entry::{Entry, GRAIN, Kind, LONGEST_NAME};
use crate::layout::header::BUCKETS;
use crate::layout::memory::Memory;
use crate::layout::{Offset, hash_text};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use crate::roster::attachment::Attachment;

/// The hash that chooses a name's chain.
pub(super) fn hash(name: &str) -> u32 {
    let hash = hash_text(name.as_bytes());
    (hash ^ hash >> 32) as u32
}

/// Checks a name as the user gave it.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(invalid("the object name is empty: give 1 to 63 bytes, or none for anonymous"));
    }
    if name.len() > LONGEST_NAME {
        return Err(Error::with(
            Status::InvalidArgument,
            format!("the object name has {} bytes: 63 are the most", name.len()),
        ));
    }
    if name.contains('/') {
        return Err(invalid("the object name has a '/' inside: use '.' or '-' to structure names"));
    }
    if name.contains('\0') {
        return Err(invalid("the object name has a NUL byte inside: remove it"));
    }
    Ok(())
}

fn head(memory: &Memory, hash: u32) -> &AtomicU64 {
    &memory.buckets().heads[hash as usize % BUCKETS]
}

/// The named record, if there is one.
pub(crate) fn find<'a>(memory: &'a Memory, name: &str) -> Result<Option<Record<'a>>> {
    let hash = hash(name);
    // Acquire, LINKED, here and below: the entry that the link leads to is there.
    let mut offset = head(memory, hash).load(Acquire);
    for _ in 0..longest_chain(memory) {
        if offset == 0 {
            return find_unlinked(memory, name);
        }
        let (record, entry) = entry_at(memory, offset)?;
        if entry.name_hash == hash && name_of(entry)? == name {
            return Ok(Some(record));
        }
        offset = entry.next.load(Acquire);
    }
    Err(corrupted("a chain of the directory has no end: the segment is damaged"))
}

/// Looks among the records that are published and not linked yet, because a registrar is
/// about to or died before it did. There is one at most, and nearly always none.
fn find_unlinked<'a>(memory: &'a Memory, name: &str) -> Result<Option<Record<'a>>> {
    let space = Space::of(memory);
    for record in space.records_from(space.finished()?) {
        let record = record?;
        match record.entry {
            Some(entry) if record.state.kind.is_object() && name_of(entry)? == name => {
                return Ok(Some(record));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Hangs the entry at the end of its chain, unless it hangs there already.
pub(super) fn link(memory: &Memory, offset: Offset, entry: &Entry) -> Result<()> {
    let mut link = head(memory, entry.name_hash);
    for _ in 0..longest_chain(memory) {
        match link.load(Acquire) {
            0 => {
                // Release, LINKED.
                link.store(offset, Release);
                return Ok(());
            }
            linked if linked == offset => return Ok(()),
            next => link = &entry_at(memory, next)?.1.next,
        }
    }
    Err(corrupted("a chain of the directory has no end: the segment is damaged"))
}

/// No chain has more entries than fit into the memory.
fn longest_chain(memory: &Memory) -> u64 {
    memory.committed() / GRAIN
}

pub(super) fn entry_at(memory: &Memory, offset: Offset) -> Result<(Record<'_>, &Entry)> {
    let record = Space::of(memory).record(offset)?;
    match record {
        Some(record) if record.state.kind.is_object() => {
            Ok((record, record.entry.expect("objects have entries")))
        }
        _ => Err(corrupted("the directory leads to something that is no object")),
    }
}

/// The name in an entry; it is shared memory, so it is checked.
pub(crate) fn name_of(entry: &Entry) -> Result<&str> {
    entry
        .name
        .get(..entry.name_length as usize)
        .and_then(|bytes| core::str::from_utf8(bytes).ok())
        .ok_or(corrupted("an object's name is damaged"))
}

/// How an object is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It must not exist.
    New,
    /// It must exist.
    Existing,
    /// Either.
    Any,
}

/// Finds or makes a named object, or makes an anonymous one.
///
/// `make` initialises the body of a new one. Returns the record and whether it is new.
pub(crate) fn obtain(
    attachment: &Attachment,
    name: Option<&str>,
    wanted: Wanted,
    kind: Kind,
    body_bytes: u64,
    make: impl FnOnce(Offset) -> Result<()>,
) -> Result<(Offset, bool)> {
    let memory = attachment.memory();
    if let Some(name) = name {
        check_name(name)?;
        if let Some(found) = found(memory, name, wanted, kind)? {
            return Ok((found, false));
        }
    }
    if wanted == Wanted::Existing {
        return Err(not_found(attachment, name, kind));
    }
    if !memory.is_writable() {
        return Err(READ_ONLY);
    }
    attachment.as_registrar(|| {
        let space = Space::of(memory);
        // Before the second look: who died as registrar may have left the very name
        // published and not linked.
        space.finish()?;
        if let Some(name) = name
            && let Some(found) = found(memory, name, wanted, kind)?
        {
            return Ok((found, false));
        }
        let new = NewRecord { kind, name: name.unwrap_or(""), body_bytes, page_aligned: false };
        let (file, segment) = (attachment.file()?, attachment.path().name());
        Ok((space.append(file, segment, &new, make)?, true))
    })
}

fn found(memory: &Memory, name: &str, wanted: Wanted, kind: Kind) -> Result<Option<Offset>> {
    let Some(record) = find(memory, name)? else {
        return Ok(None);
    };
    let there = record.state.kind;
    if wanted == Wanted::New {
        return Err(Error::with(
            Status::AlreadyExists,
            format!("\"{name}\" exists already, {}: open it, or choose another name", there.one()),
        ));
    }
    if there != kind {
        return Err(Error::with(
            Status::WrongKind,
            format!("\"{name}\" is {}, and was opened as {}", there.one(), kind.one()),
        ));
    }
    Ok(Some(record.offset))
}

#[cold]
fn not_found(attachment: &Attachment, name: Option<&str>, kind: Kind) -> Error {
    match name {
        None => invalid("an anonymous object cannot be opened: give the name of the object"),
        Some(name) => Error::with(
            Status::NotFound,
            format!(
                "no {} \"{name}\" in segment \"{}\": create it first",
                kind.noun(),
                attachment.path().name()
            ),
        ),
    }
}
