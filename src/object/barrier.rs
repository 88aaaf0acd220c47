//! The named barrier.

use super::segment::Segment;
use super::share::Share;
use super::ticket::Ticket;
use crate::error::{Error, Result, Status};
use crate::layout::block::Kind;
use crate::platform::time::Deadline;
use crate::roster::thread;
use crate::segment::directory::Wanted;
use crate::segment::estate;
pub use crate::sync::barrier::{Arrival, BarrierInfo};
use crate::sync::barrier::{BarrierBody, MOST_PARTIES};
use crate::sync::mutex::Actor;
use crate::sync::party::{Manner, Party};
use crate::sync::wait::{Spin, Wait};

/// Lets a number of threads of any processes pass together, again and again.
///
/// If one of them dies after it has arrived, the barrier breaks: the others are told at once,
/// and nobody passes until it is reset.
#[derive(Debug)]
pub struct Barrier {
    share: Share<BarrierBody>,
    spin: Spin,
}

impl Barrier {
    /// Creates a barrier for so many parties; without a name it is anonymous.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `Permission`, `InvalidArgument`, also for no parties or
    /// more than 32767.
    pub fn create(segment: &Segment, name: Option<&str>, parties: u32) -> Result<Self> {
        Self::obtain(segment, name, parties, Wanted::New)
    }

    /// Opens a barrier that exists.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`.
    pub fn open(segment: &Segment, name: Option<&str>) -> Result<Self> {
        // The number is for a new one, which this does not make.
        Self::obtain(segment, name, 1, Wanted::Existing)
    }

    /// Opens a barrier, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`; `WrongKind` if it
    /// was made for another number of parties.
    pub fn open_or_create(segment: &Segment, name: Option<&str>, parties: u32) -> Result<Self> {
        let barrier = Self::obtain(segment, name, parties, Wanted::Any)?;
        let made_for = barrier.share.body().parties();
        if made_for == parties {
            return Ok(barrier);
        }
        Err(Error::with(
            Status::WrongKind,
            format!(
                "the barrier was made for {made_for} parties, and not for {parties}: agree on one"
            ),
        ))
    }

    fn obtain(segment: &Segment, name: Option<&str>, parties: u32, wanted: Wanted) -> Result<Self> {
        if !(1..=MOST_PARTIES).contains(&parties) {
            return Err(Error::with(
                Status::InvalidArgument,
                format!("a barrier cannot have {parties} parties: 1 to {MOST_PARTIES} can it have"),
            ));
        }
        let begin = |body: &BarrierBody| body.begin(parties);
        Share::obtain(segment, name, wanted, Kind::Barrier, 0, begin).map(Self::of)
    }

    fn of(share: Share<BarrierBody>) -> Self {
        Self { share, spin: Spin::new() }
    }

    /// Removes the name of a barrier. Who has it open goes on using it.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `InvalidArgument`, `Permission` for a read-only segment.
    pub fn remove(segment: &Segment, name: &str) -> Result<()> {
        segment.remove(name, &[Kind::Barrier])
    }

    /// Writes a ticket for the barrier, for another process to import.
    ///
    /// # Errors
    /// `NoSpace`, `Permission` for a read-only segment.
    pub fn export(&self) -> Result<Ticket> {
        self.share.export()
    }

    /// Opens the barrier that a ticket is for.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `WrongKind` if it is no barrier, and those of
    /// [`Segment::open`].
    pub fn import(ticket: &Ticket) -> Result<Self> {
        Share::redeem(ticket, &[Kind::Barrier]).map(|(share, _)| Self::of(share))
    }

    /// Arrives and waits until all have; says how many came before it.
    ///
    /// # Errors
    /// `Broken`: somebody died inside, or gave up. `TimedOut`: the others did not come, and
    /// now the barrier is broken. `Interrupted`: it is still inside, and `wait` goes on.
    /// `Deadlock` if the thread is inside already; `Full` while somebody holds; `Permission`
    /// for a read-only segment.
    pub fn arrive_and_wait(&self, deadline: Deadline) -> Result<u32> {
        self.party()?.arrive_and_wait(&mut Wait::new(deadline, &self.spin))
    }

    /// Arrives, and does not wait. With `hold` the last one lets the others wait until it
    /// calls `release`.
    ///
    /// # Errors
    /// As for `arrive_and_wait`, without those of waiting.
    pub fn arrive(&self, hold: bool) -> Result<Arrival> {
        self.party()?.arrive(Manner { hold, drop: false })
    }

    /// Arrives as one of this generation, and is no party of later ones. It does not wait.
    ///
    /// # Errors
    /// As for `arrive`.
    pub fn arrive_and_drop(&self, hold: bool) -> Result<Arrival> {
        self.party()?.arrive(Manner { hold, drop: true })
    }

    /// Lets the others go, for whom this thread arrived last and held.
    ///
    /// # Errors
    /// `Broken` if somebody died or gave up meanwhile; `NotOwner` if it does not hold.
    pub fn release(&self) -> Result<()> {
        self.party()?.release()
    }

    /// Waits until all have arrived, after `arrive`.
    ///
    /// # Errors
    /// `Broken`. `TimedOut`, `Interrupted`: still inside, call it again. `NotOwner` if this
    /// thread has not arrived; `Deadlock` if it holds.
    pub fn wait(&self, deadline: Deadline) -> Result<()> {
        self.party()?.wait(&mut Wait::new(deadline, &self.spin))
    }

