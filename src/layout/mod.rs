//! Bytes that mean the same in every process and every language.
//!
//! What lies in a segment is declared with [`shared!`], which fixes the C layout,
//! refuses padding, and gives each struct a *shape*: a hash over names, offsets
//! and sizes of its fields, all the way down. The shapes of all shared structs
//! make the fingerprint in the header of a segment (`segment::fingerprint`), so
//! that two builds which disagree about one byte refuse each other.

pub(crate) mod block;
pub(crate) mod bodies;
pub(crate) mod entry;
pub(crate) mod header;
pub(crate) mod memory;
pub(crate) mod rings;
pub(crate) mod undo;

use crate::platform::atomic::{
    AtomicU8, AtomicU16, AtomicU32, AtomicU64, HookableWord, HookableWord64,
};
use crate::platform::robust::LivenessMutex;

/// A type whose bytes may lie in a segment.
///
/// # Safety
/// The layout is C's and has no padding; every bit pattern is a valid value; the
/// value holds no address and owns nothing; what several processes change is atomic.
pub(crate) unsafe trait Shared {
    /// A hash of the layout.
    const SHAPE: u64;
}

/// Where a thing lies in its segment: bytes from the beginning.
pub(crate) type Offset = u64;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The FNV-1a hash of `bytes`, continued from `hash` (Fowler, Noll, Vo; 64 bits).
pub(crate) const fn hash_bytes(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(FNV_PRIME);
        i += 1;
    }
    hash
}

/// The same for a number.
pub(crate) const fn hash_u64(hash: u64, number: u64) -> u64 {
    hash_bytes(hash, &number.to_le_bytes())
}

/// The hash of a text from its beginning.
pub(crate) const fn hash_text(text: &[u8]) -> u64 {
    hash_bytes(FNV_OFFSET, text)
}

macro_rules! shared_leaves {
    ($($type:ty),+ $(,)?) => {$(
        // SAFETY: an integer, an atomic of one, or bytes that libc owns; no padding
        // in the sense that every byte is described by the size.
        unsafe impl Shared for $type {
            const SHAPE: u64 = hash_u64(hash_text(stringify!($type).as_bytes()), size_of::<$type>() as u64);
        }
    )+};
}

shared_leaves!(
    u8,
    u16,
    u32,
    u64,
    AtomicU8,
    AtomicU16,
    AtomicU32,
    AtomicU64,
    HookableWord,
    HookableWord64,
    LivenessMutex
);

// SAFETY: elements of a shared type, one after the other.
unsafe impl<T: Shared, const N: usize> Shared for [T; N] {
    const SHAPE: u64 = hash_u64(T::SHAPE, N as u64);
}

/// Declares a struct that lies in segments.
///
/// The struct gets C layout; the build fails if it has padding or if its size is
/// not the one stated.
macro_rules! shared {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $size:literal {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        #[repr(C)]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)+
        }

        // SAFETY: C layout of shared types; the assertion below excludes padding.
        unsafe impl $crate::layout::Shared for $name {
            const SHAPE: u64 = {
                let mut hash = $crate::layout::hash_text(stringify!($name).as_bytes());
                hash = $crate::layout::hash_u64(hash, size_of::<$name>() as u64);
                hash = $crate::layout::hash_u64(hash, align_of::<$name>() as u64);
                $(
                    hash = $crate::layout::hash_bytes(hash, stringify!($field).as_bytes());
                    hash = $crate::layout::hash_u64(hash, core::mem::offset_of!($name, $field) as u64);
                    hash = $crate::layout::hash_u64(hash, <$type as $crate::layout::Shared>::SHAPE);
                )+
                hash
            };
        }

        const _: () = {
            assert!(size_of::<$name>() == $size);
            assert!(size_of::<$name>() == 0 $(+ size_of::<$type>())+);
        };

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl $name {
            /// Size, alignment and fields, for the golden file.
            #[cfg(test)]
            pub(crate) fn describe() -> String {
                let mut text = format!(
                    "{} size {} align {}\n", stringify!($name), size_of::<$name>(), align_of::<$name>()
                );
                $(
                    text += &format!(
                        "  {:>5} {:<16} {}\n",
                        core::mem::offset_of!($name, $field), stringify!($field), stringify!($type)
                    );
                )+
                text
            }
        }
    };
}
pub(crate) use shared;
