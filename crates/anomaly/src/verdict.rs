//! What a detector says of one sample.

use serde::{Deserialize, Serialize};

/// What a detector says of one sample; it depends on no later one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Both questions in one number between 0 and 1: from [`Verdict::ALARM`] on an alarm begins here, below
    /// it is half of [`Self::state`].
    pub score: f64,
    /// Has something begun? From [`Verdict::ALARM`] on an alarm begins here; 0 while a former alarm
    /// still keeps it quiet.
    pub onset: f64,
    /// Is this abnormal now? Stays high as long as the series is away from where it belongs.
    pub state: f64,
    /// How rare the sample is, as −log₁₀ of a probability: 3 is one in a thousand.
    pub rarity: f64,
    /// The rarity from which on the budget allows an alarm.
    pub threshold: f64,
    /// What it is, if an alarm begins here or lasts.
    pub kind: Option<Kind>,
    /// What was expected here; `None` before anything was seen.
    pub expected: Option<f64>,
    /// What to do about it.
    pub response: Response,
}

impl Verdict {
    /// Scores from here on are alarms.
    pub const ALARM: f64 = 0.5;

    /// Whether an alarm begins with this sample.
    pub fn is_alarm(&self) -> bool {
        self.onset >= Self::ALARM
    }
}

/// What an anomaly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Above what was expected.
    Spike,
    /// Below what was expected.
    Dip,
    /// Away from what was expected for hours, in one direction.
    LevelShift,
    /// Single values are usual, their course is not.
    Pattern,
    /// The same value for longer than ever: the sensor may be dead.
    Dead,
    /// Next to nothing where much was expected.
    Outage,
    /// No samples for longer than ever.
    Missing,
}

impl Kind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Dip => "dip",
            Self::LevelShift => "level shift",
            Self::Pattern => "pattern",
            Self::Dead => "dead",
            Self::Outage => "outage",
            Self::Missing => "missing",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an autoscaler does about an anomaly. It never buys less because of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Demand is above what was expected, and the forecast does not know why.
    pub surge: bool,
    /// What is seen is not what people want: the site or the sensor is down. Demand will be back.
    pub outage: bool,
    /// The series has moved, and what was learned before is about another level.
    pub shift: bool,
}

impl Response {
    /// Buy a wider margin: the forecast's own spread does not cover what is going on.
    pub fn widens_margin(self) -> bool {
        self.surge || self.shift
    }

    /// Release nothing: low demand may not be real, and high demand may not be over.
    pub fn guards_scale_in(self) -> bool {
        self.surge || self.outage
    }

    /// Fit again: soon enough the old level is history.
    pub fn triggers_refit(self) -> bool {
        self.shift && !self.outage
    }

    /// Learn nothing from this sample.
    pub fn is_kept_out_of_training(self) -> bool {
        self.outage
    }

    /// What a kind of anomaly asks for; `above`: the sample is above what was expected.
    pub(crate) fn to(kind: Option<Kind>, above: bool) -> Self {
        Self {
            surge: above && matches!(kind, Some(Kind::Spike | Kind::LevelShift | Kind::Pattern)),
            outage: matches!(kind, Some(Kind::Outage | Kind::Dead | Kind::Missing)),
            shift: kind == Some(Kind::LevelShift),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_teach_nothing_and_release_nothing() {
        for kind in [Kind::Outage, Kind::Dead, Kind::Missing] {
            let response = Response::to(Some(kind), false);
            assert!(response.is_kept_out_of_training() && response.guards_scale_in());
            assert!(!response.triggers_refit());
        }
    }

    #[test]
    fn surges_widen_and_dips_only_warn() {
        assert!(Response::to(Some(Kind::Spike), true).widens_margin());
        assert_eq!(Response::to(Some(Kind::Dip), false), Response::default());
        let shift = Response::to(Some(Kind::LevelShift), false);
        assert!(shift.triggers_refit() && shift.widens_margin() && !shift.surge);
        assert_eq!(Response::to(None, true), Response::default());
    }
}
