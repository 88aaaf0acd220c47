//! What the calls of all rings have in common.

use core::ffi::{c_char, c_int, c_void};
use std::os::fd::AsRawFd;

use super::argument::{self, Growing, check_reserved, growing, wrong};
use super::guard::guard;
use super::handle::{self, Handle};
use super::obtain::obtain;
use super::output::Output;
use super::segment::atoll_segment;
use super::status::atoll_status;
use super::types::{ATOLL_BYTES, atoll_type, needed, read_type};
use crate::error::Result;
use crate::object::ring::{RingEnd, RingInfo, RingOptions, Waiting};
use crate::object::ring_calls::{Got, RingCalls};
use crate::object::segment::Segment;
use crate::object::types::Type;
use crate::platform::time::Deadline;
use crate::roster::thread::{self, Thread};

/// The end of a ring where records are put.
pub const ATOLL_PRODUCERS: u32 = 1;
/// The end of a ring where they are got.
pub const ATOLL_CONSUMERS: u32 = 2;

/// Users of the ring look for some microseconds, then sleep; they sleep at once where looking
/// was in vain.
pub const ATOLL_WAIT_ADAPTIVE: u32 = 0;
/// They never sleep: for who has a processor to spare for each side. Signal handlers do not
/// end such a wait.
pub const ATOLL_WAIT_SPIN: u32 = 1;
/// They sleep at once: for what takes its time.
pub const ATOLL_WAIT_SLEEP: u32 = 2;

const _: () = {
    assert!(ATOLL_WAIT_ADAPTIVE == Waiting::Adaptive as u32);
    assert!(ATOLL_WAIT_SPIN == Waiting::Spin as u32);
    assert!(ATOLL_WAIT_SLEEP == Waiting::Sleep as u32);
};

/// What a ring is to be. Begin it with ATOLL_RING_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_ring_options {
    /// sizeof(atoll_ring_options), or 0, which says the same.
    pub struct_size: u32,
    /// One of ATOLL_WAIT_ADAPTIVE, ATOLL_WAIT_SPIN, ATOLL_WAIT_SLEEP: how its users wait.
    pub waiting: u32,
    /// How many records there is room for, of a fanin in each lane: a power of two. To open a
    /// ring, 0 stands for what it has.
    pub capacity: u64,
    /// How many lanes a fanin has, 1 to 64, one for each producer. Of other rings 0. To open a
    /// ring, 0 stands for what it has.
    pub lanes: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, integers only, 4 + 4 + 8 + 4 + 4 bytes without padding.
unsafe impl Growing for atoll_ring_options {
    const FIRST_SIZE: usize = 24;
}

/// What a ring is, and what has gone through it. Counts are those of one moment, and may be off
/// by what others do meanwhile; nothing is decided by them. Of a ring of messages they count
/// cells, not messages.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_ring_info {
    /// The type of its records.
    pub r#type: atoll_type,
    /// How many there is room for, of a fanin in each lane.
    pub capacity: u64,
    /// How many are in it.
    pub length: u64,
    /// How many were ever put.
    pub pushed: u64,
    /// How many were ever got.
    pub popped: u64,
    /// How many went to somebody else because who was about to get them died.
    pub redelivered: u64,
    /// How many places were skipped because who was about to fill them died.
    pub skipped: u64,
    /// The most that were found in it, of a fanin in one lane, by who looked for more.
    pub high_water: u64,
    /// How many lanes a fanin has; 1 for a spsc, 0 for a mpmc.
    pub lanes: u32,
    /// How its users wait: one of ATOLL_WAIT_ADAPTIVE, ATOLL_WAIT_SPIN, ATOLL_WAIT_SLEEP.
    pub waiting: u32,
    /// Which ends are closed for good: 0, ATOLL_PRODUCERS, ATOLL_CONSUMERS, or both.
    pub ended: u32,
    /// 0.
    pub reserved: u32,
}

