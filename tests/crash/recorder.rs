//! Catches every store of this process to the segment, without stepping.
//!
//! ```text
//!  mmap                to write? the segment is mapped to read only      (SIGSYS, by a filter)
//!  store               the page is copied and made writable,
//!                      the processor is told to stop after one instruction         (SIGSEGV)
//!  after the store     what differs goes on the tape, the page is made
//!                      read-only again                                             (SIGTRAP)
//! ```
//!
//! So a state between any two instructions is found, and yet all code that does not store
//! to the segment runs at full speed. A repeated string instruction stops after each
//! repetition. The kernel stores to a segment only at a death, which is made up for
//! elsewhere (`image`).
//!
//! One thread stores at a time.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W};
use libc::{c_int, c_void, siginfo_t, sock_filter, ucontext_t};

use crate::tape::Tape;

const PAGE: usize = 4096;
/// Mappings of segments that one process has at the same time.
const MAPPINGS: usize = 4;
/// Pages that one instruction can store to.
const PAGES: usize = 2;
/// The flag that makes the processor stop after the next instruction.
const TRAP_FLAG: i64 = 0x100;

/// A mapping of the segment; `length` 0: none.
struct Mapping {
    base: AtomicUsize,
    length: AtomicUsize,
}

/// A page that is writable for the time of one instruction, and how it was before it.
struct OpenPage {
    address: AtomicUsize,
    offset: AtomicUsize,
    before: UnsafeCell<[u8; PAGE]>,
}

// SAFETY: `before` is touched only by the handlers of the one thread that stores.
unsafe impl Sync for OpenPage {}

static WATCHED: [Mapping; MAPPINGS] =
    [const { Mapping { base: AtomicUsize::new(0), length: AtomicUsize::new(0) } }; MAPPINGS];
static OPEN: [OpenPage; PAGES] = [const {
    OpenPage {
        address: AtomicUsize::new(0),
        offset: AtomicUsize::new(0),
        before: UnsafeCell::new([0; PAGE]),
    }
}; PAGES];
/// The instruction that stores.
static INSTRUCTION: AtomicU64 = AtomicU64::new(0);

/// From now on this process maps segments to read only, and its stores are caught. Comes
/// before it opens one.
pub(crate) fn watch() -> Result<(), String> {
    on_signal(libc::SIGSYS, on_mmap)?;
    on_signal(libc::SIGSEGV, on_store)?;
    on_signal(libc::SIGTRAP, on_stored)?;
    trap_mmap()
}

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

fn on_signal(signal: c_int, handler: Handler) -> Result<(), String> {
    // SAFETY: a plain C structure; zero is no flags and an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the kernel reads the structure that is passed.
    match unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(format!("sigaction: {}", std::io::Error::last_os_error())),
    }
}

/// A shared file that is mapped to be written raises SIGSYS instead.
fn trap_mmap() -> Result<(), String> {
    const NUMBER: u32 = 0; // offsets in `struct seccomp_data`
    const ACCESS: u32 = 16 + 2 * 8;
    const KIND: u32 = 16 + 3 * 8;
    let load = |k| sock_filter { code: (BPF_LD | BPF_W | BPF_ABS) as u16, jt: 0, jf: 0, k };
    let unless = |test: u32, k: i32, jf| {
        let code = (BPF_JMP | test | BPF_K) as u16;
        sock_filter { code, jt: 0, jf, k: k as u32 }
    };
    let answer = |k| sock_filter { code: (BPF_RET | BPF_K) as u16, jt: 0, jf: 0, k };
    let mut filter = [
        load(NUMBER),
        unless(BPF_JEQ, libc::SYS_mmap as i32, 5),
        load(ACCESS),
        unless(BPF_JSET, libc::PROT_WRITE, 3),
        load(KIND),
        unless(BPF_JSET, libc::MAP_SHARED, 1),
        answer(libc::SECCOMP_RET_TRAP),
        answer(libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: takes no pointer.
    unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: the kernel copies the program.
    match unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) } {
        0 => Ok(()),
        _ => Err(format!("no filter for system calls: {}", std::io::Error::last_os_error())),
    }
}

fn register(context: &ucontext_t, which: c_int) -> i64 {
    context.uc_mcontext.gregs[which as usize]
}

