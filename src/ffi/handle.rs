//! Handles: numbers in the shape of pointers, and the table behind them.
//!
//! What C holds is {generation, index}, never an address. A handle that was
//! closed, or never was one, meets a slot whose tag says something else: the call
//! is refused and nothing faults, whatever number it was given. So a function
//! that takes nothing but handles and integers is safe to call with any values.
//!
//! # In memory
//!
//! ```text
//!  handle   63         32 31         0
//!          [ generation  | index + 1  ]      the top bit of a generation is set,
//!                                            as in no address of a program
//!  slot    [ object                   ]      the box, or the next vacant slot
//!          [ generation  | kind   | index + 1 ]  the tag; kind 0 is a vacant slot
//!          [ address                  ]      where a fast path finds the hot bytes
//!          [ attachment               ]      of the object, and in which mapping
//! ```
//!
//! The table is zeroed static memory, reserved with the library and touched only
//! where slots are in use: finding an object takes two loads and one comparison, for which
//! a tag is as a handle, with the kind in bits 31..24. An uncontended lock does not even
//! look at the object, only at its `Place`.
//!
//! # Invariants
//!
//! - **H1** While the tag is {g, kind}, `object` is the box of generation g, its type
//!   is the one of that kind, and `address` and `attachment` are its place.
//! - **H2** The generation of a slot only grows. It never wraps: a slot that has
//!   used up its generations stays vacant for good.
//! - **H3** A box leaves the table by one compare-exchange of its tag, so once;
//!   it is freed when no call that may have found it is still running (`limbo`).
//! - **H4** A vacant slot is in the list of vacant slots, or in one thread's hands.
//!
//! # Edges
//!
//! | edge   | release                 | acquire               | what it carries        |
//! |--------|-------------------------|-----------------------|------------------------|
//! | OPENED | `fill` stores object    | `find` loads object   | the object in the box  |
//! |        | and place               | or place              |                        |
//! | CLOSED | any later store of      | `find` loads object   | that the generation is |
//! |        | object or place         | or place              | over: the tag moved on |
//! | VACANT | `give_back` sets `FREE` | `take` changes `FREE` | the slot and its next  |
//!
//! # After a fork
//!
//! The child has a copy of the table. Every change is one store or one
//! compare-exchange, so whatever other threads were doing, the copy is sound: at
//! worst a slot in the hands of one of them is lost.

use core::ffi::c_void;
use core::ptr::{null_mut, without_provenance_mut};

use super::limbo;
use crate::error::{Error, Result, Status, invalid};
use crate::platform::atomic::{AtomicPtr, AtomicU64, Ordering::*};
use crate::roster::thread::{Brief, InCall, Visit};

/// What a handle leads to. No kind is 0.
#[repr(u32)]
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Segment = 1,
    Mutex,
    Value,
    Array,
    RwLock,
    Semaphore,
    Condvar,
    Event,
    Barrier,
    Latch,
    Waiter,
    Lock,
    Spsc,
    Fanin,
    Mpmc,
}

/// What people call the kinds, each at its number.
const NOUNS: [&str; 16] = [
    "nothing",
    "segment",
    "mutex",
    "value",
    "array",
    "rwlock",
    "semaphore",
    "condvar",
    "event",
    "barrier",
    "latch",
    "waiter",
    "lock",
    "spsc",
    "fanin",
    "mpmc",
];

/// A type of handle: what C sees, and what stands behind it.
pub(super) trait Handle {
    type Object: Send + Sync + 'static;
    const KIND: Kind;

    /// Where the fast paths find the object; by default nowhere.
    fn place(_object: &Self::Object) -> Place {
        Place::NOWHERE
    }
}

struct Slot {
    object: AtomicPtr<()>,
    tag: AtomicU64,
    /// What `place_of` gives; constant while the tag is.
    address: AtomicPtr<u8>,
    attachment: AtomicU64,
}

