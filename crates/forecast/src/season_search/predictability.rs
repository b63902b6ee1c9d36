//! How well the simplest rules would have foretold the last days: a verdict in words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Past stretches that rules are judged on.
const ORIGINS: usize = 14;

/// How well demand can be foretold one season ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predictability {
    /// Nothing in the history tells the next day from any other.
    None,
    /// A little better than a flat guess.
    Weak,
    /// Most of the rise and fall is foretold.
    Moderate,
    /// Nearly all of the rise and fall is foretold, or there is hardly any.
    Strong,
}

impl fmt::Display for Predictability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "not predictable",
            Self::Weak => "weakly predictable",
            Self::Moderate => "moderately predictable",
            Self::Strong => "strongly predictable",
        })
    }
}

/// What a rule says of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SimpleRule {
    /// The mean of the last season.
    LastMean,
    /// The last value.
    LastValue,
    /// One day (or one season) before.
    DayBefore,
    /// The mean of the last seven days at the same time.
    DaysBefore,
    /// One week before.
    WeekBefore,
    /// The mean of the last four weeks at the same time.
    WeeksBefore,
}

impl fmt::Display for SimpleRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LastMean => "the mean of what came just before",
            Self::LastValue => "the last value",
            Self::DayBefore => "the same time one season before",
            Self::DaysBefore => "the mean of the last seven seasons",
            Self::WeekBefore => "the same time a week before",
            Self::WeeksBefore => "the mean of the last four weeks",
        })
    }
}

/// What the simplest rules would have foretold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Skill {
    /// The verdict.
    pub verdict: Predictability,
    /// The rule that erred least.
    pub rule: SimpleRule,
    /// Its mean absolute error, as a share of the mean demand.
    pub error: f64,
    /// The same of the better flat guess: the median of all that was known, or the last season's mean.
    pub error_flat: f64,
    /// Steps of the search that rules looked ahead.
    pub ahead: usize,
}

/// Judges rules on the last stretches of `ahead` steps; `None` with fewer than three of them.
///
/// Errors on held-out stretches say more to a buyer than a spectral entropy does, and cost as little.
pub(super) fn judge(
    values: &[Option<f64>],
    ahead: usize,
    day: Option<usize>,
    week: Option<usize>,
) -> Option<Skill> {
    let rules = [
        Some((SimpleRule::LastMean, 0, ahead)),
        Some((SimpleRule::LastValue, 0, 1)),
        day.map(|day| (SimpleRule::DayBefore, day, 1)),
        day.map(|day| (SimpleRule::DaysBefore, day, 7)),
        week.map(|week| (SimpleRule::WeekBefore, week, 1)),
        week.map(|week| (SimpleRule::WeeksBefore, week, 4)),
    ];
    let stretches = (values.len() / ahead.max(1)).saturating_sub(2).min(ORIGINS);
    let (mut sum, mut flat, mut errors) = (0.0, 0.0, [0.0; 6]);
    let mut scored = 0_usize;
    for back in 1..=stretches {
        let origin = values.len() - back * ahead;
        let mut known: Vec<f64> = values[..origin].iter().flatten().copied().collect();
        let Some(usual) = crate::robust::median(&mut known) else {
            continue;
        };
        for (lead, actual) in values[origin..origin + ahead].iter().enumerate() {
            let Some(actual) = *actual else { continue };
            scored += 1;
            sum += actual;
            flat += (actual - usual).abs();
            for (error, rule) in errors.iter_mut().zip(rules) {
                let said =
                    rule.and_then(|(_, apart, count)| said(values, origin, lead, apart, count));
                *error += (actual - said.unwrap_or(usual)).abs();
            }
        }
    }
    if scored < ahead || sum <= 0.0 {
        return None;
    }
    let best = (0..6)
        .filter(|&place| rules[place].is_some())
        .min_by(|&a, &b| errors[a].total_cmp(&errors[b]))?;
    let flat = flat.min(errors[0]);
    let (error, error_flat) = (errors[best] / sum, flat / sum);
    let skill = if flat > 0.0 {
        1.0 - errors[best] / flat
    } else {
        1.0
    };
    let verdict = match (error, skill) {
        (..=0.08, _) | (_, 0.65..) => Predictability::Strong,
        (..=0.15, _) | (_, 0.4..) => Predictability::Moderate,
        (..=0.3, _) | (_, 0.1..) => Predictability::Weak,
        _ => Predictability::None,
    };
    Some(Skill {
        verdict,
        rule: rules[best]?.0,
        error,
        error_flat,
        ahead,
    })
}

/// The mean of the newest `count` values before `origin` that lie whole seasons before a lead.
fn said(
    values: &[Option<f64>],
    origin: usize,
    lead: usize,
    apart: usize,
    count: usize,
) -> Option<f64> {
    let seasons = lead.checked_div(apart).map_or(0, |whole| whole + 1);
    let first = if seasons == 0 {
        origin.checked_sub(1)?
    } else {
        (origin + lead).checked_sub(seasons * apart)?
    };
    let (mut sum, mut seen) = (0.0, 0_usize);
    for back in 0..count {
        let Some(place) = first.checked_sub(back * apart.max(1)) else {
            break;
        };
        if let Some(value) = values[place] {
            sum += value;
            seen += 1;
        }
    }
    (seen > 0).then(|| sum / seen as f64)
}
