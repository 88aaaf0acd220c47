//! Names of objects: chains of entries, hashed by name.
//!
//! Names, holders and holds change under one lock, which undoes what somebody left half
//! done (`sync::guarded`). A new object is made whole in a block of its maker's; linking
//! it, counting its first holder and noting the hold is one step.
//!
//! Who can only read cannot take the lock: it looks, and looks again if something changed
//! meanwhile.
//!
//! # If a process dies
//!
//! - making an object: the block is in limbo, and `estate` frees it;
//! - linking or unlinking: the next one who takes the lock undoes it, or it is done;
//! - after it unlinked an object that nobody holds: as in the first case.

use super::control::Control;
use super::heap::{Heap, Want};
use super::holding::{self, Holding, take_into_limbo};
use super::{holds, limbo};
use crate::error::{Error, READ_ONLY, Result, Status, corrupted, invalid};
use crate::layout::block::{AFTER_FREE, HEAD_BYTES, Kind, OWNER, Owner};
use crate::layout::entry::{ENTRY_BYTES, Entry, LINE, LONGEST_NAME, NAME_BYTES, body_of};
use crate::layout::header::{BUCKETS, BUCKETS_START};
use crate::layout::memory::Memory;
use crate::layout::{Offset, hash_text};
use crate::platform::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed},
};
use crate::platform::time::sleep_ns;
use crate::roster::attachment::Attachment;
use crate::roster::holdings::Held;
use crate::roster::thread;
use crate::sync::guarded::Hold;
use crate::sync::mutex::Actor;
use crate::sync::node::Identity;

/// Takes the directory's lock.
pub(crate) fn hold(actor: Actor) -> Result<Hold<'static>> {
    let memory = actor.attachment().memory();
    Control::of(memory)?.directory.hold(memory, actor)
}

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

/// An object in its place.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    pub(crate) offset: Offset,
    pub(crate) kind: Kind,
    pub(crate) entry: &'a Entry,
}

impl<'a> Object<'a> {
    /// The object at `offset`; there is one, or the segment is damaged.
    pub(crate) fn at(memory: &'a Memory, offset: Offset) -> Result<Self> {
        let entry = memory.at::<Entry>(offset)?;
        // Acquire: what is final before the block is used is there.
        match Owner::of_word(entry.block.owner.load(Acquire)) {
            Some(Owner::Used(kind)) if kind.is_object() => Ok(Self { offset, kind, entry }),
            _ => Err(corrupted("the directory leads to something that is no object")),
        }
    }

    /// Where the body begins.
    pub(crate) fn body(&self) -> Offset {
        body_of(self.offset, self.is_named())
    }

    /// How long it is.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.entry.body_bytes.load(Relaxed)
    }

    fn is_named(&self) -> bool {
        // Relaxed, here and above: final before the block is used.
        self.entry.name_length.load(Relaxed) != 0
    }

    /// The name; it is shared memory, so it is checked.
    pub(crate) fn name(&self, memory: &Memory) -> Result<String> {
        const DAMAGED: Error = corrupted("an object's name is damaged");
        let length = u64::from(self.entry.name_length.load(Relaxed));
        if length > LONGEST_NAME as u64 {
            return Err(DAMAGED);
        }
        let mut bytes = [0u8; NAME_BYTES as usize];
        if length > 0 {
            let words = memory.words(self.offset + ENTRY_BYTES, NAME_BYTES / 8)?;
            for (word, bytes) in words.iter().zip(bytes.chunks_exact_mut(8)) {
                bytes.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
            }
        }
        core::str::from_utf8(&bytes[..length as usize]).map(str::to_owned).map_err(|_| DAMAGED)
    }

    /// The same as long as it can be found by it, else "".
    pub(crate) fn current_name(&self, memory: &Memory) -> Result<String> {
        // Relaxed: for people.
        if self.entry.removed.load(Relaxed) == 0 { self.name(memory) } else { Ok(String::new()) }
    }

    /// Tells objects apart that had the same name one after the other.
    pub(crate) fn generation(&self) -> u64 {
        self.entry.generation.load(Relaxed)
    }

    /// What nodes call it.
    pub(crate) fn identity(&self) -> Identity {
        Identity { object: self.generation(), place: self.offset }
    }

    /// Bytes of its block.
    pub(crate) fn span(&self) -> u64 {
        self.entry.block.span.load(Relaxed) & !AFTER_FREE
    }

    fn next(&self) -> Offset {
        // Acquire: the entry that it leads to is there.
        self.entry.next.load(Acquire)
    }
}

