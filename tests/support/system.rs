//! The system calls that tests need and the standard library does not have.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Error};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Turns a result of -1 into the error behind it.
pub(crate) fn check(result: impl Into<i64>) -> io::Result<i64> {
    match result.into() {
        -1 => Err(Error::last_os_error()),
        result => Ok(result),
    }
}

/// 0 in the child, else its process id.
pub(crate) fn fork() -> i32 {
    // SAFETY: what the child does is the caller's business, as ever.
    let process = unsafe { libc::fork() };
    assert!(process >= 0, "fork: {}", Error::last_os_error());
    process
}

/// A fork of which neither libc nor its hooks learn.
pub(crate) fn raw_fork() -> i32 {
    raw_clone(0).expect("clone")
}

/// The same, in new namespaces.
pub(crate) fn raw_clone(namespaces: i32) -> io::Result<i32> {
    let flags = i64::from(namespaces | libc::SIGCHLD);
    // SAFETY: without CLONE_VM a fork; no pointer is given.
    check(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })
        .map(|process| process as i32)
}

/// The status of a process that has ended, waited for.
pub(crate) fn wait(process: i32) -> i32 {
    let mut status = 0;
    loop {
        // SAFETY: writes one status.
        match check(unsafe { libc::waitpid(process, &mut status, 0) }) {
            Ok(_) => return status,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => panic!("waitpid: {error}"),
        }
    }
}

/// The same if it has ended by now.
pub(crate) fn has_ended(process: i32) -> Option<i32> {
    let mut status = 0;
    // SAFETY: writes one status.
    let seen = unsafe { libc::waitpid(process, &mut status, libc::WNOHANG) };
    (seen == process).then_some(status)
}

/// Waits for whoever has ended; true if there are children still.
pub(crate) fn reap_any() -> bool {
    loop {
        // SAFETY: the status is not asked for.
        match unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } {
            0 => return true,
            -1 => return false,
            _ => {}
        }
    }
}

pub(crate) fn kill(process: i32, signal: i32) {
    // SAFETY: takes no pointer. A process that has ended is not an error.
    unsafe { libc::kill(process, signal) };
}

pub(crate) fn kill_group(group: i32) {
    kill(-group, libc::SIGKILL);
}

/// Ends the process as `exit` does, but for the standard library: a child of many
/// threads finds its locks held for ever.
pub(crate) fn end(status: i32) -> ! {
    // SAFETY: does not return.
    unsafe { libc::exit(status) }
}

/// Ends the process at once: no hooks, no destructors.
pub(crate) fn end_abruptly(status: i32) -> ! {
    // SAFETY: does not return.
    unsafe { libc::_exit(status) }
}

pub(crate) fn become_subreaper() {
    // SAFETY: takes no pointer.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
}

pub(crate) fn begin_group() {
    // SAFETY: takes no pointer.
    unsafe { libc::setpgid(0, 0) };
}

pub(crate) fn die_with_parent() {
    // SAFETY: takes no pointer.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// A last resort against a process that nobody ends.
pub(crate) fn die_after(span: Duration) {
    // SAFETY: takes no pointer.
    unsafe { libc::alarm(span.as_secs() as u32) };
}

/// Runs `body` in a thread of libc's, to its end.
pub(crate) fn in_posix_thread<F: FnOnce()>(body: F) {
    extern "C" fn run<F: FnOnce()>(body: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: `in_posix_thread` passes the address of its argument and waits.
        let body = unsafe { &mut *body.cast::<Option<F>>() };
        body.take().expect("run once")();
        std::ptr::null_mut()
    }
    let mut body = Some(body);
    let body = std::ptr::from_mut(&mut body).cast();
    let mut thread = 0;
    // SAFETY: `run` fits its argument, which outlives the thread.
    let code = unsafe { libc::pthread_create(&mut thread, std::ptr::null(), run::<F>, body) };
    assert_eq!(code, 0, "pthread_create");
    // SAFETY: created above, waited for once.
    unsafe { libc::pthread_join(thread, std::ptr::null_mut()) };
}

pub(crate) fn thread_id() -> u32 {
    // SAFETY: takes nothing.
    unsafe { libc::gettid() as u32 }
}

pub(crate) fn is_root() -> bool {
    // SAFETY: takes nothing.
    unsafe { libc::geteuid() == 0 }
}

/// Sets how many descriptors this process may have open; gives the last limit.
pub(crate) fn limit_descriptors(most: u64) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel fills the structure.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }).expect("getrlimit");
    let last = std::mem::replace(&mut limit.rlim_cur, most);
    // SAFETY: the kernel reads the structure.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }).expect("setrlimit");
    last
}

