//! One of everything, in one process and in two.
use rialto::*;

#[test]
fn push_pop_peek_close_in_one_process() {
    let region = Region::create_memfd(1 << 20, &RegionConfig::default()).unwrap();
    let q = region.create_queue("jobs", &QueueConfig::new(4, 64)).unwrap();
    for i in 0..4u8 {
        q.push(&[i; 5]).unwrap();
    }
    assert_eq!(q.try_push(b"x"), Err(Error::WouldBlock));
    assert_eq!(q.push_timeout(b"x", 20_000_000), Err(Error::TimedOut));
    let other = Region::attach_fd(region.fd().unwrap()).unwrap();
    let q2 = other.open_queue("jobs").unwrap();
    let mut buf = [0; 64];
    assert_eq!(q2.pop(&mut buf).unwrap(), Popped { len: 5, attempt: 0 });
    drop(q2.peek().unwrap());
    let again = q2.peek().unwrap();
    assert_eq!((again.attempt(), again.len()), (1, 5));
    again.release();
    q.close();
    assert_eq!(q.pop(&mut buf).unwrap().len, 5);
    assert_eq!(q.pop(&mut buf).unwrap().len, 5);
    assert_eq!(q.pop(&mut buf), Err(Error::Closed));
    assert_eq!(q.push(b"x"), Err(Error::Closed));
}

#[test]
fn a_killed_holder_s_message_comes_back() {
    let region = Region::create_anonymous(1 << 20, &RegionConfig::default()).unwrap();
    let q = region.create_queue("jobs", &QueueConfig::new(4, 64)).unwrap();
    q.push(b"hello").unwrap();
    // SAFETY: the child only uses rialto and dies.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            std::mem::forget(q.peek());
            libc::kill(libc::getpid(), libc::SIGKILL);
        }
        libc::waitpid(pid, std::ptr::null_mut(), 0);
    }
    let mut buf = [0; 64];
    assert_eq!(q.pop(&mut buf).unwrap(), Popped { len: 5, attempt: 1 });
}
