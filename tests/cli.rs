//! The tool `rialto`: what it says is what is there, in JSON too; it changes nothing, and nothing makes it crash.
// SAFETY of each named lock: no region here goes while another thread holds a lock in it.
#![allow(clippy::undocumented_unsafe_blocks)]
#![cfg(all(feature = "cli", target_os = "linux", not(rialto_loom)))]

mod procs;
mod zoo;

use procs::{Child, WATCHDOG_SECONDS, fork, wait_until, watchdog};
use rialto::{Depth, Queue, QueueConfig, Region, RegionConfig};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

const TOOL: &str = env!("CARGO_BIN_EXE_rialto");

fn rialto(arguments: &[&str]) -> Output {
    Command::new(TOOL).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    let output = rialto(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn path(region: &Region) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), region.fd().unwrap())
}

/// A file of ours, removed when it goes.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: &[u8]) -> Temporary {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{name}", std::process::id()));
        zoo::write(&path, bytes);
        Temporary(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[track_caller]
fn named<'v>(list: &'v Value, name: &str) -> &'v Value {
    list.as_array().unwrap().iter().find(|value| value["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn reading(region: &str) -> u64 {
    named(&json(&["inspect", region, "--json"])["objects"], "jobs")["details"]["reading"].as_u64().unwrap()
}

/// A child that has a message in hand, and perhaps the lock, and sleeps.
fn holder(region: &Region, queue: Queue<'_>, locks: bool, so_many: u64) -> Child {
    let child = fork(|| {
        if locks {
            std::mem::forget(unsafe { region.open_lock("printer") }.unwrap().acquire().unwrap());
        }
        std::mem::forget(queue.peek().unwrap());
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    wait_until("it has a message in hand", || reading(&path(region)) == so_many);
    child
}

/// The question: a lock whose owner was killed, and a consumer that is stuck with a message. Exactly that.
#[test]
fn a_killed_lock_owner_and_a_stuck_consumer_are_shown_and_nothing_else() {
    let _watchdog = watchdog("cli", WATCHDOG_SECONDS);
    let region = zoo::region();
    let queue = region.create_queue("jobs", &QueueConfig::new(8, 32)).unwrap();
    for job in ["first", "the second", "third"] {
        queue.push(job.as_bytes()).unwrap();
    }
    unsafe { region.create_lock("printer") }.unwrap();
    region.create_event("quiet").unwrap();
    let path = path(&region);
    let victim = holder(&region, queue, true, 1);
    let sleeper = holder(&region, queue, false, 2);
    assert_eq!(json(&["inspect", &path, "--json"])["trouble"], json!([]), "all are well");
    assert_eq!(rialto(&["inspect", &path, "--check"]).status.code(), Some(0));
    let (dead, stuck) = (victim.pid(), sleeper.pid());
    victim.kill();
    sleeper.stop();

    let report = json(&["inspect", &path, "--json"]);
    assert_eq!(report["format"], 1);
    assert_eq!(report["region"]["path"], path);
    let lock = &named(&report["objects"], "printer")["details"];
    let expected = json!({
        "state": "owner_died", "thread": dead, "liveness": "dead", "run": null, "owner_died": true,
        "maybe_waiters": false,
    });
    assert_eq!(*lock, expected);
    let jobs = named(&report["objects"], "jobs");
    assert_eq!(jobs["kind"], "Queue");
    assert_eq!(jobs["users"], 2, "the dead one does not count");
    let details = &jobs["details"];
    assert_eq!(
        (&details["len"], &details["reading"], &details["capacity"]),
        (&json!(1), &json!(2), &json!(8))
    );
    assert_eq!((&details["orphans"], &details["closed"]), (&json!(0), &json!(false)));
    let in_hand = json!([
        {"member": 2, "what": "reading", "index": 0, "attempt": 0, "bytes": 5},
        {"member": 3, "what": "reading", "index": 1, "attempt": 0, "bytes": 10},
    ]);
    assert_eq!(jobs["in_hand"], in_hand);
    let member = |id: u64| {
        let members = report["members"].as_array().unwrap();
        members.iter().find(|member| member["id"] == id).unwrap().clone()
    };
    let about = |id| {
        let member = member(id);
        (member["thread"].clone(), member["liveness"].clone(), member["state"].clone(), member["run"].clone())
    };
    assert_eq!(about(2), (json!(dead), json!("dead"), json!("live"), Value::Null));
    assert_eq!(about(3), (json!(stuck), json!("alive"), json!("live"), json!("stopped")));
    assert_eq!(member(3)["process"], stuck);
    assert_eq!(report["members"].as_array().unwrap().len(), 3);
    let trouble: Vec<_> = report["trouble"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| json!([t["kind"], t["object"], t["member"], t["thread"]]))
        .collect();
    let expected = [
        json!(["member_dead", null, 2, dead]),
        json!(["held_by_dead", "jobs", 2, dead]),
        json!(["held_by_stopped", "jobs", 3, stuck]),
        json!(["lock_owner_died", "printer", null, dead]),
    ];
    assert_eq!(trouble, expected);

    let shown = rialto(&["inspect", &path, "--check"]);
    assert_eq!(shown.status.code(), Some(1));
    let shown = text(&shown);
    for line in [
        format!("Lock \"printer\": thread {dead} died with it locked"),
        format!("Queue \"jobs\": member 3 (thread {stuck}), which is stopped, has a message in hand"),
    ] {
        assert!(shown.contains(&line), "no {line:?} in\n{shown}");
    }

    let top = text(&rialto(&["top", &path, "--once"]));
    println!("{top}");
    assert!(
        top.contains("3 members, 1 dead; 4 lines of trouble") && top.contains("! Lock \"printer\": thread")
    );

    let recovered = json(&["recover", &path, "--json"]);
    assert_eq!(
        (&recovered["recovered"]["members"], &recovered["recovered"]["redelivered"]),
        (&json!(1), &json!(1))
    );
    let left: Vec<_> = recovered["trouble"].as_array().unwrap().iter().map(|t| t["kind"].clone()).collect();
    assert_eq!(
        left,
        ["held_by_stopped", "lock_owner_died"],
        "a lock's next owner is told; nobody else can tell"
    );
    assert_eq!(region.recover(Depth::Thorough).members, 0, "it was done already");
    assert_eq!(reading(&path), 1);
    sleeper.go_on();
    drop(unsafe { region.open_lock("printer") }.unwrap().acquire().unwrap());
    let left = json(&["inspect", &path, "--json"])["trouble"].clone();
    assert_eq!(left[0]["kind"], "lock_not_recoverable");
}

#[test]
fn every_kind_is_shown_and_not_a_byte_is_changed() {
    let region = Box::leak(Box::new(zoo::region()));
    zoo::fill(region);
    let before = zoo::bytes(region);
    let live = path(region);
    let file = Temporary::new("read-only", &before);
    fs::set_permissions(&file.0, fs::Permissions::from_mode(0o444)).unwrap();
    for path in [live.as_str(), file.path()] {
        let report = json(&["inspect", path, "--json"]);
        let objects = report["objects"].as_array().unwrap();
        assert_eq!(objects.len(), zoo::OBJECTS);
        for object in objects {
            assert_eq!(object["damaged"], false, "{object}");
            assert!(object["details"].is_object() && object["users"] == 1, "{object}");
        }
        let of = |name: &str| named(&report["objects"], name)["details"].clone();
        assert_eq!(of("rlock")["count"], 2);
        assert_eq!((&of("list")["len"], &of("list")["capacity"]), (&json!(2), &json!(8)));
        assert_eq!((&of("array")["type"], &of("array")["len"]), (&json!("u16"), &json!(3)));
        assert_eq!((&of("permits")["free"], &of("event")["set"]), (&json!(2), &json!(true)));
        assert_eq!(of("pipe")["ends"][0], json!({"state": "open", "member": 1}));
        assert_eq!((&of("spsc")["len"], &of("spsc")["attempts"]), (&json!(2), &json!(1)));
        let kinds: Vec<_> = report["trouble"].as_array().unwrap().iter().map(|t| t["kind"].clone()).collect();
        assert_eq!(kinds, ["barrier_broken"]);
        let space = region.space();
        assert_eq!(
            (&report["space"]["free"], &report["space"]["used"]),
            (&json!(space.free), &json!(space.used))
        );
        let shown = text(&rialto(&["inspect", path]));
        let top = text(&rialto(&["top", path, "--once"]));
        for object in objects {
            let name = object["name"].as_str().unwrap();
            assert!(shown.contains(name) && top.contains(name), "{name} is missing");
        }
        assert!(!top.contains('\x1b'), "no terminal, no escapes");
    }
    assert!(zoo::bytes(region) == before, "the region was changed");
    assert!(fs::read(&file.0).unwrap() == before, "the file was changed");
    assert_eq!(fs::metadata(&file.0).unwrap().len() as usize, before.len());
}

#[test]
fn regions_are_found_by_name_by_descriptor_and_by_file() {
    let name = format!("rialto-cli-{}", std::process::id());
    let config = RegionConfig { members: 2, objects: 2, tick_ms: 100 };
    let region = Region::create_named(&name, 1 << 16, &config).unwrap();
    let slashed = format!("/{name}");
    let found: Vec<_> = [name.as_str(), &slashed, &format!("/dev/shm/{name}"), &path(&region)]
        .map(|way| rialto(&["inspect", way, "--json"]))
        .into_iter()
        .collect();
    Region::unlink_named(&name).unwrap();
    for output in found {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["region"]["size"], 1 << 16);
    }
    assert_eq!(rialto(&["inspect", &name]).status.code(), Some(3), "its name is gone");
}

#[test]
fn exit_codes_are_those_of_the_help() {
    let fifo = Temporary::new("fifo", b"");
    fs::remove_file(&fifo.0).unwrap();
    let c_path = std::ffi::CString::new(fifo.path()).unwrap();
    // SAFETY: a C string.
    assert_eq!(unsafe { libc::mkfifo(c_path.as_ptr(), 0o600) }, 0);
    let garbage = Temporary::new("garbage", &[7; 5000]);
    let empty = Temporary::new("empty", b"");
    let region = zoo::region();
    let mut other = zoo::bytes(&region);
    other[8] = 99;
    let other = Temporary::new("version", &other);
    let cases: &[(&[&str], i32)] = &[
        (&[], 2),
        (&["frobnicate"], 2),
        (&["inspect"], 2),
        (&["top", "x", "--interval", "0"], 2),
        (&["top", "x", "--interval", "nan"], 2),
        (&["--help"], 0),
        (&["inspect", "/no/such/region"], 3),
        (&["inspect", "no-such-region-of-ours"], 3),
        (&["recover", "no-such-region-of-ours"], 3),
        (&["top", "no-such-region-of-ours", "--once"], 3),
        (&["inspect", ""], 3),
        (&["inspect", "/"], 4),
        (&["inspect", "/dev/null"], 4),
        (&["inspect", fifo.path()], 4),
        (&["recover", fifo.path()], 4),
        (&["inspect", garbage.path()], 4),
        (&["recover", garbage.path()], 4),
        (&["inspect", empty.path()], 4),
        (&["inspect", other.path()], 4),
    ];
    let _watchdog = watchdog("exit codes", WATCHDOG_SECONDS);
    for (arguments, code) in cases {
        let output = rialto(arguments);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {output:?}");
        assert!(*code == 0 || (!output.stderr.is_empty() && output.stdout.is_empty()), "{arguments:?}");
    }
    let help = text(&rialto(&["--help"]));
    for code in
        ["0  done", "1  `inspect --check`", "2  wrong", "3  there is no", "4  what is there", "5  anything"]
    {
        assert!(help.contains(code), "{code}");
    }
}

/// Whatever is in the file: an exit code of ours, in time, and JSON where there is any.
#[test]
fn damaged_regions_are_looked_at_without_harm() {
    let _watchdog = watchdog("2000 damaged regions", 10 * WATCHDOG_SECONDS);
    let good = std::thread::spawn(|| {
        let region = Box::leak(Box::new(zoo::region()));
        zoo::fill(region);
        zoo::bytes(region)
    });
    let good = good.join().unwrap();
    let mut random = zoo::xorshift(0xbad_5eed);
    let (mut shown, cases) = (0, 2000);
    let file = Temporary::new("damaged", &good);
    for case in 0..cases {
        let mut bytes = good.clone();
        zoo::corrupt(&mut bytes, &mut random);
        fs::write(&file.0, &bytes).unwrap();
        let arguments: &[&str] = match case % 4 {
            0 => &["inspect", file.path()],
            1 => &["top", file.path(), "--once"],
            _ => &["inspect", file.path(), "--json"],
        };
        let output = rialto(arguments);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 4)), "case {case}: {output:?}");
        if code == Some(0) {
            shown += 1;
            if case % 4 > 1 {
                serde_json::from_slice::<Value>(&output.stdout).unwrap();
            } else {
                let steers = |byte: &u8| *byte != b'\n' && byte.is_ascii_control();
                assert!(!output.stdout.iter().any(steers), "case {case} could steer a terminal");
            }
        }
        assert!(fs::read(&file.0).unwrap() == bytes, "case {case} was changed");
    }
    println!("{shown} of {cases} shown");
    assert!(shown > cases / 2, "most were refused at once: little was tested");
}

