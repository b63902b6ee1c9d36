//! What an ARIMA forecast is made of.

use super::terms::Term;
use super::{ArimaProcess, FORECAST_MAX, FittedArima};
use crate::{Explain, Parts, Season};

/// How far ahead the present no longer matters, in steps beside twenty seasons.
const FAR: usize = 200;
const FAR_SEASONS: usize = 20;

impl Explain for FittedArima {
    /// The long-run forecast, which an ARIMA model tends to, is a line and a season (Beveridge and
    /// Nelson 1981). Its height at the end of the history is the level, its slope the trend. The
    /// season of seasonal lags is the shape of the second season ahead, around its own mean: that of
    /// differenced seasons goes on as it is, that of others fades, which is part of the remainder.
    /// Waves are seasons, other regressors events. The remainder is the present deviation from all
    /// that as far as it lasts; nothing in the model tells what it comes from.
    fn explain(&self, horizon: usize) -> Vec<Parts> {
        let process = &self.process;
        let season = process.order().season;
        let far = FAR + FAR_SEASONS * season;
        let untold = process.untold(horizon.max(far + 2 * season));
        let mean = |from: usize| untold[from..from + season].iter().sum::<f64>() / season as f64;
        let (near_mean, far_mean) = (mean(far), mean(far + season));
        let slope = (far_mean - near_mean) / season as f64;
        let middle = far as f64 + (season - 1) as f64 / 2.0;
        let level = near_mean - slope * (middle + 1.0);
        let shape = shape(process, &untold);
        let parts = |step: usize| {
            let mut parts = Parts {
                level,
                trend: slope * (step + 1) as f64,
                ..Parts::default()
            };
            *season_of(&mut parts, self.season) += shape[step % season];
            parts.remainder = untold[step] - parts.total();
            for (term, added) in process.told(step) {
                match term {
                    Term::Constant => parts.level += added,
                    Term::Drift => {
                        let now = process.drift_so_far(step, added);
                        parts.level += now;
                        parts.trend += added - now;
                    }
                    Term::Wave { season, .. } => *season_of(&mut parts, *season) += added,
                    Term::Given(_) => parts.events += added,
                }
            }
            parts.remainder -= (parts.total() - FORECAST_MAX).max(0.0);
            parts.not_negative()
        };
        (0..horizon).map(parts).collect()
    }
}

fn season_of(parts: &mut Parts, season: Season) -> &mut f64 {
    match season {
        Season::Day => &mut parts.season_day,
        Season::Week => &mut parts.season_week,
        Season::Year => &mut parts.season_year,
    }
}

/// What each place of the season adds in the second season ahead; nothing without seasonal lags.
fn shape(process: &ArimaProcess, untold: &[f64]) -> Vec<f64> {
    let order = process.order();
    let season = order.season;
    if season < 2 || order.seasonal_p + order.seasonal_d + order.seasonal_q == 0 {
        return vec![0.0; season];
    }
    let mean = |from: usize| untold[from..from + season].iter().sum::<f64>() / season as f64;
    let slope = (mean(2 * season) - mean(season)) / season as f64;
    let middle = (season - 1) as f64 / 2.0;
    (0..season)
        .map(|place| untold[season + place] - mean(season) - slope * (place as f64 - middle))
        .collect()
}
