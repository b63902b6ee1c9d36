//! Conditional least squares: the likelihood as if nothing had been before the series.

use super::lags::Lags;

/// The sum of squared innovations of a differenced series, conditional on its first values and on
/// innovations of 0 before them, and how many there are. Keeps its buffer.
#[derive(Default)]
pub(super) struct Conditional {
    buffer: Vec<f64>,
}

impl Conditional {
    /// Takes the factors one after the other; only the moving average of plain lags must wait for the
    /// step before.
    pub(super) fn squares(&mut self, values: &[f64], lags: &Lags) -> (f64, usize) {
        let season = lags.season;
        let buffer = &mut self.buffer;
        buffer.clear();
        buffer.extend_from_slice(values);
        let mut given = 0;
        for (at, &value) in lags.seasonal_ar.iter().enumerate() {
            given = (at + 1) * season;
            take_lag(buffer, values, given, value);
        }
        if !lags.ar.is_empty() {
            // Lags of what the seasonal factor left.
            given += lags.ar.len();
            match *lags.ar.as_slice() {
                [a] => autoregress(buffer, &[a]),
                [a, b] => autoregress(buffer, &[a, b]),
                [a, b, c] => autoregress(buffer, &[a, b, c]),
                [a, b, c, d] => autoregress(buffer, &[a, b, c, d]),
                [a, b, c, d, e] => autoregress(buffer, &[a, b, c, d, e]),
                _ => {
                    let before = buffer.clone();
                    for (at, &value) in lags.ar.iter().enumerate() {
                        take_lag(buffer, &before, at + 1, value);
                    }
                }
            }
        }
        let given = given.min(values.len());
        let left = &mut buffer[given..];
        if !lags.seasonal_ma.is_empty() {
            seasonal_innovations(left, &lags.seasonal_ma, season);
        }
        let squares = match *lags.ma.as_slice() {
            [] => super::regression::dot(left, left),
            [a] => innovations(left, &[a]),
            [a, b] => innovations(left, &[a, b]),
            [a, b, c] => innovations(left, &[a, b, c]),
            [a, b, c, d] => innovations(left, &[a, b, c, d]),
            [a, b, c, d, e] => innovations(left, &[a, b, c, d, e]),
            ref many => {
                for at in 0..left.len() {
                    let known = many.len().min(at);
                    let told = (0..known).map(|lag| many[lag] * left[at - 1 - lag]);
                    left[at] -= told.sum::<f64>();
                }
                super::regression::dot(left, left)
            }
        };
        (squares, left.len())
    }
}

/// Takes a share of the values `lag` steps before off all that have such.
fn take_lag(left: &mut [f64], values: &[f64], lag: usize, share: f64) {
    let later = left.get_mut(lag..).unwrap_or(&mut []);
    for (left, value) in later.iter_mut().zip(values) {
        *left -= share * value;
    }
}

/// Takes what the last few values tell off each, in place.
fn autoregress<const LAGS: usize>(values: &mut [f64], shares: &[f64; LAGS]) {
    let mut past = [0.0; LAGS];
    for value in values {
        let own = *value;
        for (share, past) in shares.iter().zip(&past) {
            *value -= share * past;
        }
        past.copy_within(0..LAGS - 1, 1);
        past[0] = own;
    }
}

/// The sum of squared innovations of a moving average.
fn innovations<const LAGS: usize>(values: &[f64], shares: &[f64; LAGS]) -> f64 {
    let mut past = [0.0; LAGS];
    let mut squares = 0.0;
    for value in values {
        // The newest last: it alone has to be waited for.
        let mut innovation = *value;
        for lag in (0..LAGS).rev() {
            innovation -= shares[lag] * past[lag];
        }
        past.copy_within(0..LAGS - 1, 1);
        past[0] = innovation;
        squares += innovation * innovation;
    }
    squares
}

/// The innovations of a moving average of whole seasons, in place, season by season.
fn seasonal_innovations(values: &mut [f64], shares: &[f64], season: usize) {
    for from in (season..values.len()).step_by(season) {
        let (before, now) = values.split_at_mut(from);
        for (at, share) in shares.iter().enumerate() {
            let Some(start) = from.checked_sub((at + 1) * season) else {
                break;
            };
            for (value, past) in now.iter_mut().zip(&before[start..start + season]) {
                *value -= share * past;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by the definition, multiplied out.
    fn plainly(values: &[f64], lags: &Lags) -> f64 {
        let (ar, ma) = (lags.full_ar(), lags.full_ma());
        let mut innovations = vec![0.0; values.len()];
        for step in ar.len()..values.len() {
            let mut left = values[step];
            for (lag, share) in ar.iter().enumerate() {
                left -= share * values[step - 1 - lag];
            }
            for (lag, share) in ma.iter().enumerate().take(step) {
                left -= share * innovations[step - 1 - lag];
            }
            innovations[step] = left;
        }
        innovations.iter().map(|value| value * value).sum()
    }

    #[test]
    fn factor_by_factor_is_as_multiplied_out() {
        let values: Vec<f64> = (0..60)
            .map(|step| f64::from(step * step % 23) - 11.0)
            .collect();
        let mut conditional = Conditional::default();
        for (p, q, seasonal_p, seasonal_q) in [
            (0, 0, 0, 0),
            (1, 0, 0, 0),
            (2, 3, 0, 0),
            (6, 7, 0, 0),
            (1, 1, 1, 1),
            (5, 5, 2, 2),
            (0, 2, 1, 2),
        ] {
            let share = [0.5, -0.3, 0.2, -0.1, 0.05, 0.04, -0.03];
            let lags = Lags {
                season: 4,
                ar: share[..p].to_vec(),
                ma: share[..q].to_vec(),
                seasonal_ar: share[..seasonal_p].to_vec(),
                seasonal_ma: share[..seasonal_q].to_vec(),
            };
            let (squares, count) = conditional.squares(&values, &lags);
            let expected = plainly(&values, &lags);
            assert!((squares / expected - 1.0).abs() < 1e-12, "{lags:?}");
            assert_eq!(count, 60 - lags.full_ar().len());
        }
    }
}
