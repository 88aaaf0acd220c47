//! The seats of a thread: one in each segment that it takes part in, and one for each of its
//! deputies.
//!
//! A deputy is a seat that stands for one thing that the thread takes part in beside all
//! else, so that it may do so more than once. The kernel keeps its liveness mutex with the
//! thread's others: it lives and dies with the thread.

use std::sync::Arc;

use super::Thread;
use crate::error::{Error, Result, Status};
use crate::platform::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::roster::attachment::Attachment;
use crate::roster::{member, participant};

/// A place in one attachment, and the name that goes with it.
#[derive(Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) attachment: &'static Attachment,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// A seat beside the thread's own.
pub(crate) struct Deputy {
    seat: Seat,
    /// The process that the thread is of, as a member.
    member: u64,
    /// What it stood for is over.
    is_dismissed: AtomicBool,
}

/// Deputies that a thread can have. The kernel goes through 2048 robust mutexes of a thread
/// that ends, and no more; others have some, too.
const MOST_DEPUTIES: usize = 1024;

/// All seats of a thread.
#[derive(Default)]
pub(super) struct Seats {
    own: Vec<Seat>,
    deputies: Vec<Arc<Deputy>>,
}

impl core::fmt::Debug for Deputy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Deputy({}, {})", self.seat.slot, self.seat.generation)
    }
}

impl Deputy {
    /// Its seat. Who looks at the segment there has a handle to that.
    pub(crate) fn seat(&self) -> Seat {
        self.seat
    }

    /// Whether its thread is one of this very process, and none of a parent's.
    pub(crate) fn is_of_this_process(&self) -> bool {
        member::own_word(self.seat.attachment) == self.member
    }

    /// What it stood for is over: its thread leaves the seat when there is an occasion.
    pub(crate) fn dismiss(&self) {
        // Release: what was done with its record is done.
        self.is_dismissed.store(true, Release);
    }
}

impl Thread {
    /// The thread's name in `attachment` if it has a seat there.
    pub(crate) fn known_name_in(&self, attachment: &'static Attachment) -> Option<u64> {
        let is_there = |seat: &&Seat| seat.attachment.number() == attachment.number();
        let seat = self.seats().own.iter().find(is_there)?;
        Some(participant::name_of(seat.slot, seat.generation))
    }

    #[cold]
    pub(super) fn find_or_take_seat(&'static self, attachment: &'static Attachment) -> Result<u64> {
        let name = match self.known_name_in(attachment) {
            Some(name) => name,
            None => {
                self.leave_closed();
                let seat = self.settle_down(attachment)?;
                self.seats().own.push(seat);
                participant::name_of(seat.slot, seat.generation)
            }
        };
        if !self.has_transaction() {
            self.remember(attachment, name);
        }
        Ok(name)
    }

    /// Takes one more seat, in a segment where the thread has one already.
    ///
    /// # Errors
    /// `NoSpace` if the thread has as many as it can, or the roster is full.
    pub(crate) fn take_deputy(
        &'static self,
        attachment: &'static Attachment,
    ) -> Result<Arc<Deputy>> {
        self.leave_closed();
        if self.seats().deputies.len() >= MOST_DEPUTIES {
            return Err(TOO_MANY_DEPUTIES);
        }
        let seat = self.settle_down(attachment)?;
        let is_dismissed = AtomicBool::new(false);
        let deputy = Arc::new(Deputy { seat, member: member::own_word(attachment), is_dismissed });
        self.seats().deputies.push(deputy.clone());
        Ok(deputy)
    }

    /// Whether it is a deputy of this thread that has its seat still.
    pub(crate) fn has_deputy(&self, deputy: &Arc<Deputy>) -> bool {
        self.seats().deputies.iter().any(|one| Arc::ptr_eq(one, deputy))
    }

    /// Takes a seat, with nothing left of its former owner.
    fn settle_down(&self, attachment: &'static Attachment) -> Result<Seat> {
        // libc takes the hook off when it locks the liveness mutex.
        self.hook().stand_down();
        let seat = participant::take_seat(attachment)?;
        (attachment.ground().settle)(seat)
            .map(|()| seat)
            .inspect_err(|_| participant::leave_seat(seat, self.hook()))
    }

    /// Leaves the seats of deputies that were dismissed, and those in attachments that nobody
    /// has a handle to any more.
    pub(crate) fn leave_closed(&self) {
        // Relaxed: our own.
        let transaction = self.transaction.load(Relaxed);
        let is_needed = |a: &Attachment| a.has_handles() || a.number() == transaction;
        self.leave(
            |seat| !is_needed(seat.attachment),
            // Acquire: pairs with `dismiss`.
            |deputy| deputy.is_dismissed.load(Acquire) || !is_needed(deputy.seat.attachment),
        );
    }

    /// Leaves all seats.
    pub(in crate::roster) fn leave_all(&self) {
        // Relaxed: our own. An open transaction needs its seat: only a death may undo it.
        let transaction = self.transaction.load(Relaxed);
        self.leave(|seat| seat.attachment.number() != transaction, |_| true);
    }

    fn leave(&self, which: impl Fn(&Seat) -> bool, whose: impl Fn(&Deputy) -> bool) {
        let seats = self.seats();
        let own: Vec<Seat> = seats.own.extract_if(.., |seat| which(seat)).collect();
        let deputies = seats.deputies.extract_if(.., |deputy| whose(deputy));
        let deputies: Vec<Seat> = deputies.map(|deputy| deputy.seat).collect();
        if !own.is_empty() {
            for cached in &self.cache {
                cached.attachment.store(0, Relaxed);
            }
        }
        for seat in deputies.into_iter().chain(own) {
            participant::leave_seat(seat, self.hook());
        }
    }

    #[expect(clippy::mut_from_ref, reason = "the list is the thread's own; calls do not nest")]
    fn seats(&self) -> &mut Seats {
        if self.seats.get().is_null() {
            self.seats.set(Box::into_raw(Box::default()));
        }
        // SAFETY: made above or earlier by this thread; calls of a thread do not
        // nest (`begin_call`), and no caller keeps the borrow over another call.
        unsafe { &mut *self.seats.get() }
    }
}

const TOO_MANY_DEPUTIES: Error = Error::new(
    Status::NoSpace,
    "this thread has 1024 waiters that wait: finish or close some of them, or wait on other threads",
);
