//! Many tasks of one function: what comes out is what a loop would have brought.

use super::{Case, MS, Place, Way, apply, case, outcomes::done};
use crate::{pool, procs::wait_until};
use rialto::{
    Error, FOREVER,
    pool::{Outcome, Report},
};

pub fn cases(way: Way) -> Vec<Case> {
    let cell = |what: &str, run: fn(Way)| case(format!("{what} ({})", way.name()), move || run(way));
    vec![
        cell("map, imap, imap_unordered: numbers of items and chunks", chunks),
        cell("chunks: as many as fit", uneven),
        cell("chunks: each item fails for itself", failures),
        cell("chunks: a death is each item's", deaths),
        cell("an item that is too long ends it", too_long),
        cell("imap: endless items, dropped", endless),
        cell("imap: timeouts", timeouts),
        cell("imap_unordered: reports of other tasks are not its", others),
    ]
}

fn chunks(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 3, slots: 7, max_result_bytes: 16384);
    for count in [0, 1, 2, 6, 7, 8, 63, 64, 65, 200] {
        let items: Vec<String> = (0..count).map(|i| format!("{i}").repeat(i % 5)).collect();
        let sequential: Vec<_> = items.iter().map(|item| done(item.repeat(2).as_bytes())).collect();
        for chunk in [0, 1, 2, 3, 7, 64, 1000] {
            let mut mapped = vec![];
            pool.map("double", &items, chunk, |index, report| {
                assert_eq!(index, mapped.len());
                mapped.push(report.to_vec());
            })
            .unwrap();
            assert_eq!(mapped, sequential);
            assert_eq!(pool.map_to_vec("double", &items, chunk).unwrap(), sequential);
            let imap: Result<Vec<_>, _> = pool.imap("double", &items, chunk).unwrap().collect();
            assert_eq!(imap.unwrap(), sequential);
            let unordered: Result<Vec<_>, _> =
                pool.imap_unordered("double", &items, chunk).unwrap().collect();
            let mut unordered = unordered.unwrap();
            unordered.sort_by_key(|(index, _)| *index);
            assert!(unordered.iter().enumerate().all(|(i, (index, _))| i == *index));
            assert_eq!(unordered.into_iter().map(|(_, report)| report).collect::<Vec<_>>(), sequential);
        }
    }
    assert_eq!(pool.next(0).map(|_| ()), Err(Error::NotFound), "nothing is left over");
}

/// Items of 0 to 99 bytes in tasks of 104: chunks are what fits.
fn uneven(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, max_task_bytes: 104, max_result_bytes: 616);
    let items: Vec<Vec<u8>> = (0..100u8).map(|i| vec![i; usize::from(i) * 37 % 100]).collect();
    for chunk in [1, 5, 100] {
        let reports = pool.map_to_vec("double", &items, chunk).unwrap();
        for (report, item) in reports.into_iter().zip(&items) {
            assert_eq!(report.outcome, Outcome::Done(item.repeat(2)));
        }
    }
    pool.remove().unwrap();
    let mut pool = pool!(place, 2, max_task_bytes: 104, max_result_bytes: 216);
    assert_eq!(pool.map_to_vec("double", [""; 26], 100).unwrap().len(), 26);
    assert_eq!(pool.progress().submitted, 2, "13 results say 16 bytes each");
    // Results that do not fit: each item has what the others leave.
    let reports = pool.map_to_vec("much", [[50, 0, 0, 0]; 3], 3).unwrap();
    assert_eq!(reports[2].outcome, Outcome::Done(vec![1; 50]));
    let reports = pool.map_to_vec("much", [[90, 0, 0, 0]; 3], 3).unwrap();
    assert_eq!(reports[0].outcome, Outcome::Done(vec![1; 90]));
    assert_eq!(reports[2].outcome, Outcome::TooLarge(90));
    // One item has all the room.
    assert_eq!(pool.map_to_vec("double", [[1; 104]], 1).unwrap(), [done(&[1; 208])]);
}

fn failures(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    let why = Outcome::Failed(-7, b"why".to_vec());
    for chunk in [1, 3, 4] {
        let all = pool.map_to_vec("raises", ["1", "2", "3"], chunk).unwrap();
        assert!(all.len() == 3 && all.iter().all(|report| report.outcome == why));
        let all = pool.map_to_vec("panics", ["1", "2", "3"], chunk).unwrap();
        assert!(
            all.len() == 3 && all.iter().all(|report| report.outcome == Outcome::Panicked(b"no 1".to_vec()))
        );
        let all = pool.map_to_vec("none", ["1", "2", "3"], chunk).unwrap();
        assert!(all.len() == 3 && all.iter().all(|report| report.outcome == Outcome::NoFunction));
    }
    let sizes: [u32; 4] = [10, 5000, 0, 20];
    let all = pool.map_to_vec("much", sizes.map(u32::to_le_bytes), 4).unwrap();
    assert_eq!(all[0], done(&[1; 10]));
    assert_eq!(all[1].outcome, Outcome::TooLarge(5000));
    assert_eq!((&all[2], &all[3]), (&done(b""), &done(&[1; 20])));
    assert_eq!(pool.map_to_vec("", ["x"], 1), Err(Error::Invalid));
}

