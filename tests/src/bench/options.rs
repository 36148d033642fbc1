//! What the benchmark is asked to do.

use clap::Parser;

/// What Walwarden costs on top of bare pg_dump and pg_restore, as ratios of one run.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "bench")]
pub struct Options {
    /// Size of the database in MB, indexes included; 600, or 3000 with --large
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    megabytes: Option<u32>,
    /// Rounds, whose medians are shown; 3, or 1 with --large
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Uncompressed, so that more than 2 GB go through the bucket
    #[arg(long)]
    large: bool,
    /// Requests per second of the API on one core, and nothing else
    #[arg(long, exclusive = true)]
    pub api: bool,
    /// The worker's peak memory for artifacts of so many GiB each, for example 1,8,32, and nothing else
    #[arg(long, value_name = "GIB", exclusive = true, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: Vec<u32>,
}

impl Options {
    /// Size of the database in MB, about.
    pub(super) fn megabytes(&self) -> u32 {
        self.megabytes.unwrap_or(if self.large { 3000 } else { 600 })
    }

    /// How often everything is measured.
    pub(super) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.large { 1 } else { 3 })
    }

    /// The codec of the backups; the product's own choice when absent.
    pub(super) fn codec(&self) -> Option<&'static str> {
        self.large.then_some("none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(["bench"].into_iter().chain(text.split_whitespace()))
    }

    #[test]
    fn defaults_fit_a_small_machine_and_large_is_uncompressed() {
        let default = parse("").expect("valid");
        assert_eq!((default.megabytes(), default.rounds(), default.codec()), (600, 3, None));
        let large = parse("--large --rounds 2").expect("valid");
        assert_eq!((large.megabytes(), large.rounds(), large.codec()), (3000, 2, Some("none")));
        assert_eq!(parse("--memory 1,8").expect("valid").memory, [1, 8]);
        for bad in ["--megabytes", "--rounds 0", "--megabytes x", "--fast", "--memory 0", "--api --large"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