impl From<&RingInfo> for atoll_ring_info {
    fn from(info: &RingInfo) -> Self {
        let producers = if info.producers_ended { ATOLL_PRODUCERS } else { 0 };
        let consumers = if info.consumers_ended { ATOLL_CONSUMERS } else { 0 };
        Self {
            r#type: atoll_type::from(&info.ty),
            capacity: info.capacity,
            length: info.length,
            pushed: info.pushed,
            popped: info.popped,
            redelivered: info.redelivered,
            skipped: info.skipped,
            high_water: info.high_water,
            lanes: info.lanes,
            waiting: info.waiting as u32,
            ended: producers | consumers,
            reserved: 0,
        }
    }
}

/// A handle of a ring.
pub(super) trait Ring: Handle {
    /// What behind the object makes the calls.
    type Calls: RingCalls;

    fn calls(object: &Self::Object) -> &Self::Calls;
}

/// Create and open, which differ in what they do with the name.
///
/// # Safety
/// Each pointer is NULL or as the exported functions describe it.
pub(super) unsafe fn obtain_ring<H: Handle>(
    segment: *const atoll_segment,
    name: *const c_char,
    ty: *const atoll_type,
    options: *const atoll_ring_options,
    out: *mut *mut H,
    how: impl FnOnce(&Segment, Option<&str>, Option<&Type>, &RingOptions) -> Result<H::Object>,
) -> atoll_status {
    let make = |segment: &_, name: Option<&_>| {
        // SAFETY: NULL or a struct as long as it says, per the caller.
        let ty = unsafe { read_ring_type(ty) }?;
        // SAFETY: likewise.
        let options = unsafe { growing(options, "options") }?;
        let options = options.as_ref().map_or(Ok(RingOptions::default()), read)?;
        how(segment, name, ty.as_ref(), &options)
    };
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(segment, name, out, make) }
}

/// The same for a ring that may be new: it has a type.
///
/// # Safety
/// As for `obtain_ring`.
pub(super) unsafe fn make_ring<H: Handle>(
    segment: *const atoll_segment,
    name: *const c_char,
    ty: *const atoll_type,
    options: *const atoll_ring_options,
    out: *mut *mut H,
    how: impl FnOnce(&Segment, Option<&str>, &Type, &RingOptions) -> Result<H::Object>,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe {
        obtain_ring(segment, name, ty, options, out, |segment, name, ty, options| {
            how(segment, name, needed(ty)?, options)
        })
    }
}

/// A type of records, which may be messages: bytes of any number, size 0.
///
/// # Safety
/// `ty` is NULL, or leads to as many bytes as its `struct_size` says.
unsafe fn read_ring_type(ty: *const atoll_type) -> Result<Option<Type>> {
    // SAFETY: per the caller.
    match unsafe { growing(ty, "type") }? {
        Some(given) if given.code == ATOLL_BYTES && given.size == 0 => Ok(Some(Type::message())),
        // SAFETY: per the caller.
        _ => unsafe { read_type(ty) },
    }
}

fn read(options: &atoll_ring_options) -> Result<RingOptions> {
    check_reserved(options.reserved, "options")?;
    Ok(RingOptions::with_capacity(options.capacity)
        .with_lanes(options.lanes)
        .with_waiting(Waiting::of(options.waiting)?))
}

/// The end that a caller means.
pub(super) fn end(number: u32) -> Result<RingEnd> {
    match number {
        ATOLL_PRODUCERS => Ok(RingEnd::Producers),
        ATOLL_CONSUMERS => Ok(RingEnd::Consumers),
        _ => Err(wrong(format!("{number} is no end: use ATOLL_PRODUCERS or ATOLL_CONSUMERS"))),
    }
}

