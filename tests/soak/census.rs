//! What a segment holds when a round is over and only the director is left.

use atoll::{Latch, Mutex, RawValue, Segment, SegmentInfo};

/// Names of objects that workers make and need not remove.
const PASSING: &str = "passing";

/// What it held before the first round.
pub(crate) struct Census {
    names: Vec<String>,
    used: u64,
}

impl Census {
    pub(crate) fn first(segment: &Segment) -> Result<Self, String> {
        Ok(Self { names: names_in(segment)?, used: info_of(segment)?.used })
    }

    /// Nothing came but what has a passing name, nothing went, and when that is removed
    /// there are as many bytes as before.
    pub(crate) fn repeat(&self, segment: &Segment) -> Result<(), String> {
        segment.verify().map_err(|error| error.to_string())?;
        for name in names_in(segment)?.iter().filter(|name| name.starts_with(PASSING)) {
            let removed = if name.contains("mutex") {
                Mutex::remove(segment, name)
            } else if name.contains("latch") {
                Latch::remove(segment, name)
            } else {
                RawValue::remove(segment, name)
            };
            removed.map_err(|error| format!("remove {name}: {error}"))?;
        }
        segment.verify().map_err(|error| error.to_string())?;
        let (names, info) = (names_in(segment)?, info_of(segment)?);
        if names != self.names {
            return Err(format!("the objects were {:?}, and now are {names:?}", self.names));
        }
        if info.used != self.used {
            return Err(format!("{} bytes are used, and were {}", info.used, self.used));
        }
        if info.free + info.used != info.committed {
            let SegmentInfo { free, used, committed, .. } = info;
            return Err(format!("{free} bytes free and {used} used are not {committed}"));
        }
        match info.members {
            1 => Ok(()),
            members => Err(format!("{members} members are left")),
        }
    }
}

pub(crate) fn info_of(segment: &Segment) -> Result<SegmentInfo, String> {
    segment.info().map_err(|error| format!("stat: {error}"))
}

/// The names of all objects, in order; that of an anonymous one is empty.
fn names_in(segment: &Segment) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let all = segment.objects(0, &mut |object| {
        names.push(object.name.clone());
        true
    });
    all.map_err(|error| format!("list: {error}"))?;
    names.sort();
    Ok(names)
}
