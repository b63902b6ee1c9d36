//! The moments that left most demand unserved, and why.

use fleetcast_report::WorstMoment;
use jiff::{SignedDuration, Timestamp};

use super::follow::{Belief, Row};

/// Moments shown.
const MOST: usize = 10;
/// Shortfalls that are no further apart than this are one moment.
const SAME_MOMENT: SignedDuration = SignedDuration::from_mins(15);

/// Where the rows lie in time and what they are measured in.
pub struct Frame<'a> {
    pub start: Timestamp,
    pub step: SignedDuration,
    /// Rows before this one are warm-up.
    pub warm_up_steps: usize,
    pub components: &'a [String],
    pub leads: &'a [usize],
    /// Capacity of a unit in the demand's unit; `None`: measured by profiles.
    pub per_unit: Option<f64>,
    pub ceilings: &'a [u64],
}

impl Frame<'_> {
    /// When a row begins.
    pub fn at(&self, row: usize) -> Timestamp {
        self.start + self.step * row as i32
    }

    /// Turns a volume of a row's step into the chart's unit: itself in the plain setting, else units' worth.
    fn charted(&self, volume: f32, row: &Row) -> f64 {
        match self.per_unit {
            Some(_) => f64::from(volume),
            None if row.volume > 0.0 => f64::from(volume) * f64::from(row.load / row.volume),
            None => 0.0,
        }
    }
}

/// Finds the worst moments of all components, worst first, with the row in which each was at its worst.
pub fn worst_moments(rows: &[Vec<Row>], frame: &Frame) -> Vec<(WorstMoment, usize, usize)> {
    let join = (SAME_MOMENT.as_secs() / frame.step.as_secs().max(1)).max(1) as usize;
    let mut stretches: Vec<(usize, usize, usize, f64)> = Vec::new();
    let mut all = 0.0;
    for (component, rows) in rows.iter().enumerate() {
        let mut open: Option<(usize, usize, f64)> = None;
        for (index, row) in rows.iter().enumerate().skip(frame.warm_up_steps) {
            if !row.observed || row.unserved <= 0.0 {
                continue;
            }
            all += f64::from(row.unserved);
            open = match open {
                Some((first, last, sum)) if index - last <= join => {
                    Some((first, index, sum + f64::from(row.unserved)))
                }
                before => {
                    stretches
                        .extend(before.map(|(first, last, sum)| (component, first, last, sum)));
                    Some((index, index, f64::from(row.unserved)))
                }
            };
        }
        stretches.extend(open.map(|(first, last, sum)| (component, first, last, sum)));
    }
    stretches.sort_by(|a, b| b.3.total_cmp(&a.3));
    stretches.truncate(MOST);
    let describe = |(component, first, last, sum): (usize, usize, usize, f64)| {
        let rows = &rows[component];
        let peak = (first..=last)
            .max_by(|a, b| rows[*a].unserved.total_cmp(&rows[*b].unserved))
            .unwrap_or(first);
        let row = &rows[peak];
        let moment = WorstMoment {
            start: frame.at(first),
            end: frame.at(last + 1),
            component: frame.components[component].clone(),
            demand: frame.charted(row.volume, row),
            capacity: f64::from(row.ready) * frame.per_unit.unwrap_or(1.0),
            unserved_share_of_all: sum / all,
            reason: reason(rows, peak, component, frame),
            ordered_at: frame.at((peak + 1).saturating_sub(frame.leads[component])),
            forecast_p50: row.belief.map(|belief| frame.charted(belief.p50, row)),
            forecast_p95: row.belief.map(|belief| frame.charted(belief.p95, row)),
        };
        (moment, component, peak)
    };
    stretches.into_iter().map(describe).collect()
}

/// Why a row fell short, in a sentence.
fn reason(rows: &[Row], at: usize, component: usize, frame: &Frame) -> String {
    let row = &rows[at];
    let lead_minutes = frame.step.as_secs() * frame.leads[component] as i64 / 60;
    let Some(belief) = row.belief else {
        return "nothing had been forecast yet when its capacity had to be ordered".into();
    };
    if belief.withheld {
        return "the change was held back at the gate (approval, cap, mode or freeze window)"
            .into();
    }
    if belief.wanted as u64 >= frame.ceilings[component]
        && f64::from(row.need) > belief.wanted.into()
    {
        return format!(
            "the ceiling of {} units was reached",
            frame.ceilings[component]
        );
    }
    if row.ready + 0.5 < belief.wanted && row.volume <= belief.bought {
        return format!(
            "{:.0} units had been ordered in time for it, but only {:.0} served yet at full capacity: slow boots or warm-up",
            belief.wanted, row.ready
        );
    }
    let Some(then) = belief.demand_then else {
        return "demand was not being observed when its capacity had to be ordered".into();
    };
    surprise(row, &belief, then, lead_minutes)
}

/// Demand came otherwise than believed, or was let go on purpose.
fn surprise(row: &Row, belief: &Belief, then: f32, lead_minutes: i64) -> String {
    let rose = if then > 0.0 {
        row.volume / then
    } else {
        f32::INFINITY
    };
    if row.volume <= belief.p95 {
        return format!(
            "within the 95 % quantile that was expected: the objective has the {} % quantile bought, and a last unit \
             only where it is worth its price",
            short(belief.level * 100.0)
        );
    }
    if (0.95..1.05).contains(&rose) {
        let beyond = (row.volume / belief.p95.max(f32::MIN_POSITIVE) - 1.0) * 100.0;
        return format!(
            "demand came {beyond:.1} % above the 95 % quantile believed when its capacity had to be ordered"
        );
    }
    if rose < 1.0 {
        return format!(
            "demand fell to {:.0} % within the {lead_minutes} min that an order takes, but not under the 95 % quantile \
             believed then",
            rose * 100.0
        );
    }
    let how = if rose.is_finite() {
        format!("rose to {rose:.1} × what it was within the {lead_minutes} min")
    } else {
        format!("came out of nothing within the {lead_minutes} min")
    };
    format!("a surprise: demand {how} that an order takes, beyond the 95 % quantile believed then")
}

/// A number with three digits or so.
fn short(value: f32) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fell_is_not_said_to_have_risen() {
        let words = |then: f32, volume: f32| {
            let row = Row {
                volume,
                ..Row::default()
            };
            let belief = Belief {
                p95: 100.0,
                ..Belief::default()
            };
            surprise(&row, &belief, then, 5)
        };
        assert!(words(50.0, 150.0).contains("demand rose to 3.0 × what it was within the 5 min"));
        assert!(words(300.0, 150.0).contains("demand fell to 50 % within the 5 min"));
        assert!(words(150.0, 150.0).contains("50.0 % above the 95 % quantile"));
        assert!(words(0.0, 150.0).contains("out of nothing"));
        assert!(words(50.0, 90.0).contains("within the 95 % quantile"));
    }
}
