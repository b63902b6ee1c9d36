//! The demand on a site: one series for each kind of interaction and region, on one grid.

use std::collections::BTreeMap;
use std::fmt;

use fleetcast_model::{InteractionType, Region};
use jiff::Timestamp;

use crate::{Series, Step};

/// What a series of demand is about. Neither part given: all of the site's demand.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DemandKey {
    /// What the users did. `None`: all kinds together.
    pub interaction_type: Option<InteractionType>,
    /// Where the users were. `None`: all regions together.
    pub region: Option<Region>,
}

impl fmt::Display for DemandKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.interaction_type, &self.region) {
            (None, None) => f.write_str("all demand"),
            (Some(kind), None) => write!(f, "{kind}"),
            (None, Some(region)) => write!(f, "{region}"),
            (Some(kind), Some(region)) => write!(f, "{kind} in {region}"),
        }
    }
}

/// What the values of a series count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueUnit {
    /// Interactions in one step of the source.
    #[default]
    PerStep,
    /// Interactions a minute.
    PerMinute,
    /// Interactions a second.
    PerSecond,
}

/// The demand on a site: one or more series which begin, step and end together.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    series: BTreeMap<DemandKey, Series>,
    grid: Grid,
    unit: ValueUnit,
    counted_over: Step,
}

/// What the series of a demand have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    start: Timestamp,
    step: Step,
    len: usize,
}

impl Grid {
    fn of(series: &Series) -> Self {
        Self {
            start: series.start(),
            step: series.step(),
            len: series.len(),
        }
    }
}

/// Why some series are not a demand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// There was none.
    #[error("a demand needs at least one series")]
    NoSeries,
    /// They do not lie on one grid.
    #[error("the series of {key} does not begin, step and end together with the first one")]
    GridsDiffer {
        /// The series which differs.
        key: DemandKey,
    },
}

impl Demand {
    /// Joins series which begin, step and end together. With [`ValueUnit::PerStep`] a value counts
    /// the interactions of one step; see [`Demand::counted_over`] where it does not.
    pub fn new(series: BTreeMap<DemandKey, Series>, unit: ValueUnit) -> Result<Self, DemandError> {
        let grid = Grid::of(series.values().next().ok_or(DemandError::NoSeries)?);
        if let Some((key, _)) = series.iter().find(|(_, series)| Grid::of(series) != grid) {
            return Err(DemandError::GridsDiffer { key: key.clone() });
        }
        Ok(Self {
            series,
            grid,
            unit,
            counted_over: grid.step,
        })
    }

    /// A demand that is not divided by kind or region.
    pub fn of(series: Series, unit: ValueUnit) -> Self {
        let grid = Grid::of(&series);
        Self {
            series: [(DemandKey::default(), series)].into(),
            grid,
            unit,
            counted_over: grid.step,
        }
    }

    /// Only the steps that had ended at a moment; all of them if none had.
    #[must_use]
    pub fn until(mut self, at: Timestamp) -> Self {
        let seconds = at.duration_since(self.start()).as_secs().max(0);
        let steps = (seconds / i64::from(self.step().seconds())) as usize;
        if steps > 0 {
            self.grid.len = steps.min(self.grid.len);
            for series in self.series.values_mut() {
                *series = series.slice(0..self.grid.len);
            }
        }
        self
    }

    /// Says over how long each value counts where that is not the step of the series: counts for
    /// each 10 s which were *averaged* to a minute still are counts for 10 s.
    #[must_use]
    pub fn counted_over(mut self, step: Step) -> Self {
        self.counted_over = step;
        self
    }

    /// The series of one kind and region.
    pub fn get(&self, key: &DemandKey) -> Option<&Series> {
        self.series.get(key)
    }

