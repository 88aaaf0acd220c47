//! Where results go: written when a call has succeeded, and not before.

use core::ffi::c_void;
use core::ptr::{NonNull, null_mut};
use std::borrow::Cow;

use super::argument::{self, wrong};
use super::guard::guard;
use super::handle::{Handle, Vacancy};
use super::status::atoll_status;
use crate::error::{Result, Status};
use crate::roster::thread::InCall;

/// A variable of the caller that receives a result.
pub(super) struct Output<T>(NonNull<T>);

impl<T> Output<T> {
    /// # Safety
    /// `to` is NULL, or may be written as a `T` until the call returns.
    pub(super) unsafe fn at(to: *mut T, argument: &str) -> Result<Self> {
        let to = NonNull::new(to).ok_or_else(|| {
            wrong(format!("{argument} is NULL: pass the address of the variable to write to"))
        })?;
        if !to.is_aligned() {
            return Err(wrong(format!("{argument} is not aligned as its type asks")));
        }
        Ok(Self(to))
    }

    /// The same for a result that the caller may not want, and passes NULL.
    ///
    /// # Safety
    /// As for `at`.
    pub(super) unsafe fn if_wanted(to: *mut T, argument: &str) -> Result<Option<Self>> {
        if to.is_null() {
            return Ok(None);
        }
        // SAFETY: per the caller.
        unsafe { Self::at(to, argument) }.map(Some)
    }

    /// The same for who makes the call in another way if it cannot be written.
    ///
    /// # Safety
    /// As for `at`.
    #[inline(always)]
    pub(super) unsafe fn if_any(to: *mut T) -> Option<Option<Self>> {
        to.is_aligned().then_some(NonNull::new(to).map(Self))
    }

    #[inline(always)]
    pub(super) fn write(self, value: T) {
        // SAFETY: writable and aligned, per `at`.
        unsafe { self.0.write(value) };
    }
}

/// An array of the caller that receives results.
pub(super) struct Outputs<T> {
    first: NonNull<T>,
    room: usize,
}

impl<T: Copy> Outputs<T> {
    /// # Safety
    /// `to` is NULL, or may be written as `room` of `T` until the call returns.
    pub(super) unsafe fn at(to: *mut T, room: usize, argument: &str) -> Result<Self> {
        // SAFETY: per the caller; only the checks are used.
        let first = unsafe { Output::at(to, argument) }?.0;
        Ok(Self { first, room })
    }

    pub(super) fn write(self, values: &[T]) {
        assert!(values.len() <= self.room, "more results than the caller has room for");
        // SAFETY: writable and aligned per `at`, and not more than fit; `values` is
        // ours, so the two do not overlap.
        unsafe { self.first.copy_from_nonoverlapping(NonNull::from(values).cast(), values.len()) };
    }
}

/// A byte buffer of the caller, and where the length of what goes there goes.
pub(super) struct ByteOutput {
    to: *mut c_void,
    cap: usize,
    len: *mut usize,
    argument: &'static str,
}

impl ByteOutput {
    /// # Safety
    /// `to` is NULL or leads to `cap` bytes that nothing else uses until the call
    /// returns, but for what goes through `read`; `len` is NULL or may be written.
    pub(super) unsafe fn at(
        to: *mut c_void,
        cap: usize,
        len: *mut usize,
        argument: &'static str,
    ) -> Self {
        Self { to, cap, len, argument }
    }

    /// Bytes to read before the output is written. Callers like to use one variable
    /// for both, so what overlaps is copied.
    ///
    /// # Safety
    /// `bytes` is NULL or leads to `len` bytes that do not change during the call.
    pub(super) unsafe fn read<'a>(
        &self,
        bytes: *const c_void,
        len: usize,
        argument: &str,
    ) -> Result<Cow<'a, [u8]>> {
        // SAFETY: per the caller.
        let bytes = unsafe { argument::bytes(bytes, len, argument) }?;
        let (read, written) = (bytes.as_ptr_range(), self.to.cast_const().cast::<u8>());
        let overlap = written < read.end && read.start < written.wrapping_add(self.cap);
        Ok(if overlap { Cow::Owned(bytes.to_vec()) } else { Cow::Borrowed(bytes) })
    }

    /// Runs an operation that writes `size` bytes.
    pub(super) fn fill<T>(
        self,
        size: u64,
        operation: impl FnOnce(&mut [u8]) -> Result<T>,
    ) -> Result<T> {
        // SAFETY: NULL or as `at` says; a copy was made of what overlaps (`read`).
        let buffer = unsafe { argument::buffer(self.to, self.cap, self.argument) }?;
        self.tell(size, operation(buffer))
    }

    /// The same for a caller who may not want the bytes, and passes NULL and 0.
    pub(super) fn fill_if_wanted<T>(
        self,
        size: u64,
        operation: impl FnOnce(&mut [u8]) -> Result<T>,
    ) -> Result<T> {
        if !self.to.is_null() || self.cap > 0 {
            return self.fill(size, operation);
        }
        let (mut small, mut large) = ([0; 8], Vec::new());
        let unwanted = match small.get_mut(..size as usize) {
            Some(enough) => enough,
            None => {
                large.resize(size as usize, 0);
                &mut large[..]
            }
        };
        self.tell(size, operation(unwanted))
    }

    /// Tells the size where bytes of it were written or did not fit.
    fn tell<T>(self, size: u64, outcome: Result<T>) -> Result<T> {
        let matters = match &outcome {
            Ok(_) => true,
            Err(error) => error.status() == Status::TooSmall,
        };
        if matters && !self.len.is_null() {
            // SAFETY: not NULL, so writable per `at`.
            unsafe { self.len.write(size as usize) };
        }
        outcome
    }
}

