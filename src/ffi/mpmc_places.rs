//! `atoll_mpmc_*`: records that are written and read in their places.

use core::ffi::c_void;

use super::guard::guard;
use super::handle;
use super::mpmc::atoll_mpmc;
use super::output::Output;
use super::status::atoll_status;
use crate::ring::in_place::InHand;

/// A place of an mpmc in the hands of a process.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_reservation {
    /// Where to write the record, or to read it.
    pub place: *mut c_void,
    /// Its bytes: as many as a record has, or as were claimed for a message, or as it has.
    pub len: usize,
    /// What to call it: never 0.
    pub id: u64,
    /// How often a record was taken over from a process that died with it or gave it up.
    pub times: u32,
    /// 0.
    pub reserved: u32,
}

impl From<InHand> for atoll_reservation {
    fn from(in_hand: InHand) -> Self {
        Self {
            place: in_hand.place.address().cast(),
            len: in_hand.place.bytes(),
            id: in_hand.id,
            times: in_hand.times,
            reserved: 0,
        }
    }
}

/// Claims a place for a record, to be written there. Nothing is put before
/// atoll_mpmc_commit(); records come in the order of their claims, so whoever gets waits for
/// it. Never waits.
///
/// Many may be open at a time, 256 in a ring at most: each belongs to the process, and any of
/// its threads may finish it through the handle that it was claimed by. If the process dies
/// it is skipped.
///
/// len       The bytes of the record; of a message, how many it may have at most.
/// out       Receives the place.
///
/// Returns
///   OK                  out->len bytes at out->place are yours to write to, until you commit
///                       or abandon it, or close the handle.
///   NO_SPACE            Too many are open, or the segment has no place for another thread.
///   and what else atoll_mpmc_push() returns.
///
/// Threads   As for atoll_mpmc_push().
/// Fork      A child has nothing of what its parent claimed, and must not write there.
/// Owner     The place stays the ring's.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_claim(
    mpmc: *mut atoll_mpmc,
    len: usize,
    out: *mut atoll_reservation,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_reservation.
        let out = unsafe { Output::at(out, "out") }?;
        let in_hand = handle::find(call, mpmc)?.ring().claim(call.thread(), len)?;
        out.write(in_hand.into());
        Ok(())
    })
}

/// Puts the record in a place that was claimed.
///
/// id        What the place is called.
/// len       The bytes of the record; of a message, at most as many as were claimed for it.
///
/// Returns
///   OK                  It is in the ring, for good.
///   CLOSED              One of the ends is closed. The place was given up.
///   INVALID_ARGUMENT    No such place is claimed through this handle, by this process; or it
///                       has not `len` bytes: it stays claimed.
///   and what else atoll_mpmc_push() returns, but FULL: the place was given up.
///
/// Threads   As for atoll_mpmc_push(). Of several that finish the same one, one does.
/// Fork      As for atoll_mpmc_claim().
/// Owner     Takes the place.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mpmc_commit(mpmc: *mut atoll_mpmc, id: u64, len: usize) -> atoll_status {
    guard(|call| handle::find(call, mpmc)?.ring().commit(call.thread(), id, len))
}

/// Takes the next record into the hand, to be read in its place. Nobody else gets it unless
/// this process dies before atoll_mpmc_advance(). Never waits.
///
/// Many may be open at a time, as for atoll_mpmc_claim().
///
/// out       Receives the place.
///
/// Returns
///   OK                  out->len bytes at out->place are the record, to be read until you
///                       advance or abandon it, or close the handle.
///   NO_SPACE            As for atoll_mpmc_claim().
///   and what else atoll_mpmc_pop() returns, but TOO_SMALL.
///
/// Threads   As for atoll_mpmc_pop().
/// Fork      A child has nothing of what its parent has, and must not read there.
/// Owner     The record stays the ring's.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_mpmc_peek(
    mpmc: *mut atoll_mpmc,
    out: *mut atoll_reservation,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_reservation.
        let out = unsafe { Output::at(out, "out") }?;
        let in_hand = handle::find(call, mpmc)?.ring().peek(call.thread())?;
        out.write(in_hand.into());
        Ok(())
    })
}

/// Gets a record that was peeked at: its place is free.
///
/// id        What the place is called.
///
/// Returns
///   OK                  It is no longer in the ring.
///   INVALID_ARGUMENT    No such record is in the hand of this process, by this handle.
///   and what else atoll_mpmc_pop() returns, but EMPTY and CLOSED: it goes to another one.
///
/// Threads   As for atoll_mpmc_commit().
/// Fork      As for atoll_mpmc_peek().
/// Owner     Takes the place.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mpmc_advance(mpmc: *mut atoll_mpmc, id: u64) -> atoll_status {
    guard(|call| handle::find(call, mpmc)?.ring().advance(call.thread(), id))
}

/// Gives up a place: one that was claimed is skipped, and a record that was peeked at goes to
/// another one, out of turn, as from a process that died.
///
/// id        What the place is called.
///
/// Returns
///   OK                  It is given up.
///   INVALID_ARGUMENT    No such place is in the hand of this process, by this handle.
///
/// Threads   As for atoll_mpmc_commit().
/// Fork      As for atoll_mpmc_claim().
/// Owner     Takes the place.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_mpmc_abandon(mpmc: *mut atoll_mpmc, id: u64) -> atoll_status {
    guard(|call| handle::find(call, mpmc)?.ring().abandon(call.thread(), id))
}
