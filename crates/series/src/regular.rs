//! A series of values at equal steps, some of them missing.

use std::fmt;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use crate::Step;

/// Values at equal steps. Value `i` covers the time from `start + i · step` up to, not including,
/// `start + (i + 1) · step`.
///
/// A missing value is `None`, never a number: it says nothing about the demand. Values are finite;
/// one that is not is kept as missing.
#[derive(Clone)]
pub struct Series {
    start: Timestamp,
    step: Step,
    /// A missing value is `MISSING` here, which takes half the memory of an `Option<f64>`. It never
    /// leaves this file.
    values: Vec<f64>,
}

const MISSING: f64 = f64::NAN;

/// How the values of several steps become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Their mean: for rates and levels.
    Mean,
    /// Their sum, scaled up to the whole bin where steps are missing: for counts.
    Sum,
}

/// The wanted step is not a multiple of the step there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a series with a step of {from} cannot be aggregated to {to}: choose a multiple of {from}")]
pub struct NotAMultiple {
    /// The step there is.
    pub from: Step,
    /// The step that was wanted.
    pub to: Step,
}

/// A run of missing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first missing step.
    pub index: usize,
    /// How many steps are missing in a row.
    pub steps: usize,
}

impl Series {
    /// Starts an empty series. A fraction of a second in `start` is cut off.
    pub fn new(start: Timestamp, step: Step) -> Self {
        Self {
            start: whole_second(start),
            step,
            values: Vec::new(),
        }
    }

    /// Makes a series of values, `None` for a missing one.
    pub fn from_values(
        start: Timestamp,
        step: Step,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        let mut series = Self::new(start, step);
        values.into_iter().for_each(|value| series.push(value));
        series
    }

    /// Takes over readings without copying them; those that are not finite are missing.
    pub fn from_readings(start: Timestamp, step: Step, mut readings: Vec<f64>) -> Self {
        for reading in &mut readings {
            *reading = stored(Some(*reading));
        }
        Self {
            start: whole_second(start),
            step,
            values: readings,
        }
    }

    /// Where the first step begins.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Where the step after the last one begins.
    pub fn end(&self) -> Timestamp {
        self.timestamp(self.len())
    }

    /// How long a step lasts.
    pub fn step(&self) -> Step {
        self.step
    }

    /// How many steps there are, with the missing ones.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no step at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of step `index`. `None` if it is missing or outside of the series.
    pub fn get(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().and_then(shown)
    }

    /// Where step `index` begins; steps after the last one count on.
    pub fn timestamp(&self, index: usize) -> Timestamp {
        let seconds = i64::try_from(index)
            .unwrap_or(i64::MAX)
            .saturating_mul(i64::from(self.step.seconds()));
        self.start
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap_or(Timestamp::MAX)
    }

    /// The step that holds this moment. `None` if it is outside of the series.
    pub fn index_at(&self, moment: Timestamp) -> Option<usize> {
        let past = moment.as_nanosecond() - self.start.as_nanosecond();
        let index = past.div_euclid(self.step.duration().as_nanos());
        usize::try_from(index)
            .ok()
            .filter(|index| *index < self.len())
    }