/// Where the head of a name's chain lies.
fn head_of(hash: u32) -> Offset {
    BUCKETS_START + u64::from(hash) % BUCKETS as u64 * size_of::<u64>() as u64
}

/// Where the link to the next entry lies.
fn link_of(entry: Offset) -> Offset {
    entry + core::mem::offset_of!(Entry, next) as u64
}

/// A name in its chain.
struct Found<'a> {
    /// Where the link lies that leads to the object, or the last one of the chain.
    link: Offset,
    object: Option<Object<'a>>,
}

/// Looks for the name. Bounded: no chain has more entries than fit into the memory.
fn find<'a>(memory: &'a Memory, name: &str) -> Result<Found<'a>> {
    let hash = hash(name);
    let mut link = head_of(hash);
    for _ in 0..=memory.committed() / ENTRY_BYTES {
        // Acquire: the entry that it leads to is there.
        let offset = memory.at::<AtomicU64>(link)?.load(Acquire);
        if offset == 0 {
            return Ok(Found { link, object: None });
        }
        let object = Object::at(memory, offset)?;
        if object.entry.name_hash.load(Relaxed) == hash && object.name(memory)? == name {
            return Ok(Found { link, object: Some(object) });
        }
        link = link_of(offset);
    }
    Err(corrupted("a chain of the directory has no end: the segment is damaged"))
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

/// What is to be found or made.
pub(crate) struct Request<'a> {
    /// `None`: anonymous.
    pub(crate) name: Option<&'a str>,
    pub(crate) wanted: Wanted,
    pub(crate) kind: Kind,
    /// The body of a new one.
    pub(crate) body_bytes: u64,
}

/// Finds or makes an object; `make` initialises the body of a new one, which is zero.
/// Returns a share in it, and where its body is.
pub(crate) fn obtain(
    attachment: &'static Attachment,
    request: &Request<'_>,
    make: impl Fn(Offset) -> Result<()>,
) -> Result<(Holding, Offset)> {
    let Request { name, wanted, .. } = *request;
    name.map_or(Ok(()), check_name)?;
    if wanted == Wanted::Existing && name.is_none() {
        return Err(not_found(attachment, request));
    }
    if !attachment.memory().is_writable() {
        return open_to_read(attachment, request);
    }
    let actor = Actor::new(thread::here()?, attachment)?;
    loop {
        if name.is_some()
            && let Some(found) = open(actor, request)?
        {
            return Ok(found);
        }
        if wanted == Wanted::Existing {
            return Err(not_found(attachment, request));
        }
        let block = build(actor, request, &make)?;
        match publish(actor, request, block) {
            Ok(Some(new)) => return Ok(new),
            // Somebody was faster.
            Ok(None) => limbo::release(actor, block)?,
            Err(error) => {
                limbo::release(actor, block)?;
                return Err(error);
            }
        }
    }
}

/// Opens a named object that is there.
fn open(actor: Actor, request: &Request<'_>) -> Result<Option<(Holding, Offset)>> {
    let attachment = actor.attachment();
    let name = request.name.expect("anonymous objects cannot be found");
    let (member, mut ours) = holding::our_holdings(attachment)?;
    let place = holding::vacancy(actor, member, &mut ours)?;
    let hold = hold(actor)?;
    let found = find(hold.memory(), name).and_then(|found| check(request, found.object));
    let joined = match &found {
        Ok(Some(object)) => holding::join_in(&hold, &mut ours, object.offset, place)?,
        _ => false,
    };
    if !joined {
        ours.vacant.push(place);
    }
    Ok(found?.map(|object| (Holding::counted(attachment, object.offset), object.body())))
}

