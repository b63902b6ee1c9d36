//! What several documents share: names, money, durations, shares.

use std::borrow::Cow;
use std::fmt;

use fleetcast_model::MicroUsd;
use jiff::{SignedDuration, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "an amount of money"))]
pub struct Money {
    /// The amount, in units of the currency; decimals are allowed, millionths are the smallest part.
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-noun" = "an amount of money"))]
    pub amount: f64,
    /// The ISO 4217 code of the currency. Only `USD` is supported.
    #[schemars(with = "CurrencyText")]
    pub currency: String,
}

impl Money {
    /// An amount of dollars.
    pub fn usd(amount: MicroUsd) -> Self {
        Self {
            amount: amount.as_usd(),
            currency: "USD".into(),
        }
    }

    /// To the nearest micro-dollar.
    pub fn micro_usd(&self) -> MicroUsd {
        MicroUsd::new((self.amount * 1e6).round() as u64)
    }
}

/// A duration as ISO 8601 writes it, such as `PT5M` or `P28D`. A day is 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IsoDuration(pub SignedDuration);

impl std::str::FromStr for IsoDuration {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let span = parse_span(text)?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err("a month or a year has no fixed length; count in days");
        }
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let clock = span.years(0).months(0).weeks(0).days(0);
        let rest = SignedDuration::try_from(clock).map_err(|_| "it is too long")?;
        Ok(Self(SignedDuration::from_hours(days * 24) + rest))
    }
}

/// Reads an ISO 8601 duration that is not negative, and nothing else that jiff would read.
pub(crate) fn parse_span(text: &str) -> Result<Span, &'static str> {
    const NOT_ONE: &str =
        "write it as ISO 8601 does: `PT5M` is five minutes, `PT2H` two hours, `P1D` a day";
    if !text.starts_with('P') {
        return Err(NOT_ONE);
    }
    let span: Span = text.parse().map_err(|_| NOT_ONE)?;
    if span.is_negative() {
        Err("it cannot be negative")
    } else {
        Ok(span)
    }
}

impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds > 0 && seconds % 86_400 == 0 && self.0.subsec_nanos() == 0 {
            write!(f, "P{}D", seconds / 86_400)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

impl Serialize for IsoDuration {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IsoDuration {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for IsoDuration {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "duration", "examples": ["PT5M", "P1D"],
            "x-noun": "a duration",
            "x-hint": "write it as ISO 8601 does: `PT5M` is five minutes, `PT2H` two hours, `P1D` a day"
        })
    }
}

/// A share: a number between 0 and 1, or text in percent.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Fraction(pub f64);

impl std::str::FromStr for Fraction {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text
            .strip_suffix('%')
            .ok_or("text must end in `%`")?
            .trim_end();
        // Shifting the decimal point, because dividing by 100 would round a second time.
        format!("{digits}e-2")
            .parse()
            .map(Self)
            .map_err(|_| "it is not a number of percent")
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(f64),
            Percent(String),
        }
        match Either::deserialize(from)? {
            Either::Number(share) => Ok(Self(share)),
            Either::Percent(text) => text.parse().map_err(de::Error::custom),
        }
    }
}

impl JsonSchema for Fraction {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"], "minimum": 0, "maximum": 1,
            "pattern": r"^[0-9]+(\.[0-9]+)?\s?%$", "examples": [0.005, "0.5%"],
            "x-noun": "a share", "x-hint": "write a number between 0 and 1, or percent such as \"0.5%\""
        })
    }
}

/// Declares what a field of a validated type looks like in the schema.
macro_rules! field_schema {
    ($(#[$doc:meta])* $name:ident, $title:literal, $($schema:tt)+) => {
        $(#[$doc])*
        pub(crate) struct $name;
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                $title.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($schema)+)
            }
        }
    };
}

