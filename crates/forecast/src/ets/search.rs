//! Finding a form's parameters, and the form.

use super::form::{Form, Seasonality, Trend};
use super::likelihood::{Values, minus_two_log_likelihood};
use super::start::{LOW, Start, start};
use super::state::{Smoothing, State};
use crate::history::interpolated;
use crate::nelder_mead::{Tolerance, minimise};

/// Rounds of the search for one form: as many as statsforecast takes.
const ROUNDS_MAX: usize = 1000;

/// The search ends when −2 ln L at all corners lies this close together: far under what makes a
/// difference between forms.
const SPREAD: f64 = 1e-4;

/// A search that started again and gained less of −2 ln L than this does not start once more.
const GAIN_MIN: f64 = 0.1;

/// The longest season whose first pass is searched for with the other parameters, as in R's
/// `forecast`. A simplex of more corners hardly moves in these rounds: the first pass of
/// longer seasons stays as the classical decomposition has it, and counts as parameters all the same.
const SEASON_SEARCHED_MAX: usize = 24;

/// A form with the parameters that fit best.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The state after the last step.
    pub(super) state: State,
    /// One-step errors as the form counts them: amounts, or shares of the forecast.
    pub(super) errors: Vec<Option<f64>>,
    /// Their variance.
    pub(super) variance: f64,
    /// The corrected Akaike criterion, comparable between forms.
    pub(super) aicc: f64,
}

/// The best of some forms by the corrected Akaike criterion. `None` if the values are too few for
/// any, or suit none. `steps` is the length of the season of forms that have one; unless the values hold two
/// seasons, those are passed over. Where a season is searched for, the search starts again from its end up to
/// `restarts` times.
pub(super) fn best(
    values: &[Option<f64>],
    forms: impl Iterator<Item = Form>,
    steps: Option<usize>,
    restarts: usize,
) -> Option<Found> {
    let filled = interpolated(values);
    let (low, high) = values
        .iter()
        .flatten()
        .fold((f64::INFINITY, 0.0_f64), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    if low >= high {
        return constant(values, high);
    }
    let series = Series::new(values, &filled);
    let steps = steps.filter(|&steps| values.len() >= 2 * steps);
    forms
        .filter(|form| low > 0.0 || !form.needs_positive())
        .filter_map(|form| {
            let steps = if form.is_seasonal() { steps? } else { 1 };
            series.fit(form, steps, restarts)
        })
        .fold(None, |best: Option<Fit>, next| match best {
            Some(best) if best.aicc <= next.aicc => Some(best),
            _ => Some(next),
        })
        .map(|fit| series.found(fit))
}

/// What never changed: nothing to search for. As in statsforecast the level follows at once.
fn constant(values: &[Option<f64>], level: f64) -> Option<Found> {
    let form = Form::new(false, Trend::None, Seasonality::None)?;
    Some(Found {
        state: State {
            form,
            smoothing: Smoothing {
                alpha: 0.9999,
                beta: 0.0,
                gamma: 0.0,
                phi: 1.0,
            },
            level,
            growth: 0.0,
            season: Vec::new(),
            at: 0,
        },
        errors: values.iter().map(|value| value.map(|_| 0.0)).collect(),
        variance: 0.0,
        aicc: f64::NEG_INFINITY,
    })
}

/// A series brought to the scale of 1, so that neither the search nor its limits depend on the unit.
struct Series<'a> {
    values: &'a [Option<f64>],
    filled: Vec<f64>,
    scaled: Values,
    /// A power of two: dividing by it is exact.
    unit: f64,
}

/// What the search found, on the scale of 1, at the first step.
struct Fit {
    first: State,
    aicc: f64,
    parameters: usize,
}

impl<'a> Series<'a> {
    fn new(values: &'a [Option<f64>], filled: &[f64]) -> Self {
        let mean = filled.iter().sum::<f64>() / filled.len() as f64;
        let unit = libm::ldexp(1.0, libm::frexp(mean).1);
        Self {
            values,
            filled: filled.iter().map(|value| value / unit).collect(),
            scaled: Values::new(values, unit),
            unit,
        }
    }