    /// All series with what they are about.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&DemandKey, &Series)> {
        self.series.iter()
    }

    /// How many series there are: at least one.
    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    /// Where the first step begins.
    pub fn start(&self) -> Timestamp {
        self.grid.start
    }

    /// How long a step lasts.
    pub fn step(&self) -> Step {
        self.grid.step
    }

    /// How many steps each series has.
    pub fn len(&self) -> usize {
        self.grid.len
    }

    /// Whether the series have no step at all.
    pub fn is_empty(&self) -> bool {
        self.grid.len == 0
    }

    /// What the values count.
    pub fn unit(&self) -> ValueUnit {
        self.unit
    }

    /// Converts one value of a series to interactions a minute.
    pub fn per_minute(&self, value: f64) -> f64 {
        match self.unit {
            ValueUnit::PerStep => value / self.counted_over.minutes(),
            ValueUnit::PerMinute => value,
            ValueUnit::PerSecond => value * 60.0,
        }
    }

    /// The sum of all series.
    ///
    /// A step at which one of them is missing is missing: a part says nothing about the whole.
    /// Before its first and after its last value a series does not count, so a region that was
    /// opened later does not hide what came before.
    pub fn total(&self) -> Series {
        let spans: Vec<_> = self
            .series
            .values()
            .filter_map(|series| Some((series, observed_span(series)?)))
            .collect();
        let values = (0..self.len()).map(|index| {
            let mut living = spans
                .iter()
                .filter(|(_, (first, last))| (*first..=*last).contains(&index))
                .peekable();
            living.peek()?;
            living.map(|(series, _)| series.get(index)).sum()
        });
        Series::from_values(self.start(), self.step(), values)
    }
}

fn observed_span(series: &Series) -> Option<(usize, usize)> {
    let first = series.values().position(|value| value.is_some())?;
    let last = series.values().rposition(|value| value.is_some())?;
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;

    fn series(values: &[f64]) -> Series {
        Series::from_readings(Timestamp::UNIX_EPOCH, Step::MINUTE, values.to_vec())
    }

    fn key(kind: InteractionType, region: &str) -> DemandKey {
        DemandKey {
            interaction_type: Some(kind),
            region: Some(Region::new(region).unwrap()),
        }
    }

    fn demand(parts: &[(DemandKey, &[f64])]) -> Result<Demand, DemandError> {
        let series = parts
            .iter()
            .map(|(key, values)| (key.clone(), series(values)));
        Demand::new(series.collect(), ValueUnit::PerStep)
    }

    #[test]
    fn what_is_after_a_moment_is_in_no_part_and_not_in_the_total() {
        let parts: [(DemandKey, &[f64]); 2] = [
            (key(InteractionType::Search, "eu"), &[1.0, 2.0, 3.0]),
            (key(InteractionType::Search, "us"), &[4.0, 5.0, 6.0]),
        ];
        let whole = demand(&parts).unwrap();
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let until = |seconds| -> Vec<Option<f64>> {
            let cut = whole.clone().until(at(seconds));
            assert!(cut.iter().all(|(_, part)| part.len() == cut.total().len()));
            cut.total().values().collect()
        };
        assert_eq!(until(125), [Some(5.0), Some(7.0)]);
        assert_eq!(until(9_999), [Some(5.0), Some(7.0), Some(9.0)]);
        assert_eq!(until(-60), until(9_999));
    }

    #[test]
    fn the_total_is_missing_where_a_living_part_is() {
        let parts: [(DemandKey, &[f64]); 3] = [
            (
                key(InteractionType::Search, "eu"),
                &[1.0, 1.0, 1.0, 1.0, 1.0, NAN],
            ),
            (
                key(InteractionType::Search, "us"),
                &[NAN, NAN, 2.0, NAN, 2.0, NAN],
            ),
            (
                key(InteractionType::ApiCall, "us"),
                &[NAN, 4.0, 4.0, 4.0, NAN, NAN],
            ),
        ];
        let total = demand(&parts).unwrap().total();
        let expected = [Some(1.0), Some(5.0), Some(7.0), None, Some(3.0), None];
        assert_eq!(total.values().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn series_share_one_grid() {
        assert_eq!(demand(&[]), Err(DemandError::NoSeries));
        let (search, calls) = (
            key(InteractionType::Search, "eu"),
            key(InteractionType::ApiCall, "eu"),
        );
        let error = demand(&[(search, &[1.0]), (calls, &[1.0, 2.0])]).unwrap_err();
        let expected =
            "the series of api_call in eu does not begin, step and end together with the first one";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn values_convert_to_a_minute() {
        let quarter_hours =
            |unit| Demand::of(Series::new(Timestamp::UNIX_EPOCH, Step::QUARTER_HOUR), unit);
        assert_eq!(quarter_hours(ValueUnit::PerStep).per_minute(30.0), 2.0);
        assert_eq!(quarter_hours(ValueUnit::PerMinute).per_minute(30.0), 30.0);
        assert_eq!(quarter_hours(ValueUnit::PerSecond).per_minute(30.0), 1800.0);
        let ten_seconds = Step::from_seconds(10).unwrap();
        let averaged = quarter_hours(ValueUnit::PerStep).counted_over(ten_seconds);
        assert_eq!(averaged.per_minute(30.0), 180.0);
    }
}
