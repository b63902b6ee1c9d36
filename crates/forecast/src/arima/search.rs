//! The automatic order.
//!
//! Hyndman and Khandakar: Automatic time series forecasting: the forecast package for R, Journal of
//! Statistical Software 27(3), 2008. A season is differenced if it is strong, then the rest until
//! the KPSS test finds a level; among the orders with these differences a walk from a few starts goes
//! to a neighbour as long as one has a lower AICc.

use super::conditional::Conditional;
use super::data::{Data, bridged};
use super::differencing::{differences, is_constant, is_seasonal};
use super::estimate::{Estimate, Method, ROUGH, Starts, aicc, conditional, estimate};
use super::lags::Lags;
use super::order::ArimaOrder;
use super::regression::{regress, without};
use super::terms::{Term, with_constant};

/// The most plain lags of either kind, as in the paper.
const LAGS_MAX: usize = 5;

/// The most lags of whole seasons of either kind, as in the paper.
const SEASONAL_LAGS_MAX: usize = 2;

/// The most orders tried, as in the paper's software.
const TRIED_MAX: usize = 94;

/// Roots of a polynomial that are nearer to the unit circle than this are refused: their forecasts are
/// numerically a further difference, which the tests did not find, and their lags cancel out.
const ROOT_MIN: f64 = 1.01;

/// Longer series, and longer seasons, are searched by conditional least squares, as in the paper's
/// software: there it is as good as the exact likelihood, and far cheaper.
const EXACT_STEPS_MAX: usize = 150;
const EXACT_SEASON_MAX: usize = 12;

/// Exact fits at most, with those whose roots are refused.
const FITS_MAX: usize = 6;

/// Orders that the search likes best, between which the exact likelihood decides.
const FINALISTS: usize = 3;

/// The best order with its coefficients. Values are about 1 in size, and at least one is observed.
pub(super) fn search(
    values: &[Option<f64>],
    season: usize,
    terms: &[Term],
    method: Method,
) -> Option<Estimate> {
    let plain = differenced(values, season, terms);
    let mut search = Walk::new(values, terms, plain);
    if !search.is_flat {
        search.walk();
    }
    search.finish(method)
}

/// The differences that the series needs, and no lags.
fn differenced(values: &[Option<f64>], season: usize, terms: &[Term]) -> ArimaOrder {
    let steps = values.len();
    let mut columns = vec![bridged(values, season), vec![1.0; steps]];
    columns.extend(terms.iter().map(|term| term.column(steps)));
    let (regression, _) = regress(&columns);
    columns[0] = without(&columns, &regression.coefficients);
    let level = &columns[0];
    let seasonal = usize::from(season > 1 && is_seasonal(level, season));
    let order = ArimaOrder::differences(0, seasonal, season);
    ArimaOrder::differences(
        differences(&order.difference(level), 2 - seasonal),
        seasonal,
        season,
    )
}

/// An order that was tried.
#[derive(Clone, Debug)]
struct Tried {
    order: ArimaOrder,
    aicc: f64,
    numbers: Vec<f64>,
}

struct Walk<'a> {
    values: &'a [Option<f64>],
    terms: &'a [Term],
    plain: ArimaOrder,
    /// The differenced series without its regressors, and without its mean, too.
    left: [Vec<f64>; 2],
    /// Whether differencing leaves nothing to explain.
    is_flat: bool,
    exact: bool,
    tried: Vec<Tried>,
    scratch: Conditional,
}

impl<'a> Walk<'a> {
    fn new(values: &'a [Option<f64>], terms: &'a [Term], plain: ArimaOrder) -> Self {
        let left = [false, true].map(|constant| {
            let order = ArimaOrder { constant, ..plain }.sensible();
            data(values, &order, terms).unexplained()
        });
        let observed = values.iter().flatten().count();
        Self {
            values,
            terms,
            plain,
            is_flat: is_constant(&left[0]) || left[1].iter().all(|value| value.abs() < 1e-9),
            left,
            exact: observed <= EXACT_STEPS_MAX && plain.season <= EXACT_SEASON_MAX,
            tried: Vec::new(),
            scratch: Conditional::default(),
        }
    }

