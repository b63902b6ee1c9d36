//! `persona/v1`, the persona definition language: how a fleet will be used and what that takes.

use fleetcast_model::{ComponentName, InteractionType, PatternName, PersonaName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fraction, InteractionText, NameText, WeightNumber, WordsText};

/// How a fleet will be used: what users are expected to do, and what carrying that takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a persona"))]
pub struct PersonaDocument {
    /// The persona's name.
    #[serde(default = "default_name")]
    #[schemars(with = "NameText")]
    pub name: PersonaName,
    /// What users are expected to do, and when; overlapping patterns add.
    #[schemars(length(min = 1, max = 10_000))]
    pub engagement_patterns: Vec<EngagementPattern>,
    /// What carrying each pattern takes.
    #[schemars(length(min = 1, max = 10_000))]
    pub resource_profiles: Vec<ResourceProfile>,
}

fn default_name() -> PersonaName {
    PersonaName::new("default").expect("it is a name")
}

/// One expectation of what users do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an engagement pattern"))]
pub struct EngagementPattern {
    /// Its name, unique in the persona; resource profiles refer to it.
    #[schemars(with = "NameText")]
    pub name: PatternName,
    /// How long one occurrence of the pattern lasts, as an ISO 8601 duration (`PT4H`), or its only
    /// occurrence as an ISO 8601 interval (`2026-11-27T08:00:00Z/2026-11-28T08:00:00Z`, or a start
    /// and a duration: `2026-11-27T08:00:00Z/P1D`). A duration without a `recurrence` follows upon
    /// itself without end.
    #[schemars(with = "WordsText", extend("x-noun" = "a time window", "examples" = ["PT4H", "2026-11-27T08:00:00Z/P1D"]))]
    pub time_window: String,
    /// When the window occurs again, if it does not simply follow upon itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// What users do: `search`, `transaction`, `content_view`, `api_call`, or a kind of your own
    /// that starts with `x-`.
    #[schemars(with = "InteractionText")]
    pub interaction_type: InteractionType,
    /// Interactions in one occurrence of the window; decimals are allowed.
    #[schemars(range(min = 0, max = 1e15), extend("x-noun" = "a volume", "x-unit" = "interactions"))]
    pub expected_volume: f64,
    /// 95 % of responses are wanted within so many milliseconds.
    #[schemars(range(min = 1, max = 86_400_000), extend("x-noun" = "a latency target", "x-unit" = "ms"))]
    pub latency_target_ms: u32,
    /// How the volume is spread over the window: the weights of equal parts of it. Without it, or
    /// empty, evenly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<WeightNumber>", length(max = 10_000))]
    pub shape: Vec<f64>,
    /// How sure the author is: 1 is certain, 0 is a guess.
    #[serde(default = "default_confidence")]
    pub confidence: Fraction,
}

fn default_confidence() -> Fraction {
    Fraction(1.0)
}

/// When a window occurs again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a recurrence"))]
pub struct Recurrence {
    /// The first start in the zone's own time, without an offset: `2026-01-05T09:00:00`.
    #[schemars(with = "WordsText", extend("x-noun" = "a local time", "examples" = ["2026-01-05T09:00:00"]))]
    pub start: String,
    /// The RFC 5545 recurrence rule, such as `FREQ=WEEKLY;BYDAY=MO`.
    #[schemars(with = "WordsText", extend("x-noun" = "a recurrence rule", "examples" = ["FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY"]))]
    pub rrule: String,
    /// The IANA time zone in which the rule is read, such as `Europe/Berlin`: 09:00 stays 09:00
    /// when clocks change.
    #[schemars(with = "WordsText", extend("x-noun" = "a time zone", "examples" = ["UTC", "America/New_York", "Europe/Berlin"]))]
    pub time_zone: String,
}

/// The total of each resource that carries a pattern's expected volume at its latency target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a resource profile"))]
pub struct ResourceProfile {
    /// The engagement pattern that it carries.
    #[schemars(with = "NameText")]
    pub pattern_name: PatternName,
    /// The component that it is for; without it the only one of the fleet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<NameText>")]
    pub component: Option<ComponentName>,
    /// CPU in cores, all together; decimals are allowed, thousandths are the smallest part.
    #[schemars(range(min = 0, max = 10_000_000), extend("x-noun" = "a number of cores", "x-unit" = "cores"))]
    pub cpu_cores: f64,
    /// Memory in GB (10⁹ bytes), all together; decimals are allowed.
    #[schemars(range(min = 0, max = 4_000_000), extend("x-noun" = "memory", "x-unit" = "GB"))]
    pub memory_gb: f64,
    /// Disk operations in a second, all together; 0 if they do not matter.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000_000u64), extend("x-noun" = "a number of disk operations", "x-unit" = "operations a second"))]
    pub disk_io_ops: f64,
    /// Network bandwidth in Mbps (10⁶ bits a second), all together; 0 if it does not matter.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "bandwidth", "x-unit" = "Mbps"))]
    pub network_bandwidth_mbps: f64,
    /// Storage in GB (10⁹ bytes), all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 4_000_000), extend("x-noun" = "storage", "x-unit" = "GB"))]
    pub storage_gb: Option<f64>,
    /// How unevenly requests come: the squared coefficient of variation of the times between them. 1 is
    /// many users who do not know of each other, under 1 clocked callers, over 1 bursts.
    #[serde(default = "usual_variability", skip_serializing_if = "is_usual")]
    #[schemars(range(min = 0, max = 100), extend("x-noun" = "a variability"))]
    pub arrival_variability: f64,
    /// How unequal the work of requests is: the squared coefficient of variation of their service times. 0 is
    /// all alike, 1 the usual, over 1 a few slow ones among many fast.
    #[serde(default = "usual_variability", skip_serializing_if = "is_usual")]
    #[schemars(range(min = 0, max = 100), extend("x-noun" = "a variability"))]
    pub service_variability: f64,
}

fn usual_variability() -> f64 {
    1.0
}

fn is_usual(variability: &f64) -> bool {
    *variability == usual_variability()
}