/// Refuses what is not as it is wanted.
fn check<'a>(request: &Request<'_>, found: Option<Object<'a>>) -> Result<Option<Object<'a>>> {
    let Some(object) = found else {
        return Ok(None);
    };
    let name = request.name.unwrap_or("");
    if request.wanted == Wanted::New {
        return Err(Error::with(
            Status::AlreadyExists,
            format!(
                "\"{name}\" exists already, {}: open it, or choose another name",
                object.kind.one()
            ),
        ));
    }
    if object.kind != request.kind {
        return Err(wrong_kind(name, object.kind, request.kind));
    }
    Ok(Some(object))
}

/// Makes the object in a block of ours.
fn build(
    actor: Actor,
    request: &Request<'_>,
    make: &impl Fn(Offset) -> Result<()>,
) -> Result<Offset> {
    let memory = actor.attachment().memory();
    let name = request.name.unwrap_or("");
    let head = body_of(0, request.name.is_some());
    let bytes = (head - HEAD_BYTES).saturating_add(request.body_bytes);
    let block = limbo::allocate(actor, &Want { bytes, align: LINE, lead: 0 })?;
    let offset = block.offset;
    // Relaxed: only uniqueness matters. Killed here, a number is skipped.
    let generation = memory.header().generations.fetch_add(1, Relaxed).wrapping_add(1);
    let initialise = || {
        let payload = offset + HEAD_BYTES;
        memory.clear(payload, block.clean_from.saturating_sub(payload))?;
        let entry = memory.at::<Entry>(offset)?;
        // Relaxed: the block is ours, and what publishes it is a Release.
        entry.generation.store(generation, Relaxed);
        entry.name_length.store(name.len() as u32, Relaxed);
        entry.name_hash.store(hash(name), Relaxed);
        entry.body_bytes.store(request.body_bytes, Relaxed);
        if !name.is_empty() {
            let words = memory.words(offset + ENTRY_BYTES, NAME_BYTES / 8)?;
            let mut bytes = [0u8; NAME_BYTES as usize];
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            for (word, bytes) in words.iter().zip(bytes.chunks_exact(8)) {
                word.store(u64::from_ne_bytes(bytes.try_into().expect("eight bytes")), Relaxed);
            }
        }
        make(body_of(offset, request.name.is_some()))
    };
    match initialise() {
        Ok(()) => Ok(offset),
        Err(error) => {
            limbo::release(actor, offset)?;
            Err(error)
        }
    }
}

/// Links a finished object, with its first hold. `None`: the name is taken meanwhile.
fn publish(
    actor: Actor,
    request: &Request<'_>,
    block: Offset,
) -> Result<Option<(Holding, Offset)>> {
    let attachment = actor.attachment();
    let (member, mut ours) = holding::our_holdings(attachment)?;
    let place = holding::vacancy(actor, member, &mut ours)?;
    let hold = hold(actor)?;
    if let Some(name) = request.name {
        let found = find(hold.memory(), name)?;
        if found.object.is_some() {
            ours.vacant.push(place);
            return Ok(None);
        }
        hold.set(found.link, block)?;
    }
    hold.set(block + OWNER, Owner::Used(request.kind).to_word())?;
    holds::take(&hold, place, block, 0)?;
    hold.commit();
    drop(hold);
    limbo::forget(attachment.participant(actor.slot())?, block);
    let generation = attachment.memory().at::<Entry>(block)?.generation.load(Relaxed);
    ours.held.insert(block, Held { handles: 1, generation, place });
    Ok(Some((Holding::counted(attachment, block), body_of(block, request.name.is_some()))))
}

