//! What the soak is asked to do.

use std::time::Duration;

use clap::Parser;

/// Many databases, many workers that die and stand still, a bucket that fails all the time, and everything that was completed is
/// restored and compared in the end.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "soak")]
pub struct Options {
    /// How long faults happen
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// Databases that are backed up again and again
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub databases: u32,
    /// Worker processes
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub workers: u32,
    /// Decides the faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// For how long a database rests between two backups; the shorter, the more there is to restore in the end
    #[arg(long, value_name = "N", default_value_t = 30)]
    rest_seconds: u32,
    /// How long restores of older backups go on, once the newest of each database was restored; until all are by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    restore_minutes: Option<u32>,
}

impl Options {
    /// How long faults happen.
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs(u64::from(self.minutes) * 60)
    }

    /// For how long a database rests between two backups.
    pub(super) fn rest(&self) -> Duration {
        Duration::from_secs(self.rest_seconds.into())
    }

    /// How long backups are restored that are not the newest of their database; until all are when absent.
    pub(super) fn restoring(&self) -> Option<Duration> {
        self.restore_minutes.map(|minutes| Duration::from_secs(u64::from(minutes) * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backup_is_restored_unless_said_otherwise() {
        let parse = |text: &str| Options::try_parse_from(["soak"].into_iter().chain(text.split_whitespace()));
        let usual = parse("").expect("valid");
        assert_eq!((usual.length().as_secs(), usual.rest().as_secs(), usual.restoring()), (1800, 30, None));
        assert_eq!((usual.databases, usual.workers, usual.seed), (50, 8, 1));
        let short = parse("--minutes 1 --workers 2 --restore-minutes 3").expect("valid");
        assert_eq!((short.length().as_secs(), short.workers), (60, 2));
        assert_eq!(short.restoring(), Some(Duration::from_mins(3)));
        for bad in ["--minutes", "--workers 0", "--seed x", "--fast"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