/// Makes a call that comes to a few instructions and cannot fail. False: nothing has happened, and
/// it has to be made in full.
#[inline(always)]
fn at_once<H: Ring>(
    ring: *const H,
    act: impl FnOnce(&H::Calls, &'static Thread) -> Option<()>,
) -> bool {
    let Some(call) = thread::enter_briefly() else { return false };
    let ring = handle::find_briefly(&call, ring);
    ring.and_then(|ring| act(H::calls(ring), call.thread())).is_some()
}

/// Puts a record, if there is room.
///
/// # Safety
/// `record` is NULL or leads to `len` bytes that do not change during the call.
#[inline(always)]
pub(super) unsafe fn push<H: Ring>(
    ring: *const H,
    record: *const c_void,
    len: usize,
) -> atoll_status {
    let is_done = at_once(ring, |ring, thread| {
        // SAFETY: per the caller.
        let record = unsafe { argument::bytes_if_any(record, len) }?;
        ring.push_at_once(thread, record)
    });
    if is_done {
        return atoll_status::ATOLL_OK;
    }
    // SAFETY: likewise.
    unsafe { put_in_full(ring, record, len, RingCalls::push) }
}

/// Puts a record, and waits for room.
///
/// # Safety
/// As for `push`.
pub(super) unsafe fn put<H: Ring>(
    ring: *const H,
    record: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> atoll_status {
    let put = |ring: &H::Calls, thread, record: &_| ring.put(thread, record, deadline(timeout_ns)?);
    // SAFETY: per the caller.
    unsafe { put_in_full(ring, record, len, put) }
}

/// # Safety
/// As for `push`.
#[inline(never)]
unsafe fn put_in_full<H: Ring>(
    ring: *const H,
    record: *const c_void,
    len: usize,
    how: impl FnOnce(&H::Calls, &'static Thread, &[u8]) -> Result<()>,
) -> atoll_status {
    guard(|call| {
        let ring = H::calls(handle::find(call, ring)?);
        // SAFETY: per the caller.
        let record = unsafe { argument::bytes(record, len, "record") }?;
        how(ring, call.thread(), record)
    })
}

/// Puts several.
///
/// # Safety
/// `records` is NULL or leads to `n` records that do not change during the call; `out_n` is
/// NULL or may be written.
#[inline(always)]
pub(super) unsafe fn push_n<H: Ring>(
    ring: *const H,
    records: *const c_void,
    n: usize,
    out_n: *mut usize,
) -> atoll_status {
    guard(|call| {
        let ring = H::calls(handle::find(call, ring)?);
        let bytes = n.saturating_mul(ring.record());
        // SAFETY: per the caller.
        let records = unsafe { argument::bytes(records, bytes, "records") }?;
        // SAFETY: likewise.
        let out_n = unsafe { Output::at(out_n, "out_n") }?;
        ring.push_n(call.thread(), records).map(|n| out_n.write(n as usize))
    })
}

/// Gets a record, if there is one.
///
/// # Safety
/// `out` is NULL or leads to `cap` bytes that nothing else uses until the call returns;
/// `out_len` and `out_times` are NULL or may be written.
#[inline(always)]
pub(super) unsafe fn pop<H: Ring>(
    ring: *const H,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    out_times: *mut u32,
) -> atoll_status {
    let is_done = at_once(ring, |ring, thread| {
        // SAFETY: per the caller.
        let record = unsafe { argument::buffer_if_any(out, cap) }?;
        // SAFETY: likewise.
        let out_len = unsafe { Output::if_any(out_len) }?;
        // SAFETY: likewise.
        let out_times = unsafe { Output::if_any(out_times) }?;
        let got = ring.pop_at_once(thread, record)?;
        if let Some(out) = out_len {
            out.write(got.count);
        }
        if let Some(out) = out_times {
            out.write(got.times);
        }
        Some(())
    });
    if is_done {
        return atoll_status::ATOLL_OK;
    }
    // SAFETY: likewise.
    unsafe { get_in_full(ring, out, cap, out_len, out_times, RingCalls::pop) }
}

/// Gets a record, and waits for one.
///
/// # Safety
/// As for `pop`.
pub(super) unsafe fn get<H: Ring>(
    ring: *const H,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    out_times: *mut u32,
    timeout_ns: i64,
) -> atoll_status {
    let get =
        |ring: &H::Calls, thread, record: &mut _| ring.get(thread, record, deadline(timeout_ns)?);
    // SAFETY: per the caller.
    unsafe { get_in_full(ring, out, cap, out_len, out_times, get) }
}

/// # Safety
/// As for `pop`.
#[inline(never)]
unsafe fn get_in_full<H: Ring>(
    ring: *const H,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    out_times: *mut u32,
    how: impl FnOnce(&H::Calls, &'static Thread, &mut [u8]) -> Result<Got>,
) -> atoll_status {
    guard(|call| {
        let ring = H::calls(handle::find(call, ring)?);
        // SAFETY: per the caller.
        let record = unsafe { argument::buffer(out, cap, "out") }?;
        // SAFETY: likewise.
        let out_len = unsafe { Output::if_wanted(out_len, "out_len") }?;
        // SAFETY: likewise.
        let out_times = unsafe { Output::if_wanted(out_times, "out_times") }?;
        let got = how(ring, call.thread(), record)?;
        if let Some(out) = out_len {
            out.write(got.count); // also what it needs room for
        }
        let got = got.in_room_for(cap)?;
        if let Some(out) = out_times {
            out.write(got.times);
        }
        Ok(())
    })
}

/// Gets several.
///
/// # Safety
/// `out` is NULL or leads to room for `n` records that nothing else uses until the call
/// returns; `out_n` and `out_times` are NULL or may be written.
#[inline(always)]
pub(super) unsafe fn pop_n<H: Ring>(
    ring: *const H,
    out: *mut c_void,
    n: usize,
    out_n: *mut usize,
    out_times: *mut u32,
) -> atoll_status {
    guard(|call| {
        let ring = H::calls(handle::find(call, ring)?);
        let bytes = n.saturating_mul(ring.record());
        // SAFETY: per the caller.
        let records = unsafe { argument::buffer(out, bytes, "out") }?;
        // SAFETY: likewise.
        let out_n = unsafe { Output::at(out_n, "out_n") }?;
        // SAFETY: likewise.
        let out_times = unsafe { Output::if_wanted(out_times, "out_times") }?;
        let got = ring.pop_n(call.thread(), records)?.in_room_for(bytes)?;
        out_n.write(got.count);
        if let Some(out) = out_times {
            out.write(got.times);
        }
        Ok(())
    })
}

/// The deadline that a caller gave.
fn deadline(timeout_ns: i64) -> Result<Deadline> {
    Deadline::after_ns(timeout_ns)
}

/// Closes an end for good.
pub(super) fn shutdown<H: Ring>(ring: *const H, which: u32) -> atoll_status {
    guard(|call| H::calls(handle::find(call, ring)?).shutdown(Some(call.thread()), end(which)?))
}

/// Lends a descriptor.
///
/// # Safety
/// `out` is NULL or may be written.
pub(super) unsafe fn descriptor<H: Ring>(
    ring: *const H,
    which: u32,
    out: *mut c_int,
) -> atoll_status {
    guard(|call| {
        // SAFETY: per the caller.
        let out = unsafe { Output::at(out, "out") }?;
        let ring = H::calls(handle::find(call, ring)?);
        out.write(ring.descriptor(end(which)?)?.as_raw_fd());
        Ok(())
    })
}

/// Says what it is.
///
/// # Safety
/// `out` is NULL or may be written.
pub(super) unsafe fn info<H: Ring>(ring: *const H, out: *mut atoll_ring_info) -> atoll_status {
    guard(|call| {
        // SAFETY: per the caller.
        let out = unsafe { Output::at(out, "out") }?;
        out.write(atoll_ring_info::from(&H::calls(handle::find(call, ring)?).info()));
        Ok(())
    })
}
