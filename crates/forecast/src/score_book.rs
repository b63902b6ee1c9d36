//! Scores kept as forecasts come true.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scores::pinball;

/// The scores of one forecaster, by lead, summed up as outcomes arrive. Small enough to keep one
/// per day as history; days are put together by [`Self::merge`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreBook {
    levels: Vec<f64>,
    leads: BTreeMap<usize, LeadScore>,
}

/// The sums of one lead; each list has one entry per level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeadScore {
    /// How many outcomes.
    pub outcomes: u64,
    /// Their sum, in the unit of the demand.
    pub actual_sum: f64,
    /// The pinball losses, in the unit of the demand.
    pub pinball_sums: Vec<f64>,
    /// How many outcomes were at or under the quantile.
    pub covered: Vec<u64>,
}

impl LeadScore {
    /// The weighted quantile loss over all levels; `None` without demand.
    pub fn weighted_quantile_loss(&self) -> Option<f64> {
        let loss: f64 = self.pinball_sums.iter().map(|sum| 2.0 * sum).sum();
        (self.actual_sum > 0.0).then(|| loss / (self.pinball_sums.len() as f64 * self.actual_sum))
    }

    /// The share of outcomes at or under the quantile of the level in this place; `None` of nothing.
    pub fn coverage(&self, place: usize) -> Option<f64> {
        let covered = self.covered.get(place)?;
        (self.outcomes > 0).then(|| *covered as f64 / self.outcomes as f64)
    }
}

impl ScoreBook {
    /// Starts a book for these levels.
    pub fn new(levels: Vec<f64>) -> Self {
        Self {
            levels,
            leads: BTreeMap::new(),
        }
    }

    /// Takes in the outcome of a forecast made `lead` steps before it: its quantiles in the order of
    /// the levels, and the demand that came.
    ///
    /// # Panics
    /// Unless there is one quantile per level.
    pub fn observe(&mut self, lead: usize, quantiles: &[f64], actual: f64) {
        assert_eq!(
            quantiles.len(),
            self.levels.len(),
            "quantiles for {:?}",
            self.levels
        );
        let score = self.leads.entry(lead).or_default();
        score.outcomes += 1;
        score.actual_sum += actual;
        score.pinball_sums.resize(self.levels.len(), 0.0);
        score.covered.resize(self.levels.len(), 0);
        for (place, (&level, &quantile)) in self.levels.iter().zip(quantiles).enumerate() {
            score.pinball_sums[place] += pinball(level, quantile, actual);
            score.covered[place] += u64::from(actual <= quantile);
        }
    }

    /// Adds what another book of the same levels holds.
    ///
    /// # Panics
    /// If its levels differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.levels, other.levels, "books of different levels");
        for (&lead, more) in &other.leads {
            let score = self.leads.entry(lead).or_default();
            score.outcomes += more.outcomes;
            score.actual_sum += more.actual_sum;
            score.pinball_sums.resize(self.levels.len(), 0.0);
            score.covered.resize(self.levels.len(), 0);
            for place in 0..self.levels.len() {
                score.pinball_sums[place] += more.pinball_sums[place];
                score.covered[place] += more.covered[place];
            }
        }
    }

    /// The levels, in the order of the scores' lists.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// The scores by lead in steps, shortest first.
    pub fn leads(&self) -> impl Iterator<Item = (usize, &LeadScore)> {
        self.leads.iter().map(|(&lead, score)| (lead, score))
    }

    /// The scores of one lead; `None` before its first outcome.
    pub fn lead(&self, lead: usize) -> Option<&LeadScore> {
        self.leads.get(&lead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{coverage, weighted_quantile_loss};

    #[test]
    fn a_book_is_the_scores_of_all_it_was_told() {
        let levels = [0.5, 0.9];
        let quantiles: [&[f64]; 3] = [&[10.0, 14.0], &[11.0, 15.0], &[12.0, 16.0]];
        let actuals = [12.0, 16.0, 4.0];
        let mut days = [
            ScoreBook::new(levels.to_vec()),
            ScoreBook::new(levels.to_vec()),
        ];
        for (step, (quantiles, &actual)) in quantiles.iter().zip(&actuals).enumerate() {
            days[step % 2].observe(3, quantiles, actual);
        }
        let [mut book, other] = days;
        book.merge(&other);
        let score = book.lead(3).unwrap();
        let direct = weighted_quantile_loss(&levels, &quantiles, &actuals).unwrap();
        assert!((score.weighted_quantile_loss().unwrap() - direct).abs() < 1e-12);
        assert_eq!(score.coverage(1), coverage(&[14.0, 15.0, 16.0], &actuals));
        assert_eq!((book.lead(1), score.coverage(2)), (None, None));
    }

    #[test]
    fn books_survive_being_stored() {
        let mut book = ScoreBook::new(vec![0.5]);
        book.observe(1, &[2.0], 3.0);
        let stored = serde_json::to_string(&book).unwrap();
        assert_eq!(serde_json::from_str::<ScoreBook>(&stored).unwrap(), book);
    }
}
