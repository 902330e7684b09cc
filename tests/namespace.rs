//! Namespace: what Python's documentation says of a manager's `Namespace` and of attributes, and what is different
//! here: a fixed capacity, and types that are kept apart.
#![cfg(all(feature = "std", feature = "os", target_os = "linux"))]

mod procs;

use procs::{fork, watchdog};
use rialto::{
    Attribute, Error, Namespace, NamespaceConfig, Region, RegionConfig,
    namespace::{self, Type},
    sys::Os,
};
use std::thread;

const CAPACITY: u32 = 8;
const MAX_NAME: u32 = 12;
const MAX_BYTES: u32 = 16;

fn region() -> Region {
    let config = RegionConfig { members: 8, objects: 8, tick_ms: 20 };
    Region::create_anonymous(1 << 16, &config).unwrap()
}

fn with(f: impl FnOnce(Namespace<'_>)) {
    let _watchdog = watchdog("a namespace", 60);
    let region = region();
    let config = NamespaceConfig::new(CAPACITY, MAX_NAME, MAX_BYTES);
    f(region.create_namespace("ns", &config).unwrap());
}

#[test]
fn it_has_writable_attributes() {
    // >>> Global.x = 10; Global.y = 'hello'
    with(|ns| {
        assert_eq!(ns.is_empty(), Ok(true));
        ns.set("x", 10i64).unwrap();
        ns.set("y", "hello").unwrap();
        assert_eq!(ns.get_i64("x"), Ok(10));
        assert_eq!(ns.get_str("y", &mut [0; 16]), Ok("hello"));
        assert_eq!(ns.names().unwrap(), ["x", "y"]);
        assert_eq!(ns.len(), Ok(2));
        ns.set("x", -11i64).unwrap();
        assert_eq!((ns.get_i64("x"), ns.len()), (Ok(-11), Ok(2)));
    });
}

#[test]
fn every_type_is_what_was_set() {
    with(|ns| {
        let all = [
            ("i", Attribute::I64(i64::MIN), Type::I64),
            ("u", Attribute::U64(u64::MAX), Type::U64),
            ("f", Attribute::F64(-0.0), Type::F64),
            ("t", Attribute::Bool(true), Type::Bool),
            ("n", Attribute::Bool(false), Type::Bool),
            ("b", Attribute::Bytes(b"\xff\x00"), Type::Bytes),
            ("s", Attribute::Str("na\u{ef}ve"), Type::Str),
            ("empty", Attribute::Str(""), Type::Str),
        ];
        for (name, value, _) in all {
            ns.set(name, value).unwrap();
        }
        for (name, value, of) in all {
            assert_eq!(ns.get(name, &mut [0; 16]), Ok(value), "{name}");
            assert_eq!((ns.type_of(name), value.type_of()), (Ok(of), of), "{name}");
        }
        assert!(ns.get_f64("f").unwrap().is_sign_negative());
        let nan = f64::from_bits(0x7ff8_dead_beef_0001);
        ns.set("f", nan).unwrap();
        assert_eq!(ns.get_f64("f").unwrap().to_bits(), nan.to_bits());
        assert_eq!(
            (ns.get_u64("u"), ns.get_bool("t"), ns.get_bool("n")),
            (Ok(u64::MAX), Ok(true), Ok(false))
        );
        assert_eq!(ns.get_bytes("b", &mut [0; 2]), Ok(&b"\xff\x00"[..]));
    });
}

#[test]
fn another_type_is_told_and_nothing_is_converted() {
    with(|ns| {
        ns.set("i", 1i64).unwrap();
        ns.set("s", "text").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(ns.get_u64("i"), Err(Error::WrongKind));
        assert_eq!(ns.get_f64("i"), Err(Error::WrongKind));
        assert_eq!(ns.get_bool("i"), Err(Error::WrongKind));
        assert_eq!(ns.get_bytes("i", &mut buffer), Err(Error::WrongKind));
        assert_eq!(ns.get_str("i", &mut buffer), Err(Error::WrongKind));
        assert_eq!(ns.get_bytes("s", &mut buffer), Err(Error::WrongKind));
        assert_eq!(ns.get_i64("s"), Err(Error::WrongKind));
        // As in Python, an attribute may become something else.
        ns.set("i", "now a string").unwrap();
        assert_eq!(ns.get_i64("i"), Err(Error::WrongKind));
        assert_eq!(ns.get_str("i", &mut buffer), Ok("now a string"));
        ns.set("i", true).unwrap();
        assert_eq!(ns.get_bool("i"), Ok(true));
    });
}

#[test]
fn attributes_that_are_not_there_are_told() {
    with(|ns| {
        assert_eq!(ns.get_i64("x"), Err(Error::NotFound), "AttributeError");
        assert_eq!(ns.get("x", &mut []), Err(Error::NotFound));
        assert_eq!(ns.type_of("x"), Err(Error::NotFound));
        assert_eq!(ns.remove("x"), Err(Error::NotFound));
        assert_eq!(ns.contains("x"), Ok(false));
        ns.set("x", 1u64).unwrap();
        assert_eq!(ns.contains("x"), Ok(true));
        ns.remove("x").unwrap();
        assert_eq!(ns.contains("x"), Ok(false));
    });
}

#[test]
fn what_does_not_fit_changes_nothing() {
    with(|ns| {
        let long = "n".repeat(MAX_NAME as usize);
        ns.set(&long, "v".repeat(MAX_BYTES as usize).as_str()).unwrap();
        assert_eq!(ns.set("nnnnnnnnnnnnn", 1i64), Err(Error::MessageTooLarge));
        assert_eq!(ns.set(&long, "v".repeat(MAX_BYTES as usize + 1).as_str()), Err(Error::MessageTooLarge));
        assert_eq!(ns.set(&long, &[0u8; 17][..]), Err(Error::MessageTooLarge));
        assert_eq!(ns.get_str(&long, &mut [0; 15]), Err(Error::BufferTooSmall));
        assert_eq!(ns.get_str(&long, &mut [0; 16]), Ok("vvvvvvvvvvvvvvvv"));
        for i in 1..CAPACITY as u64 {
            ns.set(&format!("{i}"), i).unwrap();
        }
        assert_eq!(ns.set("more", 0i64), Err(Error::NoSpace));
        ns.set("3", 33u64).unwrap();
        let expected = [long.as_str(), "1", "2", "3", "4", "5", "6", "7"];
        assert_eq!(ns.names().unwrap(), expected);
        let (mut buffer, mut lens) = ([0; 19], [0; 8]);
        assert_eq!(ns.copy_names(&mut buffer, &mut lens), Ok(8));
        assert_eq!((&buffer[12..], lens), (&b"1234567"[..], [12, 1, 1, 1, 1, 1, 1, 1]));
        assert_eq!(ns.copy_names(&mut buffer[..18], &mut lens), Err(Error::BufferTooSmall));
    });
}

#[test]
fn numbers_fit_whatever_the_longest_string_is() {
    let region = region();
    let ns = region.create_namespace("small", &NamespaceConfig::new(2, 1, 0)).unwrap();
    ns.set("a", u64::MAX).unwrap();
    ns.set("b", "").unwrap();
    assert_eq!(ns.set("b", "x"), Err(Error::MessageTooLarge));
    assert_eq!((ns.get_u64("a"), ns.get_str("b", &mut [])), (Ok(u64::MAX), Ok("")));
}

#[test]
fn processes_and_threads_share_it() {
    with(|ns| {
        fork(|| {
            ns.acquire(0).unwrap();
            ns.set("pid", u64::from(std::process::id())).unwrap();
            0
        })
        .succeeds();
        assert!(ns.get_u64("pid").unwrap() > 0);
        ns.set("count", 0i64).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _guard = ns.lock().unwrap();
                        ns.set("count", ns.get_i64("count").unwrap() + 1).unwrap();
                    }
                });
            }
        });
        assert_eq!(ns.get_i64("count"), Ok(200));
        let _guard = ns.lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(ns.with_timeout(1_000_000).set("a", 1i64), Err(Error::TimedOut)));
        });
    });
}

