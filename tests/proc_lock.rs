//! `Lock` between real processes.
#![cfg(all(feature = "os", target_os = "linux", not(rialto_loom)))]

use rialto::{
    Error,
    lock::{Lock, Outcome},
};

#[test]
fn basics() {
    let lock: &'static Lock = Box::leak(Box::new(Lock::new()));
    assert_eq!(lock.release(), Err(Error::NotOwner));
    assert_eq!(lock.acquire_raw(0), Ok(Outcome::Clean));
    assert!(lock.is_mine() && lock.is_locked());
    assert_eq!(lock.acquire_raw(1), Err(Error::Deadlock));
    assert_eq!(lock.acquire_raw(0), Err(Error::WouldBlock));
    std::thread::spawn(|| {
        assert_eq!(lock.acquire_raw(1_000_000), Err(Error::TimedOut));
        assert_eq!(lock.release(), Err(Error::NotOwner));
    })
    .join()
    .unwrap();
    assert_eq!(lock.release(), Ok(()));
    std::thread::spawn(|| lock.acquire_raw(0).unwrap()).join().unwrap();
    assert_eq!(lock.acquire_raw(u64::MAX), Ok(Outcome::OwnerDied));
    assert_eq!(lock.release(), Ok(()));
    assert_eq!(lock.acquire_raw(u64::MAX), Err(Error::NotRecoverable));
    assert_eq!(lock.reset(), Ok(()));
    assert_eq!(lock.acquire_raw(u64::MAX), Ok(Outcome::Clean));
}
