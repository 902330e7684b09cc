//! `rialto`: what is in a region, who has it, who is dead.
//!
//! `inspect` and `top` only read (see `rialto::inspect`); `recover` does what a blocked member of the region would
//! do; `demo` shows all of it on a region of its own.

mod demo;
mod open;
mod process;
mod report;
mod text;
mod top;
mod trouble;

use clap::{Parser, Subcommand};
use open::Failure;
use report::Report;
use rialto::{Depth, Recovered, Region};
use std::{
    io::{self, Write},
    os::fd::AsRawFd,
    process::ExitCode,
};

const AFTER_HELP: &str = "\
REGION is the name of a region in /dev/shm (with or without a leading /), a path like /proc/PID/fd/N, or any other
file that a region lies in.

Exit status:
  0  done; with `inspect --check` also: nothing is dead, stuck or damaged
  1  `inspect --check`: something is, see \"trouble\"
  2  wrong usage
  3  there is no such region, or it may not be opened
  4  what is there is no region, or a damaged one, or one of another layout version
  5  anything else

The JSON of `inspect --json` has the fields described in README.md; `format` is 1, and grows when a field changes its
meaning or goes.";

#[derive(Parser)]
#[command(name = "rialto", version, about = "Looks into regions of shared memory", after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What is in a region: objects, who has them in hand, members alive and dead. Only reads
    Inspect {
        /// Its name in /dev/shm, or a file: /proc/PID/fd/N, say
        region: String,
        /// For programs
        #[arg(long)]
        json: bool,
        /// Exit with 1 if something is dead, stuck or damaged
        #[arg(long)]
        check: bool,
    },
    /// Gives back what dead members had in hand, as blocked members do by themselves
    Recover {
        /// Its name in /dev/shm, or a file: /proc/PID/fd/N, say
        region: String,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// The same as `inspect`, again and again, until q or ctrl-c. Only reads
    Top {
        /// Its name in /dev/shm, or a file: /proc/PID/fd/N, say
        region: String,
        /// Seconds between looks
        #[arg(long, default_value_t = 1.0, value_parser = seconds)]
        interval: f64,
        /// One look, without a terminal
        #[arg(long)]
        once: bool,
    },
    /// Kills a worker that holds a lock and a message, and shows what is left
    Demo,
    /// What `demo` starts
    #[command(hide = true)]
    DemoWorker { region: String, role: demo::Role },
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.05..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("seconds, 0.05 to 3600".to_owned()),
    }
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Inspect { region, json, check } => inspect(&region, json, check),
        Command::Recover { region, json } => recover(&region, json),
        Command::Top { region, interval, once } => top::top(&region, interval, once),
        Command::Demo => demo::demo(),
        Command::DemoWorker { region, role } => demo::work(&region, role),
    };
    result.unwrap_or_else(|failure| {
        // Whoever has closed our output does not want more of it.
        let closed = matches!(&failure, Failure::Io(error) if error.kind() == io::ErrorKind::BrokenPipe);
        if !closed {
            eprintln!("rialto: {failure}");
        }
        ExitCode::from(failure.code())
    })
}

fn inspect(region: &str, json: bool, check: bool) -> Result<ExitCode, Failure> {
    let report = Report::of(&open::to_read(region)?)?;
    print(|out| if json { write_json(out, &report) } else { text::write(out, &report) })?;
    Ok(ExitCode::from(u8::from(check && !report.trouble.is_empty())))
}

fn recover(region: &str, json: bool) -> Result<ExitCode, Failure> {
    let opened = open::to_write(region)?;
    let whole = |error| Failure::Region(opened.path.clone(), error);
    let attached = Region::attach_fd(opened.file.as_raw_fd()).map_err(whole)?;
    let found = attached.recover(Depth::Thorough);
    drop(attached);
    let report = Report::of(&opened)?;
    let Recovered { members, redelivered, freed, dropped, permits, broken, ends, .. } = found;
    print(|out| {
        if json {
            return write_json(
                out,
                &serde_json::json!({
                    "format": report::FORMAT,
                    "region": report.region.path,
                    "recovered": {
                        "members": members, "redelivered": redelivered, "freed": freed, "dropped": dropped,
                        "permits": permits, "broken": broken, "ends": ends,
                    },
                    "trouble": report.trouble,
                }),
            );
        }
        writeln!(out, "dead members recovered       {members}")?;
        writeln!(out, "messages for somebody else   {redelivered}")?;
        writeln!(out, "messages given up            {dropped}")?;
        writeln!(out, "slots freed                  {freed}")?;
        writeln!(out, "permits given back           {permits}")?;
        writeln!(out, "ends of pipes and queues     {ends}")?;
        writeln!(out, "barriers broken              {broken}")?;
        text::trouble(out, &report)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn write_json(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    Ok(out.flush()?)
}
