//! Looks at memory after every instruction, for tests of what a death leaves behind.

use core::cell::Cell;
use core::ffi::c_int;
use std::sync::Once;

type Look<'a> = &'a mut dyn FnMut();

/// The processor's trap flag: with it each instruction ends in SIGTRAP.
const TRAP_FLAG: i64 = 0x100;

thread_local! {
    /// What to call after each instruction of this thread; null: no more.
    static LOOK: Cell<*mut Look<'static>> = const { Cell::new(core::ptr::null_mut()) };
}

/// Runs `body` and calls `look` after each of its instructions, from a signal handler:
/// `look` may allocate nothing, wait for nothing and not panic. (`body` should not, either:
/// each instruction of the panic is looked at too, and there are many.)
pub(crate) fn each_instruction<T>(mut look: Look<'_>, body: impl FnOnce() -> T) -> T {
    static HANDLER: Once = Once::new();
    HANDLER.call_once(install);
    LOOK.set((&raw mut look).cast());
    let _until_the_end = Looking;
    // SAFETY: sets a flag of this thread; SIGTRAP has its handler.
    unsafe { core::arch::asm!("pushfq", "or qword ptr [rsp], 0x100", "popfq") };
    body()
}

/// While there is one, `LOOK` may be called.
struct Looking;

impl Drop for Looking {
    fn drop(&mut self) {
        // The handler finds nothing to call, and clears the flag.
        LOOK.set(core::ptr::null_mut());
    }
}

fn install() {
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::ucontext_t) = on_trap;
    // SAFETY: a plain C struct; zero is a valid value of each field.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the handler has the signature that SA_SIGINFO asks for.
    let installed = unsafe { libc::sigaction(libc::SIGTRAP, &action, core::ptr::null_mut()) };
    assert_eq!(installed, 0, "SIGTRAP can be handled");
}

extern "C" fn on_trap(_: c_int, _: *mut libc::siginfo_t, context: *mut libc::ucontext_t) {
    let look = LOOK.get();
    if look.is_null() {
        // SAFETY: the kernel passes the context of the interrupted thread.
        let flags = unsafe { &mut (*context).uc_mcontext.gregs[libc::REG_EFL as usize] };
        *flags &= !TRAP_FLAG;
        return;
    }
    // SAFETY: `each_instruction` set it and has not returned; it does not use it
    // meanwhile, and traps do not nest.
    let look = unsafe { &mut *look };
    look();
}
