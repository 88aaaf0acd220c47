//! The Rust program of the README.

use atoll::{Array, Deadline, Mutex, Segment, SegmentOptions};

fn main() -> atoll::Result<()> {
    let shop = Segment::open_or_create("shop", &SegmentOptions::default())?;
    let till = Mutex::open_or_create(&shop, Some("till"), false)?;
    let sales = Array::<i64>::open_or_create(&shop, "sales", &[2])?;

    let hold = till.lock(Deadline::NEVER)?;
    if hold.owner_died() {
        sales.set(1, 5 * sales.get(0)?)?;
        hold.mark_consistent()?;
    }
    sales.set(0, sales.get(0)? + 1)?;
    sales.set(1, sales.get(1)? + 5)?;
    println!("{} sales, {} euros", sales.get(0)?, sales.get(1)?);
    Ok(())
}
