//! Figures: durations of rounds, and what is made of them.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Runs something and says how many seconds it took.
pub(super) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let started = Instant::now();
    let outcome = work()?;
    Ok((outcome, started.elapsed().as_secs_f64()))
}

/// Bytes as MiB, to a thousandth.
pub(super) fn in_mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0
}

/// Of one thing, over the rounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(super) fn push_duration(&mut self, value: Duration) {
        self.push(value.as_secs_f64());
    }

    /// The middle one; of an even number, the mean of the two in the middle.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match (sorted.len() % 2, middle) {
            (_, 0) => sorted.first().copied().unwrap_or(f64::NAN),
            (0, _) => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        }
    }

    /// The lowest and the highest.
    pub(super) fn range(&self) -> (f64, f64) {
        let fold = |pick: fn(f64, f64) -> f64| self.0.iter().copied().fold(f64::NAN, pick);
        (fold(f64::min), fold(f64::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        let of = |values: &[f64]| Samples(values.to_vec()).median();
        assert!((of(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((of(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!((of(&[7.0]) - 7.0).abs() < 1e-9);
        assert!(of(&[]).is_nan());
        assert_eq!(Samples(vec![3.0, 1.0, 2.0]).range(), (1.0, 3.0));
    }
}
