//! State between C and Rust processes, at different addresses. The C side is killed with locks held.

use ffi_tests::{Link, Peer, Unlink, compile};
use rialto::{Attribute, DictConfig, Error, ListConfig, NamespaceConfig, Region, RegionConfig};

#[test]
fn what_either_writes_the_other_reads() {
    let name = Unlink(format!("rialto-ffi-state-{}", std::process::id()));
    let region = Region::create_named(&name.0, 1 << 16, &RegionConfig::default()).unwrap();
    let point = region.create_value("point", [1.5f64, -2.5, 0.25]).unwrap();
    let numbers = region.create_array_of("numbers", &[1000u16, 1001, 1002, 1003, 1004]).unwrap();
    let raw = region.create_raw_value("raw", -7i32).unwrap();
    let mut peer = Peer::start(&compile("state", Link::Static), "beside", &name.0);
    peer.wait_for("written");
    assert_eq!(point.load(), Ok([4.0, -2.5, 0.25]));
    assert_eq!(raw.load(), Ok(8));
    assert_eq!(region.open_value::<bool>("flag").unwrap().load(), Ok(true));
    assert_eq!(numbers.get(1), Ok(0xffff));
    assert!(numbers.with_timeout(0).lock().is_err(), "the C side holds it");
    peer.kill();
    assert_eq!(numbers.fetch_add(1, 1), Ok(0xffff));
    assert_eq!(numbers.iter().unwrap().collect::<Vec<_>>(), [1000, 0, 1002, 1003, 1004]);
}

#[test]
fn collections_too() {
    let name = Unlink(format!("rialto-ffi-collections-{}", std::process::id()));
    let region = Region::create_named(&name.0, 1 << 16, &RegionConfig::default()).unwrap();
    let list = region.create_list("list", &ListConfig::new(4, 5)).unwrap();
    list.extend(&[b"one", b"", b"three"]).unwrap();
    let dict = region.create_dict("dict", &DictConfig::new(4, 5, 6)).unwrap();
    dict.update(&[(b"b", b"2"), (b"a", b"1")]).unwrap();
    let names = region.create_namespace("names", &NamespaceConfig::new(4, 5, 6)).unwrap();
    names.set("level", -3i64).unwrap();
    names.set("name", "a\0zb").unwrap();
    let mut peer = Peer::start(&compile("collections", Link::Static), "beside", &name.0);
    peer.wait_for("written");
    let mut buffer = [0; 8];
    assert_eq!(list.len(), Ok(3), "who reads does not wait");
    assert_eq!(list.get(2, &mut buffer), Ok(1));
    assert_eq!(buffer[0], 0xff);
    assert_eq!(list.with_timeout(0).clear(), Err(Error::WouldBlock));
    assert_eq!(dict.with_timeout(1_000_000).clear(), Err(Error::TimedOut));
    assert_eq!(names.with_timeout(0).remove("level"), Err(Error::WouldBlock));
    peer.kill();
    assert_eq!(list.to_vec().unwrap(), [&b""[..], b"three", b"\xff"]);
    let pairs = dict.to_vec().unwrap();
    assert_eq!(pairs, [(b"a".to_vec(), b"1".to_vec()), (b"key".to_vec(), b"value".to_vec())]);
    assert_eq!(names.get("name", &mut buffer), Ok(Attribute::Str("\u{e4}")));
    assert_eq!(names.get_f64("ratio"), Ok(0.25));
    assert_eq!(names.names().unwrap(), ["level", "name", "ratio"]);
    assert_eq!((list.deaths(), dict.deaths(), names.deaths()), (0, 0, 0), "between two changes");
    assert_eq!((list.clear(), dict.clear(), names.remove("level")), (Ok(()), Ok(()), Ok(())));
}
