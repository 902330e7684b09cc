//! All that is to be said of a region, in the order and under the names of the JSON.

use crate::{
    open::{Failure, Opened},
    process::{self, Run},
    trouble::{self, Trouble},
};
use rialto::{
    QueueKind,
    inspect::{
        BarrierLook, Descriptor, Details, EndLook, EndState, Hand, Inspector, LockLook, LockState,
        MemberState, Object, PipeLook, QueueLook, SpscLook, StateLook, StreamLook, Waiting,
    },
    queue::OnDeath,
    region::LAYOUT_VERSION,
    sys::Liveness,
};
use serde::Serialize;
use std::{collections::BTreeMap, os::fd::AsRawFd};

/// Grows when a field changes its meaning or goes.
pub const FORMAT: u32 = 1;
/// More than this in members' hands, in one object, is counted and not listed.
const MAX_HANDS: usize = 10_000;

#[derive(Serialize)]
pub struct Report {
    pub format: u32,
    pub region: RegionPart,
    pub space: SpacePart,
    pub members: Vec<MemberPart>,
    pub objects: Vec<ObjectPart>,
    pub trouble: Vec<Trouble>,
}

#[derive(Serialize)]
pub struct RegionPart {
    pub path: String,
    pub size: u64,
    pub layout_version: u32,
    pub tick_ms: u32,
    pub max_members: u16,
    pub max_objects: u16,
    pub lock: LockPart,
}

#[derive(Serialize)]
pub struct SpacePart {
    pub total: u64,
    pub used: u64,
    pub free: u64,
    pub largest: u64,
}

#[derive(Serialize)]
pub struct MemberPart {
    pub id: u16,
    pub epoch: u64,
    pub state: &'static str,
    pub thread: Option<u32>,
    pub liveness: &'static str,
    pub process: Option<u32>,
    pub command: Option<String>,
    pub run: Option<Run>,
}

#[derive(Serialize)]
pub struct ObjectPart {
    pub name: String,
    pub kind: Option<&'static str>,
    pub offset: u64,
    pub size: u64,
    pub users: u32,
    pub being_removed: bool,
    pub damaged: bool,
    pub details: Option<DetailsPart>,
    pub in_hand: Vec<HandPart>,
    pub in_hand_count: u32,
}

#[derive(Clone, Copy, Serialize)]
pub struct HandPart {
    pub member: u16,
    pub what: &'static str,
    pub index: u32,
    pub attempt: u8,
    pub bytes: Option<u32>,
}

#[derive(Serialize)]
pub struct LockPart {
    pub state: &'static str,
    pub thread: Option<u32>,
    pub liveness: Option<&'static str>,
    pub run: Option<Run>,
    pub owner_died: bool,
    pub maybe_waiters: bool,
}

#[derive(Serialize)]
pub struct EndPart {
    pub state: &'static str,
    pub member: Option<u16>,
}

#[derive(Serialize)]
pub struct StreamPart {
    pub len: u32,
    pub used_bytes: u32,
    pub ring_bytes: u32,
    pub maybe_readers: bool,
    pub maybe_writers: bool,
    pub damaged: bool,
}

/// What each kind tells; `None`s are left out.
#[derive(Serialize)]
#[serde(untagged)]
pub enum DetailsPart {
    Queue {
        layout: &'static str,
        on_death: &'static str,
        joinable: bool,
        kill_only: bool,
        capacity: u32,
        max_message_bytes: u32,
        max_attempts: u8,
        len: u32,
        reading: u32,
        writing: u32,
        orphans: u32,
        poisoned: u32,
        dropped: u64,
        pushed: u64,
        closed: bool,
        stopped: bool,
        maybe_consumers: bool,
        maybe_producers: bool,
        maybe_joiners: bool,
        maybe_pollers: bool,
    },
    Spsc {
        on_death: &'static str,
        capacity: u32,
        max_message_bytes: u32,
        max_attempts: u8,
        #[serde(flatten)]
        stream: StreamPart,
        attempts: u8,
        dropped: u32,
        closed: bool,
        producer: EndPart,
        consumer: EndPart,
    },
    Pipe {
        duplex: bool,
        max_message_bytes: u32,
        ends: [EndPart; 2],
        from_end_0: Option<StreamPart>,
        from_end_1: Option<StreamPart>,
    },
    TrackedSemaphore {
        permits: u32,
        free: u32,
        maybe_waiters: bool,
    },
    Barrier {
        parties: u32,
        waiting: u32,
        registered: u32,
        broken: bool,
        completed: u32,
        resets: u32,
        maybe_waiters: bool,
    },
    Lock {
        #[serde(flatten)]
        lock: LockPart,
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
    },
    Event {
        set: bool,
        maybe_waiters: bool,
    },
    Condition {
        notified: u32,
        maybe_waiters: bool,
    },
    Semaphore {
        free: u32,
        bound: u32,
        maybe_waiters: bool,
    },
    State {
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
        bytes: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        len: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        capacity: Option<u32>,
        updates: u64,
        drafting: bool,
        deaths: u32,
        lock: LockPart,
    },
    Raw {
        #[serde(rename = "type")]
        code: &'static str,
        element_bytes: u32,
        len: u32,
    },
}

