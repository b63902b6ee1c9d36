//! How a fleet will be used: the validated form of a `persona/v1` document.

use jiff::{SignedDuration, Span, Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use crate::{
    Bytes, ComponentName, InteractionType, Iops, KilobitsPerSecond, MilliCores, PatternName,
    PersonaName, Share,
};

/// How a fleet will be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Persona {
    /// Its name.
    pub name: PersonaName,
    /// What users are expected to do, and when; overlapping patterns add.
    pub engagement_patterns: Vec<EngagementPattern>,
    /// What carrying a pattern takes.
    pub resource_profiles: Vec<ResourceProfile>,
}

/// One expectation of what users do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngagementPattern {
    /// Its name, unique in the persona.
    pub name: PatternName,
    /// How long one occurrence lasts, and when it recurs.
    pub time_window: TimeWindow,
    /// What users do.
    pub interaction_type: InteractionType,
    /// Interactions per occurrence of the window; finite, not negative.
    pub expected_volume: f64,
    /// 95 % of responses are wanted within so many milliseconds.
    pub latency_target_ms: u32,
    /// How the volume is spread over the window: weights of equal parts of it; empty: evenly.
    pub shape: Vec<f64>,
    /// How sure the author is: 1 is certain, 0 is a guess.
    pub confidence: Share,
}

/// When a pattern's window occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TimeWindow {
    /// Windows of this length follow one another without end, counted from midnight UTC of
    /// Monday 1970-01-05.
    Endless(WindowLength),
    /// One occurrence only.
    Once {
        /// First moment.
        start: Timestamp,
        /// First moment after.
        end: Timestamp,
    },
    /// Windows of this length that start by a recurrence rule.
    Recurring {
        /// How long each occurrence lasts.
        length: WindowLength,
        /// The first start, in the zone's civil time.
        start: DateTime,
        /// The IANA time zone that the rule is read in, so that 09:00 stays 09:00 over DST changes.
        time_zone: String,
        /// The RFC 5545 `RRULE` value, such as `FREQ=WEEKLY;BYDAY=MO`.
        rule: String,
    },
}

/// The length of a window: an ISO 8601 duration, which may hold calendar units (days, weeks, months).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WindowLength(pub Span);

impl PartialEq for WindowLength {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl WindowLength {
    /// The length in seconds where a day is 24 hours, a month 30 days and a year 365 days.
    pub fn nominal(&self) -> SignedDuration {
        let span = &self.0;
        let days = i64::from(span.get_years()) * 365
            + i64::from(span.get_months()) * 30
            + i64::from(span.get_weeks()) * 7
            + i64::from(span.get_days());
        let seconds = days * 86_400
            + i64::from(span.get_hours()) * 3_600
            + span.get_minutes() * 60
            + span.get_seconds();
        SignedDuration::from_secs(seconds)
    }
}

/// The **total** that carries a pattern's expected volume at its latency target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceProfile {
    /// The pattern that it carries.
    pub pattern_name: PatternName,
    /// The component that it is for; `None`: the only one.
    pub component: Option<ComponentName>,
    /// CPU.
    pub cpu: MilliCores,
    /// Memory.
    pub memory: Bytes,
    /// Disk operations.
    pub disk_io: Iops,
    /// Bandwidth.
    pub bandwidth: KilobitsPerSecond,
    /// Storage, if stated.
    pub storage: Option<Bytes>,
    /// How unevenly the requests come, and how unequal they are.
    #[serde(default, skip_serializing_if = "Variability::is_usual")]
    pub variability: Variability,
}

/// How unevenly requests come, and how unequal they are: squared coefficients of variation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variability {
    /// Ca², of the times between arrivals: 1 for many users who do not know of each other (Poisson), under 1 for
    /// clocked callers, over 1 for bursts.
    pub arrivals: f64,
    /// Cs², of the services: 0 for equal ones, 1 for exponential ones, over 1 for a few slow ones among many fast.
    pub services: f64,
}

impl Default for Variability {
    /// Poisson arrivals and exponential services: what is assumed where nothing is stated.
    fn default() -> Self {
        Self {
            arrivals: 1.0,
            services: 1.0,
        }
    }
}

impl Variability {
    /// Whether it is what is assumed where nothing is stated.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What waits are multiplied by, by Allen and Cunneen: (Ca² + Cs²) ÷ 2.
    pub fn factor(self) -> f64 {
        (0.5 * (self.arrivals + self.services)).max(1e-6)
    }
}
