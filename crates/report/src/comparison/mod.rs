//! Two versions of the same thing on the same demand, day against day.

mod bootstrap;
mod text;
mod wilcoxon;

use serde::{Deserialize, Serialize};

pub use bootstrap::SEED as BOOTSTRAP_SEED;
pub use text::{comparison_text, verdict as comparison_verdict};

/// What one day came to in both versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DayPair {
    /// As things are.
    pub base: DayFigures,
    /// As they would be.
    pub changed: DayFigures,
}

/// What one day came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DayFigures {
    pub cost_usd: f64,
    pub demand: f64,
    pub unserved: f64,
    pub steps: f64,
    pub steps_in_violation: f64,
    pub unit_starts: f64,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparedMetric {
    /// What was paid, in dollars.
    Cost,
    /// The share of demand that found no capacity.
    Unserved,
    /// The share of steps in which demand was over capacity.
    Violation,
    /// Units that began to serve.
    Starts,
}

impl ComparedMetric {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Cost, Self::Unserved, Self::Violation, Self::Starts];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Unserved => "unserved",
            Self::Violation => "violation",
            Self::Starts => "starts",
        }
    }

    /// Whether it is a share, whose differences are percentage points, and not an amount.
    pub fn is_share(self) -> bool {
        matches!(self, Self::Unserved | Self::Violation)
    }

    /// A day's part and, for a share, what it is a part of.
    fn of(self, day: &DayFigures) -> (f64, f64) {
        match self {
            Self::Cost => (day.cost_usd, 1.0),
            Self::Unserved => (day.unserved, day.demand),
            Self::Violation => (day.steps_in_violation, day.steps),
            Self::Starts => (day.unit_starts, 1.0),
        }
    }

    /// Its value over many days.
    fn over<'a>(self, days: impl Iterator<Item = &'a DayFigures>) -> f64 {
        let (mut part, mut whole) = (0.0, 0.0);
        for day in days {
            let of_day = self.of(day);
            part += of_day.0;
            whole += of_day.1;
        }
        match self.is_share() {
            true if whole > 0.0 => part / whole,
            true => 0.0,
            false => part,
        }
    }
}

/// How one metric differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedFigure {
    pub metric: ComparedMetric,
    pub base: f64,
    pub changed: f64,
    /// Changed less base: dollars, starts, or a difference of shares.
    pub difference: f64,
    /// 95 % of resamples of the days lie between these; `None` of fewer than two days.
    pub difference_interval: Option<(f64, f64)>,
    /// Changed ÷ base − 1; `None` if the base is nothing.
    pub relative: Option<f64>,
    pub relative_interval: Option<(f64, f64)>,
    /// Days on which the changed version had more, and less.
    pub days_more: u64,
    pub days_less: u64,
    /// Wilcoxon's signed-rank test of the days' differences, two-sided; `None` if no day differs.
    pub p_value: Option<f64>,
}

impl ComparedFigure {
    /// Whether the interval of the difference leaves out nothing at all.
    pub fn is_clear(&self) -> bool {
        self.difference_interval
            .is_some_and(|(low, high)| low > 0.0 || high < 0.0)
    }
}

/// Two versions compared on the same demand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "schema", rename = "comparison/v1")]
pub struct Comparison {
    pub title: String,
    /// What was changed, as it was typed.
    pub changes: Vec<String>,
    pub policy: String,
    pub days: u64,
    pub figures: Vec<ComparedFigure>,
    /// One sentence.
    pub verdict: String,
    /// What of `--fail-if` came true, in words; `None` if nothing did, or nothing was asked.
    pub failed: Option<String>,
    pub notes: Vec<String>,
}

/// Compares the days of two runs on the same demand.
///
/// Days are drawn with replacement, both versions of a day together, so what the days have in common
/// cancels out. Equal inputs give equal intervals.
pub fn compare(days: &[DayPair]) -> Vec<ComparedFigure> {
    let draws = bootstrap::draws(days.len());
    ComparedMetric::ALL
        .into_iter()
        .map(|metric| figure(metric, days, &draws))
        .collect()
}