/// Where a new handle goes: NULL from the start, and a handle only on success.
pub(super) struct NewHandle<H>(*mut *mut H);

impl<H> NewHandle<H> {
    /// # Safety
    /// `out` is NULL, or may be written as a pointer until the call returns.
    #[inline(always)]
    pub(super) unsafe fn at(out: *mut *mut H) -> Self {
        if !out.is_null() && out.is_aligned() {
            // SAFETY: not NULL and aligned, so writable per the caller.
            unsafe { out.write(null_mut()) };
        }
        Self(out)
    }

    /// The output, checked.
    #[inline(always)]
    pub(super) fn output(self) -> Result<Output<*mut H>> {
        // SAFETY: as for `at`.
        unsafe { Output::at(self.0, "out") }
    }
}

impl<H: Handle> NewHandle<H> {
    /// Runs the body of an exported function that makes an object. The slot is
    /// taken first: where no handle can be had, nothing is made.
    pub(super) fn fill(self, make: impl FnOnce(&InCall) -> Result<H::Object>) -> atoll_status {
        guard(|call| {
            let out = self.output()?;
            let vacancy = Vacancy::take()?;
            out.write(vacancy.fill(make(call)?));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn put(bytes: &mut [u8]) -> Result<()> {
        match bytes.get_mut(..4) {
            Some(room) => room.copy_from_slice(b"abcd"),
            None => return Err(Error::new(Status::TooSmall, "small")),
        }
        Ok(())
    }

    #[test]
    fn the_length_is_told_where_bytes_fit_and_where_they_do_not() {
        let (mut bytes, mut len) = ([0; 6], 99);
        let mut fill = |cap, operation: fn(&mut [u8]) -> Result<()>| {
            len = 99;
            // SAFETY: at most the bytes of the array, and room for a length.
            let out = unsafe { ByteOutput::at(bytes.as_mut_ptr().cast(), cap, &mut len, "out") };
            let status = out.fill(4, operation).map_err(|error| error.status());
            (status, len)
        };
        assert_eq!(fill(6, put), (Ok(()), 4));
        assert_eq!(fill(3, put), (Err(Status::TooSmall), 4));
        let denied = |_: &mut [u8]| Err(Error::new(Status::Permission, "no"));
        assert_eq!(fill(6, denied), (Err(Status::Permission), 99));
        assert_eq!(&bytes, b"abcd\0\0");
    }

    #[test]
    fn bytes_that_nobody_wants_go_nowhere() {
        for size in [4, 8, 100] {
            let mut len = 0;
            // SAFETY: NULL and 0, and room for a length.
            let out = unsafe { ByteOutput::at(null_mut(), 0, &mut len, "out") };
            let got = out.fill_if_wanted(size, |bytes| Ok(bytes.len())).unwrap();
            assert_eq!((got as u64, len as u64), (size, size));
        }
        // SAFETY: NULL, which is refused, whatever its length.
        let out = unsafe { ByteOutput::at(null_mut(), 4, null_mut(), "out") };
        assert!(out.fill_if_wanted(4, put).is_err(), "room for bytes, but no address");
        // SAFETY: likewise.
        let out = unsafe { ByteOutput::at(null_mut(), 0, null_mut(), "out") };
        assert!(out.fill(4, put).is_err(), "these bytes are wanted");
    }

    #[test]
    fn what_is_read_and_written_at_once_is_copied_first() {
        let mut memory = *b"12345678";
        let start = memory.as_mut_ptr();
        // SAFETY: the first half of the array.
        let out = unsafe { ByteOutput::at(start.cast(), 4, null_mut(), "out") };
        for (offset, copied) in [(0, true), (3, true), (4, false)] {
            // SAFETY: within the array.
            let bytes = unsafe { out.read(start.wrapping_add(offset).cast(), 4, "bytes") }.unwrap();
            assert_eq!(matches!(bytes, Cow::Owned(_)), copied, "at {offset}");
        }
    }

    #[test]
    fn an_output_is_written_only_where_it_can_be() {
        let mut number = 0u64;
        // SAFETY: NULL is refused.
        assert!(unsafe { Output::<u64>::at(null_mut(), "out") }.is_err());
        let odd = (&raw mut number).cast::<u8>().wrapping_add(1).cast::<u64>();
        // SAFETY: refused before anything is written.
        assert!(unsafe { Output::at(odd, "out") }.is_err());
        // SAFETY: a local variable.
        unsafe { Output::at(&mut number, "out") }.unwrap().write(7);
        assert_eq!(number, 7);
    }
}
