//! The commands of a script. `n1` is replica 1 of group 1, `g2/n1` of group 2.
//!
//! ```text
//! group G V...            a new group G with voters V
//! empty ID                a replica that knows nothing yet
//! campaign ID             propose ID TEXT...        read ID         compact ID INDEX
//! tick ID [N]             ticks N                   advance MS      (time without ticks)
//! deliver                 everything, and what that leads to
//! drop ID                 forget what is on its way to ID's node
//! pending                 show what is on its way
//! cut N | heal            cut node N off            crash ID | restart ID
//! slow N | synced N       node N's disk takes its time
//! change ID learner R | forget R | replace +R -R | leave
//! transfer ID R           hibernate ID              lose-leader ID
//! status [G]              lease ID                  machine ID
//! ```

use crate::world::{Id, World, change_command, describe_message, name};
use base::MonoTime;
use bytes::Bytes;
use consensus::{Change, Role};
use std::fmt::Write as _;
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);

pub(crate) fn run(world: &mut World, line: &str, out: &mut String) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (verb, args) = words.split_first().expect("a command");
    let now = world.now;
    match *verb {
        "group" => world.create(number(args[0]), &numbers(&args[1..])),
        "empty" => world.boot(id(args[0])),
        "campaign" => world.group(id(args[0])).campaign(now),
        "propose" => propose(world, id(args[0]), &args[1..], out),
        "read" => read(world, id(args[0]), out),
        "compact" => compact(world, id(args[0]), number(args[1]), out),
        "tick" => (0..args.get(1).map_or(1, |n| number(n))).for_each(|_| {
            world.now = world.now + TICK;
            let now = world.now;
            world.group(id(args[0])).tick(now);
        }),
        "ticks" => ticks(world, number(args[0]), out),
        "advance" => world.now = world.now + Duration::from_millis(number(args[0])),
        "deliver" => world.deliver(out),
        "drop" => world.flights.retain(|flight| (flight.group, flight.to) != id(args[0])),
        "pending" => {
            world.settle(out);
            world.flights.iter().for_each(|f| writeln!(out, "{}", describe_message(f)).unwrap());
        }
        "cut" => drop(world.cut.insert(number(args[0]))),
        "heal" => world.cut.clear(),
        "crash" => crash(world, id(args[0])),
        "restart" => world.boot(id(args[0])),
        "slow" => drop(world.slow.insert(number(args[0]))),
        "synced" => synced(world, number(args[0]), out),
        "change" => change(world, id(args[0]), &args[1..], out),
        "transfer" => {
            if let Err(error) = world.group(id(args[0])).transfer(number(args[1]), now) {
                writeln!(out, "{} refuses: {error}", args[0]).unwrap();
            }
        }
        "hibernate" => hibernate(world, id(args[0]), out),
        // lose-leader REPLICA TICKS [AGAIN]
        "lose-leader" => {
            let again = args.get(2).map_or(usize::MAX, |again| number(again) as usize);
            world.group(id(args[0])).lose_leader(number(args[1]) as usize, again, now);
        }
        "status" => status(world, args.first().map(|g| number(g)), out),
        "lease" => lease(world, id(args[0]), out),
        "machine" => {
            let machine = world.disks[&id(args[0])].with(|content| content.machine.join(" "));
            writeln!(out, "{machine}").unwrap();
        }
        other => panic!("no command {other}"),
    }
    if !matches!(*verb, "deliver" | "drop" | "crash") {
        world.settle(out);
    }
}

fn id(word: &str) -> Id {
    let (group, replica) = word.split_once('/').unwrap_or(("g1", word));
    (number(&group[1..]), number(&replica[1..]))
}

fn number(word: &str) -> u64 {
    word.trim_start_matches(['+', '-', 'n'])
        .parse()
        .unwrap_or_else(|_| panic!("{word} is no number"))
}

fn numbers(words: &[&str]) -> Vec<u64> {
    words.iter().map(|word| number(word)).collect()
}

fn propose(world: &mut World, id: Id, words: &[&str], out: &mut String) {
    let now = world.now;
    let commands = words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
    if let Err(error) = world.group(id).propose(commands, now) {
        writeln!(out, "{} refuses: {error}", name(id)).unwrap();
    }
}

