//! Handing over, between the steps of a script.

use crate::world::{World, describe_message};
use bytes::Bytes;
use consensus::LeaseView;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

/// The successor catches up just before the hand-over is given up: the message that tells it to take
/// over leaves after that.
#[test]
fn the_lease_stays_given_up_while_the_successor_is_being_told() {
    let (mut world, mut out) = (World::new(), String::new());
    let old = (1, 1);
    world.create(1, &[1, 2, 3]);
    let now = world.now;
    world.group(old).campaign(now);
    world.deliver(&mut out);
    world.cut.insert(2);
    world.group(old).propose(vec![Bytes::from_static(b"missed")], now).unwrap();
    world.deliver(&mut out);
    world.cut.clear();
    world.group(old).transfer(2, now).unwrap();
    world.settle(&mut out);
    let caught_up = loop {
        let flight = world.flights.pop_front().expect("the successor is brought up to date");
        if describe_message(&flight) == "n2 -> n1: MsgAppendResponse term 6 index 12 commit 12" {
            break flight;
        }
        world.arrive(flight, &mut out);
        world.settle(&mut out);
    };
    for _ in 0..9 {
        world.now = world.now + TICK;
        let now = world.now;
        world.group(old).tick(now);
        world.settle(&mut out);
    }
    world.arrive(caught_up, &mut out);
    let now = world.now + TICK;
    world.group(old).tick(now);
    assert_eq!(world.group(old).lease(), LeaseView::default());
    world.settle(&mut out);
    let tells = |flight: &_| describe_message(flight) == "n1 -> n2: MsgTimeoutNow term 6";
    assert!(world.flights.iter().any(tells), "the successor is told");
}