/// Where an object's hot bytes lie in shared memory.
pub(super) struct Place {
    /// Their address.
    pub(super) address: *mut u8,
    /// The attachment that has to be alive for that: a thread with a seat there may
    /// follow the address.
    pub(super) attachment: u64,
}

impl Place {
    /// Of objects that have no fast path: nobody has a seat there.
    pub(super) const NOWHERE: Self = Self { address: null_mut(), attachment: u64::MAX };
}

/// How many handles a process can have open at once.
const MOST: usize = 1 << 20;

static SLOTS: [Slot; MOST] = [const {
    Slot {
        object: AtomicPtr::new(null_mut()),
        tag: AtomicU64::new(0),
        address: AtomicPtr::new(null_mut()),
        attachment: AtomicU64::new(0),
    }
}; MOST];

/// {changes, index + 1} of the first vacant slot that was used before; the count
/// of changes keeps a `take` that was overtaken from succeeding.
static FREE: AtomicU64 = AtomicU64::new(0);

/// How many slots were ever used.
static USED: AtomicU64 = AtomicU64::new(0);

const GENERATION: u64 = !0 << 32;
/// Where the kind stands in a tag.
const KIND_SHIFT: u32 = 24;
const _: () = assert!(MOST.is_power_of_two() && MOST < 1 << KIND_SHIFT);

/// The tag of a slot that the handle leads to, and of no other. Which number ever was given
/// for a handle, no other one has this tag.
#[inline(always)]
const fn tag_of(handle: u64, kind: Kind) -> u64 {
    handle.wrapping_add((kind as u64) << KIND_SHIFT)
}

/// What a slot with that tag is; 0 if it is vacant.
const fn kind_in(tag: u64) -> usize {
    tag as u32 as usize >> KIND_SHIFT
}

/// The slot that a handle leads to, or any other if it is none: the tag tells.
#[inline(always)]
fn slot_of(handle: u64) -> &'static Slot {
    &SLOTS[index_of(handle) % MOST]
}
const NEXT_GENERATION: u64 = 1 << 32;
const FIRST_GENERATION: u64 = 1 << 63;

/// The object behind a handle, for as long as the call lasts.
#[inline(always)]
pub(super) fn find<H: Handle>(_inside: &InCall, handle: *const H) -> Result<&H::Object> {
    // SAFETY: the caller is in a call for as long as it has the object.
    unsafe { find_in_call(handle) }.ok_or_else(|| refusal(handle))
}

/// The same in a call of a few instructions; `None` if the handle leads to none.
#[inline(always)]
pub(super) fn find_briefly<H: Handle>(_inside: &Brief, handle: *const H) -> Option<&H::Object> {
    // SAFETY: as in `find`.
    unsafe { find_in_call(handle) }
}

/// The same for calls that signal handlers may make: to refuse allocates nothing.
pub(super) fn find_quietly<H: Handle>(_inside: &Visit, handle: *const H) -> Result<&H::Object> {
    // SAFETY: a visit counts as a call, or lies within one.
    unsafe { find_in_call(handle) }.ok_or(invalid(
        "the handle is NULL, was closed, or is one of another kind of thing: pass one that is open",
    ))
}

/// The same for a handle that may be one of several kinds; `None` if it is none of this one.
pub(super) fn find_if<H: Handle>(_inside: &InCall, handle: *const c_void) -> Option<&H::Object> {
    // SAFETY: as in `find`.
    unsafe { find_in_call(handle.cast::<H>()) }
}

/// What people call the thing that a handle leads to; `None` if it leads to nothing.
#[cold]
pub(super) fn noun_of(handle: *const c_void) -> Option<&'static str> {
    let bits = handle.addr() as u64;
    // Relaxed: the sentence describes what has been decided already.
    let tag = SLOTS.get(index_of(bits)).map_or(0, |slot| slot.tag.load(Relaxed));
    is_of_generation(tag, bits).then_some(NOUNS[kind_in(tag)])
}

