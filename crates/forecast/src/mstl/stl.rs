//! Seasons and trend by loess.
//!
//! Cleveland, Cleveland, McRae and Terpenning: STL, a seasonal-trend decomposition procedure based on
//! loess, Journal of Official Statistics 6(1), 1990, without robustness weights; and for several seasons
//! Bandara, Hyndman and Bergmeir: MSTL, 2021. The settings are those of statsforecast's `MSTL`.

use super::loess::Loess;

/// Rounds of season and trend within one decomposition, as statsmodels takes them.
const INNER_ROUNDS: usize = 5;

/// Rounds over several seasons.
const OUTER_ROUNDS: usize = 2;

/// A series as the sum of seasons, trend and remainder.
pub(super) struct Decomposition {
    /// By season, in the order of their lengths.
    pub(super) seasons: Vec<Vec<f64>>,
    pub(super) trend: Vec<f64>,
}

impl Decomposition {
    /// The sum of the seasons at a step.
    pub(super) fn season_at(&self, step: usize) -> f64 {
        self.seasons.iter().map(|season| season[step]).sum()
    }
}

/// Decomposes values by seasons of these lengths, rising, each at least 2 and at most half the values.
pub(super) fn decompose(values: &[f64], lengths: &[usize]) -> Decomposition {
    let mut seasons = vec![vec![0.0; values.len()]; lengths.len()];
    let mut trend = vec![0.0; values.len()];
    let mut rest = values.to_vec();
    let smoothers: Vec<Stl> = lengths
        .iter()
        .enumerate()
        .map(|(place, &length)| Stl::new(values.len(), length, 11 + 4 * place))
        .collect();
    let rounds = if lengths.len() == 1 { 1 } else { OUTER_ROUNDS };
    for _ in 0..rounds {
        for (season, stl) in seasons.iter_mut().zip(&smoothers) {
            for (rest, season) in rest.iter_mut().zip(season.iter()) {
                *rest += season;
            }
            stl.decompose(&rest, season, &mut trend);
            for (rest, season) in rest.iter_mut().zip(season.iter()) {
                *rest -= season;
            }
        }
    }
    Decomposition { seasons, trend }
}

/// The smoothers for one length of the season.
struct Stl {
    period: usize,
    /// Of the steps at one place of the season, for places that have one step more than others, and
    /// for the others.
    longer: Loess,
    shorter: Loess,
    low_pass: Loess,
    trend: Loess,
}

impl Stl {
    /// For series of `count` values with a season of `period`, which changes within about `season_window` passes.
    fn new(count: usize, period: usize, season_window: usize) -> Self {
        let season_window_share = 1.0 - 1.5 / season_window as f64;
        let trend_window = odd((1.5 * period as f64 / season_window_share).ceil() as usize);
        let of_place = |passes: usize| Loess::new(passes, season_window, false, 1);
        Self {
            period,
            longer: of_place(count.div_ceil(period)),
            shorter: of_place(count / period),
            low_pass: Loess::new(count, odd(period + 1), true, 0),
            trend: Loess::new(count, trend_window, true, 0),
        }
    }

    /// Splits values into season and trend.
    fn decompose(&self, values: &[f64], season: &mut [f64], trend: &mut [f64]) {
        let (count, period) = (values.len(), self.period);
        // One pass of the season longer than the values on either side.
        let mut cycle = vec![0.0; count + 2 * period];
        let mut low = vec![0.0; count];
        let mut plain = vec![0.0; count];
        trend.fill(0.0);
        for _ in 0..INNER_ROUNDS {
            self.smooth_places(values, trend, &mut cycle);
            let passed = averages(&averages(&averages(&cycle, period), period), 3);
            self.low_pass.smooth(&passed, &mut low);
            for (step, season) in season.iter_mut().enumerate() {
                *season = cycle[period + step] - low[step];
                plain[step] = values[step] - *season;
            }
            self.trend.smooth(&plain, trend);
        }
    }

    /// Smooths the steps at each place of the season without trend, and goes on by one pass before and after.
    fn smooth_places(&self, values: &[f64], trend: &[f64], cycle: &mut [f64]) {
        let (count, period) = (values.len(), self.period);
        let mut of_place = Vec::new();
        let mut smooth = Vec::new();
        for place in 0..period {
            of_place.clear();
            of_place.extend(
                (place..count)
                    .step_by(period)
                    .map(|at| values[at] - trend[at]),
            );
            let loess = if of_place.len() > count / period {
                &self.longer
            } else {
                &self.shorter
            };
            smooth.clear();
            smooth.resize(of_place.len() + 2, 0.0);
            loess.smooth(&of_place, &mut smooth);
            for (pass, value) in smooth.iter().enumerate() {
                cycle[place + pass * period] = *value;
            }
        }
    }
}

/// The next odd number, or the number itself.
fn odd(number: usize) -> usize {
    number | 1
}

/// Moving averages over `count` values, as many as fit.
fn averages(values: &[f64], count: usize) -> Vec<f64> {
    let mut sum: f64 = values[..count].iter().sum();
    let mut all = Vec::with_capacity(values.len() + 1 - count);
    all.push(sum / count as f64);
    for (old, new) in values.iter().zip(&values[count..]) {
        sum += new - old;
        all.push(sum / count as f64);
    }
    all
}
