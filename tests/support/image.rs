//! The bytes of a segment, by the names that the golden layout gives them.

use std::fs;
use std::path::PathBuf;

const LAYOUT: &str = include_str!("../golden/layout.txt");

/// The file of a segment.
pub(crate) fn path_of(segment: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("ATOLL_DIR").expect("the runner sets it")).join(segment)
}

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

/// The offset of a field.
pub(crate) fn field(name: &str, field: &str) -> usize {
    let found = fields_of(name).find(|(known, _)| *known == field);
    found.unwrap_or_else(|| panic!("{name} has no field {field}")).1
}