    /// Breaks the generation that the thread is inside of, if that is not over, or the present
    /// one if it is inside of none.
    ///
    /// # Errors
    /// `Permission` for a read-only segment.
    pub fn abort(&self) -> Result<()> {
        self.party()?.abort()
    }

    /// Begins anew: a barrier that is broken is whole again, and whoever is inside of one that
    /// is not is told that it broke.
    ///
    /// # Errors
    /// As for `abort`.
    pub fn reset(&self) -> Result<()> {
        self.party()?.reset()
    }

    /// How many it waits for, who is there, and whether it is broken; for people, it may
    /// change at once.
    pub fn info(&self) -> BarrierInfo {
        self.share.body().info()
    }

    fn party(&self) -> Result<Party<'static>> {
        let actor = Actor::new(thread::here()?, self.share.attachment())?;
        let party = Party::new(self.share.body(), actor, self.share.identity())?;
        if party.is_elsewhere() {
            // Perhaps inside of something that is gone, or over.
            estate::forget_what_is_over(actor)?;
        }
        Ok(party)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::segment::SegmentOptions;
    use crate::platform::atomic::Ordering::SeqCst;
    use crate::platform::futex::RESCUED_HERE;

    fn segment(what: &str) -> Segment {
        let name = format!("atoll-test-{}-barrier-{what}", std::process::id());
        let segment = Segment::create(&name, &SegmentOptions::default()).expect("create");
        Segment::unlink(&name).expect("unlink");
        segment
    }

    /// Runs `body` on a thread of its own, to its end, which takes slot 0 if that is free.
    fn on_slot_zero<T: Send>(segment: &Segment, body: impl FnOnce() -> T + Send) -> T {
        segment.attachment().header().next_slot.store(0, SeqCst);
        std::thread::scope(|scope| scope.spawn(body).join().expect("the thread ends well"))
    }

    fn new_segment(what: &str) -> Segment {
        // By a thread that ends, so that slot 0 is free again.
        std::thread::scope(|scope| scope.spawn(|| segment(what)).join().expect("it ends well"))
    }

    /// Who takes the slot of somebody who ended inside breaks the barrier for that one, before
    /// nothing is left of it.
    #[test]
    fn the_next_owner_of_the_slot_breaks_what_its_former_owner_ended_inside_of() {
        let segment = new_segment("slot");
        let barrier = Barrier::create(&segment, None, 2).expect("a barrier");
        let other = Barrier::create(&segment, None, 2).expect("a barrier");
        on_slot_zero(&segment, || barrier.arrive(false).expect("the first one"));
        assert!(!barrier.info().broken, "nobody has looked");
        on_slot_zero(&segment, || other.arrive(false).expect("nothing is in the way"));
        assert!(barrier.info().broken && !other.info().broken);
        segment.verify().expect("sound");
    }

    /// Generations are compared as if they never began again; where nobody has slept for a
    /// whole lap, they have.
    #[test]
    fn sleepers_are_woken_when_generations_begin_again() {
        let segment = segment("lap");
        let barrier = Barrier::create(&segment, None, 2).expect("a barrier");
        let place = segment.attachment().memory().offset_of(barrier.share.body());
        let ctl = &segment.attachment().memory().words(place, 1).expect("its own")[0];
        let others = ctl.load(SeqCst) & 0xffff_ffff;
        for generation in [0x4000_0000, 0x8000_0000, 0xc000_0000, 0xffff_0000_u32] {
            barrier.share.body().keep_up(generation);
            ctl.store(u64::from(generation) << 32 | others, SeqCst);
        }
        for generation in [0xffff_0000_u32, 0xffff_ffff, 0] {
            ctl.store(u64::from(generation) << 32 | others, SeqCst);
            std::thread::scope(|scope| {
                let sleeper = scope.spawn(|| {
                    barrier.arrive_and_wait(Deadline::NEVER).expect("whole");
                    RESCUED_HERE.get()
                });
                while barrier.info().waiting == 0 {
                    std::thread::yield_now();
                }
                std::thread::sleep(core::time::Duration::from_millis(5)); // it sleeps
                barrier.arrive_and_wait(Deadline::NEVER).expect("whole");
                assert_eq!(sleeper.join().expect("it ends well"), 0, "somebody woke it");
            });
        }
    }

    #[test]
    fn a_body_that_cannot_be_is_found() {
        let segment = segment("verify");
        let barrier = Barrier::create(&segment, None, 2).expect("a barrier");
        let memory = segment.attachment().memory();
        let place = memory.offset_of(barrier.share.body());
        let words = memory.words(place, 5).expect("its own");
        // More have arrived than are needed, more are needed than there are, a bit that is
        // always zero, a bell that rings, no parties.
        for (word, damage) in [(0, 3 << 1), (0, 1 << 17), (0, 1 << 16), (1, 1), (4, 2)] {
            let sound = words[word].fetch_xor(damage, SeqCst);
            let error = segment.verify().expect_err("damaged");
            assert!(error.text().contains("the barrier at offset"), "{}", error.text());
            words[word].store(sound, SeqCst);
        }
        segment.verify().expect("sound again");
    }
}
