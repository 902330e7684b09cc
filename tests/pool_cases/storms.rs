//! Workers are killed at random, one each 50 ms, and what comes out is what a loop would have brought: nothing is lost, nothing
//! comes twice, and what was begun twice says so.

use super::{COUNTERS, Case, Place, Way, case, workers::answer};
use rialto::{
    FOREVER,
    pool::{Outcome, Pool, PoolConfig, Report},
};
use std::time::{Duration, Instant};

pub fn seconds() -> u64 {
    let text = std::env::var("RIALTO_STORM_SECONDS").unwrap_or_default();
    if text.is_empty() { 2 } else { text.parse().expect("RIALTO_STORM_SECONDS is a number") }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Map,
    Imap,
    Unordered,
}

pub fn cases(way: Way) -> Vec<Case> {
    [Kind::Map, Kind::Imap, Kind::Unordered]
        .map(|kind| case(format!("storm: {kind:?} ({})", way.name()), move || storm(way, kind)))
        .into()
}

const ITEMS: usize = 300;

fn storm(way: Way, kind: Kind) {
    let place = Place::new(way);
    let config = PoolConfig { retries: 20, ..PoolConfig::new(3) };
    let mut pool = Pool::create(&place.region, "pool", &config, place.starter("mortal")).unwrap();
    let end = Instant::now() + Duration::from_secs(seconds());
    let (mut rounds, mut marked, mut twice) = (0, 0, 0);
    while Instant::now() < end {
        place.clear_counters();
        let chunk = [1, 5, 64][rounds % 3];
        let items: Vec<Vec<u8>> = (0..ITEMS)
            .map(|i| [&(i as u32).to_le_bytes()[..], format!("{rounds}").repeat(i % 7).as_bytes()].concat())
            .collect();
        let mut reports: Vec<Option<Report<Vec<u8>>>> = vec![None; ITEMS];
        let mut each = |index: usize, report: Report<&[u8]>| {
            assert_eq!(reports[index], None, "reported twice");
            reports[index] = Some(report.to_vec());
        };
        match kind {
            Kind::Map => pool.map("count", &items, chunk, each).unwrap(),
            Kind::Imap => {
                let mut imap = pool.imap("count", &items, chunk).unwrap();
                for index in 0..ITEMS {
                    each(index, imap.next_timeout(FOREVER).unwrap().expect("a report"));
                }
                assert_eq!(imap.next_timeout(FOREVER), Ok(None));
            }
            Kind::Unordered => {
                let mut imap = pool.imap_unordered("count", &items, chunk).unwrap();
                while let Some((index, report)) = imap.next_timeout(FOREVER).unwrap() {
                    each(index, report);
                }
            }
        }
        for (index, (report, item)) in reports.into_iter().zip(&items).enumerate() {
            let report = report.expect("a report of each");
            assert_eq!(report.outcome, Outcome::Done(answer(item)));
            let begun = place.counter(index as u32 % COUNTERS);
            assert!(begun == 1 || begun > 1 && report.attempt > 0, "{index}: {begun} times, {report:?}");
            marked += usize::from(report.attempt > 0);
            twice += usize::from(begun > 1);
        }
        rounds += 1;
    }
    let progress = pool.progress();
    assert_eq!((progress.ended, progress.pending, progress.running), (progress.submitted, 0, 0));
    let died = place.starts.get() - 3;
    println!("{rounds} rounds of {ITEMS}, {died} died, {marked} marked, {twice} begun more than once");
    assert!(died as u64 >= 3 * seconds() && marked > 0, "that was no storm");
}