fn read(world: &mut World, id: Id, out: &mut String) {
    let now = world.now;
    world.contexts += 1;
    let context = world.contexts;
    if let Err(error) = world.group(id).read_index(context, now) {
        writeln!(out, "{} refuses: {error}", name(id)).unwrap();
    }
}

fn compact(world: &mut World, id: Id, index: u64, out: &mut String) {
    let truncated = world.group(id).compact(index).expect("the log can be cut");
    world.disks[&id].with(|content| {
        content.entries = content.entries.split_off(&(truncated.0 + 1));
        content.truncated = truncated;
    });
    world.disks[&id].sync();
    writeln!(out, "{} begins behind {}@{}", name(id), truncated.0, truncated.1).unwrap();
}

/// Everybody ticks, and everything is delivered in between.
fn ticks(world: &mut World, count: u64, out: &mut String) {
    for _ in 0..count {
        world.now = world.now + TICK;
        let now = world.now;
        world.replicas.values_mut().for_each(|group| group.tick(now));
        world.deliver(out);
    }
}

fn crash(world: &mut World, id: Id) {
    world.replicas.remove(&id);
    world.unsynced.remove(&id);
    world.disks[&id].crash();
}

fn synced(world: &mut World, node: u64, out: &mut String) {
    world.slow.remove(&node);
    let (done, rest) = std::mem::take(&mut world.unsynced)
        .into_iter()
        .partition::<std::collections::BTreeMap<_, _>, _>(|(id, _)| id.1 == node);
    world.unsynced = rest;
    done.into_iter().for_each(|(id, ready)| world.finish(id, ready, out));
}

fn change(world: &mut World, id: Id, words: &[&str], out: &mut String) {
    let now = world.now;
    let with = |sign: char| {
        words.iter().filter(|w| w.starts_with(sign)).map(|w| number(w)).collect::<Vec<_>>()
    };
    let change = match words[0] {
        "learner" => Change::AddLearner(number(words[1])),
        "forget" => Change::RemoveLearner(number(words[1])),
        "replace" => Change::Replace { promote: with('+'), remove: with('-') },
        "leave" => Change::Leave,
        other => panic!("no change {other}"),
    };
    let command = change_command(&change);
    if let Err(error) = world.group(id).propose_change(&change, command, now) {
        writeln!(out, "{} refuses: {error}", name(id)).unwrap();
    }
}

fn hibernate(world: &mut World, id: Id, out: &mut String) {
    if !world.group(id).is_idle(|_| false) {
        writeln!(out, "{} is not idle", name(id)).unwrap();
        return;
    }
    let messages = world.group(id).hibernate();
    for message in messages {
        let (group, from, to) = (id.0, id.1, message.to);
        world.flights.push_back(crate::world::Flight { group, from, to, message });
    }
}

fn status(world: &mut World, only: Option<u64>, out: &mut String) {
    for (id, group) in &world.replicas {
        if only.is_some_and(|only| only != id.0) {
            continue;
        }
        let status = group.status();
        let role = match status.role {
            Role::Leader => "leads",
            Role::Follower => "follows",
            Role::Candidate => "campaigns",
        };
        let leader = status.leader.map_or("nobody".to_string(), |l| format!("n{l}"));
        let members = group.membership();
        write!(
            out,
            "{} {role} (leader {leader}) term {} log {}..={} commit {} voters {:?}",
            name(*id),
            status.term,
            status.first,
            status.last,
            status.commit,
            members.voters
        )
        .unwrap();
        if members.is_joint() {
            write!(out, " outgoing {:?}", members.outgoing).unwrap();
        }
        if !members.learners.is_empty() {
            write!(out, " learners {:?}", members.learners).unwrap();
        }
        out.push_str(if group.is_hibernating() { ", asleep\n" } else { "\n" });
    }
}

fn lease(world: &mut World, id: Id, out: &mut String) {
    let now = world.now;
    let view = world.group(id).lease();
    let state = if view.until == MonoTime(0) {
        "none".to_string()
    } else if now < view.from {
        format!("waits {} ms for older leases", view.from.since(now).as_millis())
    } else if view.until == MonoTime(u64::MAX) {
        "for ever".to_string()
    } else if now < view.until {
        format!("{} ms left", view.until.since(now).as_millis())
    } else {
        "run out".to_string()
    };
    writeln!(out, "{} lease: {state}", name(id)).unwrap();
}
