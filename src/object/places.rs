//! Records in their places in a ring, to be written or read there.

use core::marker::PhantomData;

use crate::ring::copy::Slots;

/// Some places of a ring, side by side, while they belong to who asked for them.
#[derive(Debug)]
pub struct Places<'a> {
    slots: Slots,
    n: u64,
    _ring: PhantomData<&'a mut ()>,
}

impl Places<'_> {
    pub(super) fn of(slots: Slots, n: u64) -> Self {
        Self { slots, n, _ring: PhantomData }
    }

    /// How many they are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> u64 {
        self.n
    }

    /// Writes a record, or its beginning, to place `at`.
    ///
    /// # Panics
    /// If there is no such place, or it is smaller.
    pub fn write(&mut self, at: u64, record: &[u8]) {
        self.place(at, record.len()).write(record);
    }

    /// Reads the record in place `at`, or its beginning.
    ///
    /// # Panics
    /// If there is no such place, or it is smaller.
    pub fn read(&self, at: u64, record: &mut [u8]) {
        self.place(at, record.len()).read(record);
    }

    /// Where the first one is, for who writes or reads there through pointers.
    pub fn as_ptr(&self) -> *mut u8 {
        self.slots.address()
    }

    fn place(&self, at: u64, bytes: usize) -> Slots {
        let record = self.slots.bytes() / self.n as usize;
        assert!(at < self.n && bytes <= record, "no such place in what was claimed or shown");
        self.slots.part(at as usize * record, bytes)
    }
}
