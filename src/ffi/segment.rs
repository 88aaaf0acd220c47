//! `atoll_segment_*`.

use core::ffi::c_char;

use super::argument::{Growing, check_reserved, flag, growing, text, wrong};
use super::guard::{c_text, guard};
use super::handle::{self, Handle, Kind};
use super::object::atoll_object_info;
use super::output::{NewHandle, Output, Outputs};
use super::status::atoll_status;
use crate::error::Result;
use crate::object::segment::{Segment, SegmentInfo, SegmentOptions};
use crate::platform::time::Deadline;
use crate::roster::death::MemberInfo;

/// A segment of shared memory. The pointer is a handle: never follow it.
pub struct atoll_segment {
    _never: [u8; 0],
}

impl Handle for atoll_segment {
    type Object = Segment;
    const KIND: Kind = Kind::Segment;
}

/// How a segment is made or opened. Begin with ATOLL_SEGMENT_OPTIONS_INIT; a field
/// that is 0 means the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_segment_options {
    /// sizeof(atoll_segment_options), or 0, which says the same.
    pub struct_size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The most bytes the segment may ever have: 64 KiB to 2^46, by default 64 MiB.
    /// Memory is taken only as it is needed. Opening an existing one ignores it.
    pub size: u64,
    /// Who may open it, as for open(2), whatever the umask: by default 0600. Opening
    /// an existing one ignores it.
    pub mode: u32,
    /// 1: load and list, change nothing. Takes no place among the participants. For
    /// opening only: a segment that is to be created is to be written.
    pub read_only: u32,
    /// 1: the segment goes with its last process, also if that was killed: see
    /// atoll_gc(). Opening an existing one ignores it.
    pub ephemeral: u32,
    /// The most threads, of all processes together, that may use locks of the segment
    /// at a time; each waiter counts as one, too. Up to 16383, by default 4096. Opening an existing one ignores it.
    pub max_participants: u32,
}

// SAFETY: `repr(C)`, integers only, 4 + 4 + 8 + 4 * 4 bytes without padding.
unsafe impl Growing for atoll_segment_options {
    const FIRST_SIZE: usize = 32;
}

/// What a segment is and how full it is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_segment_info {
    /// The most bytes it may have.
    pub size: u64,
    /// Bytes of memory taken from the system so far.
    pub committed: u64,
    /// Bytes of these that hold something.
    pub used: u64,
    /// Bytes of these that new objects can have without more memory.
    pub free: u64,
    /// The most that one of them can have so.
    pub largest_free: u64,
    /// Objects in it, with and without name.
    pub objects: u64,
    /// How many processes have died in it: killed, crashed, or ended by _exit().
    pub death_epoch: u64,
    /// Processes that have it open for writing now.
    pub members: u32,
    /// Threads of these that opened it or have locked something in it, and their waiters.
    pub participants: u32,
    /// The most threads that may take part.
    pub max_participants: u32,
    /// The permission bits of the file.
    pub mode: u32,
    /// The version of the memory layout.
    pub layout_version: u32,
    /// This handle can load and list only.
    pub read_only: bool,
    /// The segment goes with its last process.
    pub ephemeral: bool,
    /// The name, without '/', ended by NUL.
    pub name: [c_char; 208],
}

/// A process that took part in a segment and died.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct atoll_member_info {
    /// The number of its death, counted in the segment from 1.
    pub epoch: u64,
    /// Its process id, as it called itself: in another container that is another one.
    pub pid: u32,
    /// Its effective user id.
    pub uid: u32,
    /// Its place in the segment.
    pub slot: u32,
    /// Which user of that place it was.
    pub generation: u32,
    /// The name of the thread that opened the segment, ended by NUL.
    pub name: [c_char; 16],
}

/// Create and open, which differ in what they do with the name.
///
/// # Safety
/// Each pointer is NULL or as the exported functions describe it.
unsafe fn obtain(
    name: *const c_char,
    options: *const atoll_segment_options,
    out: *mut *mut atoll_segment,
    how: impl FnOnce(&str, &SegmentOptions) -> Result<Segment>,
) -> atoll_status {
    // SAFETY: NULL or room for a handle, per the caller.
    let out = unsafe { NewHandle::at(out) };
    out.fill(|_| {
        // SAFETY: NULL or a text ended by NUL, per the caller.
        let name = unsafe { text(name, "name") }?;
        // SAFETY: NULL or a struct as long as it says, per the caller.
        let options = unsafe { growing(options, "options") }?;
        how(name, &options.as_ref().map_or(Ok(SegmentOptions::default()), convert)?)
    })
}