    /// The parameters of a form with the largest likelihood; `None` if there are too few values.
    fn fit(&self, form: Form, steps: usize, restarts: usize) -> Option<Fit> {
        let start = start(&self.filled, form, steps);
        let layout = Layout::new(form, start);
        let observed = self.scaled.observed();
        let parameters = layout.parameters();
        if parameters + 2 >= observed {
            return None;
        }
        let (from, bounds) = layout.start();
        let mut season = vec![0.0; layout.start.season.len()];
        let season_searched = layout.season_searched && form.is_seasonal();
        let mut loss = |point: &[f64]| {
            let (smoothing, level, growth) = layout.read(point, &mut season);
            if form.season() == Seasonality::Multiplied && season.iter().any(|it| *it < 0.0) {
                return f64::INFINITY;
            }
            let first = (level, growth);
            minus_two_log_likelihood(&self.scaled, form, smoothing, first, &mut season)
        };
        let spread = Tolerance::Absolute(SPREAD);
        let (mut point, mut least) = minimise(&mut loss, &from, &bounds, ROUNDS_MAX, spread);
        for _ in 0..if season_searched { restarts } else { 0 } {
            let next = minimise(&mut loss, &point, &bounds, ROUNDS_MAX, spread);
            let gain = least - next.1;
            if gain > 0.0 {
                (point, least) = next;
            }
            if gain < GAIN_MIN {
                break;
            }
        }
        if !least.is_finite() {
            return None;
        }
        let mut season = vec![0.0; layout.start.season.len()];
        let (smoothing, level, growth) = layout.read(&point, &mut season);
        // The variance of the errors is a parameter too.
        let count = parameters as f64 + 1.0;
        let aicc =
            least + 2.0 * count + 2.0 * count * (count + 1.0) / (observed as f64 - count - 1.0);
        Some(Fit {
            first: State {
                form,
                smoothing,
                level,
                growth,
                season,
                at: 0,
            },
            aicc,
            parameters,
        })
    }

    /// The state at the end of the series, in its own unit.
    fn found(&self, fit: Fit) -> Found {
        let Fit {
            first: mut state,
            aicc,
            parameters,
        } = fit;
        state.level *= self.unit;
        state.growth *= self.unit;
        if state.form.season() == Seasonality::Added {
            state.season.iter_mut().for_each(|it| *it *= self.unit);
        }
        let mut errors = Vec::with_capacity(self.values.len());
        let mut squares = 0.0;
        for &value in self.values {
            let error = value.map(|value| state.error_of(value));
            squares += error.map_or(0.0, |error| error * error);
            errors.push(error);
            state.see(value);
        }
        let freedom = self.scaled.observed().saturating_sub(parameters + 2).max(1);
        Found {
            state,
            errors,
            variance: squares / freedom as f64,
            // Densities on the scale of 1 are larger by the unit at each observation.
            aicc: aicc + 2.0 * self.scaled.observed() as f64 * libm::log(self.unit),
        }
    }
}

/// Which numbers are searched for, and where they stand.
struct Layout {
    form: Form,
    start: Start,
    /// Whether the first pass of the season is searched for.
    season_searched: bool,
}

impl Layout {
    fn new(form: Form, start: Start) -> Self {
        Self {
            form,
            season_searched: start.season.len() <= SEASON_SEARCHED_MAX,
            start,
        }
    }

    /// How many numbers are learned from the values.
    fn parameters(&self) -> usize {
        let trend = match self.form.trend() {
            Trend::None => 0,
            Trend::Added => 2,
            Trend::Damped => 3,
        };
        // With γ, but without one place of the season, which follows from the others.
        2 + trend + self.start.season.len()
    }

    fn start(&self) -> (Vec<f64>, Vec<(f64, f64)>) {
        const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        let Start {
            smoothing, high, ..
        } = &self.start;
        let mut all = vec![(smoothing.alpha, (LOW.alpha, high.alpha))];
        if self.form.has_trend() {
            all.push((smoothing.beta, (LOW.beta, high.beta)));
        }
        if self.form.is_seasonal() {
            all.push((smoothing.gamma, (LOW.gamma, high.gamma)));
        }
        if self.form.trend() == Trend::Damped {
            all.push((smoothing.phi, (LOW.phi, high.phi)));
        }
        all.push((self.start.level, ANY));
        if self.form.has_trend() {
            all.push((self.start.growth, ANY));
        }
        if self.season_searched {
            all.extend(self.start.season.iter().skip(1).map(|&place| (place, ANY)));
        }
        all.into_iter().unzip()
    }

    /// The parameters at a point: smoothing, level, growth; fills the first pass of the season.
    fn read(&self, point: &[f64], season: &mut [f64]) -> (Smoothing, f64, f64) {
        let mut numbers = point.iter().copied();
        let mut next = |here: bool, otherwise: f64| {
            if here {
                numbers.next().unwrap_or(otherwise)
            } else {
                otherwise
            }
        };
        let smoothing = Smoothing {
            alpha: next(true, 0.0),
            beta: next(self.form.has_trend(), 0.0),
            gamma: next(self.form.is_seasonal(), 0.0),
            phi: next(self.form.trend() == Trend::Damped, 1.0),
        };
        let level = next(true, 0.0);
        let growth = next(self.form.has_trend(), 0.0);
        if !self.season_searched {
            season.copy_from_slice(&self.start.season);
        } else if let Some((first, others)) = season.split_first_mut() {
            let all = match self.form.season() {
                Seasonality::Multiplied => others.len() as f64 + 1.0,
                _ => 0.0,
            };
            others.copy_from_slice(&point[point.len() - others.len()..]);
            *first = all - others.iter().sum::<f64>();
        }
        (smoothing, level, growth)
    }
}