/// The interval of the share that the first parts are of the second ones, when days are drawn with
/// replacement; `None` of fewer than two days.
pub fn share_interval(days: &[(f64, f64)]) -> Option<(f64, f64)> {
    let share = |draw: &Vec<u32>| {
        let (mut part, mut whole) = (0.0, 0.0);
        for day in draw {
            part += days[*day as usize].0;
            whole += days[*day as usize].1;
        }
        if whole > 0.0 { part / whole } else { 0.0 }
    };
    let shares = bootstrap::draws(days.len()).iter().map(share).collect();
    bootstrap::interval(shares)
}

fn figure(metric: ComparedMetric, days: &[DayPair], draws: &[Vec<u32>]) -> ComparedFigure {
    let both = |picked: &mut dyn Iterator<Item = usize>| {
        let picked: Vec<usize> = picked.collect();
        let base = metric.over(picked.iter().map(|i| &days[*i].base));
        let changed = metric.over(picked.iter().map(|i| &days[*i].changed));
        (base, changed)
    };
    let relative = |base: f64, changed: f64| (base > 0.0).then(|| changed / base - 1.0);
    let (base, changed) = both(&mut (0..days.len()));
    let mut differences = Vec::with_capacity(draws.len());
    let mut relatives = Vec::with_capacity(draws.len());
    for draw in draws {
        let (base, changed) = both(&mut draw.iter().map(|i| *i as usize));
        differences.push(changed - base);
        relatives.extend(relative(base, changed));
    }
    let by_day: Vec<f64> = days
        .iter()
        .map(|day| {
            let value = |figures: &DayFigures| metric.over(std::iter::once(figures));
            value(&day.changed) - value(&day.base)
        })
        .collect();
    ComparedFigure {
        metric,
        base,
        changed,
        difference: changed - base,
        difference_interval: bootstrap::interval(differences),
        relative: relative(base, changed),
        relative_interval: bootstrap::interval(relatives),
        days_more: by_day.iter().filter(|one| **one > 0.0).count() as u64,
        days_less: by_day.iter().filter(|one| **one < 0.0).count() as u64,
        p_value: wilcoxon::signed_rank(&by_day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: usize, cost: impl Fn(usize) -> f64) -> Vec<DayPair> {
        let day = |i: usize| {
            let base = DayFigures {
                cost_usd: 100.0 + (i * 37 % 50) as f64,
                demand: 1_000.0,
                unserved: (i % 3) as f64,
                steps: 1_440.0,
                steps_in_violation: (i % 5) as f64,
                unit_starts: 20.0,
            };
            let changed = DayFigures {
                cost_usd: base.cost_usd + cost(i),
                ..base
            };
            DayPair { base, changed }
        };
        (0..count).map(day).collect()
    }

    #[test]
    fn what_all_days_share_is_clear_though_the_days_differ_much() {
        let figures = compare(&days(28, |i| 2.0 + (i % 2) as f64 * 0.1));
        let cost = &figures[0];
        assert!((cost.difference - 28.0 * 2.05).abs() < 1e-9);
        let (low, high) = cost.difference_interval.unwrap();
        assert!(cost.is_clear() && low > 56.0 && high < 59.0, "{low} {high}");
        assert!(cost.p_value.unwrap() < 1e-4);
        assert_eq!((cost.days_more, cost.days_less), (28, 0));
        let unserved = &figures[1];
        assert_eq!((unserved.difference, unserved.p_value), (0.0, None));
        assert!(!unserved.is_clear());
        assert_eq!(compare(&days(28, |_| 2.0)), compare(&days(28, |_| 2.0)));
    }

    #[test]
    fn what_changes_its_sign_from_day_to_day_is_not_clear() {
        let figures = compare(&days(28, |i| if i % 2 == 0 { 3.0 } else { -3.0 }));
        assert!(!figures[0].is_clear() && figures[0].p_value.unwrap() > 0.5);
    }

    #[test]
    fn one_day_and_none_have_no_interval() {
        assert_eq!(compare(&days(1, |_| 1.0))[0].difference_interval, None);
        assert_eq!(compare(&[])[0].relative, None);
    }
}