fn convert(options: &atoll_segment_options) -> Result<SegmentOptions> {
    check_reserved(options.reserved, "options")?;
    Ok(SegmentOptions {
        size: options.size,
        mode: options.mode,
        read_only: flag(options.read_only, "options->read_only")?,
        ephemeral: flag(options.ephemeral, "options->ephemeral")?,
        max_participants: options.max_participants,
    })
}

/// Makes a segment.
///
/// It is born whole: no other process can see it half made, and if this one is
/// killed meanwhile nothing is left behind.
///
/// name      1 to 200 bytes of UTF-8 without '/'; one '/' in front is allowed and
///           means nothing. The segment is the file of that name in /dev/shm, or in
///           the directory that the environment variable ATOLL_DIR names.
/// options   How; NULL for the defaults.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle.
///   ALREADY_EXISTS      There is a file of that name. Open it, or unlink it first.
///   NO_SPACE            The file system is full, or too small for a segment. In a
///                       container that is often /dev/shm with 64 MB: start it with
///                       --shm-size, or set ATOLL_DIR.
///   PERMISSION          You may not write to the directory.
///   INVALID_ARGUMENT    The name or an option is not allowed. See the sentence.
///   SYSTEM              The system refused. See os_errno and the sentence.
///
/// Threads   Any thread.
/// Fork      A child may use the handle; it becomes a member of its own.
/// Owner     The handle is yours: give it to atoll_segment_close(). The segment stays
///           until atoll_segment_unlink(), or if it is ephemeral, until no process has
///           it open for writing any more.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_segment_create(
    name: *const c_char,
    options: *const atoll_segment_options,
    out: *mut *mut atoll_segment,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(name, options, out, Segment::create) }
}

/// Opens a segment by its name.
///
/// name      As for atoll_segment_create().
/// options   read_only counts; what was fixed at its creation is ignored. NULL opens
///           it for reading and writing.
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle. It may be the second to one segment.
///   NOT_FOUND           There is no segment of that name.
///   PERMISSION          Its mode does not let you. Perhaps it does read-only.
///   INCOMPATIBLE        The file is not a segment, or one with another layout; the
///                       sentence says which.
///   CORRUPTED           It was a segment, and is damaged. It can only be unlinked.
///   NO_SPACE            As many processes as it has room for have it open.
///   INVALID_ARGUMENT    The name or an option is not allowed. See the sentence.
///   SYSTEM              The system refused. See os_errno and the sentence.
///
/// Threads   Any thread.
/// Fork      A child may use the handle; it becomes a member of its own.
/// Owner     The handle is yours: give it to atoll_segment_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_segment_open(
    name: *const c_char,
    options: *const atoll_segment_options,
    out: *mut *mut atoll_segment,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(name, options, out, Segment::open) }
}

/// Opens the segment of that name, or makes it if there is none. Of many who do
/// this at once, one makes it and the others open it.
///
/// name      As for atoll_segment_create().
/// options   As for atoll_segment_create(). They count if this call makes it.
/// out       Receives the handle, or NULL on failure.
///
/// Returns   As atoll_segment_open() or atoll_segment_create(), but neither NOT_FOUND
///           nor ALREADY_EXISTS.
/// Threads   Any thread.
/// Fork      A child may use the handle; it becomes a member of its own.
/// Owner     The handle is yours: give it to atoll_segment_close().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_segment_open_or_create(
    name: *const c_char,
    options: *const atoll_segment_options,
    out: *mut *mut atoll_segment,
) -> atoll_status {
    // SAFETY: the caller's promises, handed on.
    unsafe { obtain(name, options, out, Segment::open_or_create) }
}

