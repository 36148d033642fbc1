//! What the soak is asked to do.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// How to call the soak.
pub const USAGE: &str = "\
usage: soak [--minutes N] [--databases N] [--workers N] [--seed N] [--restore-minutes N]
  --minutes N          how long faults happen; default 30
  --databases N        databases that are backed up again and again; default 50
  --workers N          worker processes; default 8
  --seed N             decides the faults; default 1
  --restore-minutes N  how long restores of older backups go on, once the newest of each database was restored; default half of
                       --minutes";

/// What the soak is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long faults happen.
    pub length: Duration,
    /// How many databases there are.
    pub databases: u32,
    /// How many worker processes there are.
    pub workers: u32,
    /// What decides the faults.
    pub seed: u64,
    /// How long backups are restored that are not the newest of their database.
    pub restoring: Duration,
}

impl Options {
    /// Reads the arguments; none when help was asked for.
    pub fn parse(arguments: &[String]) -> Result<Option<Self>> {
        let (mut minutes, mut databases, mut workers, mut seed, mut restoring) = (30, 50, 8, 1, None);
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || -> Result<u32> {
                let text = arguments.next().with_context(|| format!("{argument} takes a number"))?;
                let number = text.parse().with_context(|| format!("{argument} {text}: not a number"))?;
                ensure!(number > 0, "{argument} {text}: too few");
                Ok(number)
            };
            match argument.as_str() {
                "--minutes" => minutes = number()?,
                "--databases" => databases = number()?,
                "--workers" => workers = number()?,
                "--seed" => seed = u64::from(number()?),
                "--restore-minutes" => restoring = Some(number()?),
                "--help" | "-h" => return Ok(None),
                other => bail!("unknown argument {other}"),
            }
        }
        let length = Duration::from_secs(u64::from(minutes) * 60);
        let restoring = restoring.map_or(length / 2, |minutes| Duration::from_secs(u64::from(minutes) * 60));
        Ok(Some(Self { length, databases, workers, seed, restoring }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_time_is_for_restores_unless_said_otherwise() {
        let parse = |text: &str| {
            let arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            Options::parse(&arguments)
        };
        let usual = parse("").expect("valid").expect("options");
        assert_eq!((usual.length.as_secs(), usual.restoring.as_secs()), (1800, 900));
        assert_eq!((usual.databases, usual.workers, usual.seed), (50, 8, 1));
        let short = parse("--minutes 1 --workers 2 --restore-minutes 3").expect("valid").expect("options");
        assert_eq!((short.length.as_secs(), short.restoring.as_secs(), short.workers), (60, 180, 2));
        assert!(parse("--help").expect("valid").is_none());
        for bad in ["--minutes", "--workers 0", "--seed x", "--fast"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
