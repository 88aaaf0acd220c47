//! The handle of a segment.

use crate::error::{Error, READ_ONLY, Result, Status};
use crate::layout::Offset;
use crate::layout::block::Kind;
use crate::layout::header::LAYOUT_VERSION;
use crate::object::types::Type;
use crate::platform::atomic::Ordering::Acquire;
use crate::platform::file::{self, SegmentPath};
use crate::platform::time::Deadline;
use crate::roster::attachment::{self, Attachment, Ground};
use crate::roster::claims::RingId;
use crate::roster::death::MemberInfo;
use crate::roster::{self, leave, member, thread};
use crate::segment::directory::{self, Object, Request, Wanted};
use crate::segment::heap::Heap;
use crate::segment::holding::{self, Holding};
use crate::segment::{bells, birth, estate, growth, home, reclaim, verify};
use crate::sync::barrier::BarrierBody;
use crate::sync::deaths::Deaths;
use crate::sync::event::EventBody;
use crate::sync::latch::LatchBody;
use crate::sync::lock::ProcessLock;
use crate::sync::rwlock::RwLockBody;
use crate::sync::semaphore::SemaphoreBody;
use crate::sync::tracked::Tracked;

pub use crate::segment::birth::SegmentOptions;

/// What the roster needs from those who know what a segment holds.
static GROUND: Ground = Ground {
    grow: growth::grow_roster,
    reclaim: reclaim::after_leaving,
    settle: estate::settle,
    bequeath: holding::bequeath,
};

/// The most dimensions of an array.
pub(crate) const MAX_DIMENSIONS: usize = 32;

/// A named piece of shared memory, open in this process.
///
/// Cloning gives another handle of the same mapping. The segment stays mapped until
/// the last handle of it, and of every object in it, is dropped. Any thread may use
/// a handle; a forked child may go on using it, and is a member of its own.
#[derive(Debug)]
pub struct Segment {
    attachment: &'static Attachment,
}

/// What a segment says of itself.
#[derive(Clone, Debug)]
pub struct SegmentInfo {
    /// Its name, without a slash.
    pub name: String,
    /// The most bytes that it may grow to.
    pub size: u64,
    /// Bytes that are real memory.
    pub committed: u64,
    /// Bytes of these that hold something.
    pub used: u64,
    /// Bytes of these that new objects can have without more memory.
    pub free: u64,
    /// The most that one of them can have so.
    pub largest_free: u64,
    /// Objects, named and anonymous.
    pub objects: u64,
    /// Deaths of members noticed so far.
    pub death_epoch: u64,
    /// Processes that have it open for writing.
    pub members: u32,
    /// Threads of theirs that opened it or have locked something in it.
    pub participants: u32,
    /// The most threads that can.
    pub max_participants: u32,
    /// Permission bits of the file.
    pub mode: u32,
    /// The version of the memory layout.
    pub layout_version: u32,
    /// This handle can only read.
    pub read_only: bool,
    /// The segment goes with its last member.
    pub ephemeral: bool,
}

/// What a segment says of one object.
#[derive(Clone, Debug)]
pub struct ObjectInfo {
    /// The number of its kind (`ATOLL_KIND_...`).
    pub kind: u32,
    /// Dimensions of an array, else 0.
    pub ndim: u32,
    /// Tells objects apart that had the same name one after the other.
    pub generation: u64,
    /// Bytes that it takes in the segment.
    pub bytes: u64,
    /// The type of a value or of an array's elements.
    pub ty: Option<Type>,
    /// The extents of an array; the first `ndim` count.
    pub shape: [u64; MAX_DIMENSIONS],
    /// Its name; empty if it is anonymous.
    pub name: String,
}

impl Segment {
    /// Creates a segment. `x` and `/x` are the same name.
    ///
    /// # Errors
    /// `AlreadyExists`, `NoSpace`, `Permission`, `InvalidArgument`, `System`.
    pub fn create(name: &str, options: &SegmentOptions) -> Result<Self> {
        let attachment = birth::create(name, options, &GROUND)?;
        Ok(Self { attachment })
    }

    /// Opens a segment that exists.
    ///
    /// # Errors
    /// `NotFound`, `Permission`, `Incompatible`, `Corrupted`, `InvalidArgument`.
    pub fn open(name: &str, options: &SegmentOptions) -> Result<Self> {
        let attachment = birth::open(name, options, &GROUND)?;
        Ok(Self { attachment })
    }

    /// Opens a segment, or creates it if there is none.
    ///
    /// # Errors
    /// Those of `create` and `open`, except `NotFound` and `AlreadyExists`.
    pub fn open_or_create(name: &str, options: &SegmentOptions) -> Result<Self> {
        let attachment = birth::open_or_create(name, options, &GROUND)?;
        Ok(Self { attachment })
    }

