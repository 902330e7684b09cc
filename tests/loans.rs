//! Loans: room that is reserved, written in place and committed; in rings and in indexed queues.

use rialto::{Error, QueueConfig, QueueKind, Region, RegionConfig};

const KINDS: [QueueKind; 2] = [QueueKind::Ring, QueueKind::Indexed];

fn region() -> Region {
    Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap()
}

#[test]
fn what_is_committed_is_popped_and_what_is_dropped_is_not() {
    for kind in KINDS {
        let region = region();
        let queue = region.create_queue("q", &QueueConfig { kind, ..QueueConfig::new(4, 64) }).unwrap();
        let mut buffer = [0; 64];
        for round in 0..20u8 {
            let mut loan = queue.reserve(5).unwrap();
            loan.write(&[round; 5]).unwrap();
            loan.commit().map_err(|(_, error)| error).unwrap();
            drop(queue.reserve(64).unwrap());
            assert_eq!(queue.try_pop(&mut buffer).unwrap().len, 5);
            assert_eq!(buffer[..5], [round; 5]);
            assert_eq!(queue.try_pop(&mut buffer), Err(Error::WouldBlock));
        }
    }
}

#[test]
fn a_loan_that_others_overtook_comes_after_theirs() {
    for kind in KINDS {
        let region = region();
        let queue = region.create_queue("q", &QueueConfig { kind, ..QueueConfig::new(4, 8) }).unwrap();
        let mut buffer = [0; 8];
        let mut loan = queue.reserve(2).unwrap();
        loan.write(b"me").unwrap();
        for _ in 0..30 {
            queue.try_push(b"others").unwrap();
            assert_eq!(queue.try_pop(&mut buffer).unwrap().len, 6);
        }
        // Full but for the loan's own slot: a ring has no room to copy to.
        while queue.try_push(b"others").is_ok() {}
        loan = match loan.try_commit() {
            Err((loan, Error::WouldBlock)) if kind == QueueKind::Ring => loan,
            Ok(()) if kind == QueueKind::Indexed => continue,
            other => panic!("{kind:?}: {:?}", other.map_err(|(_, error)| error)),
        };
        assert_eq!(queue.try_pop(&mut buffer).unwrap().len, 6);
        loan.try_commit().map_err(|(_, error)| error).unwrap();
        let mut last = 0;
        while let Ok(popped) = queue.try_pop(&mut buffer) {
            last = popped.len;
        }
        assert_eq!((last, &buffer[..2]), (2, &b"me"[..]));
    }
}

#[test]
fn a_batch_comes_whole_and_in_order() {
    for kind in KINDS {
        let region = region();
        let queue = region.create_queue("q", &QueueConfig { kind, ..QueueConfig::new(4, 8) }).unwrap();
        let messages: [&[u8]; 5] = [b"a", b"bb", b"", b"dddd", b"eeeee"];
        assert_eq!(queue.try_push_many(&messages), Ok(4));
        assert_eq!(queue.try_push_many(&messages[4..]), Err(Error::WouldBlock));
        assert!(queue.is_full());
        let mut buffer = [0; 24];
        let mut popped = [rialto::Popped::default(); 9];
        assert_eq!(queue.try_pop_many(&mut buffer, &mut popped), Ok(3));
        assert_eq!(popped[..3].iter().map(|p| p.len).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(&buffer[8..10], b"bb");
        assert_eq!(queue.try_pop_many(&mut buffer, &mut popped), Ok(1));
        assert_eq!(queue.try_pop_many(&mut buffer, &mut popped), Err(Error::WouldBlock));
    }
}

#[test]
fn join_waits_for_task_done() {
    for kind in KINDS {
        let region = region();
        let config = QueueConfig { kind, joinable: true, ..QueueConfig::new(4, 8) };
        let queue = region.create_queue("q", &config).unwrap();
        assert_eq!(queue.join_timeout(0), Ok(()));
        let mut buffer = [0; 8];
        (0..4).for_each(|_| queue.push(b"task").unwrap());
        assert_eq!(queue.try_push(b"task"), Err(Error::WouldBlock));
        let tickets = [(); 4].map(|()| queue.pop(&mut buffer).unwrap().ticket);
        assert_eq!(queue.try_push(b"task"), Err(Error::WouldBlock));
        for ticket in tickets {
            assert_eq!(queue.join_timeout(0), Err(Error::WouldBlock));
            assert_eq!(queue.task_done(ticket), Ok(()));
            assert_eq!(queue.task_done(ticket), Err(Error::NotOwner));
        }
        assert_eq!(queue.join_timeout(0), Ok(()));
        queue.push(b"again").unwrap();
        let ticket = queue.pop(&mut buffer).unwrap().ticket;
        assert_eq!(queue.task_done(tickets[0]), Err(Error::NotOwner));
        queue.give_back(ticket).unwrap();
        assert_eq!((queue.unfinished(), queue.len()), (1, 1));
        let again = queue.pop(&mut buffer).unwrap();
        assert!(again.redelivered());
        assert_eq!(queue.task_done(ticket), Err(Error::NotOwner));
        assert_eq!(queue.task_done(again.ticket), Ok(()));
    }
}