impl Report {
    pub fn of(opened: &Opened) -> Result<Report, Failure> {
        let fail = |error| Failure::Region(opened.path.clone(), error);
        let source = Descriptor::new(opened.file.as_raw_fd()).map_err(fail)?;
        let inspector = Inspector::new(source).map_err(fail)?;
        let config = inspector.config();
        let region = RegionPart {
            path: opened.path.clone(),
            size: inspector.size(),
            layout_version: LAYOUT_VERSION,
            tick_ms: config.tick_ms,
            max_members: config.members,
            max_objects: config.objects,
            lock: lock(inspector.lock().map_err(fail)?),
        };
        let space = inspector.space();
        let space =
            SpacePart { total: space.total, used: space.used, free: space.free, largest: space.largest };
        // Objects first: who has something by then is in the table when that is read.
        let objects: Vec<ObjectPart> =
            inspector.objects().map(|object| self::object(&inspector, &object)).collect();
        let members: Vec<MemberPart> = inspector.members().map(member).collect();
        let mut report = Report { format: FORMAT, region, space, members, objects, trouble: Vec::new() };
        report.trouble = trouble::of(&report);
        Ok(report)
    }

    /// Those who may have something in hand, by their ids.
    pub fn members_by_id(&self) -> BTreeMap<u16, &MemberPart> {
        self.members.iter().map(|member| (member.id, member)).collect()
    }
}

fn object(inspector: &Inspector<Descriptor>, object: &Object) -> ObjectPart {
    let (mut in_hand, mut in_hand_count) = (Vec::new(), 0);
    let details = inspector.details(object, |hand| {
        in_hand_count += 1;
        if in_hand.len() < MAX_HANDS {
            let Hand { member, what, index, attempt, bytes } = hand;
            in_hand.push(HandPart { member, what: what.name(), index, attempt, bytes });
        }
    });
    if details.is_err() {
        (in_hand, in_hand_count) = (Vec::new(), 0);
    }
    ObjectPart {
        name: String::from_utf8_lossy(object.name.as_bytes()).into_owned(),
        kind: object.kind.map(|kind| kind.name()),
        offset: object.offset,
        size: object.size,
        users: object.users,
        being_removed: object.is_being_removed,
        damaged: details.is_err(),
        details: details.ok().map(self::details),
        in_hand,
        in_hand_count,
    }
}

fn liveness(liveness: Liveness) -> &'static str {
    match liveness {
        Liveness::Alive => "alive",
        Liveness::Dead => "dead",
        Liveness::Unknown => "unknown",
    }
}

fn member(look: rialto::inspect::MemberLook) -> MemberPart {
    let about = (look.liveness == Liveness::Alive).then(|| process::about(look.thread)).flatten();
    MemberPart {
        id: look.id,
        epoch: look.epoch,
        state: match look.state {
            MemberState::Joining => "joining",
            MemberState::Live => "live",
            MemberState::Dying => "dying",
        },
        thread: (look.thread != 0).then_some(look.thread),
        liveness: liveness(look.liveness),
        process: about.as_ref().map(|about| about.process),
        run: about.as_ref().map(|about| about.run),
        command: about.map(|about| about.command),
    }
}

fn lock(look: LockLook) -> LockPart {
    let about = (look.liveness == Liveness::Alive).then(|| process::about(look.thread)).flatten();
    let has_owner = matches!(look.state, LockState::Held | LockState::OwnerDied);
    LockPart {
        state: match look.state {
            LockState::Free => "free",
            LockState::Held => "held",
            LockState::OwnerDied => "owner_died",
            LockState::NotRecoverable => "not_recoverable",
        },
        thread: (look.thread != 0).then_some(look.thread),
        liveness: has_owner.then(|| liveness(look.liveness)),
        run: about.map(|about| about.run),
        owner_died: look.owner_died,
        maybe_waiters: look.waiters,
    }
}