#[test]
fn names_kinds_and_parameters_are_checked() {
    let region = region();
    let config = NamespaceConfig::new(3, 5, 7);
    let ns = region.create_namespace("ns", &config).unwrap();
    assert_eq!((ns.capacity(), ns.config()), (3, config));
    assert!(region.open_namespace_as("ns", &config).is_ok());
    // Of the same size.
    let other = NamespaceConfig::new(3, 5, 6);
    assert_eq!(region.open_namespace_as("ns", &other).err(), Some(Error::WrongKind));
    assert_eq!(region.open_dict("ns").err(), Some(Error::WrongKind));
    ns.set("a", 1i64).unwrap();
    assert_eq!(region.open_namespace("ns").unwrap().get_i64("a"), Ok(1));
    for bad in [(0, 1, 1), (1, 0, 1), (1, 1, u32::MAX), (1 << 30, 1, 1)] {
        assert_eq!(NamespaceConfig::new(bad.0, bad.1, bad.2).layout(), Err(Error::Invalid));
    }
}

#[repr(C, align(128))]
struct Memory([u8; 4096]);

#[test]
fn bytes_that_are_no_attribute_are_refused() {
    let mut memory = Box::new(Memory([0; 4096]));
    let at = memory.0.as_mut_ptr();
    let config = NamespaceConfig::new(1, 4, 8);
    let mut buffer = [0; 8];
    // SAFETY: 4096 bytes, aligned, ours, and gone after the handles; offsets stay inside.
    unsafe {
        let refused = namespace::Namespace::attach_on(Os {}, at, 4096).err();
        assert_eq!(refused, Some(Error::BadRegion));
        let ns = namespace::Namespace::init_on(Os {}, at, 4096, &config).unwrap();
        // One bucket: the slot begins at 48, its value at 48 + 32 + 16.
        let word =
            |offset: usize| at.add(256 + (at.add(128).read() & 1) as usize * 128 + offset).cast::<u32>();
        ns.set("a", true).unwrap();
        assert_eq!(word(96).read(), 4);
        word(100).cast::<u8>().write(2);
        assert_eq!(ns.get_bool("a"), Err(Error::BadRegion));
        for code in [0, 7, u32::MAX] {
            word(96).write(code);
            assert_eq!(ns.get("a", &mut buffer), Err(Error::BadRegion));
            assert_eq!(ns.type_of("a"), Err(Error::BadRegion));
        }
        word(96).write(1);
        assert_eq!(ns.get_i64("a"), Err(Error::BadRegion), "of one byte");
        for len in [0, 3, 13, u32::MAX] {
            word(48 + 20).write(len);
            assert_eq!(ns.get("a", &mut buffer), Err(Error::BadRegion), "{len} bytes");
            assert_eq!(ns.type_of("a"), Err(Error::BadRegion), "{len} bytes");
        }
        ns.set("a", "text").unwrap();
        word(100).write(u32::MAX);
        assert_eq!(ns.get_str("a", &mut buffer), Err(Error::BadRegion), "no UTF-8");
        assert_eq!(ns.get_bytes("a", &mut buffer), Err(Error::WrongKind));
    }
}
