//! Which stretches of a history nothing should be learned from.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// When a stretch of a history counts as an outage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutageRule {
    /// Steps in a day; 0: no season is known.
    pub rows_per_day: usize,
    /// Steps that a stretch must last: a single low step is noise.
    pub rows_min: usize,
}

/// Less than this share of what is usual at that time counts as down.
const DOWN: f64 = 0.1;
/// After it, steps stay out until they are back to this share: what recovers is no demand either.
const BACK: f64 = 0.5;
/// Neighbouring days that say what is usual at a time of day, on each side.
const DAYS: usize = 7;
/// At least so many of them must know.
const KNOWN_MIN: usize = 3;
/// Where less than this share of the overall median is usual, being down cannot be told from a quiet time.
const QUIET: f64 = 0.2;

/// The stretches of a history that were outages, looking back: demand next to nothing at a time when
/// the days around it have plenty, until it is back. Missing steps within or next to a stretch
/// belong to it; missing steps alone are known to be missing, and are left to the model.
///
/// Looks at both sides of each step, so it is for training, not for judging the last step.
pub fn outages(values: &[Option<f64>], rule: OutageRule) -> Vec<Range<usize>> {
    let Some(overall) = median(values.iter().copied().flatten().collect()) else {
        return Vec::new();
    };
    if overall <= 0.0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None; // Its start, and how many steps were seen down.
    for (step, value) in values.iter().enumerate() {
        let usual = usual(values, step, rule.rows_per_day, overall);
        let Some(value) = *value else { continue };
        let limit = if open.is_some() { BACK } else { DOWN };
        let low = usual >= QUIET * overall && value < limit * usual;
        match (&mut open, low) {
            (Some((_, down)), true) => *down += usize::from(value < DOWN * usual),
            (None, true) => open = Some((step, 1)),
            (Some((start, down)), false) => {
                if *down >= rule.rows_min {
                    found.push(*start..step);
                }
                open = None;
            }
            (None, false) => {}
        }
    }
    if let Some((start, down)) = open
        && down >= rule.rows_min
    {
        found.push(start..values.len());
    }
    found
}

/// The median of the same time on the days around, or the overall one.
fn usual(values: &[Option<f64>], step: usize, day: usize, overall: f64) -> f64 {
    if day == 0 {
        return overall;
    }
    let known: Vec<f64> = (1..=DAYS)
        .flat_map(|days| [step.checked_sub(days * day), step.checked_add(days * day)])
        .flatten()
        .filter_map(|other| *values.get(other)?)
        .collect();
    if known.len() < KNOWN_MIN {
        return overall;
    }
    median(known).unwrap_or(overall)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::daily;

    const RULE: OutageRule = OutageRule {
        rows_per_day: 24,
        rows_min: 2,
    };

    fn days(count: i64) -> Vec<Option<f64>> {
        (0..24 * count).map(|hour| Some(daily(hour))).collect()
    }

    #[test]
    fn a_stretch_of_nothing_is_an_outage_until_it_is_back() {
        let mut values = days(10);
        values[100] = Some(3.0);
        values[101] = Some(0.0);
        values[102] = None;
        values[103] = Some(values[103].unwrap() * 0.3);
        assert_eq!(outages(&values, RULE), vec![100..104]);
        // It may still last.
        values[238] = Some(0.0);
        values[239] = Some(0.0);
        assert_eq!(outages(&values, RULE), vec![100..104, 238..240]);
    }

    #[test]
    fn nights_quiet_weekends_and_single_steps_are_none() {
        let mut values = days(21);
        for (hour, value) in values.iter_mut().enumerate() {
            if hour % 24 < 6 {
                *value = Some(0.0);
            }
        }
        values[60] = Some(0.0);
        values[200] = None;
        values[201] = None;
        assert!(outages(&values, RULE).is_empty());
        assert!(outages(&[], RULE).is_empty());
        assert!(outages(&[Some(0.0); 50], RULE).is_empty());
        assert!(outages(&[None; 50], RULE).is_empty());
    }

    #[test]
    fn without_a_season_the_median_says_what_is_usual() {
        let mut values = vec![Some(50.0); 40];
        values[10..15].fill(Some(1.0));
        let rule = OutageRule {
            rows_per_day: 0,
            rows_min: 3,
        };
        assert_eq!(outages(&values, rule), vec![10..15]);
    }
}
