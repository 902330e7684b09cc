//! What is dead, stuck or damaged, one line each. What goes on as it should, however slowly, is not here.

use crate::{
    process::Run,
    report::{DetailsPart, EndPart, HandPart, LockPart, MemberPart, ObjectPart, Report},
    text::clean,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// One of the lines.
#[derive(Serialize)]
pub struct Trouble {
    pub kind: &'static str,
    pub object: Option<String>,
    pub member: Option<u16>,
    pub thread: Option<u32>,
    pub text: String,
}

type Members<'a> = BTreeMap<u16, &'a MemberPart>;

pub fn of(report: &Report) -> Vec<Trouble> {
    let members = report.members_by_id();
    let mut all = Vec::new();
    for member in &report.members {
        let (kind, text) = match (member.state, member.liveness) {
            ("dying", "dead") => ("member_dying", "is dead, and was not recovered to the end"),
            ("live" | "joining", "dead") => ("member_dead", "is dead, and nobody has recovered it yet"),
            _ => continue,
        };
        let text = format!("{} {text}", who(member));
        all.push(Trouble { kind, object: None, member: Some(member.id), thread: member.thread, text });
    }
    of_lock(&mut all, None, "the region's lock", &report.region.lock);
    for object in &report.objects {
        of_object(&mut all, &members, object);
    }
    all
}

fn who(member: &MemberPart) -> String {
    match member.thread {
        Some(thread) => format!("member {} (thread {thread})", member.id),
        None => format!("member {}", member.id),
    }
}

fn of_object(all: &mut Vec<Trouble>, members: &Members, object: &ObjectPart) {
    let name = format!("{} \"{}\"", object.kind.unwrap_or("object"), clean(&object.name));
    let mut add = |kind, text: String| {
        let object = Some(object.name.clone());
        all.push(Trouble { kind, object, member: None, thread: None, text });
    };
    let mut end = |what: &str, end: &EndPart| {
        if end.state == "died" {
            add("end_died", format!("{name}: the holder of {what} died"));
        }
    };
    let mut locked = None;
    match &object.details {
        None => add("damaged", format!("{name}: its bytes contradict themselves")),
        Some(DetailsPart::Queue { stopped, poisoned, .. }) => {
            if *stopped {
                add("queue_stopped", format!("{name}: stopped by a death, until the message is taken"));
            } else if *poisoned > 0 {
                add("queue_poisoned", format!("{name}: {poisoned} messages that killed who had them"));
            }
        }
        Some(DetailsPart::Spsc { producer, consumer, stream, .. }) => {
            end("the producer's end", producer);
            end("the consumer's end", consumer);
            if stream.damaged {
                add("damaged", format!("{name}: there is something in it that nobody writes"));
            }
        }
        Some(DetailsPart::Pipe { ends, from_end_0, from_end_1, .. }) => {
            end("end 0", &ends[0]);
            end("end 1", &ends[1]);
            if [from_end_0, from_end_1].into_iter().flatten().any(|stream| stream.damaged) {
                add("damaged", format!("{name}: there is something in it that nobody writes"));
            }
        }
        Some(DetailsPart::Barrier { broken: true, .. }) => add("barrier_broken", format!("{name}: broken")),
        Some(DetailsPart::Lock { lock, .. } | DetailsPart::State { lock, .. }) => locked = Some(lock),
        _ => {}
    }
    if let Some(lock) = locked {
        of_lock(all, Some(&object.name), &name, lock);
    }
    for hand in &object.in_hand {
        of_hand(all, members, object, &name, hand);
    }
}

fn of_lock(all: &mut Vec<Trouble>, object: Option<&str>, name: &str, lock: &LockPart) {
    let thread = lock.thread.map_or("a thread".to_owned(), |thread| format!("thread {thread}"));
    let (kind, text) = match lock.state {
        "owner_died" => ("lock_owner_died", format!("{name}: {thread} died with it locked")),
        "not_recoverable" => {
            ("lock_not_recoverable", format!("{name}: released unrepaired after a death; `reset` it"))
        }
        "held" if lock.run == Some(Run::Stopped) => {
            ("lock_owner_stopped", format!("{name}: {thread}, which is stopped, has it locked"))
        }
        _ => return,
    };
    all.push(Trouble { kind, object: object.map(str::to_owned), member: None, thread: lock.thread, text });
}

fn of_hand(all: &mut Vec<Trouble>, members: &Members, object: &ObjectPart, name: &str, hand: &HandPart) {
    // Gone meanwhile, in good order.
    let Some(member) = members.get(&hand.member) else { return };
    let (kind, how) = match (member.liveness, member.run) {
        ("dead", _) => ("held_by_dead", "which is dead,"),
        (_, Some(Run::Stopped)) => ("held_by_stopped", "which is stopped,"),
        _ => return,
    };
    let text = format!("{name}: {}, {how} has {}", who(member), in_words(hand));
    let object = Some(object.name.clone());
    all.push(Trouble { kind, object, member: Some(member.id), thread: member.thread, text });
}

/// What is in the hand.
pub fn in_words(hand: &HandPart) -> String {
    let again = if hand.attempt > 0 { format!(", attempt {}", hand.attempt) } else { String::new() };
    let bytes = hand.bytes.map_or(String::new(), |bytes| format!(", {bytes} bytes"));
    match hand.what {
        "reading" => format!("a message in hand (slot {}{bytes}{again})", hand.index),
        "writing" => format!("a message in the making (slot {})", hand.index),
        "hole" => format!("room that others passed over (slot {})", hand.index),
        "permit" => format!("permit {}", hand.index),
        "producer" => "the producer's end".to_owned(),
        "consumer" => "the consumer's end".to_owned(),
        "end" => format!("end {}", hand.index),
        "party" => format!("place {}", hand.index),
        _ => "registered".to_owned(),
    }
}