    /// All steps in order: where each begins, and its value.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Timestamp, Option<f64>)> + '_ {
        (0..self.len()).map(|index| (self.timestamp(index), self.get(index)))
    }

    /// All values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Option<f64>> + DoubleEndedIterator + '_ {
        self.values.iter().copied().map(shown)
    }

    /// Appends a step.
    pub fn push(&mut self, value: Option<f64>) {
        self.values.push(stored(value));
    }

    /// The steps of a range, as a series of its own.
    ///
    /// # Panics
    /// If the range reaches beyond the series.
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self {
            start: self.timestamp(range.start),
            step: self.step,
            values: self.values[range].to_vec(),
        }
    }

    /// Makes a series with a coarser step. Bins begin at multiples of `to` since 1970-01-01 UTC;
    /// one with less than half of its steps present is missing.
    pub fn aggregate(&self, to: Step, by: Aggregate) -> Result<Self, NotAMultiple> {
        let (fine, coarse) = (i64::from(self.step.seconds()), i64::from(to.seconds()));
        if coarse % fine != 0 {
            return Err(NotAMultiple {
                from: self.step,
                to,
            });
        }
        let per_bin = usize::try_from(coarse / fine).expect("a ratio of steps is small");
        let past = self.start.as_second().rem_euclid(coarse);
        // Steps that the first bin lacks: the first step may begin in the middle of it.
        let lacking = usize::try_from(past / fine).expect("a ratio of steps is small");
        let start = self
            .start
            .checked_sub(SignedDuration::from_secs(past))
            .unwrap_or(Timestamp::MIN);
        let mut bins = Self::new(start, to);
        let first = (per_bin - lacking).min(self.len());
        let (head, rest) = self.values.split_at(first);
        for bin in [head]
            .into_iter()
            .filter(|head| !head.is_empty())
            .chain(rest.chunks(per_bin))
        {
            bins.push(aggregate_bin(bin, per_bin, by));
        }
        Ok(bins)
    }

    /// The values with each missing one replaced by the one before it, and whether each was
    /// observed; leading missing ones take the first observed value. `None` if nothing was observed.
    pub fn filled_forward(&self) -> Option<(Vec<f64>, Vec<bool>)> {
        let mut last = self.values().flatten().next()?;
        let filled = self.values().map(|value| {
            last = value.unwrap_or(last);
            last
        });
        Some((
            filled.collect(),
            self.values().map(|value| value.is_some()).collect(),
        ))
    }

    /// The `q`-th percentile (0 to 100) of the observed values, interpolated as numpy's default
    /// method `linear` does. `None` if nothing was observed or `q` is out of range.
    pub fn percentile(&self, q: f64) -> Option<f64> {
        let mut observed: Vec<f64> = self.values().flatten().collect();
        if observed.is_empty() || !(0.0..=100.0).contains(&q) {
            return None;
        }
        let position = q / 100.0 * (observed.len() - 1) as f64;
        let (index, share) = (position.floor() as usize, position - position.floor());
        let (_, low, above) = observed.select_nth_unstable_by(index, f64::total_cmp);
        let low = *low;
        let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
        // From the nearer end, as numpy does, so that results agree to the last bit.
        let between = if share < 0.5 {
            low + (high - low) * share
        } else {
            high - (high - low) * (1.0 - share)
        };
        Some(between)
    }

    /// How many steps are missing.
    pub fn count_missing(&self) -> usize {
        self.values().filter(Option::is_none).count()
    }

    /// The longest run of missing steps, the first one where several are equal. `None` if no step
    /// is missing.
    pub fn longest_gap(&self) -> Option<Gap> {
        let (mut longest, mut open): (Option<Gap>, Option<Gap>) = (None, None);
        for (index, value) in self.values().enumerate() {
            open = match (value, open) {
                (Some(_), _) => None,
                (None, None) => Some(Gap { index, steps: 1 }),
                (None, Some(gap)) => Some(Gap {
                    steps: gap.steps + 1,
                    ..gap
                }),
            };
            if open.map_or(0, |gap| gap.steps) > longest.map_or(0, |gap| gap.steps) {
                longest = open;
            }
        }
        longest
    }
}

fn stored(value: Option<f64>) -> f64 {
    value.filter(|value| value.is_finite()).unwrap_or(MISSING)
}

fn shown(stored: f64) -> Option<f64> {
    (!stored.is_nan()).then_some(stored)
}

fn whole_second(moment: Timestamp) -> Timestamp {
    let second = moment.as_nanosecond().div_euclid(1_000_000_000);
    i64::try_from(second)
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .unwrap_or(moment)
}

fn aggregate_bin(bin: &[f64], steps: usize, by: Aggregate) -> Option<f64> {
    let (mut sum, mut present) = (0.0, 0_usize);
    for value in bin.iter().copied().filter_map(shown) {
        sum += value;
        present += 1;
    }
    if present == 0 || present * 2 < steps {
        return None;
    }
    Some(match by {
        Aggregate::Mean => sum / present as f64,
        Aggregate::Sum if present == steps => sum,
        Aggregate::Sum => sum / present as f64 * steps as f64,
    })
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.step == other.step && self.values().eq(other.values())
    }
}

