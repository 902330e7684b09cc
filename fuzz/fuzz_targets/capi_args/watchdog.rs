//! Aborts the process, with the call's name, when an input takes far longer than all its timeouts together.

use std::{
    sync::Mutex,
    sync::Once,
    thread,
    time::{Duration, Instant},
};

const HUNG: Duration = Duration::from_secs(20);
static UNDER_WAY: Mutex<Option<(Instant, &str)>> = Mutex::new(None);

pub fn begins() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        thread::spawn(|| {
            loop {
                thread::sleep(Duration::from_secs(1));
                if let Some((_, name)) =
                    UNDER_WAY.lock().expect("short").filter(|(begin, _)| begin.elapsed() > HUNG)
                {
                    eprintln!("hangs: {name}");
                    std::process::abort();
                }
            }
        });
    });
    *UNDER_WAY.lock().expect("short") = Some((Instant::now(), "the start"));
}

pub fn calls(name: &'static str) {
    if let Some(under_way) = &mut *UNDER_WAY.lock().expect("short") {
        under_way.1 = name;
    }
}

pub fn ends() {
    *UNDER_WAY.lock().expect("short") = None;
}
