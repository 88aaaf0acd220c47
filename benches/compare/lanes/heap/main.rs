//! heap SEGMENT create|open malloc|LIBRARY
//!
//! Allocates 64 bytes and frees them: from the heap of a segment, which has no interface of
//! its own in C, and from libc, or from what a library offers (`boost_heap.cpp`). Whoever
//! comes to "create" makes the segments, and removes them when it ends.

#[path = "../lane.rs"]
mod lane;

use std::ffi::{CString, c_char, c_int, c_void};
use std::hint::black_box;
use std::{env, mem};

use atoll::internals::Heap;
use atoll::{Segment, SegmentOptions};
use lane::Side;

const BYTES: u64 = 64;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, role, peer] = &arguments[..] else {
        panic!("usage: heap SEGMENT create|open malloc|LIBRARY");
    };
    let is_new = role == "create";
    let options = SegmentOptions::default();
    let segment = match is_new {
        true => Segment::create(name, &options),
        false => Segment::open(name, &options),
    };
    let segment = segment.expect("a segment");
    let heap = Heap::of(&segment);
    let ours = Box::new(|operations| {
        for _ in 0..operations {
            let block = heap.allocate(black_box(BYTES)).expect("room");
            heap.release(black_box(block)).expect("ours");
        }
    });
    if peer == "malloc" {
        serve(ours, Box::new(use_malloc));
    } else {
        let peer = Peer::open(peer, &format!("{name}-peer"), is_new);
        // SAFETY: the function takes any number.
        serve(ours, Box::new(|operations| unsafe { (peer.work)(operations) }));
        if is_new {
            // SAFETY: nobody uses the peer any more.
            unsafe { (peer.remove)() };
        }
    }
    if is_new {
        Segment::unlink(name).expect("ours");
    }
}

fn serve(ours: Box<dyn FnMut(u32) + '_>, peer: Box<dyn FnMut(u32) + '_>) {
    let side = |name, work| Side { name, work, batch: 100 };
    lane::serve([side("ours", ours), side("peer", peer)]);
}

fn use_malloc(operations: u32) {
    for _ in 0..operations {
        // SAFETY: any size will do.
        let block = unsafe { libc::malloc(black_box(BYTES as usize)) };
        // SAFETY: allocated just now.
        unsafe { libc::free(black_box(block)) };
    }
}

/// A heap in shared memory that somebody else wrote.
struct Peer {
    work: unsafe extern "C" fn(u32),
    remove: unsafe extern "C" fn(),
}

impl Peer {
    fn open(library: &str, name: &str, is_new: bool) -> Self {
        let text = |text: &str| CString::new(text).expect("no NUL inside");
        // SAFETY: a NUL-terminated path.
        let library = unsafe { libc::dlopen(text(library).as_ptr(), libc::RTLD_NOW) };
        assert!(!library.is_null(), "the peer's library can be loaded");
        let find = |symbol: &str| {
            // SAFETY: an open library, and a NUL-terminated name.
            let found = unsafe { libc::dlsym(library, text(symbol).as_ptr()) };
            assert!(!found.is_null(), "{symbol} is there");
            found
        };
        type Open = unsafe extern "C" fn(*const c_char, c_int) -> c_int;
        // SAFETY, here and below: so the library declares its functions.
        let open = unsafe { mem::transmute::<*mut c_void, Open>(find("peer_open")) };
        // SAFETY: a NUL-terminated name.
        let code = unsafe { open(text(name).as_ptr(), is_new.into()) };
        assert_eq!(code, 0, "the peer opens");
        // SAFETY: as above.
        let work =
            unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn(u32)>(find("peer_work")) };
        // SAFETY: as above.
        let remove =
            unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn()>(find("peer_remove")) };
        Self { work, remove }
    }
}
