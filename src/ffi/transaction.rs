//! `atoll_transaction_*`.
//!
//! A thread has at most one transaction, so there is no table: it lies in a variable of
//! the thread, and the handle is a number that is compared with the one there. Calls find
//! the variable through the thread's record: to ask the loader, and the language whether it
//! still lives, takes as long as to note a change.
//!
//! ```text
//!  handle  63 62 61        40 39          0
//!         [ 1  1 [  thread   ][   count    ]   of transactions that the thread began
//! ```
//!
//! The second bit tells it from the handles of the table, whose generations do not
//! come that far in years. Numbers of threads and counts wrap: what they would let pass
//! then is a handle kept over a million million transactions.
//!
//! A thread that ends with an open transaction aborts it, when its variables go. A
//! forked child has a copy of the variable; the object layer sees to it that nothing of
//! the parent's is touched through it.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr::without_provenance_mut;

use super::argument::{bytes as bytes_of, items, wrong};
use super::array::atoll_array;
use super::guard::guard;
use super::handle;
use super::mutex::atoll_mutex;
use super::output::{NewHandle, Output};
use super::status::atoll_status;
use super::value::atoll_value;
use crate::error::{Error, Result, Status};
use crate::object::transaction::Transaction;
use crate::platform::atomic::{AtomicU64, Ordering::Relaxed};
use crate::platform::time::Deadline;
use crate::roster::record::MOST_LOCKS;
use crate::roster::thread::{self, InCall};
use crate::sync::mutex::Acquired;

/// An open transaction. The pointer is a handle: never follow it.
pub struct atoll_transaction {
    _never: [u8; 0],
}

/// What a thread knows of its transactions.
struct Mine {
    /// The handle of the last one; 0 before the first.
    last: u64,
    open: Option<Transaction>,
}

/// Where a thread keeps it. Goes when the thread ends, and aborts what is open.
struct Room(UnsafeCell<Mine>);

thread_local! {
    static ROOM: Room = const { Room(UnsafeCell::new(Mine { last: 0, open: None })) };
}

impl Drop for Room {
    fn drop(&mut self) {
        thread::forget_room();
    }
}

/// How many threads have begun transactions.
static THREADS: AtomicU64 = AtomicU64::new(0);

const MARK: u64 = 0b11 << 62;
const COUNT_BITS: u32 = 40;
const COUNT: u64 = (1 << COUNT_BITS) - 1;

/// Runs `act` on what this thread knows.
#[inline(always)]
fn with_mine<T>(call: &InCall, act: impl FnOnce(&mut Mine) -> Result<T>) -> Result<T> {
    let known = call.thread().room().cast::<Mine>();
    let mine = if known.is_null() { find_room(call)? } else { known };
    // SAFETY: the variable of this thread, which lives: when it goes, `Room` has itself
    // forgotten. Nobody else has it: calls of a thread do not nest, `act` makes none, and
    // this is one (`InCall`).
    act(unsafe { &mut *mine })
}

#[cold]
fn find_room(call: &InCall) -> Result<*mut Mine> {
    let mine = ROOM.try_with(|room| room.0.get()).map_err(|_| THREAD_ENDS)?;
    call.thread().set_room(mine.cast());
    Ok(mine)
}

impl Mine {
    fn begin(
        &mut self,
        call: &InCall,
        mutexes: &[*mut atoll_mutex],
        deadline: Deadline,
    ) -> Result<Acquired> {
        if !call.thread().has_transaction() {
            // What a forked child inherited goes now: later, it would be taken for ours.
            self.open = None;
        }
        // Where it stays: to move it takes as long as to take a mutex.
        if let [mutex] = mutexes {
            Transaction::begin_at(&mut self.open, &[handle::find(call, *mutex)?], deadline)?;
        } else {
            let mut found = [handle::find(call, mutexes[0])?; MOST_LOCKS];
            for (found, mutex) in found.iter_mut().zip(mutexes).skip(1) {
                *found = handle::find(call, *mutex)?;
            }
            Transaction::begin_at(&mut self.open, &found[..mutexes.len()], deadline)?;
        }
        self.last = next_handle(self.last);
        let owner_died = self.open.as_ref().is_some_and(Transaction::owner_died);
        Ok(if owner_died { Acquired::OwnerDied } else { Acquired::Clean })
    }

