//! The methods of rings with lanes, as users call them.

/// To be used beside `ring_methods`.
macro_rules! lanes_methods {
    () => {
        /// Opens one that exists; without a type, whatever it is.
        ///
        /// # Errors
        /// `NotFound`, `WrongKind`, `InvalidArgument`.
        pub fn open(
            segment: &Segment,
            name: Option<&str>,
            ty: Option<&Type>,
            options: &RingOptions,
        ) -> Result<Self> {
            Self::obtain(segment, name, Wanted::Existing, ty, options)
        }

        /// Opens one, or creates it if there is none.
        ///
        /// # Errors
        /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
        pub fn open_or_create(
            segment: &Segment,
            name: Option<&str>,
            ty: &Type,
            options: &RingOptions,
        ) -> Result<Self> {
            Self::obtain(segment, name, Wanted::Any, Some(ty), options)
        }

        /// Creates one that is empty; without a name it is anonymous.
        ///
        /// # Errors
        /// `AlreadyExists`, `NoSpace`, `InvalidArgument`, `Permission`.
        pub fn create(
            segment: &Segment,
            name: Option<&str>,
            ty: &Type,
            options: &RingOptions,
        ) -> Result<Self> {
            Self::obtain(segment, name, Wanted::New, Some(ty), options)
        }

        /// Opens the one that a ticket is for.
        ///
        /// # Errors
        /// `NotFound` if it is gone, `WrongKind` if it is another kind of object, and those of
        /// [`Segment::open`].
        pub fn import(ticket: &Ticket) -> Result<Self> {
            LaneRing::import(ticket, KIND).map(Self::of)
        }

        /// Up to `n` places side by side, to be filled in place: fewer where the ring begins
        /// anew. Nothing is put before `commit`. Who claims again gets the same ones.
        ///
        /// # Errors
        /// As for `push`.
        pub fn claim(&mut self, n: u64) -> Result<Places<'_>> {
            let (slots, n) = self.ring.claim(thread::here()?, n)?;
            Ok(Places::of(slots, n))
        }

        /// Puts the first `n` of the places that were claimed last, and lets go of the others.
        ///
        /// # Errors
        /// `InvalidArgument` for 0, for more than were claimed, or if something was pushed
        /// since; those of `push` but `Full`.
        pub fn commit(&mut self, n: u64) -> Result<()> {
            self.ring.commit(thread::here()?, n)
        }

        /// Lets go of what was claimed.
        ///
        /// # Errors
        /// `InvalidArgument` if nothing is.
        pub fn abandon(&mut self) -> Result<()> {
            self.ring.abandon()
        }

        /// Up to `n` records side by side, to be read in place: fewer where the ring begins
        /// anew. They stay until `advance`.
        ///
        /// # Errors
        /// As for `pop`.
        pub fn peek(&mut self, n: u64) -> Result<Places<'_>> {
            let (slots, n) = self.ring.peek(thread::here()?, n)?;
            Ok(Places::of(slots, n))
        }

        /// Gets the first `n` of the records that were shown last: their places are free.
        ///
        /// # Errors
        /// `InvalidArgument` for 0, for more than were shown, or if something was popped since.
        pub fn advance(&mut self, n: u64) -> Result<()> {
            self.ring.advance(thread::here()?, n)
        }

        /// Gives up a role, so that another process (or handle) may take it; dropping the handle
        /// does that, too. Who has it not gives up nothing.
        pub fn leave(&mut self, end: RingEnd) {
            self.ring.leave(end);
        }

        fn obtain(
            segment: &Segment,
            name: Option<&str>,
            wanted: Wanted,
            ty: Option<&Type>,
            options: &RingOptions,
        ) -> Result<Self> {
            LaneRing::obtain(segment, name, wanted, KIND, ty, options).map(Self::of)
        }

        fn of(ring: LaneRing) -> Self {
            Self { ring }
        }

        /// For the C ABI.
        #[inline(always)]
        pub(crate) fn ring(&self) -> &LaneRing {
            &self.ring
        }
    };
}

pub(super) use lanes_methods;
