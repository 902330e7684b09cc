//! Every byte of a region with one object of each kind in use, as a list under version control:
//! `abi/layout-VERSION.txt`, VERSION being the layout's. Two programs whose lists are equal understand each
//! other's regions.
//!
//! If this test fails, what stands in shared memory has changed: raise `LAYOUT_VERSION` (src/region/header.rs),
//! say so in LAYOUT.md, and write the new list with `RIALTO_ABI=write cargo test --test layout_list`. Lists of
//! released versions stay as they are (`.ci/run header`).
//!
//! What differs from run to run is blotted out: who owns a cell, and the rows of the handles.
#![cfg(all(feature = "std", feature = "os", target_os = "linux", not(rialto_loom)))]

use rialto::{
    DictConfig, ListConfig, NamespaceConfig, PipeConfig, QueueConfig, QueueKind, Region, RegionConfig,
    Result, SpscConfig,
};
use std::{fmt::Write, fs, path::PathBuf};

const LEN: usize = 1 << 15;
const CONFIG: RegionConfig = RegionConfig { members: 3, objects: 20, tick_ms: 100 };

/// Bytes as they lie in memory.
struct Image(Vec<u8>);

impl Image {
    fn of(region: &Region) -> Image {
        // SAFETY: mapped; nobody else has the region.
        Image(unsafe { std::slice::from_raw_parts(region.as_ptr(), region.len()) }.to_vec())
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.0[at..at + 4].try_into().unwrap())
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.0[at..at + 8].try_into().unwrap())
    }

    /// Places that depend on the thread, the process or the addresses: of cells, word, node and tag; of users' rows
    /// the owner.
    fn is_blotted(&self, at: usize) -> bool {
        let cell = at / 64 * 64;
        let is_cell = matches!(&self.0[cell..cell + 4], b"RLCK" | b"RRLK" | b"RLTM");
        let rows = (256 + 64 * CONFIG.objects as usize).next_multiple_of(128) + 64 * CONFIG.members as usize;
        let (rows, row_bytes) = (rows.next_multiple_of(128), 8 * 8);
        let is_row = (rows..rows + row_bytes * (CONFIG.members as usize + 16)).contains(&at);
        is_cell && (8..56).contains(&(at - cell)) || is_row && (at - rows) % row_bytes < 8
    }

    /// What is not zero, in words of 8 bytes.
    fn words(&self, from: usize, to: usize, list: &mut String) {
        for at in (from..to).step_by(8).filter(|at| self.u64(*at) != 0) {
            let bytes = &self.0[at..at + 8];
            let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let letter = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' };
            match self.is_blotted(at) {
                true => writeln!(list, "{:6}  (owner)", at - from).unwrap(),
                false => {
                    let text: String = bytes.iter().map(letter).collect();
                    writeln!(list, "{:6}  {}  {text}", at - from, hex.join(" ")).unwrap();
                }
            }
        }
    }
}

/// One of each kind, with something in it and somebody at it.
fn list() -> Result<String> {
    let region = Region::create_anonymous(LEN, &CONFIG)?;
    let mut buffer = [0; 64];

    let jobs = region.create_queue("queue", &QueueConfig { joinable: true, ..QueueConfig::new(4, 20) })?;
    jobs.push(b"done")?;
    jobs.push(b"begun")?;
    jobs.push(b"waits")?;
    let done = jobs.pop(&mut buffer)?;
    jobs.task_done(done.ticket)?;
    let begun = jobs.peek()?;

    let indexed = region
        .create_queue("indexed", &QueueConfig { kind: QueueKind::Indexed, ..QueueConfig::new(4, 20) })?;
    indexed.push(b"block")?;
    let mut room = indexed.reserve(4)?;
    room.write(b"half")?;

    let permits = region.create_semaphore("permits", 3)?;
    let permit = permits.acquire()?;
    let barrier = region.create_barrier("barrier", 2)?;
    barrier.register()?;

    let spsc = region.create_spsc("spsc", &SpscConfig::new(4, 20))?;
    let (mut producer, mut consumer) = (spsc.producer()?, spsc.consumer()?);
    producer.push(b"first")?;
    producer.push(b"second")?;
    consumer.pop(&mut buffer)?;

    let pipe = region.create_pipe("pipe", &PipeConfig::new(512))?;
    let (mut near, far) = (pipe.connect(0)?, pipe.connect(1)?);
    near.send(b"ahoy")?;

    region.create_value("value", 0x1122_3344u32)?.store(0x5566_7788)?;
    region.create_array::<u16>("array", 5)?.write_slice(1, &[7, 8])?;
    let list = region.create_list("list", &ListConfig::new(4, 16))?;
    list.extend(&[b"one", b"two"])?;
    list.insert(0, b"zero")?;
    let dict = region.create_dict("dict", &DictConfig::new(4, 8, 8))?;
    dict.set(b"key", b"value")?;
    dict.set(b"other", b"gone")?;
    dict.remove(b"other")?;
    let names = region.create_namespace("namespace", &NamespaceConfig::new(4, 16, 16))?;
    names.set("rate", 0.5)?;
    names.set("name", "rialto")?;
    region.create_raw_value("raw value", 0x0102_0304u32)?;
    region.create_raw_array::<u64>("raw array", 2)?.set(1, 5)?;

    // SAFETY: the guards are dropped below, and the region is not unmapped before.
    let (lock, rlock) = unsafe { (region.create_lock("lock")?, region.create_rlock("rlock")?) };
    let (held, again) = (lock.acquire()?, rlock.acquire()?);
    region.create_event("event")?.set();
    region.create_plain_semaphore("semaphore", 3)?.acquire()?;
    region.create_condition("condition")?.notify_all(lock);

    let image = Image::of(&region);
    let mut text = format!("# Layout {}: a region of {LEN} bytes, {CONFIG:?}\n", image.u32(8));
    let objects: Vec<_> = region.objects()?.collect();
    let first = objects.iter().map(|object| object.offset as usize).min().unwrap();
    image.words(0, first, &mut text);
    for object in objects {
        let at = object.offset as usize;
        writeln!(text, "# {}: {:?} at {at}, {} bytes", object.name.as_str(), object.kind, object.size)
            .unwrap();
        image.words(at, at + object.size as usize, &mut text);
    }
    drop((held, again, permit, begun, room, producer, consumer, near, far));
    Ok(text)
}

#[test]
fn shared_bytes_change_with_the_layout_version_only() {
    let today = list().unwrap();
    assert_eq!(today, list().unwrap(), "a list that differs from run to run says nothing");
    let version = today.split(['#', ':']).nth(1).unwrap().trim().to_lowercase().replace(' ', "-");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("abi/{version}.txt"));
    if std::env::var("RIALTO_ABI").is_ok_and(|word| word == "write") {
        fs::write(&path, &today).unwrap();
    }
    let listed = fs::read_to_string(&path).unwrap_or_default();
    let differs = listed.lines().zip(today.lines()).find(|(was, is)| was != is);
    assert!(listed == today, "{path:?}: see above in this file; the first difference: {differs:?}");
}
