//! The bytes of a segment, by the names that the golden layout gives them.

use std::fs;
use std::path::PathBuf;

const LAYOUT: &str = include_str!("../golden/layout.txt");

/// The file of a segment.
pub(crate) fn path_of(segment: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("ATOLL_DIR").expect("the runner sets it")).join(segment)
}

/// Whose a block is, as the top bits of its owner's word say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Free,
    Quick,
    Limbo,
    Used,
}

/// A block of a segment's space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) at: usize,
    pub(crate) span: usize,
    pub(crate) state: State,
    /// Of a used one.
    pub(crate) kind: u8,
}

/// The kind of pages of holds.
pub(crate) const HOLDS: u8 = 0xfe;

/// A copy of a segment's bytes.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
}

impl Image {
    pub(crate) fn of(segment: &str) -> Self {
        Self { bytes: fs::read(path_of(segment)).expect("the segment is there") }
    }

    /// Makes it a segment; whoever has the old one open keeps that.
    pub(crate) fn become_segment(&self, name: &str) {
        let _ = fs::remove_file(path_of(name));
        fs::write(path_of(name), &self.bytes).expect("the directory is writable");
    }

    pub(crate) fn u64_at(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.bytes[offset..offset + 8].try_into().expect("eight bytes"))
    }

    pub(crate) fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn put_u64(&mut self, offset: usize, value: u64) {
        self.put(offset, &value.to_le_bytes());
    }

    /// All blocks, in the order of their places.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let top = self.u64_at(control("top")) as usize;
        let mut blocks = Vec::new();
        let mut at = heap_start();
        while at < top {
            let owner = self.u64_at(at);
            let state = match owner >> 60 {
                1 => State::Free,
                2 => State::Quick,
                3 => State::Limbo,
                _ => State::Used,
            };
            let span = (self.u64_at(at + 8) & !1) as usize;
            assert!(span >= 32, "no block at {at}");
            blocks.push(Block { at, span, state, kind: (owner >> 52) as u8 });
            at += span;
        }
        blocks
    }

    /// The blocks that are objects.
    pub(crate) fn objects(&self) -> Vec<Block> {
        let is_object = |block: &Block| block.state == State::Used && block.kind != HOLDS;
        self.blocks().into_iter().filter(is_object).collect()
    }

    /// The object of that name.
    pub(crate) fn object(&self, name: &str) -> Block {
        let is_it = |block: &Block| {
            let length = self.u64_at(block.at + field("Entry", "name_length")) as u32 as usize;
            self.bytes[block.at + size_of("Entry")..].starts_with(name.as_bytes())
                && length == name.len()
        };
        self.objects().into_iter().find(is_it).unwrap_or_else(|| panic!("no object {name:?}"))
    }

    /// Where a record of the roster's first block begins.
    pub(crate) fn record(&self, sort: &str, number: usize) -> usize {
        let bytes = if sort == "members" { "MemberRecord" } else { "ParticipantRecord" };
        self.bytes.len() - size_of("Block") + field("Block", sort) + number * size_of(bytes)
    }
}

/// Where a field of the page lies that rules the space.
pub(crate) fn control(name: &str) -> usize {
    size_of("Header") + size_of("Buckets") + field("Control", name)
}

/// Where the blocks begin.
pub(crate) fn heap_start() -> usize {
    control("heap") + size_of("Control")
}

/// Name and offset of each field of a shared struct.
pub(crate) fn fields_of(name: &str) -> impl Iterator<Item = (&'static str, usize)> {
    let is_head = move |line: &&str| line.split(' ').next() == Some(name);
    let after = LAYOUT.lines().skip_while(move |line| !is_head(line)).skip(1);
    after.take_while(|line| line.starts_with(' ')).map(|line| {
        let mut words = line.split_whitespace();
        let offset = words.next().and_then(|word| word.parse().ok()).expect("an offset");
        (words.next().expect("a name"), offset)
    })
}

/// Bytes of a shared struct.
pub(crate) fn size_of(name: &str) -> usize {
    let found = LAYOUT.lines().find(|line| line.split(' ').next() == Some(name));
    let size = found.and_then(|line| line.split(' ').nth(2)?.parse().ok());
    size.unwrap_or_else(|| panic!("there is no {name}"))
}

/// The offset of a field.
pub(crate) fn field(name: &str, field: &str) -> usize {
    let found = fields_of(name).find(|(known, _)| *known == field);
    found.unwrap_or_else(|| panic!("{name} has no field {field}")).1
}
