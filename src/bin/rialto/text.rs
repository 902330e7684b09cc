//! The report for people.

use crate::{
    process::Run,
    report::{DetailsPart, EndPart, LockPart, MemberPart, ObjectPart, Report, StreamPart},
    trouble::in_words,
};
use std::io::{self, Write};

/// So many hands are listed for each object.
const HANDS: usize = 20;

/// What others wrote must not steer the terminal.
pub fn clean(text: &str) -> String {
    // Ends of lines, and what turns the direction of writing.
    let plain = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::new();
    for c in text.chars() {
        if plain(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    out
}

pub fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut value = bytes as f64;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} bytes"),
        _ => format!("{value:.1} {}", units[unit]),
    }
}

pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    head(out, report)?;
    writeln!(out, "\nmembers")?;
    for member in &report.members {
        writeln!(out, "{}", self::member(member))?;
    }
    writeln!(out, "\nobjects")?;
    for object in &report.objects {
        let users = object.users;
        let name = clean(&object.name);
        let kind = object.kind.unwrap_or("?");
        writeln!(out, "  {name:<20} {kind:<16} users {users:<3} {}", details(object))?;
        for hand in object.in_hand.iter().take(HANDS) {
            writeln!(out, "  {:<20}   member {} has {}", "", hand.member, in_words(hand))?;
        }
        let more = (object.in_hand_count as usize).saturating_sub(HANDS);
        if more > 0 {
            writeln!(out, "  {:<20}   and {more} more", "")?;
        }
    }
    trouble(out, report)
}

pub fn head(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let (region, space) = (&report.region, &report.space);
    writeln!(
        out,
        "{}: {}, layout {}, tick {} ms, {} of {} members, {} of {} objects",
        clean(&region.path),
        size(region.size),
        region.layout_version,
        region.tick_ms,
        report.members.len(),
        region.max_members,
        report.objects.len(),
        region.max_objects
    )?;
    writeln!(
        out,
        "{} of {} free, the largest piece {}",
        size(space.free),
        size(space.total),
        size(space.largest)
    )?;
    if region.lock.state != "free" {
        writeln!(out, "the directory is {}", lock(&region.lock))?;
    }
    Ok(())
}

pub fn member(member: &MemberPart) -> String {
    let MemberPart { id, state, liveness, .. } = member;
    let thread = member.thread.map_or("?".to_owned(), |thread| thread.to_string());
    let process = member.process.map_or("-".to_owned(), |process| process.to_string());
    let command = member.command.as_deref().map_or(String::new(), clean);
    let run = member.run.map_or("", run);
    let line = format!(
        "  {id:>4}  thread {thread:<8} process {process:<8} {state:<8} {liveness:<8} {run:<9} {command}"
    );
    line.trim_end().to_owned()
}

pub fn run(run: Run) -> &'static str {
    match run {
        Run::Running => "running",
        Run::Sleeping => "sleeping",
        Run::Waiting => "waiting",
        Run::Stopped => "stopped",
        Run::Ended => "ended",
    }
}

pub fn trouble(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.trouble.is_empty() {
        return writeln!(out, "\nno trouble");
    }
    writeln!(out, "\ntrouble")?;
    report.trouble.iter().try_for_each(|trouble| writeln!(out, "  {}", trouble.text))
}

fn lock(lock: &LockPart) -> String {
    let thread = lock.thread.map_or("a thread".to_owned(), |thread| format!("thread {thread}"));
    let alive = lock.run.map_or(lock.liveness.unwrap_or(""), run);
    let mut text = match lock.state {
        "free" => "free".to_owned(),
        "held" => format!("held by {thread} ({alive})"),
        "owner_died" => format!("owner died: {thread}"),
        _ => "not recoverable".to_owned(),
    };
    if lock.owner_died && lock.state == "held" {
        text += ", another owner died before";
    }
    if lock.maybe_waiters {
        text += ", waiters";
    }
    text
}

fn end(end: &EndPart) -> String {
    match end.member {
        Some(member) => format!("member {member}"),
        None => end.state.to_owned(),
    }
}

fn stream(stream: &StreamPart) -> String {
    format!("{} messages, {} of {} bytes", stream.len, stream.used_bytes, stream.ring_bytes)
}

/// The words of those that are set.
fn flags(flags: &[(bool, &str)]) -> String {
    flags.iter().filter(|(set, _)| *set).map(|(_, word)| format!(", {word}")).collect()
}

