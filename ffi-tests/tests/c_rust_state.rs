//! Values and arrays between C and Rust processes, at different addresses. The C side is killed with an array's
//! lock held.

use ffi_tests::{Link, Peer, compile};
use rialto::{Region, RegionConfig};

/// Removes the name also if the test fails.
struct Unlink(String);
impl Drop for Unlink {
    fn drop(&mut self) {
        let _ = Region::unlink_named(&self.0);
    }
}

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