    /// The transaction that a handle leads to.
    #[inline(always)]
    fn find(
        &mut self,
        call: &InCall,
        transaction: *const atoll_transaction,
    ) -> Result<&mut Transaction> {
        match &mut self.open {
            Some(open) if transaction.addr() as u64 == self.last => {
                if call.thread().has_transaction() { Ok(open) } else { Err(INHERITED) }
            }
            _ => Err(refusal(self.last, transaction)),
        }
    }

    /// The same for who ends it.
    #[inline(always)]
    fn take(
        &mut self,
        call: &InCall,
        transaction: *const atoll_transaction,
    ) -> Result<Transaction> {
        self.find(call, transaction)?;
        Ok(self.open.take().expect("it was found"))
    }
}

/// Aborts the transaction of this thread, if one is open, as the end of the thread does.
pub(super) fn abort_mine(call: &InCall) {
    // A thread that has ended its variables has none.
    let _ = with_mine(call, |mine| {
        mine.open = None;
        Ok(())
    });
}

/// The handle that comes after `last` on this thread.
#[inline(always)]
fn next_handle(last: u64) -> u64 {
    match last {
        // Relaxed: hands out numbers.
        0 => MARK | THREADS.fetch_add(1, Relaxed) << COUNT_BITS | 1,
        last => last & !COUNT | last.wrapping_add(1) & COUNT,
    }
}

/// Why a handle is not the one of this thread's open transaction.
#[cold]
fn refusal(last: u64, transaction: *const atoll_transaction) -> Error {
    let bits = transaction.addr() as u64;
    let thread_of = |bits| (bits & !MARK) >> COUNT_BITS;
    // Relaxed: the sentence describes what has been decided already.
    let is_one = bits & MARK == MARK && thread_of(bits) < THREADS.load(Relaxed);
    wrong(String::from(if bits == 0 {
        "transaction is NULL: it has ended, or has not begun; begin one"
    } else if !is_one {
        "transaction is no handle of a transaction: pass what atoll_transaction_begin gave"
    } else if last == 0 || thread_of(bits) != thread_of(last) {
        "transaction is another thread's: only the thread that began it may use and end it"
    } else {
        "transaction has ended: begin another"
    }))
}

const INHERITED: Error = Error::new(
    Status::NotOwner,
    "transaction belongs to the parent of this forked process, which goes on with it: begin one \
     here",
);
const THREAD_ENDS: Error = Error::new(
    Status::InvalidArgument,
    "this thread is ending: its transactions are over, and it cannot begin another",
);