/// Sets how many bytes of addresses this process may use.
pub(crate) fn limit_addresses(most: u64) {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the kernel reads the structure.
    check(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }).expect("setrlimit");
}

/// Whether the kernel would look at a word should this thread die now.
pub(crate) fn robust_operation_is_pending() -> bool {
    /// `struct robust_list_head` of the kernel.
    #[repr(C)]
    struct Head {
        list: usize,
        offset: i64,
        pending: usize,
    }
    let (mut head, mut length) = (std::ptr::null::<Head>(), 0usize);
    // SAFETY: the kernel writes a pointer and a length.
    check(unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &mut head, &mut length) })
        .expect("get_robust_list");
    // SAFETY: libc's list head of this thread.
    unsafe { (*head).pending != 0 }
}

/// A file in memory that has no name anywhere.
pub(crate) fn memory_file() -> File {
    // SAFETY: a static name.
    let descriptor = check(unsafe { libc::memfd_create(c"log".as_ptr(), libc::MFD_CLOEXEC) });
    // SAFETY: just made, owned by nobody else.
    unsafe { File::from_raw_fd(descriptor.expect("memfd_create") as i32) }
}

pub(crate) fn redirect_output(to: i32) {
    for standard in [1, 2] {
        // SAFETY: two open descriptors.
        check(unsafe { libc::dup2(to, standard) }).expect("dup2");
    }
}

/// Enters new namespaces.
pub(crate) fn unshare(namespaces: i32) -> io::Result<()> {
    // SAFETY: takes no pointer.
    check(unsafe { libc::unshare(namespaces) }).map(|_| ())
}

/// Enters a mount namespace in which this process may mount; root outside needs no user
/// namespace for that.
pub(crate) fn enter_own_mount_namespace() -> io::Result<()> {
    if is_root() {
        return unshare(libc::CLONE_NEWNS);
    }
    // SAFETY: takes nothing.
    let user = unsafe { libc::geteuid() };
    // SAFETY: takes nothing.
    let group = unsafe { libc::getegid() };
    unshare(libc::CLONE_NEWNS | libc::CLONE_NEWUSER)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// Changes to a user without rights, for good.
pub(crate) fn become_nobody() {
    const NOBODY: u32 = 65534;
    // SAFETY: an empty list.
    check(unsafe { libc::setgroups(0, std::ptr::null()) }).expect("setgroups");
    // SAFETY: takes no pointer.
    check(unsafe { libc::setresgid(NOBODY, NOBODY, NOBODY) }).expect("setresgid");
    // SAFETY: takes no pointer.
    check(unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) }).expect("setresuid");
}

/// Closes every descriptor from `first` on, as daemons do.
pub(crate) fn close_from(first: u32) {
    // SAFETY: the callers own nothing that they use afterwards.
    check(unsafe { libc::close_range(first, u32::MAX, 0) }).expect("close_range");
}

/// Runs `handler` on `signal`.
pub(crate) fn on_signal(signal: i32, handler: extern "C" fn(i32), flags: i32) {
    // SAFETY: a plain C structure; zero is a valid value of each field.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = flags;
    // SAFETY: the kernel reads the structure.
    check(unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) }).expect("sigaction");
}

