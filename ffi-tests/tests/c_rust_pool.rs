//! One pool with workers in C and in Rust, of a Rust parent.

use ffi_tests::{Link, compile};
use rialto::{
    FOREVER, Region, RegionConfig,
    pool::{Function, Output, Pool, PoolConfig, work},
    process::{Method, Process, ProcessConfig, Program},
};
use std::collections::BTreeMap;

fn language(_: &[u8], output: &mut Output<'_>) -> i32 {
    // SAFETY: no memory involved.
    unsafe { libc::usleep(1000) };
    output.write(b"Rust").map_or(1, |()| 0)
}

fn double(task: &[u8], output: &mut Output<'_>) -> i32 {
    output.write(task).and_then(|()| output.write(task)).map_or(1, |()| 0)
}

const FUNCTIONS: &[Function] = &[Function::new("language", &language), Function::new("double", &double)];

#[test]
fn tasks_are_divided_among_workers_in_c_and_in_rust() {
    for link in [Link::Static, Link::Shared] {
        let file =
            std::ffi::CString::new(compile("pool", link).into_os_string().into_encoded_bytes()).unwrap();
        let region = Region::create_memfd(1 << 20, &RegionConfig::default()).unwrap();
        let fds = [region.fd().unwrap()];
        let mut count = 0;
        let start = |told: &[u8]| {
            let config = ProcessConfig { args: told, fds: &fds, daemon: true, ..ProcessConfig::default() };
            count += 1;
            if count % 2 == 0 {
                return Process::start(Method::spawn(Program::at(&file)), "worker", &config);
            }
            // SAFETY: what it does is free of libc's locks and of malloc.
            unsafe { Process::fork(&config, |child| work(child.args(), &region, FUNCTIONS)) }
        };
        let mut pool = Pool::create(&region, "mixed", &PoolConfig::new(4), start).unwrap();
        let mut languages: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for _ in 0..100 {
            if languages.len() == 2 && languages.values().all(|count| *count >= 10) {
                break;
            }
            for report in pool.map_to_vec("language", [""; 40], 1).unwrap() {
                *languages.entry(report.done().unwrap()).or_default() += 1;
            }
        }
        assert!(languages.contains_key(&b"C"[..]) && languages.contains_key(&b"Rust"[..]), "{languages:?}");
        let items: Vec<String> = (0..500).map(|i| i.to_string()).collect();
        for chunk in [1, 20] {
            pool.map("double", &items, chunk, |index, report| {
                assert_eq!(report.done(), Ok(items[index].repeat(2).as_bytes()));
            })
            .unwrap();
        }
        pool.close();
        pool.join(FOREVER).unwrap();
    }
}
