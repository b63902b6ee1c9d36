//! What a plan says beside its changes: what it was planned from, what it costs, what the gate said.

use fleetcast_model::{ComponentName, ContentHash};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ChangeCause, CostRange, Fraction, GateText, HashText, Money, NameText, OverrideEntry, TimeText,
    WordsText,
};

/// How the changes came about, and what `fleetcast apply` holds them against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a plan"))]
pub struct PlanAccount {
    /// When it was planned, RFC 3339: the end of the demand that it knows.
    #[schemars(with = "TimeText")]
    pub planned_at: Timestamp,
    /// From when on it can no longer be applied, RFC 3339.
    #[schemars(with = "TimeText")]
    pub expires: Timestamp,
    /// The hash of the fleet state that it was planned from: applied to any other, it is refused.
    #[schemars(with = "HashText")]
    pub parent: ContentHash,
    /// The hash of the overrides that it was planned with.
    #[schemars(with = "HashText")]
    pub overrides: ContentHash,
    /// The recommendations that were accepted, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<WordsText>")]
    pub accepted: Vec<String>,
    /// The overrides that they bring; applying the plan writes them beside the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_overrides: Vec<OverrideEntry>,
    /// Units that the changes add.
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "a number of units"))]
    pub units_added: u64,
    /// Units that the changes give back.
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "a number of units"))]
    pub units_removed: u64,
    /// What the changes cost over the next two hours.
    pub cost: CostRange,
    /// What the units given back would have cost in that time.
    pub saves: Money,
    /// Why, over all changes; the units add up to those added and given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<ChangeCause>,
    /// What the gate said.
    pub gate: GateAccount,
    /// The quotas that bound, and promises for the loss of a zone that cannot be kept yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<PlanLimit>,
    /// What people should know before they decide: whose demand is unknown, and what is done about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<WordsText>")]
    pub alerts: Vec<String>,
    /// How much stands by, how it is kept, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<WordsText>")]
    pub standby: Vec<String>,
    /// What refusing the plan would mean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub if_refused: Vec<Refusal>,
    /// What else could be done, worked out and priced, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recommendations: Vec<Recommendation>,
}

/// What the gate said of the changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a gate's verdict"))]
pub struct GateAccount {
    /// `nothing` to change; `go`; `needs_approval` of a person; `over_cap`: refused; `withheld` by the
    /// mode or a freeze window.
    #[schemars(with = "GateText")]
    pub verdict: GateVerdict,
    /// The same in words, with the figures.
    #[schemars(with = "WordsText")]
    pub words: String,
    /// The cost that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// The threshold or cap that it was held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Money>,
}

/// What the gate said of the changes, in a word; later ones are stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// There is nothing to change.
    Nothing,
    /// It may be done.
    Go,
    /// A person has to approve it.
    NeedsApproval,
    /// The mode or a freeze window allows no change.
    Withheld,
    /// It would pass the hard cap.
    OverCap,
}

/// What kept a component's orders from being what is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a limit that bound"))]
pub struct PlanLimit {
    /// The component.
    #[schemars(with = "NameText")]
    pub component: ComponentName,
    /// The quota that bound; without it a promise for the loss of a zone cannot be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<WordsText>")]
    pub quota: Option<String>,
    /// The same in words, with the figures.
    #[schemars(with = "WordsText")]
    pub words: String,
    /// Units that are wanted and not ordered, or that the loss of a zone would leave too few.
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "a number of units"))]
    pub missing_units: u64,
    /// The limit of the quota that would have sufficed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000_000_000_u64), extend("x-noun" = "a limit"))]
    pub enough: Option<u64>,
    /// What all orders would cost more an hour with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lift_per_hour: Option<Money>,
}

/// What refusing a plan would mean for one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a refusal"))]
pub struct Refusal {
    /// The component.
    #[schemars(with = "NameText")]
    pub component: ComponentName,
    /// Units that it would have.
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "a number of units"))]
    pub units: u64,
    /// How likely demand is then to be more than they carry, when the order would have served.
    pub breach_risk: Fraction,
    /// The same with the plan carried out.
    pub breach_risk_planned: Fraction,
}

/// Something else that could be done, worked out and priced as the plan itself is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a recommendation"))]
pub struct Recommendation {
    /// Its name, for `--accept`.
    #[schemars(with = "WordsText")]
    pub name: String,
    /// What it is, in words.
    #[schemars(with = "WordsText")]
    pub what: String,
    /// Units that the changes then add.
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "a number of units"))]
    pub units_added: u64,
    /// What the changes then cost over the next two hours.
    pub cost: Money,
    /// How much less that is than the plan.
    pub saves: Money,
    /// How likely any component is then to fall short; the plan's own is beside it.
    pub breach_risk: Fraction,
    /// The same of the plan itself.
    pub breach_risk_planned: Fraction,
    /// What the gate would say then.
    #[schemars(with = "GateText")]
    pub verdict: GateVerdict,
    /// The command that takes it.
    #[schemars(with = "WordsText")]
    pub command: String,
}