    /// Opens the segment of that identity, whether it still has its name or not, if this
    /// process is in it already.
    pub(super) fn open_again(name: &str, identity: u64) -> Result<Self> {
        if let Some(attachment) = attachment::find(identity) {
            return Ok(Self { attachment: birth::enter_again(attachment)? });
        }
        let gone = || {
            Err(Error::with(
                Status::NotFound,
                format!(
                    "the object that was handed over is gone with its segment \"{name}\": the \
                     process that sends it has to take part until it has arrived"
                ),
            ))
        };
        match Self::open(name, &SegmentOptions::default()) {
            Ok(segment) if segment.attachment.header().identity == identity => Ok(segment),
            Ok(_another) => gone(),
            Err(error) if error.status() == Status::NotFound => gone(),
            Err(error) => Err(error),
        }
    }

    /// The segment that the process has for itself, made when it is first asked for: an
    /// ephemeral one of mode 0600, with room for as much as the file system could hold.
    ///
    /// It stays open until the process ends or leaves. A forked child that asks gets a
    /// home of its own, and goes on holding its parent's.
    ///
    /// # Errors
    /// Those of `create`, except `AlreadyExists`.
    pub fn home() -> Result<Self> {
        let attachment = roster::home::obtain(|| home::make(&GROUND))?;
        Ok(Self { attachment })
    }

    /// Removes the ephemeral segments of this user whose members were all killed, and says
    /// how many there were. Whoever creates a segment does the same.
    ///
    /// # Errors
    /// `System` if the directory cannot be read.
    pub fn gc() -> Result<u64> {
        reclaim::sweep()
    }

    /// Leaves all segments in good order, as `exit` does, for a process that is about to
    /// end without it: its death is no news then, and ephemeral segments of which it was
    /// the last member go.
    ///
    /// Handles stay usable: the next call through one joins again, unless the segment is
    /// gone (`NotFound`). Locks that the thread holds count as those of a dead owner.
    ///
    /// # Errors
    /// `System` if the thread cannot be set up.
    pub fn leave_all() -> Result<()> {
        leave::leave_all(thread::here()?);
        Ok(())
    }

    /// Removes the name of a segment. Who has it open goes on using it; the memory
    /// is freed with the last of them.
    ///
    /// # Errors
    /// `NotFound`, `Permission`, `InvalidArgument`.
    pub fn unlink(name: &str) -> Result<()> {
        reclaim::unlink(&SegmentPath::of(name)?)
    }

    /// Checks every invariant and accounts for every byte. Reads all of the
    /// directory; values and elements are not touched.
    ///
    /// # Errors
    /// `Corrupted`, with the place.
    pub fn verify(&self) -> Result<()> {
        verify::verify(self.attachment, |object| self.verify_object(object))
    }

    fn verify_object(&self, object: &Object<'_>) -> Result<()> {
        let body = object.body();
        match object.kind {
            Kind::Mutex | Kind::RecursiveMutex => {
                super::mutex::body(self.attachment, body)?.verify(self.attachment)
            }
            Kind::Value => super::value::verify(self.attachment, body, object.body_bytes()),
            Kind::Array => super::array::verify(self.attachment, body, object.body_bytes()),
            Kind::RwLock => {
                self.attachment.memory().at::<RwLockBody>(body)?.verify(self.attachment)
            }
            Kind::Semaphore => self.attachment.memory().at::<SemaphoreBody>(body)?.verify(),
            Kind::TrackedSemaphore => {
                let body = self.attachment.memory().at(body)?;
                Tracked::of(self.attachment, body)?.verify(object.body_bytes())
            }
            Kind::Condvar => super::condvar::verify(self.attachment, object),
            Kind::Event => self.attachment.memory().at::<EventBody>(body)?.verify(),
            Kind::Barrier => self.attachment.memory().at::<BarrierBody>(body)?.verify(),
            Kind::Lock => ProcessLock::of(self.attachment, self.attachment.memory().at(body)?)?
                .verify(object.body_bytes()),
            Kind::Latch => self.attachment.memory().at::<LatchBody>(body)?.verify(),
            Kind::Spsc | Kind::Fanin => {
                super::lanes::verify(self.attachment, body, object.body_bytes())
            }
            Kind::Mpmc => {
                let id = RingId { object: object.generation(), place: object.offset };
                super::mpmc_ring::verify(self.attachment, body, object.body_bytes(), id)
            }
            _ => Ok(()),
        }
    }

