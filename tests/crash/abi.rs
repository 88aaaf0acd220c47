//! The C ABI of the shared library, as a C program sees it: loaded at run time,
//! every symbol bound before the first call.
//!
//! `tests/bindings.rs` compares declarations; here only what the operations call
//! is declared, and outputs get room to spare.

use std::ffi::{CStr, c_char, c_void};
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::OnceLock;

use crate::loader::{Library, functions};
use crate::nouns::PERMITS;

/// What an opaque pointer of the ABI is to us.
pub(crate) type Handle = *mut c_void;

pub(crate) const OK: i32 = 0;
pub(crate) const OWNER_DIED: i32 = 1;
pub(crate) const TIMED_OUT: i32 = 2;
pub(crate) const INTERRUPTED: i32 = 3;
pub(crate) const FULL: i32 = 4;
pub(crate) const EMPTY: i32 = 5;
pub(crate) const CLOSED: i32 = 6;
pub(crate) const NOT_FOUND: i32 = 7;
pub(crate) const NOT_OWNER: i32 = 14;
pub(crate) const DEADLOCK: i32 = 15;
pub(crate) const BROKEN: i32 = 19;
pub(crate) const REENTRANT: i32 = 20;
pub(crate) const FOREVER: i64 = i64::MAX;

/// `atoll_mutex_options`.
#[repr(C)]
pub(crate) struct MutexOptions {
    struct_size: u32,
    reserved: u32,
    recursive: u32,
}

impl MutexOptions {
    pub(crate) const RECURSIVE: Self =
        Self { struct_size: size_of::<Self>() as u32, reserved: 0, recursive: 1 };
}

/// `atoll_segment_options`.
#[repr(C)]
#[derive(Default)]
pub(crate) struct SegmentOptions {
    pub(crate) struct_size: u32,
    pub(crate) reserved: u32,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) read_only: u32,
    pub(crate) ephemeral: u32,
    pub(crate) max_participants: u32,
}

/// `atoll_type`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Type {
    pub(crate) struct_size: u32,
    pub(crate) code: u32,
    pub(crate) size: u64,
    pub(crate) align: u32,
    pub(crate) reserved: u32,
    pub(crate) format: [c_char; 64],
}

impl Type {
    pub(crate) const I64: Self = Self::of(4, 8);
    pub(crate) const U64: Self = Self::of(8, 8);
    const BYTES: u32 = 12;

    pub(crate) const fn bytes(size: u64) -> Self {
        Self::of(Self::BYTES, size)
    }

    const fn of(code: u32, size: u64) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            code,
            size,
            align: 0,
            reserved: 0,
            format: [0; 64],
        }
    }
}

/// `atoll_segment_info`, its name left out.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct SegmentInfo {
    pub(crate) size: u64,
    pub(crate) committed: u64,
    pub(crate) used: u64,
    pub(crate) free: u64,
    pub(crate) largest_free: u64,
    pub(crate) objects: u64,
    pub(crate) death_epoch: u64,
    pub(crate) members: u32,
    pub(crate) participants: u32,
    pub(crate) max_participants: u32,
    pub(crate) mode: u32,
    pub(crate) layout_version: u32,
}

/// `atoll_member_info`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct MemberInfo {
    pub(crate) epoch: u64,
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) name: [u8; 16],
}

/// `atoll_owner`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Owner {
    pub(crate) pid: u32,
    pub(crate) tid: u32,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) alive: bool,
    pub(crate) owner_died: bool,
    pub(crate) name: [u8; 16],
}

/// `atoll_place`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) word: *mut c_void,
    pub(crate) segment: u64,
    pub(crate) thread: i64,
    pub(crate) seat: u32,
    pub(crate) flags: u32,
}

impl Place {
    pub(crate) const CONTRACT: u32 = 2;
    pub(crate) const RECURSIVE: u32 = 1;
    pub(crate) const NOWHERE: Self =
        Self { word: null_mut(), segment: 0, thread: 0, seat: 0, flags: 0 };
}

/// `atoll_semaphore_options`.
#[repr(C)]
pub(crate) struct SemaphoreOptions {
    struct_size: u32,
    reserved: u32,
    value: u32,
    max: u32,
    tracked: u32,
}

impl SemaphoreOptions {
    pub(crate) const PLAIN: Self =
        Self { struct_size: size_of::<Self>() as u32, reserved: 0, value: 0, max: 0, tracked: 0 };
    pub(crate) const TRACKED: Self = Self { value: PERMITS, tracked: 1, ..Self::PLAIN };
}

/// `atoll_semaphore_info`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct SemaphoreInfo {
    pub(crate) value: u32,
    pub(crate) max: u32,
    pub(crate) tracked: bool,
}