/// Whether that is the tag of a thing that is open, of the generation that a handle is of.
fn is_of_generation(tag: u64, bits: u64) -> bool {
    tag & GENERATION == bits & GENERATION && kind_in(tag) != 0
}

/// # Safety
/// The caller is in a call, and has the object no longer than that.
#[inline(always)]
unsafe fn find_in_call<'call, H: Handle>(handle: *const H) -> Option<&'call H::Object> {
    let bits = handle.addr() as u64;
    let slot = slot_of(bits);
    // Acquire, OPENED and CLOSED. Loaded before the tag: if this is the object of
    // a later generation, or none, the tag is no longer the one of the handle.
    let object = slot.object.load(Acquire);
    // Relaxed: the tag is only compared.
    if slot.tag.load(Relaxed) != tag_of(bits, H::KIND) {
        return None;
    }
    // SAFETY:
    // - The tag says {g, kind} of the handle, so this is the box of an `H::Object` (H1).
    // - Not freed during the call: we entered before we loaded, and `limbo` waits
    //   for the calls that ran when the box left the table (H3).
    Some(unsafe { &*object.cast::<H::Object>() })
}

/// Where the object behind a handle lies, without a look at the object itself: it
/// may be freed at any moment, for the caller is in no call.
#[inline(always)]
pub(super) fn place_of<H: Handle>(handle: *const H) -> Option<Place> {
    let bits = handle.addr() as u64;
    let slot = slot_of(bits);
    // Acquire, OPENED and CLOSED, and before the tag: as in `find`.
    let address = slot.address.load(Acquire);
    let attachment = slot.attachment.load(Acquire);
    // Relaxed: the tag is only compared.
    let is_open = slot.tag.load(Relaxed) == tag_of(bits, H::KIND);
    is_open.then_some(Place { address, attachment })
}

/// Ends a handle. The object goes when no call uses it any more. NULL is allowed.
pub(super) fn close<H: Handle>(call: &InCall, handle: *const H) -> Result<()> {
    if handle.is_null() {
        return Ok(());
    }
    let bits = handle.addr() as u64;
    let slot = slot_of(bits);
    // Acquire, OPENED and CLOSED: as in `find`.
    let object = slot.object.load(Acquire);
    let open = tag_of(bits, H::KIND);
    let over = (bits & GENERATION).wrapping_add(NEXT_GENERATION);
    // Relaxed: of all who close the handle one gets the box (H3); the store that
    // CLOSED needs is the next one of `object`.
    if slot.tag.compare_exchange(open, over, Relaxed, Relaxed).is_err() {
        return Err(refusal(handle));
    }
    // SAFETY: the box of this generation (H1), which left the table with the
    // exchange above (H3); made by `fill` from a box of this type.
    let object = unsafe { Box::from_raw(object.cast::<H::Object>()) };
    if over != 0 {
        give_back(index_of(bits)); // else its generations are used up (H2)
    }
    limbo::release(call, object);
    Ok(())
}

/// A vacant slot, held until it is filled or dropped.
pub(super) struct Vacancy {
    index: usize,
}

impl Vacancy {
    /// Holds a slot for a handle that is about to be made.
    ///
    /// # Errors
    /// `NoSpace` if the process has as many handles open as it can.
    pub(super) fn take() -> Result<Self> {
        take_used().or_else(take_fresh).map(|index| Self { index }).ok_or_else(|| {
            let text = format!("this process has {MOST} handles open: close some of them");
            Error::with(Status::NoSpace, text)
        })
    }

