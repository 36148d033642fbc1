//! What the run is asked to do.

use anyhow::{Context, Result, bail, ensure};

use crate::canary::random_hex;

/// How to call it.
pub const USAGE: &str = "\
usage: contract [--seeds 1,2,3,random] [--seconds N] [-- <more arguments of `schemathesis run`>]
  --seeds LIST   one run for each; `random` is a new one, which is printed; default 1,2,3,random
  --seconds N    time for each run, the setting up not counted; default 55";

/// What the run is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// One run for each.
    pub seeds: Vec<u32>,
    /// How long each run generates requests.
    pub seconds: u32,
    /// What else Schemathesis is told.
    pub more: Vec<String>,
}

impl Options {
    /// Reads the arguments; none when help was asked for.
    pub fn parse(arguments: &[String]) -> Result<Option<Self>> {
        let mut options = Self { seeds: Vec::new(), seconds: 55, more: Vec::new() };
        let mut seeds = "1,2,3,random".to_owned();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} takes a value"));
            match argument.as_str() {
                "--seeds" => seeds.clone_from(value()?),
                "--seconds" => options.seconds = value()?.parse().context("--seconds takes a number")?,
                "--" => options.more = arguments.by_ref().cloned().collect(),
                "--help" | "-h" => return Ok(None),
                other => bail!("unknown argument {other}"),
            }
        }
        ensure!(options.seconds > 0, "--seconds 0: too few");
        options.seeds = seeds.split(',').map(seed).collect::<Result<_>>()?;
        Ok(Some(options))
    }
}

fn seed(text: &str) -> Result<u32> {
    match text {
        "random" => Ok(u32::from_str_radix(&random_hex(4), 16)?),
        number => number.parse().with_context(|| format!("{number}: no seed")),
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
    fn three_fixed_seeds_and_a_new_one_unless_told_otherwise() {
        let default = parse("").expect("valid").expect("options");
        assert_eq!((&default.seeds[..3], default.seeds.len(), default.seconds), (&[1, 2, 3][..], 4, 55));
        let told = parse("--seeds 7 --seconds 9 -- --phases fuzzing").expect("valid").expect("options");
        let more = ["--phases", "fuzzing"].map(str::to_owned).to_vec();
        assert_eq!(told, Options { seeds: vec![7], seconds: 9, more });
        assert!(parse("--help").expect("valid").is_none());
        for bad in ["--seeds", "--seeds x", "--seconds 0", "--fast"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
