//! The ring without threads.
use rialto::ring::{Header, Refused, Ring, Slots};
use rialto::sync::AtomicU64;

#[derive(Clone, Copy)]
struct Words<'a>(&'a [AtomicU64]);

impl Slots for Words<'_> {
    fn word(&self, index: u32) -> &AtomicU64 {
        &self.0[index as usize]
    }
}

#[test]
fn fills_drains_and_laps_in_order_across_the_wrap() {
    for stop_safe in [false, true] {
        let header = Header::new();
        let words: Vec<AtomicU64> = (0..8).map(|_| AtomicU64::new(0)).collect();
        let ring = Ring::new(&header, Words(&words), 3, stop_safe);
        ring.format((1 << 44) - 3);
        for _ in 0..10 {
            for index in 0..8 {
                let position = ring.reserve(1).unwrap();
                assert_eq!(position.index, index);
                assert!(ring.publish(1, position));
            }
            assert_eq!(ring.reserve(1), Err(Refused::Full));
            assert_eq!(ring.len(), 8);
            for index in 0..8 {
                let claim = ring.claim(2, 5).unwrap();
                assert_eq!((claim.index, claim.attempt), (index, 0));
                ring.release(2, claim);
            }
            assert_eq!(ring.claim(2, 5), Err(Refused::Empty));
        }
    }
}