    /// Puts the object in, and gives the handle that leads to it.
    pub(super) fn fill<H: Handle>(self, object: H::Object) -> *mut H {
        let slot = &SLOTS[self.index];
        // Relaxed: the slot is ours (H4); VACANT came before.
        let generation = slot.tag.load(Relaxed).max(FIRST_GENERATION) & GENERATION;
        let place = H::place(&object);
        // Release, OPENED: who loads these knows that the last generation is over.
        slot.address.store(place.address, Release);
        slot.attachment.store(place.attachment, Release);
        // Release, OPENED: the object is whole.
        slot.object.store(Box::into_raw(Box::new(object)).cast(), Release);
        let handle = generation | (self.index as u64 + 1);
        // Release: H1 holds for whoever sees the tag.
        slot.tag.store(tag_of(handle, H::KIND), Release);
        core::mem::forget(self);
        without_provenance_mut(handle as usize)
    }
}

impl Drop for Vacancy {
    fn drop(&mut self) {
        give_back(self.index);
    }
}

fn take_used() -> Option<usize> {
    // Acquire, VACANT: the slot's `object` is the next one.
    let mut free = FREE.load(Acquire);
    while free as u32 != 0 {
        let index = index_of(free);
        // Relaxed: if the slot was taken meanwhile, this is anything, and the
        // exchange below fails because the count of changes moved on.
        let next = SLOTS[index].object.load(Relaxed).addr() as u64;
        let changed = (free & GENERATION).wrapping_add(NEXT_GENERATION) | next & !GENERATION;
        match FREE.compare_exchange_weak(free, changed, Acquire, Acquire) {
            Ok(_) => return Some(index),
            Err(now) => free = now,
        }
    }
    None
}

fn take_fresh() -> Option<usize> {
    let one_more = |used| (used < MOST as u64).then_some(used + 1);
    // Relaxed: hands out numbers; the slots are as the program began with them.
    USED.fetch_update(Relaxed, Relaxed, one_more).ok().map(|used| used as usize)
}

fn give_back(index: usize) {
    // Relaxed: the exchange below checks it.
    let mut free = FREE.load(Relaxed);
    loop {
        let next = without_provenance_mut((free & !GENERATION) as usize);
        // Release, CLOSED: who finds this number instead of a box knows that the
        // generation is over, and lets go of it.
        SLOTS[index].object.store(next, Release);
        let changed = (free & GENERATION).wrapping_add(NEXT_GENERATION) | (index as u64 + 1);
        // Release, VACANT: the next of the slot, and its tag.
        match FREE.compare_exchange_weak(free, changed, Release, Relaxed) {
            Ok(_) => return,
            Err(now) => free = now,
        }
    }
}

/// The index in the low half of a handle or of `FREE`; out of the table for 0.
#[inline(always)]
fn index_of(bits: u64) -> usize {
    (bits as u32).wrapping_sub(1) as usize
}

/// Why `handle` does not lead to an object of its type.
#[cold]
fn refusal<H: Handle>(handle: *const H) -> Error {
    let noun = NOUNS[H::KIND as usize];
    let bits = handle.addr() as u64;
    // Relaxed: the sentence describes what has been decided already.
    let tag = SLOTS.get(index_of(bits)).map_or(0, |slot| slot.tag.load(Relaxed));
    let text = if bits == 0 {
        format!("{noun} is NULL: pass a handle from {}", makers_of(H::KIND))
    } else if is_of_generation(tag, bits) {
        let other = NOUNS[kind_in(tag)];
        format!("{noun} is the handle of another kind of thing ({other}): pass one of a {noun}")
    } else if bits & GENERATION >= FIRST_GENERATION && bits & GENERATION < tag & GENERATION {
        format!("{noun} is a handle that was closed: get another one from {}", makers_of(H::KIND))
    } else {
        format!("{noun} is no handle: pass what {} gave", makers_of(H::KIND))
    };
    Error::with(Status::InvalidArgument, text)
}

/// The functions that give handles of a kind.
fn makers_of(kind: Kind) -> String {
    let noun = NOUNS[kind as usize];
    match kind {
        Kind::Waiter => "atoll_waiter_create".into(),
        _ => format!("atoll_{noun}_create or atoll_{noun}_open"),
    }
}

#[cfg(test)]
mod tests;
