//! iceoryx NAME create|open rally|stream
//!
//! Lines of 64 bytes by iceoryx2, between two processes: a rally as in `rallies.cpp`, by two
//! services, or a stream as in `streams.cpp`, by one whose subscriber has room for as many. Nothing
//! is lost: who publishes looks whether it was delivered, and tries again if not.

#[path = "../lane.rs"]
mod lane;

use std::hint::black_box;

use iceoryx2::port::publisher;
use iceoryx2::port::subscriber;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;

type Line = [u64; 8];
type Publisher = publisher::Publisher<ipc::Service, Line, ()>;
type Subscriber = subscriber::Subscriber<ipc::Service, Line, ()>;
type Way = PortFactory<ipc::Service, Line, ()>;
type Failure = Box<dyn std::error::Error>;

const CAPACITY: usize = 1024;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, role, what] = &arguments[..] else {
        return Err("usage: iceoryx NAME create|open rally|stream".into());
    };
    set_log_level(LogLevel::Error);
    let node = NodeBuilder::new().create::<ipc::Service>()?;
    let way = |way: &str| {
        let called = format!("{name}/{way}");
        let builder = node.service_builder(&called.as_str().try_into()?);
        Ok::<_, Failure>(
            builder
                .publish_subscribe::<Line>()
                .subscriber_max_buffer_size(CAPACITY)
                .enable_safe_overflow(false)
                .max_publishers(1)
                .max_subscribers(1)
                .open_or_create()?,
        )
    };
    let (there, back) = (way("there")?, way("back")?);
    let publisher = |way: &Way| {
        let builder = way.publisher_builder();
        builder.backpressure_strategy(BackpressureStrategy::DiscardData).create()
    };
    let subscriber = |way: &Way| way.subscriber_builder().buffer_size(CAPACITY).create();
    match (what.as_str(), role.as_str()) {
        ("rally", "create") => lane::stream(serve(publisher(&there)?, subscriber(&back)?)),
        ("rally", _) => lane::stream(give_back(subscriber(&there)?, publisher(&back)?)),
        ("stream", "create") => lane::stream(put(publisher(&there)?)),
        ("stream", _) => lane::stream(get(subscriber(&there)?)),
        _ => return Err("no such thing to do".into()),
    }
    Ok(())
}

/// Whether it was delivered.
fn send(publisher: &Publisher, line: Line) -> bool {
    let sample = publisher.loan_uninit().expect("a sample");
    sample.write_payload(black_box(line)).send().expect("sent") == 1
}

fn receive(subscriber: &Subscriber) -> Option<Line> {
    subscriber.receive().expect("received").map(|sample| *black_box(sample.payload()))
}

fn serve(there: Publisher, back: Subscriber) -> impl FnMut(u64) -> u64 {
    let (mut is_away, mut rounds) = (false, 0);
    move |looks| {
        let mut done = 0;
        for _ in 0..looks {
            if !is_away {
                rounds += 1;
                is_away = send(&there, [rounds; 8]);
            }
            if let Some(ball) = receive(&back) {
                assert_eq!(ball[7], rounds, "the ball that was served");
                is_away = false;
                done += 1;
            }
        }
        done
    }
}

fn give_back(there: Subscriber, back: Publisher) -> impl FnMut(u64) -> u64 {
    move |looks| {
        let mut done = 0;
        for _ in 0..looks {
            if let Some(ball) = receive(&there) {
                assert!(send(&back, ball), "room");
                done += 1;
            }
        }
        done
    }
}

fn put(there: Publisher) -> impl FnMut(u64) -> u64 {
    let mut number = 0;
    move |n| {
        for moved in 0..n {
            if !send(&there, [number; 8]) {
                return moved;
            }
            number += 1;
        }
        n
    }
}

fn get(there: Subscriber) -> impl FnMut(u64) -> u64 {
    let mut next = 0;
    move |n| {
        for moved in 0..n {
            let Some(line) = receive(&there) else {
                return moved;
            };
            assert_eq!(line[0], next, "the next one");
            next += 1;
        }
        n
    }
}