/// A name is a peer's: it must not steer the terminal.
#[test]
fn names_of_peers_are_shown_harmless() {
    let region = zoo::region();
    let name = "\x1b[2J\r\u{202e}evil";
    region.create_event(name).unwrap();
    let path = path(&region);
    let shown = text(&rialto(&["inspect", &path]));
    assert!(shown.contains("\\u{1b}[2J\\r\\u{202e}evil"), "{shown}");
    assert!(!shown.contains(['\x1b', '\r', '\u{202e}']));
    assert_eq!(json(&["inspect", &path, "--json"])["objects"][0]["name"], name);
}

/// A look at a region that others work on as fast as they can says nothing of deaths and damage.
#[test]
fn a_region_in_full_work_has_no_trouble() {
    let _watchdog = watchdog("a busy region", 2 * WATCHDOG_SECONDS);
    let region = zoo::region();
    let queue = region.create_queue("jobs", &QueueConfig::new(4, 32)).unwrap();
    let list = region.create_list("list", &rialto::ListConfig::new(8, 16)).unwrap();
    unsafe { region.create_lock("lock") }.unwrap();
    let spsc = region.create_spsc("spsc", &rialto::SpscConfig::new(4, 64)).unwrap();
    let work = |role: u32| {
        let mut producer = (role == 0).then(|| spsc.producer().unwrap());
        let mut consumer = (role == 1).then(|| spsc.consumer().unwrap());
        let lock = unsafe { region.open_lock("lock") }.unwrap();
        for round in 0u64.. {
            drop(lock.acquire().unwrap());
            let _ = list.append(&round.to_le_bytes());
            let _ = list.pop(0, &mut [0; 16]);
            if let Some(producer) = &mut producer {
                let _ = queue.push_timeout(b"a job", 1 << 30);
                let _ = producer.try_push(&round.to_le_bytes()[..1 + round as usize % 8]);
            }
            if let Some(consumer) = &mut consumer {
                let _ = queue.pop_timeout(&mut [0; 32], 1 << 24);
                let _ = consumer.try_pop(&mut [0; 64]);
            }
        }
        0
    };
    let workers = [fork(|| work(0)), fork(|| work(1))];
    wait_until("both work", || region.member_count() == 2);
    let path = path(&region);
    for _ in 0..100 {
        let report = json(&["inspect", &path, "--json"]);
        assert_eq!(report["trouble"], json!([]));
    }
    drop(workers);
}

