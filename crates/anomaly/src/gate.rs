//! Which rare samples become alarms.

use serde::{Deserialize, Serialize};

use crate::Settings;

/// Lets a rare sample through as an alarm, and then rests: what follows belongs to it. Without the
/// rest, one stretch of anomalies would spend the budget of weeks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gate {
    threshold: f64,
    quiet_rows: usize,
    last: Option<Alarm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Alarm {
    rarity: f64,
    rows_ago: usize,
}

/// What is ten times rarer than the alarm before is news even in its quiet time.
const ESCALATES: f64 = 1.0;

impl Gate {
    pub fn new(settings: &Settings) -> Self {
        Self {
            threshold: settings.threshold(),
            quiet_rows: settings.quiet_rows(),
            last: None,
        }
    }

    /// How rare a sample must be.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Whether a former alarm still keeps new ones quiet.
    pub fn is_quiet(&self) -> bool {
        self.last
            .is_some_and(|alarm| alarm.rows_ago < self.quiet_rows)
    }

    /// Takes the rarity of the next sample; whether an alarm begins there.
    pub fn observe(&mut self, rarity: f64) -> bool {
        if let Some(alarm) = &mut self.last {
            alarm.rows_ago += 1;
        }
        let held = self.last.is_some_and(|alarm| {
            alarm.rows_ago < self.quiet_rows && rarity <= alarm.rarity + ESCALATES
        });
        let alarms = rarity >= self.threshold && !held;
        if alarms {
            self.last = Some(Alarm {
                rarity,
                rows_ago: 0,
            });
        }
        alarms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_an_alarm_it_rests() {
        let mut gate = Gate::new(&Settings::every_seconds(3600));
        let quiet = Settings::every_seconds(3600).quiet_rows();
        assert!(!gate.observe(gate.threshold() - 0.1) && !gate.is_quiet());
        assert!(gate.observe(3.0) && gate.is_quiet());
        for _ in 1..quiet {
            assert!(!gate.observe(3.5));
        }
        assert!(gate.observe(3.5));
    }

    #[test]
    fn what_is_far_rarer_is_told_at_once() {
        let mut gate = Gate::new(&Settings::every_seconds(300));
        assert!(gate.observe(3.0));
        assert!(!gate.observe(4.0));
        assert!(gate.observe(4.1));
        assert!(!gate.observe(5.0));
    }
}
