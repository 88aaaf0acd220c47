//! The Rust program of the README.

use atoll::{Array, Deadline, Mutex, Segment, SegmentOptions, Transaction};

fn main() -> atoll::Result<()> {
    let shop = Segment::open_or_create("shop", &SegmentOptions::default())?;
    let till = Mutex::open_or_create(&shop, Some("till"), false)?;
    let sales = Array::<i64>::open_or_create(&shop, "sales", &[2])?;

    let mut sale = Transaction::begin(&[&till], Deadline::NEVER)?;
    sale.set_element(&sales, 0, sales.get(0)? + 1)?;
    sale.set_element(&sales, 1, sales.get(1)? + 5)?;
    println!("{} sales, {} euros", sales.get(0)?, sales.get(1)?);
    sale.commit()
}