#[test]
fn the_demo_shows_what_it_promises() {
    let _watchdog = watchdog("the demo", WATCHDOG_SECONDS);
    let output = rialto(&["demo"]);
    assert!(output.status.success(), "{output:?}");
    let shown = text(&output);
    let parts: Vec<&str> = shown.split("====").collect();
    assert_eq!(parts.len(), 5, "{shown}");
    assert!(parts[1].contains("2 in hand") && parts[1].contains("no trouble"));
    for trouble in ["which is dead, has a message in hand", "which is stopped, has", "died with it locked"] {
        assert!(parts[2].contains(trouble), "{shown}");
    }
    assert!(parts[3].contains("dead members recovered 1, messages for somebody else 1"));
    assert!(
        !parts[4].contains("which is dead") && parts[4].contains("2 of 8 waiting, 1 in hand, 1 given back")
    );
}

/// By which that process could write the memfd that it must have open.
fn ways_to_write(process: u32) -> Vec<String> {
    let mut ways = Vec::new();
    let mut open = 0;
    for entry in fs::read_dir(format!("/proc/{process}/fd")).unwrap() {
        let entry = entry.unwrap();
        let target = fs::read_link(entry.path()).unwrap_or_default();
        if !target.to_string_lossy().contains("memfd:rialto") {
            continue;
        }
        open += 1;
        let number = entry.file_name().into_string().unwrap();
        let about = fs::read_to_string(format!("/proc/{process}/fdinfo/{number}")).unwrap();
        let flags = about.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
        if i32::from_str_radix(flags, 8).unwrap() & libc::O_ACCMODE != libc::O_RDONLY {
            ways.push(about);
        }
    }
    assert_eq!(open, 1, "the region is open once");
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    ways.extend(maps.lines().filter(|line| line.contains("memfd:rialto")).map(str::to_owned));
    ways
}