/// Removes a name. Who has the object open goes on using it; it goes with the last of
/// them, or now if there is none.
pub(crate) fn remove(attachment: &'static Attachment, name: &str, kinds: &[Kind]) -> Result<()> {
    check_name(name)?;
    if !attachment.memory().is_writable() {
        return Err(READ_ONLY);
    }
    let actor = Actor::new(thread::here()?, attachment)?;
    // A dead holder is none.
    super::estate::clear_up(actor)?;
    let hold = hold(actor)?;
    let Found { link, object } = find(hold.memory(), name)?;
    let object = object.ok_or_else(|| {
        let (noun, segment) = (kinds[0].noun(), attachment.path().name());
        let text = format!("no {noun} \"{name}\" in segment \"{segment}\": nothing to remove");
        Error::with(Status::NotFound, text)
    })?;
    if !kinds.contains(&object.kind) {
        return Err(wrong_kind(name, object.kind, kinds[0]));
    }
    hold.set(link, object.next())?;
    let removed = object.offset + core::mem::offset_of!(Entry, removed) as u64;
    hold.set(removed, 1)?;
    let goes = object.entry.holders.load(Relaxed) == 0;
    if goes {
        take_into_limbo(actor, &hold, object.offset)?;
    }
    hold.commit();
    drop(hold);
    if goes { limbo::release(actor, object.offset) } else { Ok(()) }
}

/// What `describe` says of every object.
pub(crate) fn all_objects<T>(
    attachment: &'static Attachment,
    describe: impl Fn(&Object<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let memory = attachment.memory();
    let heap = Heap::of(memory)?;
    let collect = || {
        let mut all = Vec::new();
        for block in heap.blocks() {
            let (offset, owner, _) = block?;
            if matches!(owner, Owner::Used(kind) if kind.is_object()) {
                all.push(describe(&Object::at(memory, offset)?)?);
            }
        }
        Ok(all)
    };
    if !memory.is_writable() {
        return read_quietly(attachment, collect);
    }
    let actor = Actor::new(thread::here()?, attachment)?;
    let _names = hold(actor)?;
    let _blocks = heap.hold(actor)?;
    collect()
}

/// Looks without the lock, until nothing changes meanwhile.
pub(crate) fn read_quietly<T>(
    attachment: &Attachment,
    mut read: impl FnMut() -> Result<T>,
) -> Result<T> {
    const LOOKS: u32 = 1000;
    const PAUSE_NS: u64 = 100_000;
    let control = Control::of(attachment.memory())?;
    let changes = || Some((control.heap.changes()?, control.directory.changes()?));
    for look in 0..LOOKS {
        if look > 10 {
            sleep_ns(PAUSE_NS);
        }
        let Some(before) = changes() else { continue };
        let outcome = read();
        if changes() == Some(before) {
            return outcome;
        }
    }
    Err(UNSETTLED)
}

const UNSETTLED: Error = Error::new(
    Status::OwnerDied,
    "a process died while it changed the segment, and a reader cannot settle that (or others \
     change it without a pause): open it once for writing",
);

fn open_to_read(
    attachment: &'static Attachment,
    request: &Request<'_>,
) -> Result<(Holding, Offset)> {
    let name = request.name.ok_or(READ_ONLY)?;
    let memory = attachment.memory();
    let found = read_quietly(attachment, || {
        Ok(check(request, find(memory, name)?.object)?.map(|o| (o.offset, o.body())))
    })?;
    match found {
        Some((entry, body)) => Ok((Holding::of_reader(attachment, entry), body)),
        None if request.wanted == Wanted::Existing => Err(not_found(attachment, request)),
        None => Err(READ_ONLY),
    }
}

#[cold]
fn wrong_kind(name: &str, there: Kind, wanted: Kind) -> Error {
    Error::with(
        Status::WrongKind,
        format!("\"{name}\" is {}, and was opened as {}", there.one(), wanted.one()),
    )
}

#[cold]
fn not_found(attachment: &Attachment, request: &Request<'_>) -> Error {
    match request.name {
        None => invalid("an anonymous object cannot be opened: give the name of the object"),
        Some(name) => Error::with(
            Status::NotFound,
            format!(
                "no {} \"{name}\" in segment \"{}\": create it first",
                request.kind.noun(),
                attachment.path().name()
            ),
        ),
    }
}
