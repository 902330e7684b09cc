//! The command line.

use crate::{duo::Duo, pair::MOST_PAUSES, report::NEAR_BELOW};
use std::sync::atomic::Ordering::Relaxed;

#[derive(Default)]
pub struct Options {
    filters: Vec<String>,
    cpus: Option<Duo>,
    pub seconds: u64,
    pub near_below: f64,
    pub json: bool,
    pub list: bool,
    realtime: bool,
}

impl Options {
    pub fn parse(args: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options { seconds: 120, near_below: NEAR_BELOW, ..Options::default() };
        let mut args = args;
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match &*arg {
                "--json" => options.json = true,
                "--realtime" => options.realtime = true,
                "--pauses" => {
                    let pauses = value()?.parse().map_err(|_| "--pauses needs a number")?;
                    MOST_PAUSES.store(pauses, Relaxed);
                }
                "--list" => options.list = true,
                "--seconds" => options.seconds = value()?.parse().map_err(|_| "--seconds needs a number")?,
                "--near-below" => {
                    options.near_below = value()?.parse().map_err(|_| "--near-below needs a number")?
                }
                "--cpus" => options.cpus = Some(cpus(&value()?).ok_or("--cpus needs two, as 0,1")?),
                _ if arg.starts_with('-') => {
                    return Err(format!("{arg}? See the top of bench-peers/src/main.rs"));
                }
                _ => options.filters.push(arg),
            }
        }
        Ok(options)
    }

    pub fn wants(&self, label: &str) -> bool {
        self.filters.iter().all(|filter| label.contains(filter))
    }

    pub fn duo(&self) -> Result<Duo, String> {
        let duo = self.cpus.map_or_else(Duo::allowed, Ok)?;
        Ok(Duo { realtime: self.realtime, ..duo })
    }
}

fn cpus(text: &str) -> Option<Duo> {
    let (here, there) = text.split_once(',')?;
    Some(Duo { here: here.parse().ok()?, there: there.parse().ok()?, realtime: false })
}