/// `atoll_ring_options`.
#[repr(C)]
pub(crate) struct RingOptions {
    struct_size: u32,
    waiting: u32,
    capacity: u64,
    lanes: u32,
    reserved: u32,
}

impl RingOptions {
    pub(crate) const fn new(capacity: u64, lanes: u32) -> Self {
        Self { struct_size: size_of::<Self>() as u32, waiting: 0, capacity, lanes, reserved: 0 }
    }
}

/// `atoll_reservation`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Reservation {
    pub(crate) place: *mut c_void,
    len: usize,
    pub(crate) id: u64,
    pub(crate) times: u32,
    reserved: u32,
}

// SAFETY: a number and where something lies: whoever has it may use it on any thread.
unsafe impl Send for Reservation {}

impl Reservation {
    pub(crate) const NONE: Self =
        Self { place: std::ptr::null_mut(), len: 0, id: 0, times: 0, reserved: 0 };
}

/// `atoll_barrier_info`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct BarrierInfo {
    pub(crate) parties: u32,
    pub(crate) waiting: u32,
    pub(crate) generation: u32,
    pub(crate) culprit_pid: u32,
    pub(crate) broken: bool,
}

/// `atoll_arrival`, of which nobody here wants to know more.
pub(crate) type Arrival = u64;

/// `atoll_waitable`.
#[repr(C)]
pub(crate) struct Waitable {
    pub(crate) handle: Handle,
    pub(crate) seen: u64,
}

/// `atoll_ticket`.
pub(crate) type Ticket = [u64; 33];

/// A structure that the library fills in, with room for what may be added to it.
#[repr(C, align(16))]
pub(crate) struct Roomy<T> {
    pub(crate) content: T,
    spare: [u8; 2048],
}

impl<T: Default> Default for Roomy<T> {
    fn default() -> Self {
        Self { content: T::default(), spare: [0; 2048] }
    }
}