fn deaths(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, retries: 1);
    let items: Vec<[u8; 4]> = (0..9u32).map(u32::to_le_bytes).collect();
    let all = pool.map_to_vec("dies", &items, 3).unwrap();
    assert!(all.len() == 9 && all.iter().all(|report| report.outcome == Outcome::Died));
    // The first of each chunk has killed.
    assert_eq!((0..9).map(|i| place.counter(i)).collect::<Vec<_>>(), [2, 0, 0, 2, 0, 0, 2, 0, 0]);
    let mut pool = {
        pool.remove().unwrap();
        place.clear_counters();
        pool!(place, 2, retries: 6)
    };
    let all = pool.map_to_vec("dies twice", &items[..6], 2).unwrap();
    for (i, report) in all.iter().enumerate() {
        assert_eq!(*report, Report { attempt: 4, outcome: Outcome::Done(items[i].repeat(2)) });
        assert!(place.counter(i as u32) > 1);
    }
}

fn too_long(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, max_task_bytes: 100);
    let items: Vec<String> = [10, 20, 30, 101, 10].map(|len| "x".repeat(len)).into();
    for chunk in [1, 2, 9] {
        let mut reported = 0;
        let mapped = pool.map("double", &items, chunk, |index, report| {
            assert_eq!((index, report.to_vec()), (reported, done(items[index].repeat(2).as_bytes())));
            reported += 1;
        });
        assert_eq!((mapped, reported), (Err(Error::MessageTooLarge), 3));
        let imap: Vec<_> = pool.imap("double", &items, chunk).unwrap().collect();
        assert_eq!(imap.len(), 4, "the error, then no more");
        assert_eq!(imap[3], Err(Error::MessageTooLarge));
        assert_eq!(
            pool.imap_unordered("double", &items, chunk).unwrap().last(),
            Some(Err(Error::MessageTooLarge))
        );
    }
    assert_eq!(pool.next(0).map(|_| ()), Err(Error::NotFound));
}

fn endless(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2, slots: 6);
    for chunk in [1, 4] {
        for (i, report) in
            pool.imap("double", (0u64..).map(u64::to_le_bytes), chunk).unwrap().take(50).enumerate()
        {
            assert_eq!(report.unwrap(), done(&(i as u64).to_le_bytes().repeat(2)));
        }
        assert_eq!(
            pool.imap_unordered("double", std::iter::repeat("x"), chunk).unwrap().take(50).count(),
            50
        );
    }
    // Dropped with tasks being worked on: those go on, nobody is killed, nobody hears of it.
    let mut imap = pool.imap("sleep", std::iter::repeat(100u32.to_le_bytes()), 1).unwrap();
    imap.next_timeout(FOREVER).unwrap();
    drop(imap);
    assert_eq!(pool.next(0).map(|_| ()), Err(Error::NotFound));
    let ids: Vec<_> = (0..4).map(|_| pool.submit("double", b"x").unwrap()).collect();
    for id in ids {
        assert_eq!(pool.wait(id, FOREVER).unwrap().to_vec(), done(b"xx"));
    }
    let all = pool.map_to_vec("double", ["x"; 100], 1).unwrap();
    assert!(all.iter().all(|report| *report == done(b"xx")));
    pool.close();
    pool.join(FOREVER).unwrap();
    assert_eq!(place.starts.get(), 2);
}

fn others(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    let id = pool.submit("double", b"o").unwrap();
    wait_until("it has ended", || pool.progress().ended == 1);
    let all: Result<Vec<_>, _> = pool.imap_unordered("double", ["x"; 20], 3).unwrap().collect();
    let all = all.unwrap();
    assert!(all.len() == 20 && all.iter().all(|(_, report)| *report == done(b"xx")));
    assert_eq!(pool.wait(id, 0).unwrap().to_vec(), done(b"oo"));
}

fn timeouts(way: Way) {
    let place = Place::new(way);
    let mut pool = pool!(place, 2);
    let items = [300u32, 1, 1].map(u32::to_le_bytes);
    let mut imap = pool.imap("sleep", items, 1).unwrap();
    assert_eq!(imap.next_timeout(0).map(|_| ()), Err(Error::WouldBlock));
    assert_eq!(imap.next_timeout(50 * MS).map(|_| ()), Err(Error::TimedOut));
    for item in items {
        assert_eq!(imap.next_timeout(FOREVER).unwrap().unwrap().to_vec(), done(&item.repeat(2)));
    }
    assert_eq!(imap.next_timeout(FOREVER), Ok(None));
    assert_eq!(imap.next_timeout(FOREVER), Ok(None));
    drop(imap);
    let mut unordered = pool.imap_unordered("sleep", items, 1).unwrap();
    let first = unordered.next_timeout(FOREVER).unwrap().unwrap().0;
    assert_eq!(first, 1, "the first takes longer");
    assert_eq!(unordered.next_timeout(FOREVER).unwrap().unwrap().0, 2);
    assert_eq!(unordered.next_timeout(0).map(|_| ()), Err(Error::WouldBlock));
    assert_eq!(unordered.next_timeout(FOREVER).unwrap().unwrap().0, 0);
    assert_eq!(unordered.next_timeout(FOREVER), Ok(None));
    drop(unordered);
    assert_eq!(apply(&mut pool, "double", "x"), done(b"xx"));
}
