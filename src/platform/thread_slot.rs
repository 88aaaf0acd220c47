//! One pointer per thread, as cheap to read as a register and a load allow.
//!
//! In a shared library the compiler reaches a `thread_local!` through a call into
//! the loader, which is a third of an uncontended lock. On x86-64 the pointer lies in
//! the static thread block instead (the *initial-exec* model; glibc keeps room there
//! for libraries that are loaded late), where one load finds its place and one the
//! value. Elsewhere it is an ordinary `thread_local!`.

pub(crate) use imp::{get, offset, set};

#[cfg(target_arch = "x86_64")]
mod imp {
    use core::arch::{asm, global_asm};
    use core::ffi::c_void;

    global_asm!(
        ".pushsection .tbss.atoll_thread_slot,\"awT\",@nobits",
        ".hidden atoll_thread_slot",
        ".globl atoll_thread_slot",
        ".type atoll_thread_slot, @object",
        ".size atoll_thread_slot, 8",
        ".balign 8",
        "atoll_thread_slot:",
        ".zero 8",
        ".popsection",
    );

    /// The calling thread's pointer; null until it is set.
    #[inline(always)]
    pub(crate) fn get() -> *const c_void {
        let value: *const c_void;
        // SAFETY: loads the slot's offset, which the loader wrote, and the slot, which
        // lies in this thread's own block. Touches nothing else.
        unsafe {
            asm!(
                "mov {0}, qword ptr [rip + atoll_thread_slot@GOTTPOFF]",
                "mov {0}, qword ptr fs:[{0}]",
                out(reg) value,
                options(nostack, readonly, preserves_flags),
            );
        }
        value
    }

    /// Where it lies, counted from the thread pointer: the same for all threads.
    pub(crate) fn offset() -> Option<i64> {
        let offset: i64;
        // SAFETY: loads what the loader wrote.
        unsafe {
            asm!(
                "mov {0}, qword ptr [rip + atoll_thread_slot@GOTTPOFF]",
                out(reg) offset,
                options(nostack, readonly, preserves_flags),
            );
        }
        Some(offset)
    }

    /// Sets it.
    pub(crate) fn set(value: *const c_void) {
        // SAFETY: as in `get`; the slot is this thread's own.
        unsafe {
            asm!(
                "mov {0}, qword ptr [rip + atoll_thread_slot@GOTTPOFF]",
                "mov qword ptr fs:[{0}], {1}",
                out(reg) _,
                in(reg) value,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod imp {
    use core::cell::Cell;
    use core::ffi::c_void;

    thread_local! {
        static SLOT: Cell<*const c_void> = const { Cell::new(core::ptr::null()) };
    }

    /// The calling thread's pointer; null until it is set.
    #[inline(always)]
    pub(crate) fn get() -> *const c_void {
        SLOT.get()
    }

    /// It has no such place.
    pub(crate) fn offset() -> Option<i64> {
        None
    }

    /// Sets it.
    pub(crate) fn set(value: *const c_void) {
        SLOT.set(value);
    }
}