#[test]
fn top_goes_on_until_it_is_ended_and_notices_changes() {
    use std::io::{BufRead, BufReader};
    let _watchdog = watchdog("top", WATCHDOG_SECONDS);
    let region = zoo::region();
    let queue = region.create_queue("jobs", &QueueConfig::new(4, 32)).unwrap();
    let mut child = Command::new(TOOL)
        .args(["top", &path(&region), "--interval", "0.05"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("jobs") && line.contains("0 of 4 waiting")));
    queue.push(b"x").unwrap();
    assert!(lines.any(|line| line.starts_with("jobs") && line.contains("1 of 4 waiting")));
    assert!(child.try_wait().unwrap().is_none());
    assert_eq!(ways_to_write(child.id()), Vec::<String>::new());
    child.kill().unwrap();
    child.wait().unwrap();
}

/// On a terminal of its own: q ends it, and the terminal is as it was.
#[test]
fn top_on_a_terminal_ends_by_a_key_and_leaves_it_as_it_was() {
    use std::{fs::File, io::Read, io::Write, os::fd::FromRawFd};
    let _watchdog = watchdog("top on a terminal", WATCHDOG_SECONDS);
    let region = zoo::region();
    for key in [b"q", b"\x03"] {
        let (mut master, mut slave) = (0, 0);
        let null = std::ptr::null_mut();
        // SAFETY: two out-pointers; the others may be null.
        assert_eq!(unsafe { libc::openpty(&mut master, &mut slave, null, null as _, null as _) }, 0);
        // SAFETY: ours, just opened.
        let (mut master, slave) = unsafe { (File::from_raw_fd(master), File::from_raw_fd(slave)) };
        let settings = |file: &File| {
            use std::os::fd::AsRawFd;
            // SAFETY: zeros are a valid termios.
            let mut termios: libc::termios = unsafe { core::mem::zeroed() };
            // SAFETY: our buffer.
            assert_eq!(unsafe { libc::tcgetattr(file.as_raw_fd(), &mut termios) }, 0);
            (termios.c_lflag, termios.c_iflag, termios.c_oflag)
        };
        let before = settings(&slave);
        let mut child = Command::new(TOOL)
            .args(["top", &path(&region), "--interval", "3600"])
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains("NAME") {
            let mut buffer = [0; 4096];
            let n = master.read(&mut buffer).unwrap();
            seen.extend_from_slice(&buffer[..n]);
        }
        assert_ne!(settings(&slave), before, "keys come one by one");
        master.write_all(key).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(settings(&slave), before);
        let mut buffer = [0; 4096];
        let n = master.read(&mut buffer).unwrap();
        seen.extend_from_slice(&buffer[..n]);
        let all = String::from_utf8_lossy(&seen);
        assert!(all.starts_with("\x1b[?1049h") && all.contains("\x1b[?1049l"), "{all:?}");
    }
}
