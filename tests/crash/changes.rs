//! Which instructions matter: those after which a death would leave something
//! else behind than a moment before.
//!
//! A killed thread leaves what it had stored in the segment, what the kernel
//! knew of it, and the head of its robust list, which the kernel reads after its
//! death. Between two changes of these every instruction is the same place to
//! die. So a list of the instructions that store to the segment (with another
//! value than before), store to the list's head, enter the kernel, or come after a
//! sleep, holds every state that a death can leave.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr::null_mut;

use crate::image;
use crate::ptrace;
use crate::travel::{Hop, Point};
use crate::victim::{Others, Stand, Victim};

/// The size of `struct robust_list_head`.
const HEAD: usize = 24;

/// What a death would leave, compared from instruction to instruction.
struct Remains<'a> {
    directory: &'a Path,
    segment: Option<Segment>,
    head_at: u64,
    head: [u8; HEAD],
}

/// Steps the victim to the end of its call and lists every instruction as a place
/// to die. A victim that falls asleep is woken by `others`, or stays there.
pub(crate) fn list(
    victim: &mut Victim,
    directory: &Path,
    others: Others,
) -> Result<Vec<Point>, String> {
    let mut remains = Remains::of(victim, directory);
    let mut arrivals: HashMap<u64, u32> = HashMap::new();
    let mut here = Point::default();
    let mut points = Vec::new();
    let mut was_woken = false;
    while victim.stand != Stand::Returned {
        let address = victim.address()?;
        if address != here.last.address {
            let arrivals = arrivals.entry(address).or_default();
            *arrivals += 1;
            here.last = Hop { address, arrivals: *arrivals };
            here.steps = 0;
        }
        // Who was woken has had a wake-up that others do not get.
        here.changes = remains.step(victim)? || std::mem::take(&mut was_woken);
        here.steps += 1;
        here.number += 1;
        points.push(here.clone());
        if victim.stand == Stand::Asleep {
            if !victim.wakes(others)? {
                break;
            }
            // What others changed meanwhile is not the victim's doing.
            remains.differ(victim.thread);
            was_woken = true;
            here.sleeps.push(here.last);
            here.last = Hop::default();
            arrivals.clear();
        }
    }
    Ok(points)
}

/// Leaves out what is done over and over: of the visits to one instruction the
/// first two and the last two remain.
pub(crate) fn thin(points: &mut Vec<Point>) {
    let mut visits: HashMap<u64, u32> = HashMap::new();
    for point in points.iter() {
        *visits.entry(point.last.address).or_default() += 1;
    }
    let mut seen: HashMap<u64, u32> = HashMap::new();
    points.retain(|point| {
        let seen = seen.entry(point.last.address).or_default();
        *seen += 1;
        *seen <= 2 || *seen + 2 > visits[&point.last.address]
    });
}

impl<'a> Remains<'a> {
    /// As they are now, with the victim at its first mark.
    fn of(victim: &Victim, directory: &'a Path) -> Self {
        let named = fs::read_dir(directory).ok();
        let segment =
            named.and_then(|names| names.flatten().find_map(|entry| Segment::open(&entry.path())));
        let head_at = robust_list(victim.thread);
        let mut remains = Self { directory, segment, head_at, head: [0; HEAD] };
        remains.differ(victim.thread);
        remains
    }

    /// Executes one instruction and says whether it changed what remains.
    fn step(&mut self, victim: &mut Victim) -> Result<bool, String> {
        let enters_kernel = victim.enters_kernel()?;
        victim.step()?;
        if enters_kernel {
            match &mut self.segment {
                Some(segment) => segment.look_at_length(),
                none => *none = unnamed(victim.thread, self.directory),
            }
        }
        Ok(self.differ(victim.thread) || enters_kernel)
    }

    /// Whether anything has changed since the last look.
    fn differ(&mut self, thread: i32) -> bool {
        let mut head = [0; HEAD];
        ptrace::read(thread, self.head_at, &mut head);
        let head_differs = std::mem::replace(&mut self.head, head) != head;
        self.segment.as_mut().is_some_and(Segment::differs) || head_differs
    }
}

/// The bytes of a segment, and how they were when last looked at.
struct Segment {
    file: File,
    map: *mut libc::c_void,
    length: usize,
    /// Bytes that are real memory. Touching others would make them so.
    committed: usize,
    seen: Vec<u8>,
    /// How many of these are the roster's, at the end of the file.
    roster: usize,
}

impl Segment {
    /// Nothing if it is no segment: to open a bell would wait for who rings it.
    fn open(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let file = File::open(path).ok()?;
        let (map, seen) = (null_mut(), Vec::new());
        let mut segment = Self { file, map, length: 0, committed: 0, seen, roster: 0 };
        segment.look_at_length();
        Some(segment)
    }

    /// Takes in what was committed since.
    fn look_at_length(&mut self) {
        let Ok(facts) = self.file.metadata() else { return };
        if facts.len() as usize != self.length {
            self.unmap();
            self.length = facts.len() as usize;
            let (access, kind, file) = (libc::PROT_READ, libc::MAP_SHARED, self.file.as_raw_fd());
            // SAFETY: asks for a fresh mapping at an address of the kernel's choice.
            self.map = unsafe { libc::mmap(null_mut(), self.length, access, kind, file, 0) };
            assert_ne!(self.map, libc::MAP_FAILED, "the segment cannot be mapped");
        }
        const BLOCK: u64 = 512; // st_blocks counts in these
        self.committed = ((facts.blocks() * BLOCK) as usize).min(self.length);
    }

    fn differs(&mut self) -> bool {
        if self.committed == 0 {
            return false;
        }
        // SAFETY: mapped. The victim, who writes there, stands still; and only what is
        // committed is touched below.
        let bytes = unsafe { std::slice::from_raw_parts(self.map.cast::<u8>(), self.length) };
        let roster = image::roster_bytes(bytes).min(self.committed);
        let front = &bytes[..self.committed - roster];
        let back = &bytes[self.length - roster..];
        let differs = self.seen.len() != self.committed
            || self.roster != roster
            || self.seen[..front.len()] != *front
            || self.seen[front.len()..] != *back;
        if differs {
            self.roster = roster;
            self.seen = [front, back].concat();
        }
        differs
    }

    fn unmap(&mut self) {
        if self.length > 0 {
            // SAFETY: mapped in `look_at_length`, and nobody refers to it any more.
            unsafe { libc::munmap(self.map, self.length) };
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.unmap();
    }
}

/// The segment that the victim has open and not yet linked, if it has one.
fn unnamed(thread: i32, directory: &Path) -> Option<Segment> {
    let descriptors = fs::read_dir(format!("/proc/{thread}/fd")).ok()?;
    let ours = |path: &Path| fs::read_link(path).is_ok_and(|file| file.starts_with(directory));
    let found = descriptors.flatten().find(|entry| ours(&entry.path()))?;
    Segment::open(&found.path())
}

/// Where the kernel will look for the thread's robust mutexes and its hook.
fn robust_list(thread: i32) -> u64 {
    let mut head = 0u64;
    let mut length = 0usize;
    // SAFETY: the kernel writes an address and a length to the two outputs.
    unsafe { libc::syscall(libc::SYS_get_robust_list, thread, &mut head, &mut length) };
    head
}