functions! {
    /// The functions of the library that the players call.
    Abi, "atoll_";
    last_error(*mut u8) -> ();
    segment_create(*const c_char, *const SegmentOptions, *mut Handle) -> i32;
    segment_open(*const c_char, *const SegmentOptions, *mut Handle) -> i32;
    segment_close(Handle) -> i32;
    segment_unlink(*const c_char) -> i32;
    segment_verify(Handle) -> i32;
    segment_stat(Handle, *mut Roomy<SegmentInfo>) -> i32;
    segment_wait_death(Handle, u64, i64, *mut u64, *mut Roomy<MemberInfo>) -> i32;
    mutex_create(Handle, *const c_char, *const MutexOptions, *mut Handle) -> i32;
    mutex_open(Handle, *const c_char, *const MutexOptions, *mut Handle) -> i32;
    mutex_open_or_create(Handle, *const c_char, *const MutexOptions, *mut Handle) -> i32;
    mutex_close(Handle) -> i32;
    value_close(Handle) -> i32;
    mutex_lock(Handle, i64) -> i32;
    mutex_unlock(Handle) -> i32;
    mutex_mark_consistent(Handle) -> i32;
    mutex_owner(Handle, *mut Roomy<Owner>) -> i32;
    mutex_dead_owner(Handle, *mut Roomy<Owner>) -> i32;
    mutex_place(Handle, u32, *mut Place) -> i32;
    value_create(Handle, *const c_char, *const Type, *mut Handle) -> i32;
    value_create_with(Handle, *const c_char, *const Type, *const u8, usize, *mut Handle) -> i32;
    value_open(Handle, *const c_char, *const Type, *mut Handle) -> i32;
    value_open_or_create(Handle, *const c_char, *const Type, *mut Handle) -> i32;
    value_remove(Handle, *const c_char) -> i32;
    value_export(Handle, *mut Ticket) -> i32;
    value_import(*const Ticket, *mut Handle) -> i32;
    value_load(Handle, *mut u8, usize, *mut usize) -> i32;
    value_store(Handle, *const u8, usize, i64) -> i32;
    value_place(Handle, u32, *mut Place) -> i32;
    value_swap(Handle, *const u8, usize, i64, *mut u8, usize, *mut usize) -> i32;
    array_create(Handle, *const c_char, *const Type, u32, *const u64, *mut Handle) -> i32;
    array_open(Handle, *const c_char, *const Type, u32, *const u64, *mut Handle) -> i32;
    array_open_or_create(Handle, *const c_char, *const Type, u32, *const u64, *mut Handle) -> i32;
    array_close(Handle) -> i32;
    array_data(Handle) -> *mut c_void;
    transaction_begin(*const Handle, usize, i64, *mut Handle) -> i32;
    transaction_store(Handle, Handle, *const u8, usize, i64) -> i32;
    transaction_modify(Handle, Handle, u64, u64, *mut *mut c_void) -> i32;
    transaction_commit(Handle) -> i32;
    transaction_abort(Handle) -> i32;
    wait_any(*const Waitable, usize, i64, *mut u64) -> i32;
    lock_create(Handle, *const c_char, *mut Handle) -> i32;
    lock_open(Handle, *const c_char, *mut Handle) -> i32;
    lock_open_or_create(Handle, *const c_char, *mut Handle) -> i32;
    lock_close(Handle) -> i32;
    lock_acquire(Handle, i64, *mut Roomy<Owner>) -> i32;
    lock_release(Handle) -> i32;
    event_create(Handle, *const c_char, *mut Handle) -> i32;
    event_open(Handle, *const c_char, *mut Handle) -> i32;
    event_open_or_create(Handle, *const c_char, *mut Handle) -> i32;
    event_close(Handle) -> i32;
    event_set(Handle) -> i32;
    event_clear(Handle) -> i32;
    event_is_set(Handle, *mut bool) -> i32;
    event_wait(Handle, i64) -> i32;
    event_descriptor(Handle, *mut i32) -> i32;
    event_wait_since(Handle, u32, i64) -> i32;
    latch_create(Handle, *const c_char, u32, *mut Handle) -> i32;
    latch_open(Handle, *const c_char, *mut Handle) -> i32;
    latch_open_or_create(Handle, *const c_char, u32, *mut Handle) -> i32;
    latch_close(Handle) -> i32;
    latch_count_down(Handle, u32) -> i32;
    latch_wait(Handle, i64) -> i32;
    latch_descriptor(Handle, *mut i32) -> i32;
    latch_count(Handle, *mut u32) -> i32;
    barrier_create(Handle, *const c_char, u32, *mut Handle) -> i32;
    barrier_open(Handle, *const c_char, *mut Handle) -> i32;
    barrier_open_or_create(Handle, *const c_char, u32, *mut Handle) -> i32;
    barrier_close(Handle) -> i32;
    barrier_arrive_and_wait(Handle, i64, *mut u32) -> i32;
    barrier_arrive(Handle, bool, *mut Roomy<Arrival>) -> i32;
    barrier_release(Handle) -> i32;
    barrier_wait(Handle, i64) -> i32;
    barrier_arrive_and_drop(Handle, bool, *mut Roomy<Arrival>) -> i32;
    barrier_abort(Handle) -> i32;
    barrier_reset(Handle) -> i32;
    barrier_stat(Handle, *mut Roomy<BarrierInfo>) -> i32;
    waiter_create(Handle, *mut Handle) -> i32;
    waiter_finish(Handle, *mut bool) -> i32;
    waiter_close(Handle) -> i32;
    condvar_create(Handle, *const c_char, *mut Handle) -> i32;
    condvar_open(Handle, *const c_char, *mut Handle) -> i32;
    condvar_open_or_create(Handle, *const c_char, *mut Handle) -> i32;
    condvar_close(Handle) -> i32;
    condvar_wait(Handle, Handle, i64) -> i32;
    condvar_prepare_wait(Handle) -> i32;
    condvar_commit_wait(Handle, i64) -> i32;
    condvar_cancel_wait(Handle, *mut bool) -> i32;
    condvar_notify_one(Handle) -> i32;
    condvar_notify_all(Handle) -> i32;
    condvar_notify_many(Handle, u32) -> i32;
    rwlock_create(Handle, *const c_char, *mut Handle) -> i32;
    rwlock_open(Handle, *const c_char, *mut Handle) -> i32;
    rwlock_open_or_create(Handle, *const c_char, *mut Handle) -> i32;
    rwlock_close(Handle) -> i32;
    rwlock_read_lock(Handle, i64) -> i32;
    rwlock_read_unlock(Handle) -> i32;
    rwlock_write_lock(Handle, i64) -> i32;
    rwlock_write_unlock(Handle) -> i32;
    rwlock_mark_consistent(Handle) -> i32;
    rwlock_readers(Handle, *mut u32) -> i32;
    semaphore_create(Handle, *const c_char, *const SemaphoreOptions, *mut Handle) -> i32;
    semaphore_open(Handle, *const c_char, *const SemaphoreOptions, *mut Handle) -> i32;
    semaphore_open_or_create(Handle, *const c_char, *const SemaphoreOptions, *mut Handle) -> i32;
    semaphore_close(Handle) -> i32;
    semaphore_acquire(Handle, i64) -> i32;
    semaphore_release(Handle, u32) -> i32;
    semaphore_descriptor(Handle, *mut i32) -> i32;
    semaphore_stat(Handle, *mut Roomy<SemaphoreInfo>) -> i32;
    spsc_create(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    spsc_open(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    spsc_open_or_create(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    spsc_close(Handle) -> i32;
    spsc_push(Handle, *const c_void, usize) -> i32;
    spsc_push_n(Handle, *const c_void, usize, *mut usize) -> i32;
    spsc_pop(Handle, *mut c_void, usize, *mut usize) -> i32;
    spsc_pop_n(Handle, *mut c_void, usize, *mut usize) -> i32;
    spsc_put(Handle, *const c_void, usize, i64) -> i32;
    spsc_get(Handle, *mut c_void, usize, *mut usize, i64) -> i32;
    spsc_shutdown(Handle, u32) -> i32;
    spsc_leave(Handle, u32) -> i32;
    fanin_create(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    fanin_open(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    fanin_open_or_create(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    fanin_close(Handle) -> i32;
    fanin_push(Handle, *const c_void, usize) -> i32;
    fanin_push_n(Handle, *const c_void, usize, *mut usize) -> i32;
    fanin_pop(Handle, *mut c_void, usize, *mut usize) -> i32;
    fanin_pop_n(Handle, *mut c_void, usize, *mut usize) -> i32;
    fanin_put(Handle, *const c_void, usize, i64) -> i32;
    fanin_get(Handle, *mut c_void, usize, *mut usize, i64) -> i32;
    fanin_shutdown(Handle, u32) -> i32;
    mpmc_create(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    mpmc_open(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    mpmc_open_or_create(Handle, *const c_char, *const Type, *const RingOptions, *mut Handle) -> i32;
    mpmc_close(Handle) -> i32;
    mpmc_push(Handle, *const c_void, usize) -> i32;
    mpmc_push_n(Handle, *const c_void, usize, *mut usize) -> i32;
    mpmc_pop(Handle, *mut c_void, usize, *mut usize, *mut u32) -> i32;
    mpmc_pop_n(Handle, *mut c_void, usize, *mut usize, *mut u32) -> i32;
    mpmc_put(Handle, *const c_void, usize, i64) -> i32;
    mpmc_get(Handle, *mut c_void, usize, *mut usize, *mut u32, i64) -> i32;
    mpmc_shutdown(Handle, u32) -> i32;
    mpmc_claim(Handle, usize, *mut Reservation) -> i32;
    mpmc_commit(Handle, u64, usize) -> i32;
    mpmc_peek(Handle, *mut Reservation) -> i32;
    mpmc_advance(Handle, u64) -> i32;
    mpmc_abandon(Handle, u64) -> i32;
    spsc_claim(Handle, usize, *mut *mut c_void, *mut usize) -> i32;
    spsc_commit(Handle, usize) -> i32;
    spsc_abandon(Handle) -> i32;
    spsc_peek(Handle, usize, *mut *const c_void, *mut usize) -> i32;
    spsc_advance(Handle, usize) -> i32;
}

static ABI: OnceLock<Abi> = OnceLock::new();

/// Loads the library. The harness does so before the first player is forked.
pub(crate) fn load() -> Result<(), String> {
    ABI.set(Abi::bind(&Library::open(&library()?)?)?)
        .map_err(|_| "the library is loaded twice".into())
}

/// The library.
pub(crate) fn abi() -> &'static Abi {
    ABI.get().expect("the library is loaded first")
}

/// Calls a function of the library.
///
/// The players answer for what a C program would answer for: handles come from
/// the library, names end with NUL, outputs are as large as the declaration says.
macro_rules! call {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        let function = $crate::abi::abi().$function;
        // SAFETY: as the macro's comment says.
        unsafe { function($($argument),*) }
    }};
}
pub(crate) use call;

impl Abi {
    /// The sentence that goes with the last status of this thread.
    pub(crate) fn sentence(&self) -> String {
        let mut error = [0u8; 1024];
        // SAFETY: the output is larger than atoll_error.
        unsafe { (self.last_error)(error.as_mut_ptr()) };
        const TEXT: usize = 8; // after the status and the errno
        let text = CStr::from_bytes_until_nul(&error[TEXT..]).unwrap_or_default();
        text.to_string_lossy().into_owned()
    }
}

/// The library named by ATOLL_LIBRARY, else the one beside this program.
pub(crate) fn library() -> Result<PathBuf, String> {
    match std::env::var_os("ATOLL_LIBRARY") {
        Some(path) => Ok(path.into()),
        // Cargo builds it for this very run.
        None => std::env::current_exe()
            .map(|us| us.with_file_name("libatoll.so"))
            .map_err(|e| format!("where are we? {e}")),
    }
}