impl fmt::Debug for Series {
    /// Shows at most the first values: a failing assertion on months of minutes stays readable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 50;
        write!(
            f,
            "Series {{ {} steps of {} from {}: [",
            self.len(),
            self.step,
            self.start
        )?;
        for (index, value) in self.values().take(SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match value {
                Some(value) => write!(f, "{separator}{value}")?,
                None => write!(f, "{separator}-")?,
            }
        }
        f.write_str(if self.len() > SHOWN {
            ", …] }"
        } else {
            "] }"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "2026-03-01T00:00:00Z";

    fn series(start: &str, step: Step, values: &[f64]) -> Series {
        Series::from_readings(start.parse().unwrap(), step, values.to_vec())
    }

    fn check_aggregate(
        start: &str,
        values: &[f64],
        by: Aggregate,
        expected_start: &str,
        expected: &[Option<f64>],
    ) {
        let coarse = series(start, Step::MINUTE, values)
            .aggregate(Step::from_seconds(240).unwrap(), by)
            .unwrap();
        assert_eq!(coarse.start(), expected_start.parse().unwrap());
        assert_eq!(coarse.values().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn steps_follow_one_another() {
        let series = series(START, Step::HOUR, &[1.0, f64::NAN, 3.0]);
        assert_eq!(series.len(), 3);
        assert_eq!(
            (series.get(0), series.get(1), series.get(3)),
            (Some(1.0), None, None)
        );
        assert_eq!(series.timestamp(2), "2026-03-01T02:00:00Z".parse().unwrap());
        assert_eq!(series.end(), "2026-03-01T03:00:00Z".parse().unwrap());
        assert_eq!(
            series.index_at("2026-03-01T01:59:59Z".parse().unwrap()),
            Some(1)
        );
        assert_eq!(
            series.index_at("2026-03-01T03:00:00Z".parse().unwrap()),
            None
        );
        assert_eq!(
            series.index_at("2026-02-28T23:59:59.5Z".parse().unwrap()),
            None
        );
        assert_eq!(series.iter().last(), Some((series.timestamp(2), Some(3.0))));
        assert_eq!(series.slice(1..3).start(), series.timestamp(1));
        assert_eq!(
            series.slice(1..3).values().collect::<Vec<_>>(),
            [None, Some(3.0)]
        );
    }

    #[test]
    fn readings_that_are_not_finite_are_missing() {
        let mut series = series(START, Step::MINUTE, &[f64::INFINITY, f64::NAN, -0.0, 2.0]);
        series.push(Some(f64::NEG_INFINITY));
        series.push(None);
        assert_eq!(
            series.values().collect::<Vec<_>>(),
            [None, None, Some(0.0), Some(2.0), None, None]
        );
        assert_eq!(series.count_missing(), 4);
        assert_eq!(series.longest_gap(), Some(Gap { index: 0, steps: 2 }));
        assert_eq!(series, series.clone());
    }

    #[test]
    fn bins_with_less_than_half_of_their_steps_are_missing() {
        let nan = f64::NAN;
        let values = [
            1.0, nan, nan, 3.0, nan, 1.0, nan, nan, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0,
        ];
        let mean = [Some(2.0), None, Some(2.5), Some(5.5)];
        check_aggregate(START, &values, Aggregate::Mean, START, &mean);
        let sum = [Some(8.0), None, Some(10.0), Some(22.0)];
        check_aggregate(START, &values, Aggregate::Sum, START, &sum);
    }

    #[test]
    fn bins_begin_at_multiples_of_their_step() {
        check_aggregate(
            "2026-03-01T00:03:00Z",
            &[9.0, 1.0, 2.0],
            Aggregate::Mean,
            START,
            &[None, Some(1.5)],
        );
        check_aggregate(
            "2026-03-01T00:02:00Z",
            &[9.0],
            Aggregate::Mean,
            START,
            &[None],
        );
        check_aggregate(
            "1969-12-31T23:58:00Z",
            &[1.0, 3.0],
            Aggregate::Mean,
            "1969-12-31T23:56:00Z",
            &[Some(2.0)],
        );
    }

    #[test]
    fn aggregates_to_multiples_only() {
        let error = series(START, Step::MINUTE, &[1.0])
            .aggregate(Step::from_seconds(90).unwrap(), Aggregate::Sum);
        let expected = "a series with a step of 1 min cannot be aggregated to 90 s: choose a multiple of 1 min";
        assert_eq!(error.unwrap_err().to_string(), expected);
    }

    #[test]
    fn gaps_are_filled_with_the_value_before_them() {
        let nan = f64::NAN;
        let (values, observed) = series(START, Step::MINUTE, &[nan, 4.0, nan, nan, 5.0])
            .filled_forward()
            .unwrap();
        assert_eq!(values, [4.0, 4.0, 4.0, 4.0, 5.0]);
        assert_eq!(observed, [false, true, false, false, true]);
        assert_eq!(series(START, Step::MINUTE, &[nan]).filled_forward(), None);
    }

    /// Expected values computed with numpy's `percentile(values, q)`.
    #[test]
    fn percentiles_agree_with_numpy() {
        let tenths = [0.7, 0.1, f64::NAN, 0.4, 0.2];
        let check = |values: &[f64], q: f64, expected: f64| {
            let found = series(START, Step::MINUTE, values).percentile(q).unwrap();
            assert_eq!(
                found.to_bits(),
                expected.to_bits(),
                "{q} of {values:?}: {found}"
            );
        };
        check(&tenths, 0.0, 0.1);
        check(&tenths, 10.0, 0.13);
        check(&tenths, 25.0, 0.17500000000000002);
        check(&tenths, 50.0, 0.30000000000000004);
        check(&tenths, 60.0, 0.36);
        check(&tenths, 99.0, 0.6909999999999998);
        check(&tenths, 100.0, 0.7);
        let many: Vec<f64> = (0..1000)
            .map(|i| f64::from(i * 7919 % 1009) * 0.37)
            .collect();
        check(&many, 1.0, 3.6963000000000004);
        check(&many, 33.3, 124.56678999999998);
        check(&many, 50.0, 187.035);
        check(&many, 95.0, 354.47849999999994);
        check(&many, 99.0, 369.2637);
        check(&many, 99.9, 372.59037);
    }

    #[test]
    fn percentiles_of_nothing_are_missing() {
        assert_eq!(
            series(START, Step::MINUTE, &[f64::NAN]).percentile(99.0),
            None
        );
        assert_eq!(series(START, Step::MINUTE, &[1.0]).percentile(101.0), None);
    }
}