/// Begins a transaction: changes that all happen, at the commit, or not at all.
///
/// It holds mutexes of one segment until it ends. What is changed through it is noted
/// first, by copying what was there. If this process dies before the commit, whoever
/// wants one of the mutexes next puts everything back first; then the mutex is as if
/// nothing had happened: a transaction is not told that an owner died, and finds what
/// was there before. Who locks such a mutex by atoll_mutex_lock() is told, for it
/// cannot be known whether everything was done through the transaction.
///
/// The promise is made to those who hold the mutexes. Who looks at values and arrays
/// without them may see changes before the commit, and see them go again.
///
/// A thread has one transaction at a time. Its mutexes cannot be locked or unlocked by
/// themselves before it ends, and it has to be ended by atoll_transaction_commit() or
/// atoll_transaction_abort(); a thread that ends with it open aborts it.
///
/// mutexes     The mutexes, in any order: they are taken in an order in which nobody
///             can wait for each other for ever.
/// n           How many: 1 to 8.
/// timeout_ns  How long to wait for all of them together, as for atoll_mutex_lock().
/// out         Receives the transaction, or NULL on failure.
///
/// Returns
///   OK                  *out is an open transaction. You hold the mutexes.
///   OWNER_DIED          *out is an open transaction. You hold the mutexes. An owner of
///                       one of them died outside of a transaction and nobody has marked
///                       it consistent: what it guards may be half-changed.
///                       atoll_mutex_dead_owner() says for which. Repair that and call
///                       atoll_mutex_mark_consistent(), which counts from the commit on.
///   TIMED_OUT           You hold none of them. Nothing changed.
///   INTERRUPTED         A signal handler ran. You hold none of them. Call again.
///   DEADLOCK            This thread holds one of them already.
///   WRONG_SEGMENT       The mutexes are of two segments.
///   NO_SPACE            The segment has no place for another thread: see
///                       max_participants in atoll_segment_options.
///   INCOMPATIBLE        This process uses another C library than the others.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    This thread has a transaction open; n is 0 or above 8; a mutex
///                       is passed twice or is closed; timeout_ns is negative.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. The transaction is the one's that began it: another one cannot
///           use it.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child does not have its parent's transaction: NOT_OWNER.
/// Owner     The transaction is yours until you end it. The mutexes stay yours.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_transaction_begin(
    mutexes: *const *mut atoll_mutex,
    n: usize,
    timeout_ns: i64,
    out: *mut *mut atoll_transaction,
) -> atoll_status {
    // SAFETY: the caller passes NULL or room for a handle.
    let out = unsafe { NewHandle::at(out) };
    guard(|call| {
        let out = out.output()?;
        if n == 0 || n > MOST_LOCKS {
            return Err(wrong(format!("n is {n}: a transaction has 1 to {MOST_LOCKS} mutexes")));
        }
        // SAFETY: the caller passes NULL or `n` handles.
        let mutexes = unsafe { items(mutexes, n, "mutexes") }?;
        let deadline = Deadline::after_ns(timeout_ns)?;
        with_mine(call, |mine| {
            let acquired = mine.begin(call, mutexes, deadline)?;
            out.write(without_provenance_mut(mine.last as usize));
            Ok(acquired)
        })
    })
}

/// Replaces a value, if the transaction is committed.
///
/// A value of up to 8 bytes never waits. A larger one waits while another thread writes
/// it; after that, others who write it wait for the end of the transaction. Two
/// transactions that share no mutex and store to the same large values in different
/// orders would wait for each other: give them a timeout, or a mutex.
///
/// transaction  The handle.
/// value        A value in the segment of the mutexes.
/// bytes        What to write.
/// len          The size of the value.
/// timeout_ns   How long to wait for other writers, as for atoll_mutex_lock().
///
/// Returns
///   OK                  The value is replaced, until an abort puts the old one back.
///   TIMED_OUT           Another thread is writing the value.
///   INTERRUPTED         A signal handler ran. Call again.
///   WRONG_SEGMENT       The value is in another segment than the mutexes.
///   NO_SPACE            There is no room to note what was there.
///   NOT_OWNER           The transaction is the parent's of this forked process.
///   INVALID_ARGUMENT    The transaction has ended or is another thread's; len is not
///                       the size of the value, a boolean is neither 0 nor 1, timeout_ns
///                       is negative, bytes is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///           Where it fails nothing has changed, and the transaction goes on.
///
/// Threads   The one that began the transaction.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      NOT_OWNER in a child.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_transaction_store(
    transaction: *mut atoll_transaction,
    value: *mut atoll_value,
    bytes: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> atoll_status {
    guard(|call| {
        with_mine(call, |mine| {
            let transaction = mine.find(call, transaction)?;
            let value = handle::find(call, value)?;
            // SAFETY: NULL or `len` bytes, as the caller promises.
            let bytes = unsafe { bytes_of(bytes, len, "bytes") }?;
            transaction.store(value, bytes, Deadline::after_ns(timeout_ns)?)
        })
    })
}

