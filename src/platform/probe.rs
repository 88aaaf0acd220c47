//! What this machine and this process offer.

use std::ffi::CStr;

use super::{directory, file, futex, mapping, robust};

/// The answers, for `atoll_platform_info`.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Copies of the library in this process. More than one means that each has
    /// its own identity: locks held through one are not held through the other.
    pub library_copies: u32,
    /// Bytes of a memory page.
    pub page_size: u32,
    /// Processors that are online.
    pub cpus: u32,
    /// `futex_waitv` works: deaths are noticed at once, else within 10 ms.
    pub futex_waitv: bool,
    /// The kernel and libc keep robust lists, without which nothing works.
    pub robust_list: bool,
    /// The segment directory supports open-file-description locks.
    pub byte_locks: bool,
    /// The segment directory supports unnamed files.
    pub unnamed_files: bool,
    /// `membarrier` works: most calls do without a fence.
    pub membarrier: bool,
    /// Waits of this process that nobody woke, and that ended because every waiter looks
    /// again after a while.
    pub rescued_waits: u64,
    /// Name and version of the C library.
    pub libc: String,
    /// Name and release of the kernel.
    pub kernel: String,
    /// The directory where segments live.
    pub directory: String,
}

impl Platform {
    /// Looks at the machine. Costs a few system calls.
    pub fn probe() -> Self {
        let (unnamed_files, byte_locks) = file::probe_directory();
        Self {
            library_copies: library_copies(),
            page_size: mapping::PAGE as u32,
            cpus: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
            futex_waitv: futex::has_waitv(),
            robust_list: robust::RobustList::of_this_thread().is_ok(),
            byte_locks,
            unnamed_files,
            membarrier: super::membarrier::is_available(),
            rescued_waits: futex::rescued_waits(),
            libc: libc_version(),
            kernel: kernel_release(),
            directory: directory::path().display().to_string(),
        }
    }
}

fn libc_version() -> String {
    // SAFETY: takes nothing and returns static text.
    let version = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: static text, NUL-terminated.
    let version = unsafe { CStr::from_ptr(version) };
    format!("glibc {}", version.to_string_lossy())
}

fn kernel_release() -> String {
    // SAFETY: a plain C struct of byte arrays; zero is a valid value of each.
    let mut names: libc::utsname = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel fills the struct given.
    if unsafe { libc::uname(&mut names) } != 0 {
        return String::new();
    }
    // SAFETY: filled by uname, NUL-terminated.
    let system = unsafe { CStr::from_ptr(names.sysname.as_ptr()) };
    // SAFETY: likewise.
    let release = unsafe { CStr::from_ptr(names.release.as_ptr()) };
    format!("{} {}", system.to_string_lossy(), release.to_string_lossy())
}

/// An ELF note that each copy of the library carries, so that copies can be counted.
#[repr(C, align(4))]
struct Note {
    name_length: u32,
    description_length: u32,
    kind: u32,
    name: [u8; 8],
}

const NOTE_NAME: [u8; 8] = *b"atoll\0\0\0";

#[used]
#[unsafe(link_section = ".note.atoll")]
static NOTE: Note = Note { name_length: 6, description_length: 0, kind: 1, name: NOTE_NAME };

/// How many loaded files carry our note.
fn library_copies() -> u32 {
    let mut count = 0u32;
    // SAFETY: the callback gets `count` back as its data and only during the call.
    unsafe { libc::dl_iterate_phdr(Some(count_notes), (&raw mut count).cast()) };
    count
}

unsafe extern "C" fn count_notes(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    count: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader passes a valid description of one loaded file.
    let info = unsafe { &*info };
    // SAFETY: the loader gives the address and number of program headers.
    let headers =
        unsafe { core::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let carries = headers.iter().filter(|h| h.p_type == libc::PT_NOTE).any(|header| {
        let start = (info.dlpi_addr + header.p_vaddr) as *const u8;
        // SAFETY: a note segment of a loaded file lies in memory, whole.
        let notes = unsafe { core::slice::from_raw_parts(start, header.p_memsz as usize) };
        notes.windows(NOTE_NAME.len()).any(|window| window == NOTE_NAME)
    });
    if carries {
        // SAFETY: `library_copies` passed the address of its counter.
        unsafe { *count.cast::<u32>() += 1 };
    }
    0
}
