//! What a model did not expect.

use std::collections::VecDeque;

use fleetcast_forecast::{Fit, FitError, History, SeasonSpec};
use serde::{Deserialize, Serialize};

use crate::follow::{Follow, NextStep};
use crate::judge::{Evidence, Judge};
use crate::sorted_window::SortedWindow;
use crate::{Settings, Tail, Verdict};

/// Judges samples by how far they are from what a model forecast, in units of its own interval or of
/// its usual error, whichever is wider.
///
/// The model is fitted to the last samples ([`ResidualDetector::window`]) once a day or after a
/// tenth of them, whichever is later, and followed in between by `F`; so the cost of a fit is
/// shared by at least so many samples. What [`crate::Response::outage`] marks is missing to the fit.
/// Models take demand, which is not negative: other series are lifted by as much as their lowest value is
/// below zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualDetector<M, F> {
    model: M,
    seasons: SeasonSpec,
    window: usize,
    refit_rows: usize,
    history: VecDeque<Option<f64>>,
    since_fit: usize,
    lift: f64,
    follow: Option<F>,
    refits: Refits,
    errors: SortedWindow,
    sizes: SortedWindow,
    tail: Tail,
    judge: Judge,
}

/// What fitting has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refits {
    /// Fits that were made.
    pub made: u64,
    /// Fits that the model refused, for want of data as a rule.
    pub refused: u64,
    /// Samples in all histories together that were fitted to.
    pub rows: u64,
}

/// A model is fitted to four weeks, or to as many samples as this.
const WINDOW_DAYS: usize = 28;
const WINDOW_ROWS: usize = 2016;
/// The first fit is made when so many samples are there.
const FIRST_FIT_ROWS: usize = 48;
/// A fit is shared by no less than this share of the window.
const REFIT_SHARE: usize = 10;
/// Errors kept for their usual size.
const ERRORS: usize = 336;
/// Errors are not taken for smaller than this share of the usual value, as in
/// [`crate::baselines`].
const FLOOR_SHARE: f64 = 0.01;
const FLOOR: f64 = 1e-9;
const NORMAL: f64 = 1.4826;
/// Models take values up to 10¹⁵.
const VALUE_MAX: f64 = 1e15;

impl<M: Fit, F: Follow<Fitted = M::Fitted>> ResidualDetector<M, F> {
    /// A detector whose model has seen nothing.
    pub fn new(model: M, settings: &Settings) -> Self {
        let day = settings.rows_per_day();
        let window = (WINDOW_DAYS * day).clamp(10 * FIRST_FIT_ROWS, WINDOW_ROWS);
        Self {
            model,
            seasons: SeasonSpec {
                day,
                week: 7 * day,
                year: 0,
            },
            window,
            refit_rows: day.max(window / REFIT_SHARE).min(window),
            history: VecDeque::new(),
            since_fit: 0,
            lift: 0.0,
            follow: None,
            refits: Refits::default(),
            errors: SortedWindow::over(window, ERRORS),
            sizes: SortedWindow::over(window, ERRORS),
            tail: Tail::new(),
            judge: Judge::new(settings),
        }
    }

    /// Samples that a fit looks back on.
    pub fn window(&self) -> usize {
        self.window
    }

    /// What fitting has taken so far.
    pub fn refits(&self) -> Refits {
        self.refits
    }

    pub(crate) fn observe(&mut self, value: Option<f64>) -> Verdict {
        let value = value.map(|value| value.clamp(-VALUE_MAX, VALUE_MAX));
        let next = self.follow.as_ref().and_then(Follow::next);
        let verdict = self.judge_next(value, next);
        let taught = value.filter(|_| !verdict.response.is_kept_out_of_training());
        if self.history.len() == self.window {
            self.history.pop_front();
        }
        self.history.push_back(taught);
        let lifted = taught.map(|value| (value + self.lift).max(0.0));
        if let Some(follow) = &mut self.follow {
            follow.take(lifted);
        }
        self.since_fit += 1;
        let due = if self.follow.is_some() {
            self.refit_rows
        } else {
            FIRST_FIT_ROWS
        };
        if self.since_fit >= due {
            self.refit();
        }
        verdict
    }

    fn judge_next(&mut self, value: Option<f64>, next: Option<NextStep>) -> Verdict {
        let expected = next.map(|next| next.expected - self.lift);
        let Some(value) = value else {
            return self.judge.judge_missing(expected);
        };
        self.sizes.push(value.abs());
        let (Some(next), Some(expected)) = (next, expected) else {
            return self.judge.judge(value, Evidence::default());
        };
        let error = value - expected;
        let usual = NORMAL * self.errors.median();
        let scale = next.spread.max(usual) + FLOOR_SHARE * self.sizes.median() + FLOOR;
        let signed = error / scale;
        self.errors.push(error.abs());
        let evidence = Evidence {
            rarity: self.tail.observe(signed.abs()),
            distance: signed.abs(),
            signed,
            expected: Some(expected),
        };
        self.judge.judge(value, evidence)
    }