/// A signal to one thread of this process.
pub(crate) fn signal_thread(thread: u32, signal: i32) {
    // SAFETY: takes no pointer.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, signal) };
    check(sent).expect("tgkill");
}

/// The letter that the kernel shows for a thread: S asleep, R running, T stopped.
pub(crate) fn state_of(process: u32, thread: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{process}/task/{thread}/stat"));
    let stat = stat.unwrap_or_default();
    stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap_or('X')
}

/// Waits until a signal to a process is pending no more: it is handled before anything else.
pub(crate) fn wait_until_taken(process: i32, signal: i32) {
    let is_pending = || {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"));
        let status = status.expect("it lives");
        let mask = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
        let mask = u64::from_str_radix(mask.expect("signals").trim(), 16).expect("a mask");
        mask >> (signal - 1) & 1 == 1
    };
    while is_pending() {
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Waits until the first thread of a process is in system call `number`.
pub(crate) fn wait_until_in_call(process: i32, number: i64) {
    let path = format!("/proc/{process}/syscall");
    let wanted = format!("{number} ");
    while !std::fs::read_to_string(&path).is_ok_and(|line| line.starts_with(&wanted)) {
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Open descriptors of this process.
pub(crate) fn open_descriptors() -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").expect("/proc is mounted");
    entries.count() - 1 // the one that reads
}

/// A field of /proc/self/status in KiB, like "VmRSS".
pub(crate) fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status.lines().find(|line| line.starts_with(field)).expect("the field is there");
    line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number")
}

/// Whether there is something to read before that time is over.
pub(crate) fn is_readable(from: &impl AsRawFd, span: Duration) -> bool {
    let mut poll = libc::pollfd { fd: from.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure, which the kernel fills.
    check(unsafe { libc::poll(&mut poll, 1, span.as_millis() as i32) }).expect("poll") > 0
}

/// Duplicates `from` onto `to`, which is then open after exec.
pub(crate) fn put_on(from: &impl AsRawFd, to: i32) {
    // SAFETY: two descriptors.
    unsafe { libc::dup2(from.as_raw_fd(), to) };
}

/// Mounts a fresh tmpfs on `place`, seen by this mount namespace alone.
pub(crate) fn mount_privately(place: &Path, options: &str) -> io::Result<()> {
    let text = |text: &[u8]| CString::new(text).expect("no NUL inside");
    let (place, options) = (text(place.as_os_str().as_bytes()), text(options.as_bytes()));
    let (none, recursively) = (std::ptr::null(), libc::MS_REC | libc::MS_PRIVATE);
    // SAFETY: a static name; the other pointers may be NULL for this request.
    check(unsafe { libc::mount(none, c"/".as_ptr(), none, recursively, none.cast()) })?;
    let kind = c"tmpfs".as_ptr();
    // SAFETY: NUL-terminated strings.
    check(unsafe { libc::mount(kind, place.as_ptr(), kind, 0, options.as_ptr().cast()) })
        .map(|_| ())
}

/// Bytes that a file system has left.
pub(crate) fn free_bytes(place: &Path) -> u64 {
    let facts = facts_of(place);
    facts.f_bfree * facts.f_frsize
}

fn facts_of(place: &Path) -> libc::statvfs {
    let place = CString::new(place.as_os_str().as_bytes()).expect("no NUL inside");
    // SAFETY: a plain C structure; zero is a valid value of each field.
    let mut facts: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a NUL-terminated string; the kernel fills the structure.
    check(unsafe { libc::statvfs(place.as_ptr(), &mut facts) }).expect("statvfs");
    facts
}

/// Bytes that a file system could hold.
pub(crate) fn total_bytes(place: &Path) -> u64 {
    let facts = facts_of(place);
    facts.f_blocks * facts.f_frsize
}