field_schema! {
    /// The names of `fleetcast_model`.
    NameText, "Name", {
        "type": "string", "pattern": "^[A-Za-z0-9._/:-]{1,120}$", "x-noun": "a name",
        "x-hint": "use 1 to 120 letters, digits, `.`, `_`, `-`, `/` or `:`"
    }
}
field_schema! {
    /// [`fleetcast_model::InteractionType`].
    InteractionText, "InteractionType", {
        "type": "string", "pattern": "^(search|transaction|content_view|api_call|x-.+)$",
        "examples": ["search", "transaction", "content_view", "api_call"], "x-noun": "an interaction type",
        "x-hint": "use search, transaction, content_view, api_call, or a name of your own that starts with `x-`"
    }
}
field_schema! {
    /// A [`jiff::Timestamp`].
    TimeText, "Time", {
        "type": "string", "format": "date-time", "examples": ["2026-11-27T08:00:00Z"], "x-noun": "a time",
        "x-hint": "write it as RFC 3339 does, with its offset: `2026-11-27T08:00:00Z`"
    }
}
field_schema! {
    /// Text that says something to a person.
    WordsText, "Words", { "type": "string", "pattern": r"\S", "maxLength": 2000, "x-noun": "text" }
}
field_schema! {
    /// A [`jiff::civil::Date`].
    DateText, "Date", {
        "type": "string", "format": "date", "examples": ["2026-11-27"], "x-noun": "a date",
        "x-hint": "write year, month and day: `2026-11-27`"
    }
}
field_schema! {
    CurrencyCodeText, "CurrencyCode", {
        "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["USD", "EUR"], "x-noun": "a currency",
        "x-hint": "use the ISO 4217 code, such as USD"
    }
}
field_schema! {
    ArchitectureText, "Architecture", { "type": "string", "enum": ["x86_64", "arm64"], "x-noun": "an architecture" }
}
field_schema! {
    CurrencyText, "Currency", { "type": "string", "enum": ["USD"], "x-noun": "a currency" }
}
field_schema! {
    ProviderText, "Provider", {
        "type": "string", "enum": ["aws", "azure", "gcp", "kubernetes", "own", "simulated"], "x-noun": "a provider"
    }
}
field_schema! {
    PurchaseText, "PurchaseKind", {
        "type": "string", "enum": ["on_demand", "spot", "reserved", "standby"], "x-noun": "a purchase kind"
    }
}
field_schema! {
    QuotaCountText, "QuotaCount", { "type": "string", "enum": ["vcpu", "instances"], "x-noun": "what a quota counts" }
}
field_schema! {
    /// The name of a type, or how it begins.
    TypePatternText, "TypePattern", {
        "type": "string", "pattern": r"^([A-Za-z0-9._-]+\*?|\*)$", "x-noun": "a type",
        "x-hint": "write a type as `m7i.large`, or how it begins as `m7i.*`"
    }
}
field_schema! {
    ModeText, "Mode", { "type": "string", "enum": ["observe", "recommend", "auto"], "x-noun": "a mode" }
}
field_schema! {
    RegretText, "RegretBaseline", {
        "type": "string", "enum": ["reactive", "foresight"], "x-noun": "a baseline"
    }
}
field_schema! {
    ObjectiveText, "ObjectiveMetric", {
        "type": "string", "enum": ["unserved", "violation"], "x-noun": "what an objective counts"
    }
}
field_schema! {
    TierText, "StandbyTier", {
        "type": "string", "enum": ["running", "hibernated", "stopped"], "x-noun": "a tier of standby"
    }
}
field_schema! {
    PromoteText, "PromoteOn", {
        "type": "string", "enum": ["over_capacity", "burn"], "x-noun": "what promotes standby"
    }
}
field_schema! {
    FallbackText, "Fallback", {
        "type": "string", "enum": ["hold", "floor", "peak_of_day_before", "ceiling"], "x-noun": "a fallback"
    }
}
field_schema! {
    EventKindText, "EventKind", {
        "type": "string", "x-noun": "a kind of event",
        "enum": ["campaign", "news", "release", "holiday", "maintenance", "incident"]
    }
}
field_schema! {
    /// [`super::Decision`].
    DecisionText, "Decision", { "type": "string", "enum": ["pin", "floor", "ceiling", "pause", "provision", "forecast"], "x-noun": "a decision" }
}
field_schema! {
    /// [`super::ResourceType`].
    ResourceTypeText, "ResourceType", {
        "type": "string", "enum": ["CPU", "Memory", "Bandwidth", "Storage"], "x-noun": "a resource type"
    }
}
field_schema! {
    /// [`super::Horizon`].
    HorizonText, "Horizon", { "type": "string", "enum": ["short", "medium", "long"], "x-noun": "a horizon" }
}
field_schema! {
    /// [`super::ChangeAction`].
    ChangeActionText, "ChangeAction", {
        "type": "string", "enum": ["add", "remove", "promote"], "x-noun": "a kind of change"
    }
}
field_schema! {
    /// [`super::ChangeReason`].
    ChangeReasonText, "ChangeReason", {
        "type": "string", "x-noun": "a reason",
        "enum": [
            "floor", "baseline", "season", "forecast", "event", "uncertainty", "reactive", "hold", "fallback",
            "spot_risk", "zone_loss", "standby", "override", "policy", "whole_instances", "surplus"
        ]
    }
}
field_schema! {
    /// [`super::GateVerdict`].
    GateText, "GateVerdict", {
        "type": "string", "x-noun": "a verdict",
        "enum": ["nothing", "go", "needs_approval", "withheld", "over_cap"]
    }
}
field_schema! {
    /// [`crate::ContentHash`].
    HashText, "ContentHash", {
        "type": "string", "pattern": "^sha256:[0-9a-f]{64}$", "x-noun": "a content hash",
        "x-hint": "it is `sha256:` and 64 hexadecimal digits"
    }
}
field_schema! {
    /// One weight of a shape.
    WeightNumber, "Weight", { "type": "number", "minimum": 0, "maximum": 1e15, "x-noun": "a weight" }
}