    fn refit(&mut self) {
        self.since_fit = 0;
        let lowest = self.history.iter().flatten().copied().fold(0.0, f64::min);
        self.lift = -lowest;
        let lifted: Vec<Option<f64>> = self
            .history
            .iter()
            .map(|value| value.map(|value| (value + self.lift).clamp(0.0, VALUE_MAX)))
            .collect();
        match self.fit(&lifted) {
            Ok(fitted) => {
                self.refits.made += 1;
                self.refits.rows += lifted.len() as u64;
                self.follow = Some(F::start(fitted, self.refit_rows));
            }
            Err(_) => {
                // An old forecast would be about other times: until there is a new one, nothing is
                // judged but missing and dead.
                self.refits.refused += 1;
                self.follow = None;
            }
        }
    }

    fn fit(&self, lifted: &[Option<f64>]) -> Result<M::Fitted, FitError> {
        let history = History::new(lifted, self.seasons).map_err(|_| FitError::NoObservation)?;
        self.model.fit(&history)
    }
}

#[cfg(test)]
mod tests {
    use fleetcast_forecast::{
        ModelName, PointForecast, Predict, SamplePaths, Season, SeasonalNaive, Update,
    };

    use super::*;
    use crate::follow::{Chunk, Stepwise};
    use crate::testing::Noise;
    use crate::{Kind, Verdict};

    /// Expects the last value.
    #[derive(Clone, Debug, PartialEq)]
    struct Last(f64);

    impl Fit for Last {
        type Fitted = Self;

        fn fit(&self, history: &History<'_>) -> Result<Self, FitError> {
            let last = history.values().iter().rev().find_map(|value| *value);
            last.map(Self).ok_or(FitError::NoObservation)
        }
    }

    impl Predict for Last {
        fn model(&self) -> ModelName {
            ModelName::Naive
        }
        fn predict(&self, horizon: usize) -> PointForecast {
            PointForecast {
                steps: vec![self.0; horizon],
            }
        }
        fn paths(&self, horizon: usize, count: usize, _: u64) -> SamplePaths {
            SamplePaths::from_paths(&vec![vec![self.0; horizon]; count.max(1)])
        }
    }

    impl Update for Last {
        fn update(&mut self, value: Option<f64>) {
            self.0 = value.unwrap_or(self.0);
        }
    }

    fn judged<F: Follow<Fitted = Last>>(samples: &[f64]) -> Vec<Verdict> {
        let mut detector: ResidualDetector<Last, F> =
            ResidualDetector::new(Last(0.0), &Settings::every_seconds(3600));
        samples
            .iter()
            .map(|value| detector.observe(Some(*value)))
            .collect()
    }

    /// A walk far below zero, with one jump that stays.
    fn walk() -> Vec<f64> {
        let mut noise = Noise::new(8);
        let mut level = -1000.0;
        let step = |row: usize| {
            level += noise.normal() + if row == 420 { 40.0 } else { 0.0 };
            level
        };
        (0..500).map(step).collect()
    }

    #[test]
    fn a_model_that_takes_in_samples_is_surprised_once() {
        let samples = walk();
        let verdicts = judged::<Stepwise<Last>>(&samples);
        assert!(verdicts[420].is_alarm());
        assert_eq!(verdicts[420].kind, Some(Kind::Spike));
        assert!((verdicts[420].expected.unwrap() - samples[419]).abs() < 1e-9);
        assert!(verdicts[421].rarity < 2.0, "{:?}", verdicts[421]);
        // One that does not is surprised until it is fitted again.
        let verdicts = judged::<Chunk<Last>>(&samples);
        assert!(verdicts[421].rarity > 1.0, "{:?}", verdicts[421]);
    }

    #[test]
    fn outages_are_missing_to_the_fit() {
        let mut detector: ResidualDetector<SeasonalNaive, Chunk<_>> = ResidualDetector::new(
            SeasonalNaive::new(Season::Day),
            &Settings::every_seconds(3600),
        );
        let mut noise = Noise::new(9);
        for hour in 0..400 {
            let down = (300..310).contains(&hour);
            let value = if down { 0.0 } else { 100.0 + noise.normal() };
            detector.observe(Some(value));
        }
        let zeros = detector.history.iter().filter(|value| **value == Some(0.0));
        assert_eq!(zeros.count(), 0);
        let missing = detector.history.iter().filter(|value| value.is_none());
        // And the few after it, until the state has calmed down.
        assert!((10..=14).contains(&missing.count()));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut detector: ResidualDetector<Last, Stepwise<Last>> =
            ResidualDetector::new(Last(0.0), &Settings::every_seconds(60));
        for row in 0..10_000 {
            detector.observe(Some(f64::from(row % 7)));
        }
        assert_eq!(detector.window(), 2016);
        assert_eq!(detector.history.len(), 2016);
        // The first fit, and then one a day.
        assert_eq!(detector.refits().made, 1 + (10_000 - 48) / 1440);
        assert_eq!(
            detector.refits().rows / detector.refits().made,
            (48 + 1488 + 5 * 2016) / 7
        );
    }
}
