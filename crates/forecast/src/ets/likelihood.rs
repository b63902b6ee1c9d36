//! The likelihood of a form's parameters: one pass over the values.

use super::form::{Form, Seasonality};
use super::state::{FACTOR_MIN, Smoothing};

/// Values with gaps.
pub(super) struct Values {
    /// Gaps hold anything.
    numbers: Vec<f64>,
    /// Which steps were not observed; empty if all were.
    gaps: Vec<bool>,
    observed: usize,
}

impl Values {
    pub(super) fn new(values: &[Option<f64>], unit: f64) -> Self {
        let numbers = values.iter().map(|it| it.unwrap_or(0.0) / unit).collect();
        let observed = values.iter().flatten().count();
        let gaps = if observed < values.len() {
            values.iter().map(Option::is_none).collect()
        } else {
            Vec::new()
        };
        Self {
            numbers,
            gaps,
            observed,
        }
    }

    /// How many steps were observed.
    pub(super) fn observed(&self) -> usize {
        self.observed
    }
}

/// −2 ln L of one-step errors from a start, but for a constant that all forms share (Hyndman et al.
/// 2008, equation 5.3): n ln Σ e², and for multiplied errors 2 Σ ln |forecast| besides. `season` is
/// the first pass of the season, and is overwritten.
pub(super) fn minus_two_log_likelihood(
    values: &Values,
    form: Form,
    smoothing: Smoothing,
    (level, growth): (f64, f64),
    season: &mut [f64],
) -> f64 {
    let start = (smoothing, level, growth);
    let run = match (form.has_trend(), form.season()) {
        (false, Seasonality::None) => with_errors::<false, NO_SEASON>,
        (false, Seasonality::Added) => with_errors::<false, ADDED>,
        (false, Seasonality::Multiplied) => with_errors::<false, MULTIPLIED>,
        (true, Seasonality::None) => with_errors::<true, NO_SEASON>,
        (true, Seasonality::Added) => with_errors::<true, ADDED>,
        (true, Seasonality::Multiplied) => with_errors::<true, MULTIPLIED>,
    };
    let (squares, logarithms) = run(values, form.multiplied_errors(), start, season);
    let count = values.observed as f64;
    let squares = if squares > 0.0 { squares } else { 1e-8 };
    (count * libm::log(squares) + 2.0 * logarithms).max(-1e10)
}

const NO_SEASON: u8 = 0;
const ADDED: u8 = 1;
const MULTIPLIED: u8 = 2;

type From = (Smoothing, f64, f64);

fn with_errors<const TREND: bool, const SEASON: u8>(
    values: &Values,
    multiplied_errors: bool,
    from: From,
    season: &mut [f64],
) -> (f64, f64) {
    match (multiplied_errors, values.gaps.is_empty()) {
        (false, true) => run::<TREND, SEASON, false, false>(values, from, season),
        (false, false) => run::<TREND, SEASON, false, true>(values, from, season),
        (true, true) => run::<TREND, SEASON, true, false>(values, from, season),
        (true, false) => run::<TREND, SEASON, true, true>(values, from, season),
    }
}

/// The logarithm of a product of this many forecasts is taken at once: it is dear, and so few
/// neither vanish nor overflow, being near 1 on the scale that values are brought to.
const FACTORS: u32 = 8;

/// The sum of squared errors, and of the logarithms of forecasts if errors are multiplied. The same
/// recursion as `State::see`, compiled once for each form: nearly all of the time goes here.
fn run<const TREND: bool, const SEASON: u8, const SHARES: bool, const GAPS: bool>(
    values: &Values,
    (smoothing, mut level, mut growth): From,
    season: &mut [f64],
) -> (f64, f64) {
    let Smoothing {
        alpha,
        beta,
        gamma,
        phi,
    } = smoothing;
    let (mut squares, mut logarithms, mut product, mut factors) = (0.0, 0.0, 1.0_f64, 0);
    let mut at = 0;
    for (step, &value) in values.numbers.iter().enumerate() {
        let grown = if TREND { phi * growth } else { 0.0 };
        let base = if TREND { level + grown } else { level };
        if GAPS && values.gaps[step] {
            (level, growth) = (base, grown);
            if SEASON != NO_SEASON {
                at = if at + 1 == season.len() { 0 } else { at + 1 };
            }
            continue;
        }
        let place = if SEASON == NO_SEASON { 0.0 } else { season[at] };
        let forecast = match SEASON {
            NO_SEASON => base,
            ADDED => base + place,
            _ => base * place,
        };
        let error = value - forecast;
        let share = if SHARES || SEASON == MULTIPLIED {
            error / forecast
        } else {
            0.0
        };
        let counted = if SHARES { share } else { error };
        squares += counted * counted;
        if SHARES {
            product *= forecast.abs();
            factors += 1;
            if factors == FACTORS {
                logarithms += libm::log(product.max(f64::MIN_POSITIVE));
                (product, factors) = (1.0, 0);
            }
        }
        // error ÷ season = share · base, and error ÷ base = share · season.
        let (of_level, of_season) = if SEASON == MULTIPLIED {
            (share * base, share * place)
        } else {
            (error, error)
        };
        level = base + alpha * of_level;
        if TREND {
            growth = grown + beta * of_level;
        }
        if SEASON != NO_SEASON {
            let next = place + gamma * of_season;
            season[at] = if SEASON == MULTIPLIED {
                next.max(FACTOR_MIN)
            } else {
                next
            };
            at = if at + 1 == season.len() { 0 } else { at + 1 };
        }
    }
    (
        squares,
        logarithms + libm::log(product.max(f64::MIN_POSITIVE)),
    )
}