    /// Tries the starts, then goes from neighbour to neighbour.
    fn walk(&mut self) {
        let constant = self.plain.may_have_constant();
        let seasonal = usize::from(self.plain.season > 1);
        for (p, q, seasonal_p, seasonal_q, constant) in [
            (2, 2, seasonal, seasonal, constant),
            (0, 0, 0, 0, constant),
            (1, 0, seasonal, 0, constant),
            (0, 1, 0, seasonal, constant),
            (0, 0, 0, 0, false),
        ] {
            self.try_order(&ArimaOrder {
                p,
                q,
                seasonal_p,
                seasonal_q,
                constant,
                ..self.plain
            });
        }
        while self.tried.len() < TRIED_MAX {
            let Some(best) = self.best() else { break };
            let goes_on = neighbours(&best.order)
                .into_iter()
                .any(|order| self.try_order(&order).is_some_and(|aicc| aicc < best.aicc));
            if !goes_on {
                break;
            }
        }
    }

    fn best(&self) -> Option<Tried> {
        let sound = self.tried.iter().filter(|tried| tried.aicc.is_finite());
        sound.min_by(|a, b| a.aicc.total_cmp(&b.aicc)).cloned()
    }

    /// The criterion of an order that was not tried before and may be.
    fn try_order(&mut self, order: &ArimaOrder) -> Option<f64> {
        let steps = self.left[0].len();
        let allowed = order.p <= LAGS_MAX.min(steps / 3)
            && order.q <= LAGS_MAX.min(steps / 3)
            && order.seasonal_p <= SEASONAL_LAGS_MAX.min(steps / (3 * order.season))
            && order.seasonal_q <= SEASONAL_LAGS_MAX.min(steps / (3 * order.season))
            && (!order.constant || order.may_have_constant());
        if !allowed || self.tried.iter().any(|tried| tried.order == *order) {
            return None;
        }
        let tried = if self.exact {
            self.exactly(order)
        } else {
            self.roughly(order)
        };
        let aicc = tried.aicc;
        self.tried.push(tried);
        Some(aicc)
    }

    fn exactly(&self, order: &ArimaOrder) -> Tried {
        let data = data(self.values, order, self.terms);
        let found = estimate(order, &data, Method::CssMl, Starts::Few);
        let sound = found.filter(|found| found.lags.roots_beyond(ROOT_MIN));
        Tried {
            order: *order,
            aicc: sound.map_or(f64::INFINITY, |found| found.aicc),
            numbers: vec![0.0; order.lags()],
        }
    }

    fn roughly(&mut self, order: &ArimaOrder) -> Tried {
        let start = self.start(order);
        let values = &self.left[usize::from(order.constant)];
        let (numbers, variance) = conditional(order, values, start, ROUGH, &mut self.scratch);
        let steps = values.len() as f64;
        let parameters = order.lags() + usize::from(order.constant) + self.terms.len() + 1;
        let sound = Lags::from_unbounded(order, &numbers).roots_beyond(ROOT_MIN);
        Tried {
            order: *order,
            aicc: if sound && variance > 0.0 {
                aicc(steps * libm::log(variance), parameters as f64, steps)
            } else {
                f64::INFINITY
            },
            numbers,
        }
    }

    /// What the best order so far has in common with this one.
    fn start(&self, order: &ArimaOrder) -> Vec<f64> {
        let Some(best) = self.best() else {
            return vec![0.0; order.lags()];
        };
        let blocks = |order: &ArimaOrder| [order.p, order.q, order.seasonal_p, order.seasonal_q];
        let mut known = best.numbers.as_slice();
        let mut start = Vec::with_capacity(order.lags());
        for (has, wants) in blocks(&best.order).into_iter().zip(blocks(order)) {
            let (block, rest) = known.split_at(has);
            known = rest;
            start.extend((0..wants).map(|at| block.get(at).copied().unwrap_or(0.0)));
        }
        start
    }

