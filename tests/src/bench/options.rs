//! What the benchmark is asked to do.

use anyhow::{Context, Result, bail, ensure};

/// How to call the benchmark.
pub const USAGE: &str = "\
usage: bench [--megabytes N] [--rounds N] [--large]
       bench --api
  --megabytes N  size of the database, indexes included; default 600
  --rounds N     rounds, whose medians are shown; default 3
  --large        one round with 3000 MB, uncompressed, so that more than 2 GB go through the bucket
  --api          requests per second of the API on one core, and nothing else";

/// What the benchmark is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Size of the database in MB, about.
    pub megabytes: u32,
    /// How often everything is measured.
    pub rounds: u32,
    /// The codec of the backups; the product's own choice when absent.
    pub codec: Option<String>,
}

impl Options {
    /// Reads the arguments; none when help was asked for.
    pub fn parse(arguments: &[String]) -> Result<Option<Self>> {
        let large = arguments.iter().any(|argument| argument == "--large");
        let mut options = Self {
            megabytes: if large { 3000 } else { 600 },
            rounds: if large { 1 } else { 3 },
            codec: large.then(|| "none".to_owned()),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || -> Result<u32> {
                let text = arguments.next().with_context(|| format!("{argument} takes a number"))?;
                let number = text.parse().with_context(|| format!("{argument} {text}: not a number"))?;
                ensure!(number > 0, "{argument} {text}: too few");
                Ok(number)
            };
            match argument.as_str() {
                "--megabytes" => options.megabytes = number()?,
                "--rounds" => options.rounds = number()?,
                "--large" => {}
                "--help" | "-h" => return Ok(None),
                other => bail!("unknown argument {other}"),
            }
        }
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Options>> {
        let arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn defaults_fit_a_small_machine_and_large_is_uncompressed() {
        let default = parse("").expect("valid").expect("options");
        assert_eq!((default.megabytes, default.rounds, default.codec), (600, 3, None));
        let large = parse("--large --rounds 2").expect("valid").expect("options");
        assert_eq!((large.megabytes, large.rounds, large.codec.as_deref()), (3000, 2, Some("none")));
        assert!(parse("--help").expect("valid").is_none());
        for bad in ["--megabytes", "--rounds 0", "--megabytes x", "--fast"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