/// Maps what the library wants to map, but to read only, and notes where.
extern "C" fn on_mmap(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes the context of the interrupted thread.
    let context = unsafe { &mut *context.cast::<ucontext_t>() };
    let length = register(context, libc::REG_RSI);
    // SAFETY: the very call that the library makes, with less access.
    let base = unsafe {
        libc::syscall(
            libc::SYS_mmap,
            register(context, libc::REG_RDI),
            length,
            register(context, libc::REG_RDX) & !i64::from(libc::PROT_WRITE),
            register(context, libc::REG_R10),
            register(context, libc::REG_R8),
            register(context, libc::REG_R9),
        )
    };
    // The library's mapping begins at the file's beginning: offsets need no more.
    if base > 0 {
        let place = WATCHED.iter().find(|mapping| mapping.length.load(SeqCst) == 0);
        let Some(place) = place else { give_up("more segments mapped than can be watched") };
        place.base.store(base as usize, SeqCst);
        place.length.store(length as usize, SeqCst);
    }
    context.uc_mcontext.gregs[libc::REG_RAX as usize] = base;
}

/// Lets the store happen, and nothing after it.
extern "C" fn on_store(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes what it knows about the fault.
    let info = unsafe { &*info };
    // SAFETY: a fault has an address.
    let address = unsafe { info.si_addr() } as usize;
    // SAFETY: the kernel passes the context of the interrupted thread.
    let context = unsafe { &mut *context.cast::<ucontext_t>() };
    let Some(base) = WATCHED.iter().find_map(|mapping| mapping.base_if_in(address)) else {
        // It happens again, and ends the process.
        // SAFETY: the default is always allowed.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        return;
    };
    let page = address & !(PAGE - 1);
    let Some(open) = OPEN.iter().find(|open| open.address.load(SeqCst) == 0) else {
        give_up("an instruction stores to more pages than can be watched");
    };
    // SAFETY: the page is mapped to read; nobody else uses `before` at the same time.
    unsafe { std::ptr::copy_nonoverlapping(page as *const u8, open.before.get().cast(), PAGE) };
    open.offset.store(page - base, SeqCst);
    open.address.store(page, SeqCst);
    INSTRUCTION.store(register(context, libc::REG_RIP) as u64, SeqCst);
    protect(page, libc::PROT_READ | libc::PROT_WRITE);
    context.uc_mcontext.gregs[libc::REG_EFL as usize] |= TRAP_FLAG;
}

/// Writes down what the store has changed.
extern "C" fn on_stored(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes the context of the interrupted thread.
    let context = unsafe { &mut *context.cast::<ucontext_t>() };
    for open in &OPEN {
        let page = open.address.swap(0, SeqCst);
        if page == 0 {
            continue;
        }
        if Tape::get().is_recording() {
            // SAFETY: mapped, and the thread that stores there stands still.
            let now = unsafe { &*(page as *const [u8; PAGE]) };
            // SAFETY: nobody else uses it at the same time.
            let before = unsafe { &*open.before.get() };
            if let Some((first, last)) = difference(before, now) {
                let offset = open.offset.load(SeqCst) + first;
                Tape::get().add(INSTRUCTION.load(SeqCst), offset, &now[first..=last]);
            }
        }
        protect(page, libc::PROT_READ);
    }
    context.uc_mcontext.gregs[libc::REG_EFL as usize] &= !TRAP_FLAG;
}

/// The first and the last byte that differ.
fn difference(before: &[u8; PAGE], now: &[u8; PAGE]) -> Option<(usize, usize)> {
    if before == now {
        return None;
    }
    let differs = |at: &usize| before[*at] != now[*at];
    Some(((0..PAGE).find(differs)?, (0..PAGE).rev().find(differs)?))
}

fn protect(page: usize, access: c_int) {
    // SAFETY: a page of a mapping that the library made, and its own access or less.
    if unsafe { libc::mprotect(page as *mut c_void, PAGE, access) } != 0 {
        give_up("mprotect failed");
    }
}

/// Ends the process, which the harness will notice.
fn give_up(why: &str) -> ! {
    eprintln!("crash: {why}");
    std::process::abort()
}

impl Mapping {
    fn base_if_in(&self, address: usize) -> Option<usize> {
        let base = self.base.load(SeqCst);
        (base..base + self.length.load(SeqCst)).contains(&address).then_some(base)
    }
}
