//! An atomic of a value's own width, and arithmetic on its bits.

use super::types::TypeCode;
use crate::error::Result;
use crate::layout::Offset;
use crate::layout::memory::Memory;
use crate::platform::atomic::{
    AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    Ordering::{Release, SeqCst},
};

/// What `fetch` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchOp {
    /// Adds; integers wrap.
    Add,
    /// Subtracts; integers wrap.
    Sub,
    /// Keeps the smaller; NaN as operand changes nothing.
    Min,
    /// Keeps the larger; NaN as operand changes nothing.
    Max,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
}

/// The atomic that holds a value of up to 8 bytes; odd sizes use the whole cell.
///
/// Operations are sequentially consistent, as those of `std::atomic` are unless one
/// asks for less: users of values do not think about orderings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell {
    One(&'static AtomicU8),
    Two(&'static AtomicU16),
    Four(&'static AtomicU32),
    Eight(&'static AtomicU64),
}

macro_rules! on_width {
    ($cell:expr, $atomic:ident => $body:expr) => {
        match $cell {
            Cell::One($atomic) => u64::from($body),
            Cell::Two($atomic) => u64::from($body),
            Cell::Four($atomic) => u64::from($body),
            Cell::Eight($atomic) => u64::from($body),
        }
    };
}

impl Cell {
    /// Stores after everything that was stored before, and is seen so. For who holds a lock.
    pub(super) fn put(&self, bits: u64) {
        match self {
            Self::One(atomic) => atomic.store(bits as u8, Release),
            Self::Two(atomic) => atomic.store(bits as u16, Release),
            Self::Four(atomic) => atomic.store(bits as u32, Release),
            Self::Eight(atomic) => atomic.store(bits, Release),
        }
    }

    /// The cell at `offset` for values of `size` bytes.
    pub(super) fn at(memory: &'static Memory, offset: Offset, size: u64) -> Result<Self> {
        Ok(match size {
            1 => Self::One(memory.at(offset)?),
            2 => Self::Two(memory.at(offset)?),
            4 => Self::Four(memory.at(offset)?),
            _ => Self::Eight(memory.at(offset)?),
        })
    }

    pub(super) fn load(self) -> u64 {
        on_width!(self, atomic => atomic.load(SeqCst))
    }

    pub(super) fn swap(self, bits: u64) -> u64 {
        on_width!(self, atomic => atomic.swap(bits as _, SeqCst))
    }

    pub(super) fn compare_exchange(self, current: u64, new: u64) -> core::result::Result<u64, u64> {
        let seen = on_width!(self, atomic => {
            match atomic.compare_exchange(current as _, new as _, SeqCst, SeqCst) {
                Ok(seen) | Err(seen) => seen,
            }
        });
        if seen == current { Ok(seen) } else { Err(seen) }
    }

    /// Applies `op` and returns what was there. `code` is arithmetic for all but the
    /// bitwise operations, and not a float for those.
    pub(super) fn fetch(self, op: FetchOp, code: TypeCode, operand: u64) -> u64 {
        let is_float = matches!(code, TypeCode::F32 | TypeCode::F64);
        match op {
            FetchOp::Add if !is_float => on_width!(self, a => a.fetch_add(operand as _, SeqCst)),
            FetchOp::Sub if !is_float => on_width!(self, a => a.fetch_sub(operand as _, SeqCst)),
            FetchOp::And => on_width!(self, atomic => atomic.fetch_and(operand as _, SeqCst)),
            FetchOp::Or => on_width!(self, atomic => atomic.fetch_or(operand as _, SeqCst)),
            FetchOp::Xor => on_width!(self, atomic => atomic.fetch_xor(operand as _, SeqCst)),
            _ => {
                let mut old = self.load();
                loop {
                    match self.compare_exchange(old, combine(op, code, old, operand)) {
                        Ok(old) => return old,
                        Err(seen) => old = seen,
                    }
                }
            }
        }
    }
}

/// The bits of a small operand.
pub(super) fn bits(value: &[u8]) -> u64 {
    // The usual widths without a call of memcpy.
    match *value {
        [a] => a.into(),
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        _ => {
            let mut bytes = [0; 8];
            bytes[..value.len()].copy_from_slice(value);
            u64::from_ne_bytes(bytes)
        }
    }
}

/// The result of an operation that the machine has no instruction for.
fn combine(op: FetchOp, code: TypeCode, old: u64, operand: u64) -> u64 {
    let keep_new = |is_smaller: bool, is_larger: bool| match op {
        FetchOp::Min => is_smaller,
        _ => is_larger,
    };
    match code {
        TypeCode::F32 => {
            let (old, new) = (f32::from_bits(old as u32), f32::from_bits(operand as u32));
            u64::from(float(op, old.into(), new.into(), |x| x as f32).to_bits())
        }
        TypeCode::F64 => float(op, f64::from_bits(old), f64::from_bits(operand), |x| x).to_bits(),
        TypeCode::I8 | TypeCode::I16 | TypeCode::I32 | TypeCode::I64 => {
            let (a, b) = (sign_extended(code, old), sign_extended(code, operand));
            if keep_new(b < a, b > a) { operand } else { old }
        }
        _ => {
            if keep_new(operand < old, operand > old) {
                operand
            } else {
                old
            }
        }
    }
}

/// Sums of f32 are exact in f64 up to the final rounding, so both widths share this.
fn float<T>(op: FetchOp, old: f64, operand: f64, narrow: impl Fn(f64) -> T) -> T {
    narrow(match op {
        FetchOp::Add => old + operand,
        FetchOp::Sub => old - operand,
        FetchOp::Min if operand < old => operand,
        FetchOp::Max if operand > old => operand,
        _ => old,
    })
}

fn sign_extended(code: TypeCode, bits: u64) -> i64 {
    match code {
        TypeCode::I8 => i64::from(bits as i8),
        TypeCode::I16 => i64::from(bits as i16),
        TypeCode::I32 => i64::from(bits as i32),
        _ => bits as i64,
    }
}
