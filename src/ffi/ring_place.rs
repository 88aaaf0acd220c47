//! `atoll_spsc_place`: what code in other people's programs needs to push and pop itself.

use core::ffi::c_void;
use core::ptr::{null, null_mut};

use super::guard::guard;
use super::handle;
use super::output::Output;
use super::place::ATOLL_PLACE_CONTRACT;
use super::ring;
use super::spsc::atoll_spsc;
use super::status::atoll_status;
use crate::object::lanes::LaneRing;
use crate::object::ring::RingEnd;
use crate::roster::fork::mark_address;

/// Where one end of a spsc is: all that its producer needs to push, or its consumer to pop,
/// without a call. <atoll/inline.h> does it, and so does atoll.hpp. This is the contract that
/// they rely on, a part of that which stands at atoll_place.
///
/// The way is good while the uint32_t at `process` is 2 and the uint64_t at `member`, loaded
/// after it (acquire), is `mine`, until the role is given up or the handle closed: in a
/// forked child it is not. It is for one thread at a time, as the role is.
///
/// The places for records are mask + 1, a power of two, of `record` bytes each. That number n
/// uses place n & mask. A producer's `counter` says how many were ever pushed, a consumer's
/// how many were ever popped; `other` is the counter of the other end. All are uint64_t.
///
/// Three uint64_t at `own` are this process's, for calls and whoever goes this way: [0] is what
/// the counter is, [1] what was last seen at `other`. The counter itself is only stored to:
/// to load it may mean to fetch it from the other end, which looks at it.
///
///   push   If own[0] - other (acquire) is mask + 1, it is full. If not, the record goes to
///          the place of own[0].
///   pop    If other (acquire) - own[0] is 0, it is empty. If it is more than `*most`, that
///          becomes `*most`. The record is copied from the place of own[0].
///   both   Then one more than own[0] is stored (release) at `saying`, then, as the compiler
///          is told to leave it, `watch` is loaded. If bits 33 to 30 of that are 0, one more
///          is stored at own[0] and (release) at `counter`, and it is done. If not, `saying`
///          is set back to own[0] (release), and the call is made.
///
/// `other` need not be loaded again while own[1] is enough. Full or empty is the answer only
/// if bits 33 and 32 of `ends` are 0. In every other case the call does it: also if the
/// difference of the counters is more than mask + 1. Who finds it full or empty does well to
/// pause and look again before it says so, once at each own[0]: own[2] says where it last did.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_ring_place {
    /// How many records went through this end; NULL if there is no short way.
    pub counter: *mut u64,
    /// How many will have.
    pub saying: *mut u64,
    /// How many went through the other end.
    pub other: *const u64,
    /// Bits 33 to 30 are not 0 if somebody has to be told.
    pub watch: *const u64,
    /// Which ends are closed.
    pub ends: *const u64,
    /// The most that were found; NULL for a producer.
    pub most: *mut u64,
    /// The first place.
    pub places: *mut c_void,
    /// Their number less 1.
    pub mask: u64,
    /// Bytes of a record.
    pub record: u64,
    /// Whether this is the process.
    pub process: *const u32,
    /// Which member of the segment it is.
    pub member: *const u64,
    /// As which member it has the role.
    pub mine: u64,
    /// What this end keeps to itself.
    pub own: *mut u64,
}

/// Says where an end of a spsc is, for code that pushes or pops without a call. The handle has
/// to have the role: push or pop by a call first.
///
/// end       ATOLL_PRODUCERS to push, ATOLL_CONSUMERS to pop.
/// contract  As for atoll_mutex_place().
/// out       Receives the place; `counter` is NULL if there is no short way, or the handle has
///           not the role.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, end is neither, or the handle is closed.
///
/// Threads   As for what the role is needed for.
/// Fork      In a child it is no way. Ask again when the child has the role.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_spsc_place(
    spsc: *const atoll_spsc,
    end: u32,
    contract: u32,
    out: *mut atoll_ring_place,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_ring_place.
        let out = unsafe { Output::at(out, "out") }?;
        let spsc = handle::find(call, spsc)?.ring();
        let end = ring::end(end)?;
        let place = (contract == ATOLL_PLACE_CONTRACT).then(|| place(spsc, end)).flatten();
        out.write(place.unwrap_or(NOWHERE));
        Ok(())
    })
}

fn place(ring: &LaneRing, end: RingEnd) -> Option<atoll_ring_place> {
    let (way, mine) = ring.way(end)?;
    Some(atoll_ring_place {
        counter: way.counter.as_ptr(),
        saying: way.saying.as_ptr(),
        other: way.other.as_ptr().cast_const(),
        watch: way.side.address(),
        ends: ring.items().address(),
        most: way.most.map_or(null_mut(), |most| most.as_ptr()),
        places: way.slots.address().cast(),
        mask: way.geometry.capacity - 1,
        record: way.geometry.record.get() as u64,
        process: mark_address(),
        member: ring.attachment().member_address(),
        mine,
        own: way.own.address(),
    })
}

const NOWHERE: atoll_ring_place = atoll_ring_place {
    counter: null_mut(),
    saying: null_mut(),
    other: null(),
    watch: null(),
    ends: null(),
    most: null_mut(),
    places: null_mut(),
    mask: 0,
    record: 0,
    process: null(),
    member: null(),
    mine: 0,
    own: null_mut(),
};