    /// Fits the best orders exactly; without any, differences alone.
    fn finish(mut self, method: Method) -> Option<Estimate> {
        self.tried.sort_by(|a, b| a.aicc.total_cmp(&b.aicc));
        let finalists = if self.exact { 1 } else { FINALISTS };
        let sound = self.tried.iter().filter(|tried| tried.aicc.is_finite());
        let (mut best, mut refused): (Option<Estimate>, Option<Estimate>) = (None, None);
        let mut accepted = 0;
        for tried in sound.take(FITS_MAX) {
            let data = data(self.values, &tried.order, self.terms);
            let from = if self.exact {
                Starts::Few
            } else {
                Starts::Given(&tried.numbers)
            };
            let Some(found) = estimate(&tried.order, &data, method, from) else {
                continue;
            };
            let is_sound = found.lags.roots_beyond(ROOT_MIN);
            let into = if is_sound { &mut best } else { &mut refused };
            if into.as_ref().is_none_or(|best| found.aicc < best.aicc) {
                *into = Some(found);
            }
            accepted += usize::from(is_sound);
            if accepted == finalists {
                break;
            }
        }
        // A root near the circle is still better than no lags at all.
        best.or(refused).or_else(|| {
            let simple = [self.plain.may_have_constant(), false].map(|constant| ArimaOrder {
                constant,
                ..self.plain
            });
            simple.iter().find_map(|order| {
                estimate(
                    order,
                    &data(self.values, order, self.terms),
                    method,
                    Starts::Few,
                )
            })
        })
    }
}

/// The series and its regressors, with the constant of the order.
pub(super) fn data(values: &[Option<f64>], order: &ArimaOrder, terms: &[Term]) -> Data {
    let columns = with_constant(order, terms)
        .iter()
        .map(|term| term.column(values.len()))
        .collect();
    Data::new(values, order, columns)
}

/// The orders that differ by one lag of either kind, or of both, or in the constant.
fn neighbours(order: &ArimaOrder) -> Vec<ArimaOrder> {
    let step = |value: usize, by: isize| value.checked_add_signed(by);
    let plain = |p: isize, q: isize| {
        Some(ArimaOrder {
            p: step(order.p, p)?,
            q: step(order.q, q)?,
            ..*order
        })
    };
    let seasonal = |p: isize, q: isize| {
        Some(ArimaOrder {
            seasonal_p: step(order.seasonal_p, p)?,
            seasonal_q: step(order.seasonal_q, q)?,
            ..*order
        })
        .filter(|_| order.season > 1)
    };
    let ways = [
        (-1, 0),
        (0, -1),
        (1, 0),
        (0, 1),
        (-1, -1),
        (-1, 1),
        (1, -1),
        (1, 1),
    ];
    let mut all: Vec<ArimaOrder> = ways.iter().filter_map(|&(p, q)| seasonal(p, q)).collect();
    all.extend(ways.iter().filter_map(|&(p, q)| plain(p, q)));
    all.push(ArimaOrder {
        constant: !order.constant,
        ..*order
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arima::testing::simulated;

    #[test]
    fn the_order_that_made_a_series_is_nearly_found() {
        // What matters is that the innovations are found: their variance is 1.
        for (ar, ma) in [
            (vec![0.7], vec![]),
            (vec![], vec![0.6]),
            (vec![1.2, -0.5], vec![0.4]),
        ] {
            for (steps, off) in [(140, 0.4), (900, 0.15)] {
                let values = simulated(&ar, &ma, steps, 5);
                let found = search(&values, 1, &[], Method::CssMl).unwrap();
                assert!(
                    (found.variance - 1.0).abs() < off,
                    "{} of {ar:?} {ma:?}: {}",
                    found.order,
                    found.variance
                );
            }
        }
    }

    #[test]
    fn neighbours_do_not_go_below_nothing() {
        let plain = ArimaOrder::differences(1, 0, 1);
        assert_eq!(neighbours(&plain).len(), 4);
        let seasonal = ArimaOrder::differences(1, 0, 4);
        assert_eq!(neighbours(&seasonal).len(), 7);
    }
}