/// Gives the home segment of the process: one of its own, made when it is first asked
/// for. It is ephemeral, of mode 0600, named atoll-home-<pid>-<random>, and may grow to
/// all that the file system can hold.
///
/// out       Receives the handle, or NULL on failure.
///
/// Returns
///   OK                  *out is a new handle, to the same segment each time.
///   NO_SPACE            The file system is full, as for atoll_segment_create().
///   PERMISSION          You may not write to the directory.
///   SYSTEM              The system refused. See os_errno and the sentence.
///
/// Threads   Any thread.
/// Fork      A child that calls this gets a home of its own. It keeps its parent's
///           open, and may use handles to that.
/// Owner     The handle is yours: give it to atoll_segment_close(). The process itself
///           keeps its home open until it ends, or calls atoll_process_leave().
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_segment_home(out: *mut *mut atoll_segment) -> atoll_status {
    // SAFETY: the caller passes NULL or room for a handle.
    unsafe { NewHandle::at(out) }.fill(|_| Segment::home())
}

/// Removes the ephemeral segments of this user that no process has open for writing any
/// more, because the last ones were killed. Each atoll_segment_create() does the same.
///
/// out_reclaimed   Receives how many there were.
///
/// Returns
///   OK                  *out_reclaimed is written. What other users left, and what is
///                       damaged or of another layout, is left alone.
///   INVALID_ARGUMENT    out_reclaimed is NULL.
///   SYSTEM              The directory of segments cannot be read.
///
/// Threads   Any thread.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_gc(out_reclaimed: *mut u64) -> atoll_status {
    guard(|_| {
        // SAFETY: the caller passes NULL or room for a uint64_t.
        let out = unsafe { Output::at(out_reclaimed, "out_reclaimed") }?;
        out.write(Segment::gc()?);
        Ok(())
    })
}

/// Removes the name of a segment. Who has it open keeps it until the last handle
/// is closed; a segment made later under the name is another one.
///
/// Returns
///   OK                  The name is gone.
///   NOT_FOUND           There was none.
///   PERMISSION          The directory does not let you.
///   INVALID_ARGUMENT    The name is not allowed.
///   SYSTEM              The system refused. See os_errno and the sentence.
///
/// Threads   Any thread.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_segment_unlink(name: *const c_char) -> atoll_status {
    guard(|_| {
        // SAFETY: the caller passes NULL or a text ended by NUL.
        Segment::unlink(unsafe { text(name, "name") }?)
    })
}

/// Closes a handle. Objects opened through it stay usable: they keep the memory.
/// With the last handle to the segment and its objects, the process leaves it;
/// locks that it still holds count as those of an owner that died.
///
/// segment   The handle. NULL is allowed and does nothing.
///
/// Returns
///   OK                  The handle is no longer one.
///   INVALID_ARGUMENT    It was closed before, or never was a segment.
///
/// Threads   Any thread. Of several that close one handle, one gets OK.
/// Fork      Closes the copy of the process that calls, no other.
/// Owner     Takes the handle.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_segment_close(segment: *mut atoll_segment) -> atoll_status {
    guard(|call| handle::close(call, segment))
}

/// Checks every invariant of the segment and of all objects in it.
///
/// Returns
///   OK                  It is sound.
///   CORRUPTED           It is not; the sentence says where.
///   INVALID_ARGUMENT    The handle is closed.
///
/// Threads   Any thread. Others may go on using the segment meanwhile.
/// Fork      A child may use the handle.
/// Owner     Takes nothing.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_segment_verify(segment: *const atoll_segment) -> atoll_status {
    guard(|call| handle::find(call, segment)?.verify())
}

/// Says what the segment is and how full it is. Figures may lag behind what other
/// threads are doing just now.
///
/// out       Receives the answer.
///
/// Returns
///   OK                  *out is filled in.
///   INVALID_ARGUMENT    out is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread.
/// Fork      A child may use the handle.
/// Owner     The copy is yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_segment_stat(
    segment: *const atoll_segment,
    out: *mut atoll_segment_info,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for an atoll_segment_info.
        let out = unsafe { Output::at(out, "out") }?;
        out.write((&handle::find(call, segment)?.info()?).into());
        Ok(())
    })
}

