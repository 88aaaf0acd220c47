//! `atoll_value_fetch_*`: arithmetic in one step.

use core::ffi::c_void;

use super::guard::guard;
use super::handle;
use super::output::ByteOutput;
use super::status::atoll_status;
use super::value::atoll_value;
use crate::object::value::FetchOp;

/// The frame of the seven fetch functions.
///
/// # Safety
/// Each pointer is NULL or as the exported functions describe it.
unsafe fn fetch(
    operation: FetchOp,
    value: *mut atoll_value,
    operand: *const c_void,
    len: usize,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    guard(|call| {
        let value = handle::find(call, value)?;
        // SAFETY: NULL, `cap` bytes, or room for a length, per the caller.
        let out = unsafe { ByteOutput::at(out_old, cap, out_len, "out_old") };
        // SAFETY: NULL or `len` bytes, per the caller.
        let operand = unsafe { out.read(operand, len, "operand") }?;
        out.fill_if_wanted(value.ty().size(), |old| value.fetch(operation, &operand, old)).map(drop)
    })
}

/// Adds to a number, in one step, and gives what it was. Integers wrap around.
///
/// value     The handle.
/// operand   A number of the type of the value.
/// len       The size of the value.
/// out_old   Receives the number before; NULL with cap 0 if it is not wanted. It may
///           be the same memory as operand.
/// cap       The room there.
/// out_len   Receives the size of the value, also with TOO_SMALL. May be NULL.
///
/// Returns
///   OK                  Done; the outputs are filled in.
///   TOO_SMALL           cap is less than the size of the value. Nothing changed.
///   WRONG_KIND          The value is not a number: neither integer nor float.
///   PERMISSION          The segment is open read-only.
///   INVALID_ARGUMENT    len is not the size of the value, operand is NULL, or the
///                       handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread. Never waits.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_fetch_add(
    value: *mut atoll_value,
    operand: *const c_void,
    len: usize,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { fetch(FetchOp::Add, value, operand, len, out_old, cap, out_len) }
}

/// Subtracts from a number, in one step, and gives what it was. Integers wrap around.
///
/// Arguments as for atoll_value_fetch_add().
///
/// Returns   As atoll_value_fetch_add().
/// Threads   Any thread. Never waits.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_fetch_sub(
    value: *mut atoll_value,
    operand: *const c_void,
    len: usize,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { fetch(FetchOp::Sub, value, operand, len, out_old, cap, out_len) }
}

/// Keeps the lesser of a number and the operand, in one step, and gives what it was. If
/// either is NaN, the number stays.
///
/// Arguments as for atoll_value_fetch_add().
///
/// Returns   As atoll_value_fetch_add().
/// Threads   Any thread. Never waits.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_fetch_min(
    value: *mut atoll_value,
    operand: *const c_void,
    len: usize,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { fetch(FetchOp::Min, value, operand, len, out_old, cap, out_len) }
}

/// Keeps the greater of a number and the operand, in one step, and gives what it was. If
/// either is NaN, the number stays.
///
/// Arguments as for atoll_value_fetch_add().
///
/// Returns   As atoll_value_fetch_add().
/// Threads   Any thread. Never waits.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_fetch_max(
    value: *mut atoll_value,
    operand: *const c_void,
    len: usize,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { fetch(FetchOp::Max, value, operand, len, out_old, cap, out_len) }
}

/// Keeps the bits of an integer that the operand has too, in one step, and gives what
/// it was.
///
/// Arguments as for atoll_value_fetch_add().
///
/// Returns   As atoll_value_fetch_add(), but WRONG_KIND for floats, too.
/// Threads   Any thread. Never waits.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_fetch_and(
    value: *mut atoll_value,
    operand: *const c_void,
    len: usize,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { fetch(FetchOp::And, value, operand, len, out_old, cap, out_len) }
}

/// Sets the bits of the operand in an integer, in one step, and gives what it was.
///
/// Arguments as for atoll_value_fetch_add().
///
/// Returns   As atoll_value_fetch_add(), but WRONG_KIND for floats, too.
/// Threads   Any thread. Never waits.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_fetch_or(
    value: *mut atoll_value,
    operand: *const c_void,
    len: usize,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { fetch(FetchOp::Or, value, operand, len, out_old, cap, out_len) }
}

/// Flips the bits of the operand in an integer, in one step, and gives what it was.
///
/// Arguments as for atoll_value_fetch_add().
///
/// Returns   As atoll_value_fetch_add(), but WRONG_KIND for floats, too.
/// Threads   Any thread. Never waits.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_value_fetch_xor(
    value: *mut atoll_value,
    operand: *const c_void,
    len: usize,
    out_old: *mut c_void,
    cap: usize,
    out_len: *mut usize,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { fetch(FetchOp::Xor, value, operand, len, out_old, cap, out_len) }
}