#[cfg(test)]
mod tests {
    use fleetcast_model as model;
    use serde::de::DeserializeOwned;

    use super::*;

    /// Checks that the schema lists what serde reads: serde's own list stands in its error message.
    #[track_caller]
    fn check<T: DeserializeOwned, S: JsonSchema>() {
        let schema = S::json_schema(&mut SchemaGenerator::default()).to_value();
        let listed: Vec<&str> = schema["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one.as_str())
            .collect();
        let error = serde_json::from_str::<T>("\"?\"")
            .map(|_| ())
            .unwrap_err()
            .to_string();
        let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        assert_eq!(listed, known, "{error}");
    }

    #[test]
    fn schemas_list_the_values_that_are_read() {
        check::<model::ProviderKind, ProviderText>();
        check::<model::PurchaseKind, PurchaseText>();
        check::<model::Architecture, ArchitectureText>();
        check::<model::QuotaCount, QuotaCountText>();
        check::<model::Mode, ModeText>();
        check::<model::RegretBaseline, RegretText>();
        check::<model::ObjectiveMetric, ObjectiveText>();
        check::<model::StandbyTier, TierText>();
        check::<model::PromoteOn, PromoteText>();
        check::<model::Fallback, FallbackText>();
        check::<model::EventKind, EventKindText>();
        check::<crate::wire::Decision, DecisionText>();
        check::<crate::wire::ResourceType, ResourceTypeText>();
        check::<crate::wire::Horizon, HorizonText>();
        check::<crate::wire::ChangeAction, ChangeActionText>();
        check::<crate::wire::ChangeReason, ChangeReasonText>();
        check::<crate::wire::GateVerdict, GateText>();
    }

    #[test]
    fn durations_are_iso_8601_and_come_back() {
        for (text, seconds, written) in [
            ("PT5M", 300, "PT5M"),
            ("P1W", 604_800, "P7D"),
            ("P1DT1H", 90_000, "PT25H"),
            ("PT1.5S", 1, "PT1.5S"),
            ("PT0S", 0, "PT0S"),
        ] {
            let duration: IsoDuration = text.parse().unwrap();
            assert_eq!(
                (duration.0.as_secs(), duration.to_string().as_str()),
                (seconds, written),
                "{text}"
            );
            assert_eq!(written.parse(), Ok(duration), "{text}");
        }
        for text in [
            "5m",
            "PT",
            "-PT5M",
            "P1M",
            "",
            "P-1D",
            "PT9999999999999999999H",
        ] {
            assert!(text.parse::<IsoDuration>().is_err(), "{text}");
        }
    }

    #[test]
    fn percent_is_exact() {
        for (text, share) in [("0.5%", 0.005), ("99.9 %", 0.999), ("100%", 1.0)] {
            assert_eq!(text.parse(), Ok(Fraction(share)));
        }
    }
}