/// Notes elements of an array and lends them: you may write to them until the
/// transaction ends, by plain stores. An abort puts back what was there when they were
/// first lent.
///
/// What was there is copied, so lend what you are going to change, and not more.
/// Elements outside of the range are not touched by an abort, even if they share a
/// word with it.
///
/// transaction  The handle.
/// array        An array in the segment of the mutexes.
/// first        The first element, counted in C order (the last dimension varies
///              fastest) from 0.
/// count        How many elements.
/// out          Receives the address of the first of them.
///
/// Returns
///   OK                  *out is the address.
///   WRONG_SEGMENT       The array is in another segment than the mutexes.
///   NO_SPACE            There is no room to note what is there: the segment has to have
///                       as many free bytes.
///   NOT_OWNER           The transaction is the parent's of this forked process.
///   INVALID_ARGUMENT    The transaction has ended or is another thread's; the array has
///                       fewer elements; out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///           Where it fails nothing has changed, and the transaction goes on.
///
/// Threads   The one that began the transaction; it may let others write to the
///           elements, but has to know when they are done.
/// Fork      NOT_OWNER in a child.
/// Owner     The elements are the segment's. Do not write to them when the transaction
///           has ended.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_transaction_modify(
    transaction: *mut atoll_transaction,
    array: *mut atoll_array,
    first: u64,
    count: u64,
    out: *mut *mut c_void,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an address.
        let out = unsafe { Output::at(out, "out") }?;
        with_mine(call, |mine| {
            let transaction = mine.find(call, transaction)?;
            let lent = transaction.modify(handle::find(call, array)?, first, count)?;
            out.write(lent.cast());
            Ok(())
        })
    })
}

/// Makes all changes of the transaction final, in one store, and unlocks the mutexes.
/// Killed before that store, nothing of it has happened; killed after it, all of it.
///
/// transaction  The handle, which is one no longer.
///
/// Returns
///   OK                  All of it has happened.
///   NOT_OWNER           The transaction is the parent's of this forked process.
///   INVALID_ARGUMENT    The transaction has ended, or is another thread's.
///
/// Threads   The one that began the transaction.
/// Fork      NOT_OWNER in a child.
/// Owner     Takes the transaction.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_transaction_commit(transaction: *mut atoll_transaction) -> atoll_status {
    guard(|call| {
        with_mine(call, |mine| {
            mine.find(call, transaction)?.make_final()?;
            mine.open = None;
            Ok(())
        })
    })
}

/// Undoes all changes of the transaction, and unlocks the mutexes.
///
/// transaction  The handle, which is one no longer.
///
/// Returns
///   OK                  Everything is as it was before.
///   NOT_OWNER           The transaction is the parent's of this forked process.
///   INVALID_ARGUMENT    The transaction has ended, or is another thread's.
///   CORRUPTED           The segment is damaged, so that not all could be undone.
///
/// Threads   The one that began the transaction.
/// Fork      NOT_OWNER in a child.
/// Owner     Takes the transaction.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_transaction_abort(transaction: *mut atoll_transaction) -> atoll_status {
    guard(|call| with_mine(call, |mine| mine.take(call, transaction)?.abort()))
}

/// Commits the transaction or aborts it: one function for languages whose blocks end in
/// one place, be it well or by an error.
///
/// transaction  The handle, which is one no longer. NULL is nothing to end.
/// undo         Whether to abort: 0 commits.
///
/// Returns   As atoll_transaction_commit() or atoll_transaction_abort().
/// Threads   The one that began the transaction.
/// Fork      NOT_OWNER in a child.
/// Owner     Takes the transaction.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_transaction_end(
    transaction: *mut atoll_transaction,
    undo: u32,
) -> atoll_status {
    match undo {
        _ if transaction.is_null() => atoll_status::ATOLL_OK,
        0 => atoll_transaction_commit(transaction),
        _ => atoll_transaction_abort(transaction),
    }
}