pub fn details(object: &ObjectPart) -> String {
    let Some(details) = &object.details else { return "damaged".to_owned() };
    let removing = flags(&[(object.being_removed, "being removed")]);
    removing + &of_kind(details)
}

fn of_kind(details: &DetailsPart) -> String {
    match details {
        DetailsPart::Queue {
            capacity,
            len,
            reading,
            writing,
            orphans,
            poisoned,
            dropped,
            closed,
            stopped,
            maybe_consumers,
            maybe_producers,
            maybe_joiners,
            ..
        } => {
            let mut text = format!("{len} of {capacity} waiting, {reading} in hand");
            for (count, what) in [(u64::from(*writing), "in the making"), (u64::from(*orphans), "given back")]
                .into_iter()
                .chain([(u64::from(*poisoned), "poisoned"), (*dropped, "dropped")])
            {
                if count > 0 {
                    text += &format!(", {count} {what}");
                }
            }
            text + &flags(&[
                (*closed, "closed"),
                (*stopped, "stopped"),
                (*maybe_consumers, "consumers sleep"),
                (*maybe_producers, "producers sleep"),
                (*maybe_joiners, "joiners sleep"),
            ])
        }
        DetailsPart::Spsc { stream: messages, attempts, dropped, closed, producer, consumer, .. } => {
            format!(
                "{}, producer {}, consumer {}{}",
                stream(messages),
                end(producer),
                end(consumer),
                flags(&[
                    (*attempts > 0, "the first one was in hand"),
                    (*dropped > 0, "some dropped"),
                    (*closed, "closed"),
                    (messages.maybe_readers, "the consumer sleeps"),
                    (messages.maybe_writers, "the producer sleeps"),
                ])
            )
        }
        DetailsPart::Pipe { ends, from_end_0, from_end_1, .. } => {
            let mut text = format!("end 0 {}, end 1 {}", end(&ends[0]), end(&ends[1]));
            for (way, from) in [(from_end_0, "0"), (from_end_1, "1")] {
                if let Some(way) = way {
                    text += &format!("; from {from}: {}", stream(way));
                }
            }
            text
        }
        DetailsPart::TrackedSemaphore { permits, free, maybe_waiters } => {
            format!("{free} of {permits} free{}", flags(&[(*maybe_waiters, "waiters")]))
        }
        DetailsPart::Barrier { parties, waiting, registered, broken, maybe_waiters, .. } => {
            let state = flags(&[(*broken, "broken"), (*maybe_waiters, "waiters")]);
            format!("{waiting} of {parties} there, {registered} registered{state}")
        }
        DetailsPart::Lock { lock, count } => {
            let times = count.filter(|count| *count > 1);
            self::lock(lock) + &times.map_or(String::new(), |times| format!(", {times} times"))
        }
        DetailsPart::Event { set, maybe_waiters } => {
            format!("{}{}", if *set { "set" } else { "clear" }, flags(&[(*maybe_waiters, "waiters")]))
        }
        DetailsPart::Condition { notified, maybe_waiters } => {
            format!("notified {notified} times{}", flags(&[(*maybe_waiters, "waiters")]))
        }
        DetailsPart::Semaphore { free, bound, maybe_waiters } => {
            let bound = if *bound < u32::MAX >> 1 { format!(" of {bound}") } else { String::new() };
            format!("{free}{bound} free{}", flags(&[(*maybe_waiters, "waiters")]))
        }
        DetailsPart::State { code, bytes, len, capacity, updates, drafting, deaths, lock } => {
            let mut text = match (code, len, capacity) {
                (_, Some(len), Some(capacity)) => format!("{len} of {capacity}"),
                (Some(code), Some(len), None) => format!("{len} of type {code}"),
                (Some(code), None, None) => format!("{code}, {bytes} bytes"),
                _ => size(u64::from(*bytes)),
            };
            text += &format!(", {updates} updates");
            if *deaths > 0 {
                text += &format!(", {deaths} writers died");
            }
            text += &flags(&[(*drafting, "in the middle of an update")]);
            if lock.state != "free" {
                text += &format!(", {}", self::lock(lock));
            }
            text
        }
        DetailsPart::Raw { code, element_bytes, len } => {
            format!("{len} of type {code}, {element_bytes} bytes each")
        }
    }
}
