//! What is known of a step beforehand: constant, drift, waves of long seasons, regressors.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::order::ArimaOrder;
use crate::Season;

/// One regressor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Term {
    /// The mean.
    Constant,
    /// The steps since the first one fitted.
    Drift,
    /// A wave that turns this often in a season of this kind and length.
    Wave {
        season: Season,
        steps: usize,
        turns: usize,
        sine: bool,
    },
    /// Values from the first step fitted on, the last of which stays.
    Given(Vec<f64>),
}

impl Term {
    /// The waves up to this many turns in a season; not those of shorter seasons, and no more than its
    /// steps can tell apart.
    pub(super) fn waves(
        season: Season,
        steps: usize,
        turns: usize,
        shorter: &[usize],
    ) -> Vec<Self> {
        let belongs_to = |turns: usize| {
            shorter
                .iter()
                .any(|shorter| (turns * shorter).is_multiple_of(steps))
        };
        let mut waves = Vec::new();
        for turns in (1..=turns.min(steps / 2)).filter(|&turns| !belongs_to(turns)) {
            for sine in [false, true] {
                // Sampled twice a turn, the sine is 0 throughout.
                if !sine || 2 * turns != steps {
                    waves.push(Self::Wave {
                        season,
                        steps,
                        turns,
                        sine,
                    });
                }
            }
        }
        waves
    }

    /// The value at a step counted from the first one fitted.
    pub(super) fn at(&self, step: usize) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Drift => step as f64,
            Self::Wave {
                steps, turns, sine, ..
            } => {
                let angle = 2.0 * PI * ((step % steps) * turns % steps) as f64 / *steps as f64;
                if *sine {
                    libm::sin(angle)
                } else {
                    libm::cos(angle)
                }
            }
            Self::Given(values) => {
                let value = values.get(step).or(values.last()).copied();
                value.filter(|value| value.is_finite()).unwrap_or(0.0)
            }
        }
    }

    /// The values of the first steps.
    pub(super) fn column(&self, steps: usize) -> Vec<f64> {
        (0..steps).map(|step| self.at(step)).collect()
    }
}

/// The constant that an order asks for, and then these.
pub(super) fn with_constant(order: &ArimaOrder, terms: &[Term]) -> Vec<Term> {
    let constant = order.constant.then(|| {
        if order.d + order.seasonal_d == 0 {
            Term::Constant
        } else {
            Term::Drift
        }
    });
    constant.into_iter().chain(terms.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_of_a_week_leave_out_those_of_the_day() {
        let turns = |waves: Vec<Term>| -> Vec<usize> {
            let turns = waves.iter().map(|wave| match wave {
                Term::Wave { turns, .. } => *turns,
                _ => 0,
            });
            turns.collect()
        };
        let week = Term::waves(Season::Week, 21, 8, &[3]);
        assert_eq!(turns(week), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 8, 8]);
        // Four steps hold two waves, the second of which has no sine.
        assert_eq!(turns(Term::waves(Season::Day, 4, 10, &[])), [1, 1, 2]);
    }

    #[test]
    fn given_values_end_with_their_last() {
        let term = Term::Given(vec![1.0, f64::NAN, 3.0]);
        assert_eq!(term.column(5), [1.0, 0.0, 3.0, 3.0, 3.0]);
        assert_eq!(Term::Given(Vec::new()).at(4), 0.0);
    }
}