    /// Size, use and population at this moment.
    ///
    /// # Errors
    /// `Corrupted`, `System`.
    pub fn info(&self) -> Result<SegmentInfo> {
        let memory = self.attachment.memory();
        let header = memory.header();
        estate::clear_up_for(self.attachment)?;
        let (members, participants) = member::population(self.attachment)?;
        let heap = Heap::of(memory)?;
        let facts = heap.facts()?;
        let roster = memory.length() - memory.roster_start();
        Ok(SegmentInfo {
            name: self.attachment.path().name().to_owned(),
            size: memory.length(),
            committed: memory.committed() + roster,
            used: (heap.top()? + roster).saturating_sub(facts.free),
            free: facts.free,
            largest_free: facts.largest,
            objects: self.all_objects()?.len() as u64,
            death_epoch: header.death_epoch.load(Acquire),
            members,
            participants,
            max_participants: header.max_participants,
            mode: file::facts(self.attachment.file()?)?.mode,
            layout_version: LAYOUT_VERSION,
            read_only: !memory.is_writable(),
            ephemeral: self.attachment.is_ephemeral(),
        })
    }

    /// Shows `visit` the objects, oldest first, after the first `cursor` of them,
    /// until it returns false.
    ///
    /// # Errors
    /// `Corrupted`.
    pub fn objects(&self, cursor: u64, visit: &mut dyn FnMut(&ObjectInfo) -> bool) -> Result<()> {
        estate::clear_up_for(self.attachment)?;
        for info in self.all_objects()?.iter().skip(cursor as usize) {
            if !visit(info) {
                break;
            }
        }
        Ok(())
    }

    /// All objects, oldest first.
    fn all_objects(&self) -> Result<Vec<ObjectInfo>> {
        let mut all = directory::all_objects(self.attachment, |object| self.describe(object))?;
        all.sort_by_key(|info| info.generation);
        Ok(all)
    }

    fn describe(&self, object: &Object<'_>) -> Result<ObjectInfo> {
        let mut info = ObjectInfo {
            kind: object.kind as u32,
            ndim: 0,
            generation: object.generation(),
            bytes: object.span(),
            ty: None,
            shape: [0; MAX_DIMENSIONS],
            name: object.current_name(self.attachment.memory())?,
        };
        match object.kind {
            Kind::Value => info.ty = Some(super::value::type_at(self.attachment, object.body())?),
            Kind::Spsc | Kind::Fanin => {
                info.ty = Some(super::lanes::type_at(self.attachment, object.body())?);
            }
            Kind::Mpmc => {
                info.ty = Some(super::mpmc_ring::type_at(self.attachment, object.body())?);
            }
            Kind::Array => {
                let array = super::array::layout_at(self.attachment, object.body())?;
                info.ndim = array.shape.len() as u32;
                info.shape[..array.shape.len()].copy_from_slice(&array.shape);
                info.ty = Some(array.ty);
            }
            _ => {}
        }
        Ok(info)
    }

    /// Waits for the first death of a member with a number above `seen_epoch`.
    ///
    /// A death is an end that is neither `close` nor `exit`: killed, crashed, or gone
    /// by `_exit` or `exec`. News is kept until the member's slot is used again.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Permission` for a read-only handle.
    pub fn wait_death(&self, seen_epoch: u64, deadline: Deadline) -> Result<MemberInfo> {
        let news = self.deaths(seen_epoch)?.wait(deadline)?;
        bells::clear_up(self.attachment);
        Ok(news)
    }

    /// The deaths with numbers above `seen_epoch`.
    ///
    /// # Errors
    /// `Permission` for a read-only handle: who hears of a death writes it down.
    pub(super) fn deaths(&self, seen_epoch: u64) -> Result<Deaths<'_>> {
        if !self.attachment.memory().is_writable() {
            return Err(READ_ONLY);
        }
        Ok(Deaths::above(seen_epoch, self.attachment))
    }

    #[inline(always)]
    pub(crate) fn attachment(&self) -> &'static Attachment {
        self.attachment
    }

    /// Removes the name of an object of one of those kinds.
    pub(super) fn remove(&self, name: &str, kinds: &[Kind]) -> Result<()> {
        directory::remove(self.attachment, name, kinds)
    }

    /// Finds or makes an object; `make` initialises the body of a new one. Returns a
    /// share in it, and where the body is.
    pub(super) fn obtain(
        &self,
        name: Option<&str>,
        wanted: Wanted,
        kind: Kind,
        body_bytes: u64,
        make: impl Fn(Offset) -> Result<()>,
    ) -> Result<(Holding, Offset)> {
        directory::obtain(self.attachment, &Request { name, wanted, kind, body_bytes }, make)
    }
}

impl Clone for Segment {
    fn clone(&self) -> Self {
        self.attachment.retain();
        Self { attachment: self.attachment }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.attachment.release();
    }
}
