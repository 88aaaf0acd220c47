//! The few requests of ptrace that stepping needs, with errors in words.

use std::io::Error;

/// Sends a request about a stopped thread.
pub(crate) fn request(
    what: libc::c_uint,
    thread: i32,
    address: u64,
    data: u64,
) -> Result<(), String> {
    // SAFETY: none of the requests passed here writes to this process.
    match unsafe { libc::ptrace(what, thread, address, data) } {
        -1 => Err(format!("ptrace request {what}: {}", Error::last_os_error())),
        _ => Ok(()),
    }
}

/// The address of the thread's next instruction.
pub(crate) fn next_instruction(thread: i32) -> Result<u64, String> {
    Ok(registers(thread)?.rip)
}

/// Sends the thread to another instruction.
pub(crate) fn go_to(thread: i32, address: u64) -> Result<(), String> {
    let mut registers = registers(thread)?;
    registers.rip = address;
    // SAFETY: the kernel reads the structure that is passed.
    match unsafe { libc::ptrace(libc::PTRACE_SETREGS, thread, 0, &raw const registers) } {
        -1 => Err(format!("PTRACE_SETREGS: {}", Error::last_os_error())),
        _ => Ok(()),
    }
}

fn registers(thread: i32) -> Result<libc::user_regs_struct, String> {
    // SAFETY: a plain C structure of integers.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills the structure that is passed.
    match unsafe { libc::ptrace(libc::PTRACE_GETREGS, thread, 0, &raw mut registers) } {
        -1 => Err(format!("PTRACE_GETREGS: {}", Error::last_os_error())),
        _ => Ok(registers),
    }
}

/// Copies from the thread's memory; false if there is nothing at that address.
pub(crate) fn read(thread: i32, address: u64, into: &mut [u8]) -> bool {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: into.len() };
    // SAFETY: the kernel writes to `into` only.
    let copied = unsafe { libc::process_vm_readv(thread, &local, 1, &remote, 1, 0) };
    copied == into.len() as isize
}

/// Replaces one byte of the thread's code and returns what was there.
pub(crate) fn replace_byte(thread: i32, address: u64, byte: u8) -> Result<u8, String> {
    let mut word = [0u8; 8];
    if !read(thread, address, &mut word) {
        return Err(format!("no code to read at {address:#x}"));
    }
    let before = std::mem::replace(&mut word[0], byte);
    request(libc::PTRACE_POKETEXT, thread, address, u64::from_ne_bytes(word))?;
    Ok(before)
}

/// The child of a thread that has just forked, once it has stopped too.
pub(crate) fn forked(thread: i32) -> Result<i32, String> {
    let mut child: libc::c_ulong = 0;
    // SAFETY: the kernel fills the number that is passed.
    let known = unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, thread, 0, &raw mut child) } != -1;
    let child = child as i32;
    // SAFETY: a process that is traced by this one from birth.
    let stopped = unsafe { libc::waitpid(child, std::ptr::null_mut(), libc::__WALL) } == child;
    if known && stopped {
        Ok(child)
    } else {
        Err(format!("PTRACE_GETEVENTMSG: {}", Error::last_os_error()))
    }
}
