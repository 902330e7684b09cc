//! Four processes at each synchronization primitive, with its invariants checked all the time: quietly, and
//! then with one of the four killed and replaced every 20 to 50 ms.
//!
//! `RIALTO_STRESS_SECS` says how long each game is played in each mode: 1, and 10 for a long run.
//! `RIALTO_STRESS_SEED` repeats the choices of a run, though not its timing. Arguments: words that a game's
//! name must contain. Each game ends with a line of counts. A game that stands still for 20 s has failed.
//!
//! | game | what must hold | after a death |
//! |---|---|---|
//! | Lock, RLock | one inside; the count is the owner's | the next owner is told, repairs, goes on |
//! | Semaphore | permits in use never exceed those there are | books agree but for what the dead had begun |
//! | BoundedSemaphore | no release beyond the bound is accepted; books | as above |
//! | tracked semaphore | one holder for each permit | all come back |
//! | Event | no turn of a ring of four gets lost | the ring goes on |
//! | Condition | a bounded buffer: order, exact counts, the lock held as deep as before | survivors notify |
//! | Barrier | each generation: each index once, one action when all are there | broken, reset, goes on |

#[cfg(all(target_os = "linux", feature = "os", not(rialto_loom)))]
mod procs;
#[cfg(all(target_os = "linux", feature = "os", not(rialto_loom)))]
mod stress;

#[cfg(not(all(target_os = "linux", feature = "os", not(rialto_loom))))]
fn main() {
    println!("not run here: needs Linux processes");
}

#[cfg(all(target_os = "linux", feature = "os", not(rialto_loom)))]
fn main() {
    use rialto::{Lock, RLock};
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        time::Duration,
    };
    use stress::{Game, barrier, condition, event, locks, permits, play};

    let number = |name, default| std::env::var(name).map_or(default, |n| n.parse().expect("a number"));
    let (seconds, seed) = (number("RIALTO_STRESS_SECS", 1), number("RIALTO_STRESS_SEED", 0xC0FFEE));
    let filter: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let failures = std::cell::Cell::new(0);

    fn game(game: impl Game) -> impl Fn(bool, Duration, u64) -> String {
        move |storm, length, seed| play(&game, storm, length, seed)
    }
    let run = |name: &str, storm: bool, play: &dyn Fn(bool, Duration, u64) -> String| {
        let name = format!("{name}, {}", if storm { "storm" } else { "quiet" });
        if !filter.iter().all(|word| name.contains(word.as_str())) {
            return;
        }
        let played = catch_unwind(AssertUnwindSafe(|| play(storm, Duration::from_secs(seconds), seed)));
        match played {
            Ok(counts) => println!("ok   {name}: {counts}"),
            Err(_) => {
                println!("FAIL {name}");
                failures.set(failures.get() + 1);
            }
        }
    };
    println!("stress_sync: four processes, {seconds} s each, seed {seed}");
    for storm in [false, true] {
        run("Lock", storm, &game(locks::Till::<Lock>::new()));
        run("RLock", storm, &game(locks::Till::<RLock>::new()));
        if storm {
            run("Semaphore", storm, &game(permits::Books::new(false)));
        } else {
            run("Semaphore", storm, &game(permits::InUse::new()));
        }
        run("BoundedSemaphore", storm, &game(permits::Books::new(true)));
        run("tracked semaphore", storm, &game(permits::Tracked::new()));
        run("Event", storm, &game(event::Ring::new()));
        run("Condition on Lock", storm, &game(condition::Buffer::<Lock>::new(false)));
        run("Condition on RLock", storm, &game(condition::Buffer::<RLock>::new(true)));
        run("Barrier", storm, &game(barrier::Generations::new()));
    }
    if failures.get() > 0 {
        std::process::exit(1);
    }
}
