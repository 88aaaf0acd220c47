//! Filters that refuse system calls, as sandboxes and old kernels do.

use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W};

use super::system::{self, check};

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARGUMENTS: u32 = 16;

/// From now on `call` fails with `errno`, in this process and all that it starts.
pub(crate) fn refuse(call: i64, errno: i32) {
    install(&[
        load(NUMBER),
        unless(BPF_JEQ, call as u32, 1),
        answer(libc::SECCOMP_RET_ERRNO | errno as u32),
        allow(),
    ]);
}

/// The same for calls that have one of the bits `mask` set in argument `index`.
pub(crate) fn refuse_with_flag(call: i64, index: u32, mask: u32, errno: i32) {
    install(&[
        load(NUMBER),
        unless(BPF_JEQ, call as u32, 3),
        load(ARGUMENTS + 8 * index),
        unless(BPF_JSET, mask, 1),
        answer(libc::SECCOMP_RET_ERRNO | errno as u32),
        allow(),
    ]);
}

/// From now on `call` kills the process.
pub(crate) fn kill_at(call: i64) {
    let kill = libc::SECCOMP_RET_KILL_PROCESS;
    install(&[load(NUMBER), unless(BPF_JEQ, call as u32, 1), answer(kill), allow()]);
}

/// From now on `call` stops the process in the middle of it, until it is killed.
pub(crate) fn hold_at(call: i64) {
    extern "C" fn stop(_: i32) {
        system::kill(std::process::id() as i32, libc::SIGSTOP);
    }
    system::on_signal(libc::SIGSYS, stop, 0);
    let trap = libc::SECCOMP_RET_TRAP;
    install(&[load(NUMBER), unless(BPF_JEQ, call as u32, 1), answer(trap), allow()]);
}

fn load(offset: u32) -> libc::sock_filter {
    libc::sock_filter { code: (BPF_LD | BPF_W | BPF_ABS) as u16, jt: 0, jf: 0, k: offset }
}

/// Skips `steps` unless the comparison with `value` holds.
fn unless(comparison: u32, value: u32, steps: u8) -> libc::sock_filter {
    libc::sock_filter { code: (BPF_JMP | comparison | BPF_K) as u16, jt: 0, jf: steps, k: value }
}

fn answer(value: u32) -> libc::sock_filter {
    libc::sock_filter { code: (BPF_RET | BPF_K) as u16, jt: 0, jf: 0, k: value }
}

fn allow() -> libc::sock_filter {
    answer(libc::SECCOMP_RET_ALLOW)
}

fn install(filter: &[libc::sock_filter]) {
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: takes no pointer.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }).expect("no_new_privs");
    // SAFETY: the kernel copies the program.
    check(unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) })
        .expect("a kernel with seccomp filters");
}