fn end(look: EndLook) -> EndPart {
    EndPart {
        state: match look.state {
            EndState::Free => "free",
            EndState::Open => "open",
            EndState::Closed => "closed",
            EndState::Died => "died",
        },
        member: (look.member != 0).then_some(look.member),
    }
}

fn stream(look: StreamLook) -> StreamPart {
    let some = |waiting: Waiting| waiting.sleepers || waiting.pollers;
    StreamPart {
        len: look.len,
        used_bytes: look.used,
        ring_bytes: look.bytes,
        maybe_readers: some(look.readers),
        maybe_writers: some(look.writers),
        damaged: look.is_damaged,
    }
}

fn on_death(policy: OnDeath) -> &'static str {
    match policy {
        OnDeath::Redeliver => "redeliver",
        OnDeath::Drop => "drop",
        OnDeath::Stop => "stop",
    }
}

fn details(details: Details) -> DetailsPart {
    match details {
        Details::Queue(look) => queue(look),
        Details::Spsc(SpscLook { config, stream: messages, is_closed, dropped, producer, consumer }) => {
            DetailsPart::Spsc {
                on_death: on_death(config.on_death),
                capacity: config.slots,
                max_message_bytes: config.max_message_bytes,
                max_attempts: config.max_attempts,
                stream: stream(messages),
                attempts: messages.marks,
                dropped,
                closed: is_closed,
                producer: end(producer),
                consumer: end(consumer),
            }
        }
        Details::Pipe(PipeLook { config, ends, ways }) => DetailsPart::Pipe {
            duplex: config.duplex,
            max_message_bytes: config.max_message_bytes,
            ends: ends.map(end),
            from_end_0: ways[0].map(stream),
            from_end_1: ways[1].map(stream),
        },
        Details::TrackedSemaphore(look) => DetailsPart::TrackedSemaphore {
            permits: look.permits,
            free: look.free,
            maybe_waiters: look.waiting.sleepers,
        },
        Details::Barrier(look) => barrier(look),
        Details::Lock(look) => DetailsPart::Lock { lock: lock(look), count: None },
        Details::RLock(look) => DetailsPart::Lock { lock: lock(look), count: Some(look.count) },
        Details::Event { is_set, waiting } => {
            DetailsPart::Event { set: is_set, maybe_waiters: waiting.sleepers }
        }
        Details::Condition { notified, waiting } => {
            DetailsPart::Condition { notified, maybe_waiters: waiting.sleepers }
        }
        Details::Semaphore(look) => DetailsPart::Semaphore {
            free: look.free,
            bound: look.bound,
            maybe_waiters: look.waiting.sleepers,
        },
        Details::State(look) => state(look),
        Details::Raw(look) => {
            DetailsPart::Raw { code: look.code.name(), element_bytes: look.element_bytes, len: look.len }
        }
        _ => unreachable!("this program and the library are of one version"),
    }
}

fn queue(look: QueueLook) -> DetailsPart {
    let QueueLook { config, consumers, producers, joiners, .. } = look;
    DetailsPart::Queue {
        layout: match config.kind {
            QueueKind::Ring => "ring",
            QueueKind::Indexed => "indexed",
        },
        on_death: on_death(config.on_death),
        joinable: config.joinable,
        kill_only: config.kill_only,
        capacity: config.slots,
        max_message_bytes: config.max_message_bytes,
        max_attempts: config.max_attempts,
        len: look.len,
        reading: look.reading,
        writing: look.writing,
        orphans: look.orphans,
        poisoned: look.poisoned,
        dropped: look.dropped,
        pushed: look.pushed,
        closed: look.is_closed,
        stopped: look.is_stopped,
        maybe_consumers: consumers.sleepers,
        maybe_producers: producers.sleepers,
        maybe_joiners: joiners.sleepers,
        maybe_pollers: consumers.pollers || producers.pollers || joiners.pollers,
    }
}

fn barrier(look: BarrierLook) -> DetailsPart {
    DetailsPart::Barrier {
        parties: look.parties,
        waiting: look.arrived,
        registered: look.registered,
        broken: look.is_broken,
        completed: look.completed,
        resets: look.resets,
        maybe_waiters: look.waiting.sleepers,
    }
}

fn state(look: StateLook) -> DetailsPart {
    DetailsPart::State {
        code: look.code.map(|code| code.name()),
        bytes: look.bytes,
        len: look.len,
        capacity: look.capacity,
        updates: look.updates,
        drafting: look.is_drafting,
        deaths: look.deaths,
        lock: lock(look.lock),
    }
}
