//! What the tests begin with: one segment by a name that every process knows.

use std::ops::Deref;
use std::thread;
use std::time::Duration;

use atoll::{Acquired, Deadline, Mutex, Segment, SegmentOptions, Status};

const SEGMENT: &str = "stage";

/// The segment as its founder has it: the name goes when this does.
pub(crate) struct Founded(Segment);

impl Deref for Founded {
    type Target = Segment;

    fn deref(&self) -> &Segment {
        &self.0
    }
}

impl Drop for Founded {
    fn drop(&mut self) {
        Segment::unlink(SEGMENT).expect("the name is there");
    }
}

pub(crate) fn found() -> Founded {
    found_with(&SegmentOptions::default())
}

pub(crate) fn found_with(options: &SegmentOptions) -> Founded {
    Founded(Segment::create(SEGMENT, options).expect("a new segment"))
}

/// The segment as everybody else has it.
pub(crate) fn open() -> Segment {
    Segment::open(SEGMENT, &SegmentOptions::default()).expect("the segment")
}

pub(crate) fn open_to_read() -> Segment {
    let options = SegmentOptions { read_only: true, ..SegmentOptions::default() };
    Segment::open(SEGMENT, &options).expect("the segment")
}

/// What that says in a thread of its own, once the thread has ended: the scope alone would only
/// wait until it has been said.
pub(crate) fn in_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().expect("it ends well"))
}

/// A plain mutex by its name, made if it is not there.
pub(crate) fn mutex(segment: &Segment, name: &str) -> Mutex {
    Mutex::open_or_create(segment, Some(name), false).expect("a mutex")
}

pub(crate) fn recursive_mutex(segment: &Segment, name: &str) -> Mutex {
    Mutex::open_or_create(segment, Some(name), true).expect("a recursive mutex")
}

/// The mutex "m" of the segment, for parts that use nothing else.
pub(crate) fn the_mutex() -> Mutex {
    mutex(&open(), "m")
}

/// Acquires it, however long that takes.
#[track_caller]
pub(crate) fn acquire(mutex: &Mutex) -> Acquired {
    mutex.acquire(Deadline::NEVER).expect("the mutex")
}

/// The same where no owner died.
#[track_caller]
pub(crate) fn lock(mutex: &Mutex) {
    assert_eq!(acquire(mutex), Acquired::Clean);
}

#[track_caller]
pub(crate) fn unlock(mutex: &Mutex) {
    mutex.release().expect("held by this thread");
}

/// What became of one try.
pub(crate) fn try_lock(mutex: &Mutex) -> Status {
    match mutex.acquire(Deadline::NOW) {
        Ok(Acquired::Clean) => Status::Ok,
        Ok(Acquired::OwnerDied) => Status::OwnerDied,
        Err(error) => error.status(),
    }
}

pub(crate) fn within(span: Duration) -> Deadline {
    Deadline::after_ns(span.as_nanos() as i64).expect("not negative")
}

/// The class of a failure.
#[track_caller]
pub(crate) fn status<T>(result: atoll::Result<T>) -> Status {
    match result {
        Ok(_) => Status::Ok,
        Err(error) => error.status(),
    }
}

/// A name padded with zeros, as text.
pub(crate) fn text(name: &[u8]) -> &str {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    std::str::from_utf8(&name[..end]).expect("UTF-8")
}