/// Lists the objects of the segment in the order in which they were made.
///
/// cursor    How many objects to pass over: 0 at first, then what you have seen.
/// entries   Receives up to n objects.
/// n         The room in entries; at least 1.
/// out_n     Receives how many were written; 0 means that there are no more.
///
/// Returns
///   OK                  entries and *out_n are filled in.
///   INVALID_ARGUMENT    n is 0, an output is NULL, or the handle is closed.
///   CORRUPTED           The segment is damaged. Nothing is written.
///
/// Threads   Any thread. Objects made meanwhile come at the end.
/// Fork      A child may use the handle.
/// Owner     The copies are yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_segment_list(
    segment: *const atoll_segment,
    cursor: u64,
    entries: *mut atoll_object_info,
    n: usize,
    out_n: *mut usize,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for n entries.
        let entries = unsafe { Outputs::at(entries, n, "entries") }?;
        // SAFETY: the caller passes NULL or room for a size_t.
        let out_n = unsafe { Output::at(out_n, "out_n") }?;
        if n == 0 {
            return Err(wrong("n is 0: pass room for at least one entry".to_owned()));
        }
        let mut found: Vec<atoll_object_info> = Vec::new();
        handle::find(call, segment)?.objects(cursor, &mut |object| {
            found.push(object.into());
            found.len() < n
        })?;
        out_n.write(found.len());
        entries.write(&found);
        Ok(())
    })
}

/// Waits for the death of a process that takes part in the segment: killed,
/// crashed, or ended by _exit() or exec(). To close everything or to return from
/// main() is not a death.
///
/// Deaths are numbered from 1; each call reports one, the oldest that you have not
/// seen, even if it lies in the past. Begin with 0, or with death_epoch of
/// atoll_segment_stat() to hear only of later ones, then pass what *out_epoch gave. A
/// death is forgotten when another process takes the place of the dead one.
///
/// seen_epoch  The last death that you know of.
/// timeout_ns  How long to wait, as for atoll_mutex_lock().
/// out_epoch   Receives the number of the death, for the next call.
/// out         Receives who it was.
///
/// Returns
///   OK                  A process died; the outputs say which.
///   TIMED_OUT           None did. Nothing is written.
///   INTERRUPTED         A signal handler ran. Call again.
///   PERMISSION          The segment is open read-only, so deaths cannot be followed.
///   INVALID_ARGUMENT    timeout_ns is negative, an output is NULL, or the handle is
///                       closed.
///   CORRUPTED           The segment is damaged.
///
/// Threads   Any thread, any number at a time.
/// Signals   A handler installed with SA_RESTART does not interrupt.
/// Fork      A child may use the handle.
/// Owner     The copies are yours; there is nothing to free.
/// Since     0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn atoll_segment_wait_death(
    segment: *const atoll_segment,
    seen_epoch: u64,
    timeout_ns: i64,
    out_epoch: *mut u64,
    out: *mut atoll_member_info,
) -> atoll_status {
    guard(|call| {
        // SAFETY: the caller passes NULL or room for a uint64_t.
        let out_epoch = unsafe { Output::at(out_epoch, "out_epoch") }?;
        // SAFETY: the caller passes NULL or room for an atoll_member_info.
        let out = unsafe { Output::at(out, "out") }?;
        let deadline = Deadline::after_ns(timeout_ns)?;
        let dead = handle::find(call, segment)?.wait_death(seen_epoch, deadline)?;
        out_epoch.write(dead.epoch);
        out.write((&dead).into());
        Ok(())
    })
}

impl From<&SegmentInfo> for atoll_segment_info {
    fn from(info: &SegmentInfo) -> Self {
        Self {
            size: info.size,
            committed: info.committed,
            used: info.used,
            free: info.free,
            largest_free: info.largest_free,
            objects: info.objects,
            death_epoch: info.death_epoch,
            members: info.members,
            participants: info.participants,
            max_participants: info.max_participants,
            mode: info.mode,
            layout_version: info.layout_version,
            read_only: info.read_only,
            ephemeral: info.ephemeral,
            name: c_text(&info.name),
        }
    }
}

impl From<&MemberInfo> for atoll_member_info {
    fn from(member: &MemberInfo) -> Self {
        Self {
            epoch: member.epoch,
            pid: member.pid,
            uid: member.uid,
            slot: member.slot,
            generation: member.generation,
            name: member.name.map(|byte| byte as c_char),
        }
    }
}
