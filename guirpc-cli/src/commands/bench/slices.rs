//! The latencies of a step, sliced by time: how much they vary, and what happened when.
//!
//! There is a bounded number of slices, however long it takes: when they are full, two become one.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::LONGEST;

/// An even number.
const MOST: usize = 40;
/// Of the first slices, in microseconds.
const WIDTH: u64 = 10_000;

pub(super) struct Slices {
    /// In microseconds.
    width: u64,
    /// Each with how many calls were answered, and their latencies in microseconds.
    slices: Vec<Histogram<u32>>,
}

/// What is kept of them; slice after slice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SliceFigures {
    /// Of each slice.
    pub(super) length_s: f64,
    /// Calls that were answered in it.
    pub(super) answered: Vec<u64>,
    /// Percentiles of their latencies; 0 where none was answered.
    pub(super) p50_us: Vec<u64>,
    pub(super) p90_us: Vec<u64>,
    pub(super) p99_us: Vec<u64>,
}

impl Slices {
    pub(super) fn new() -> Self {
        Slices { width: WIDTH, slices: Vec::new() }
    }

    /// A call that was answered at this time, and took so many microseconds.
    pub(super) fn record(&mut self, at: Duration, latency: u64) {
        let at = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        while at / self.width >= MOST as u64 {
            self.halve();
        }
        let place = usize::try_from(at / self.width).expect("there are fewer than that");
        while self.slices.len() <= place {
            self.slices.push(empty());
        }
        self.slices[place].saturating_record(latency);
    }

    fn halve(&mut self) {
        self.width *= 2;
        let mut slices = std::mem::take(&mut self.slices).into_iter();
        while let Some(mut slice) = slices.next() {
            if let Some(second) = slices.next() {
                slice.add(second).expect("both have the same bounds");
            }
            self.slices.push(slice);
        }
    }

    /// Those that are over at this time.
    pub(super) fn until(&self, end: Duration) -> SliceFigures {
        let whole = end.as_micros() / u128::from(self.width);
        let whole = usize::try_from(whole).unwrap_or(MOST).min(MOST);
        let nothing = empty();
        let slices: Vec<_> = (0..whole).map(|place| self.slices.get(place).unwrap_or(&nothing)).collect();
        let quantiles = |quantile| slices.iter().map(|slice| slice.value_at_quantile(quantile)).collect();
        SliceFigures {
            length_s: Duration::from_micros(self.width).as_secs_f64(),
            answered: slices.iter().map(|slice| slice.len()).collect(),
            p50_us: quantiles(0.5),
            p90_us: quantiles(0.9),
            p99_us: quantiles(0.99),
        }
    }
}

fn empty() -> Histogram<u32> {
    Histogram::new_with_max(LONGEST, 2).expect("two digits of a day are possible")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_few_and_lose_nothing() {
        let mut slices = Slices::new();
        for millisecond in 0..10_000 {
            slices.record(Duration::from_millis(millisecond), millisecond + 1);
        }
        let figures = slices.until(Duration::from_secs(10));
        assert!((MOST / 2..=MOST).contains(&figures.answered.len()), "{figures:?}");
        let width = u64::try_from(Duration::from_secs_f64(figures.length_s).as_millis()).unwrap();
        assert!(figures.answered.iter().all(|answered| *answered == width), "{figures:?}");
        assert!(figures.p50_us.is_sorted() && figures.p50_us[0] >= width / 2, "{figures:?}");
        assert_eq!(slices.slices.iter().map(Histogram::len).sum::<u64>(), 10_000);
    }

    #[test]
    fn a_slice_without_answers_counts() {
        let mut slices = Slices::new();
        slices.record(Duration::from_millis(35), 7);
        let figures = slices.until(Duration::from_millis(59));
        assert_eq!((figures.answered, figures.p99_us), (vec![0, 0, 0, 1, 0], vec![0, 0, 0, 7, 0]));
    }
}
