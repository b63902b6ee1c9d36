//! The scale on which the regression is linear.

use serde::{Deserialize, Serialize};

/// How many times the level that 2 % of the demand exceeds one value may count for. Far above any
/// surge that recurs, and near enough that one absurd value leaves the sums of the others exact.
const REACH: f64 = 100.0;

/// How demand is scaled before regression.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// log(demand + this many times the median): seasons multiply, surges shrink. The larger the
    /// share, the nearer to no logarithm.
    Log(f64),
    /// None: seasons add.
    Linear,
}

/// A scaling whose unit was learned from a history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Scale {
    scaling: Scaling,
    /// The median of the positive demand; 1 without any.
    unit: f64,
    /// The largest demand told apart from larger ones.
    cap: f64,
}

impl Scale {
    pub(super) fn learn(scaling: Scaling, values: &[Option<f64>]) -> Self {
        let mut positive: Vec<f64> = values
            .iter()
            .flatten()
            .copied()
            .filter(|value| *value > 0.0)
            .collect();
        if positive.is_empty() {
            return Self {
                scaling,
                unit: 1.0,
                cap: REACH,
            };
        }
        let mut at = |share: f64| {
            let place = (share * (positive.len() - 1) as f64) as usize;
            *positive.select_nth_unstable_by(place, f64::total_cmp).1
        };
        let (unit, high) = (at(0.5), at(0.98));
        Self {
            scaling,
            unit,
            cap: REACH * high,
        }
    }

    /// The demand, or the largest that is told apart from larger ones.
    pub(super) fn told_apart(&self, demand: f64) -> f64 {
        demand.min(self.cap)
    }

    /// To the scale of the regression.
    pub(super) fn forth(&self, demand: f64) -> f64 {
        let demand = self.told_apart(demand);
        match self.scaling {
            Scaling::Log(share) => libm::log(demand / self.unit + share),
            Scaling::Linear => demand / self.unit,
        }
    }

    /// Back to demand, which is never negative and at most what [`Self::forth`] tells apart.
    pub(super) fn back(&self, scaled: f64) -> f64 {
        self.demand(self.shift(scaled))
    }

    /// What a difference on the scale does to demand: a factor on a logarithm, else a term.
    pub(super) fn shift(&self, scaled: f64) -> f64 {
        match self.scaling {
            Scaling::Log(_) => libm::exp(scaled.min(700.0)),
            Scaling::Linear => scaled,
        }
    }

    /// Back to the demand of the sum of two on the scale, given as shifts.
    pub(super) fn shifted(&self, one: f64, other: f64) -> f64 {
        self.demand(match self.scaling {
            Scaling::Log(_) => one * other,
            Scaling::Linear => one + other,
        })
    }

    fn demand(&self, shift: f64) -> f64 {
        let relative = match self.scaling {
            Scaling::Log(share) => {
                // Rounding alone leaves less than this of a zero.
                let above = shift - share;
                if above < 1e-12 * share { 0.0 } else { above }
            }
            Scaling::Linear => shift,
        };
        (relative * self.unit).clamp(0.0, self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forth_and_back_is_nothing() {
        let values = [Some(0.0), None, Some(3.0), Some(5.0), Some(7.0)];
        for scaling in [Scaling::Log(0.1), Scaling::Log(1.0), Scaling::Linear] {
            let scale = Scale::learn(scaling, &values);
            for value in [0.0, 0.1, 5.0, 300.0] {
                let back = scale.back(scale.forth(value));
                assert!(
                    (back - value).abs() < 1e-9 * (1.0 + value),
                    "{scaling:?} {value} {back}"
                );
            }
            assert!(scale.back(scale.forth(1e15)) <= 500.0);
            assert!(scale.back(1e300).is_finite() && scale.back(-1e300) == 0.0);
        }
    }
}
