//! Policies by name, as people type them: `hpa:0.6,min=12`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Expander, NodeLayer, Policy, Surroundings, aws, hpa, simple};

/// A policy, its knob and its floor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicySpec {
    /// Which rule.
    pub kind: PolicyKind,
    /// Target utilisation, factor or size; what it means depends on the rule.
    pub knob: f64,
    /// Never fewer units.
    pub floor: u64,
}

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// Ours.
    Fleetcast,
    /// The simple rule on utilisation; knob: target.
    Hpa,
    /// Kubernetes' rule in full; knob: target.
    KubernetesHpa,
    /// AWS target tracking; knob: target.
    TargetTracking,
    /// AWS predictive scaling with target tracking; knob: target of both.
    AwsPredictive,
    /// The highest recent demand times a factor; knob: factor.
    React,
    /// The simple rule or yesterday; knob: target of both.
    MaxYesterday,
    /// Kubernetes' rule over the cluster autoscaler, least waste first; knob: target of the pods.
    ClusterAutoscaler,
    /// The same, least price first.
    ClusterAutoscalerPrice,
    /// Kubernetes' rule over Karpenter; knob: target of the pods.
    Karpenter,
    /// A constant fleet; knob: its size.
    Static,
    /// Perfect foresight; no knob.
    Oracle,
}

/// The text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The name before the colon is unknown.
    #[error(
        "`{0}` is not a policy: use fleetcast, hpa, kubernetes-hpa, target-tracking, aws-predictive, react, max, cluster-autoscaler, cluster-autoscaler-price, karpenter, static or oracle"
    )]
    Unknown(String),
    /// The rule needs a number.
    #[error("policy `{policy}` needs {needs}, such as `{example}`")]
    NeedsKnob {
        /// The policy.
        policy: &'static str,
        /// What is missing.
        needs: &'static str,
        /// How it would look.
        example: &'static str,
    },
    /// The number is out of range.
    #[error("`{text}` is no good for policy `{policy}`: {needs}, such as `{example}`")]
    BadKnob {
        /// The policy.
        policy: &'static str,
        /// What was given.
        text: String,
        /// What is wanted.
        needs: &'static str,
        /// How it would look.
        example: &'static str,
    },
    /// The policy has no floor of its own.
    #[error(
        "policy `{policy}` takes no floor: Fleetcast's stands in the fleet state, and perfect foresight has none"
    )]
    NoFloor {
        /// The policy.
        policy: &'static str,
    },
    /// After the comma stands something other than a floor.
    #[error("`{0}` is not an option of a policy: use min=UNITS")]
    BadOption(String),
}

/// Name, what the knob is (`None`: there is none), its range and an example.
type Row = (
    PolicyKind,
    &'static str,
    Option<(&'static str, f64, f64)>,
    &'static str,
);
const TARGET: Option<(&str, f64, f64)> =
    Some(("a target utilisation between 0.01 and 1", 0.01, 1.0));
const ROWS: [Row; 12] = [
    (PolicyKind::Fleetcast, "fleetcast", None, "fleetcast"),
    (PolicyKind::Hpa, "hpa", TARGET, "hpa:0.6"),
    (
        PolicyKind::KubernetesHpa,
        "kubernetes-hpa",
        TARGET,
        "kubernetes-hpa:0.6",
    ),
    (
        PolicyKind::TargetTracking,
        "target-tracking",
        TARGET,
        "target-tracking:0.6",
    ),
    (
        PolicyKind::AwsPredictive,
        "aws-predictive",
        TARGET,
        "aws-predictive:0.6",
    ),
    (
        PolicyKind::React,
        "react",
        Some(("a factor between 0.1 and 100", 0.1, 100.0)),
        "react:1.2",
    ),
    (PolicyKind::MaxYesterday, "max", TARGET, "max:0.8"),
    (
        PolicyKind::ClusterAutoscaler,
        "cluster-autoscaler",
        TARGET,
        "cluster-autoscaler:0.6",
    ),
    (
        PolicyKind::ClusterAutoscalerPrice,
        "cluster-autoscaler-price",
        TARGET,
        "cluster-autoscaler-price:0.6",
    ),
    (PolicyKind::Karpenter, "karpenter", TARGET, "karpenter:0.6"),
    (
        PolicyKind::Static,
        "static",
        Some(("a number of units", 1.0, 1e9)),
        "static:40",
    ),
    (PolicyKind::Oracle, "oracle", None, "oracle"),
];

impl PolicySpec {
    /// A policy with its knob and no floor.
    pub fn new(kind: PolicyKind, knob: f64) -> Self {
        Self {
            kind,
            knob,
            floor: 1,
        }
    }

    /// The same with a floor.
    pub fn with_floor(self, floor: u64) -> Self {
        match self.kind {
            // Theirs stands elsewhere, or nowhere.
            PolicyKind::Fleetcast | PolicyKind::Oracle => self,
            PolicyKind::Static => Self::new(self.kind, self.knob.max(floor as f64)),
            _ => Self {
                floor: floor.max(1),
                ..self
            },
        }
    }

    /// A policy in its first state; `None` for ours and for perfect foresight, which are not rules on a view.
    pub fn build(&self, surroundings: &Surroundings) -> Option<Policy> {
        let (knob, floor) = (self.knob, self.floor);
        Some(match self.kind {
            PolicyKind::Fleetcast | PolicyKind::Oracle => return None,
            PolicyKind::Hpa => Policy::Hpa(hpa::SimpleHpa::new(knob, floor, surroundings)),
            PolicyKind::KubernetesHpa => {
                Policy::KubernetesHpa(hpa::KubernetesHpa::new(knob, floor, surroundings))
            }
            PolicyKind::TargetTracking => {
                Policy::TargetTracking(aws::TargetTracking::new(knob, floor, surroundings))
            }
            PolicyKind::AwsPredictive => {
                Policy::AwsPredictive(aws::AwsPredictive::new(knob, floor, surroundings))
            }
            PolicyKind::React => Policy::React(simple::React::new(knob, floor, surroundings)),
            PolicyKind::MaxYesterday => {
                Policy::MaxYesterday(simple::MaxYesterday::new(knob, floor, surroundings))
            }
            PolicyKind::ClusterAutoscaler | PolicyKind::ClusterAutoscalerPrice => {
                let expander = if self.kind == PolicyKind::ClusterAutoscaler {
                    Expander::LeastWaste
                } else {
                    Expander::Price
                };
                let layer = NodeLayer::cluster_autoscaler(knob, floor, expander, surroundings);
                Policy::Nodes(Box::new(layer))
            }
            PolicyKind::Karpenter => {
                let layer = NodeLayer::karpenter(knob, floor, surroundings);
                Policy::Nodes(Box::new(layer))
            }
            PolicyKind::Static => Policy::Static((knob as u64).max(floor)),
        })
    }

    /// A person's words for it.
    pub fn label(&self) -> String {
        let percent = format!("{} %", (self.knob * 1e3).round() / 10.0);
        let mut label = match self.kind {
            PolicyKind::Fleetcast => "Fleetcast".to_string(),
            PolicyKind::Hpa => format!("HPA at {percent}"),
            PolicyKind::KubernetesHpa => format!("Kubernetes HPA at {percent}"),
            PolicyKind::TargetTracking => format!("target tracking at {percent}"),
            PolicyKind::AwsPredictive => format!("AWS predictive at {percent}"),
            PolicyKind::React => format!("recent peak × {}", self.knob),
            PolicyKind::MaxYesterday => format!("HPA or yesterday at {percent}"),
            PolicyKind::ClusterAutoscaler => {
                format!("HPA at {percent}, cluster autoscaler")
            }
            PolicyKind::ClusterAutoscalerPrice => {
                format!("HPA at {percent}, cluster autoscaler by price")
            }
            PolicyKind::Karpenter => format!("HPA at {percent}, Karpenter"),
            PolicyKind::Static => format!("always {} units", self.knob),
            PolicyKind::Oracle => "perfect foresight".to_string(),
        };
        if self.floor > 1 {
            label.push_str(&format!(", floor {}", self.floor));
        }
        label
    }

    fn row(kind: PolicyKind) -> Row {
        // Every kind has its row: the round-trip test walks all of them.
        ROWS.into_iter()
            .find(|row| row.0 == kind)
            .unwrap_or(ROWS[0])
    }
}

impl FromStr for PolicySpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut parts = text.split(',').map(str::trim);
        let head = parts.next().unwrap_or_default();
        let (name, knob_text) = head
            .split_once(':')
            .map_or((head, None), |(name, knob)| (name, Some(knob)));
        let row = ROWS
            .into_iter()
            .find(|row| row.1 == name)
            .ok_or_else(|| SpecError::Unknown(name.to_string()))?;
        let (kind, policy, knob_rule, example) = row;
        let bad = |text: &str, needs| SpecError::BadKnob {
            policy,
            text: text.to_string(),
            needs,
            example,
        };
        let knob = match (knob_rule, knob_text) {
            (None, None) => 0.0,
            (None, Some(text)) => return Err(bad(text, "it takes no number")),
            (Some((needs, ..)), None) => {
                return Err(SpecError::NeedsKnob {
                    policy,
                    needs,
                    example,
                });
            }
            (Some((needs, low, high)), Some(text)) => {
                let knob: f64 = text.parse().map_err(|_| bad(text, needs))?;
                let whole = kind != PolicyKind::Static || knob.fract() == 0.0;
                if !((low..=high).contains(&knob) && whole) {
                    return Err(bad(text, needs));
                }
                knob
            }
        };
        let mut floor = 1;
        for option in parts {
            let units = option
                .strip_prefix("min=")
                .and_then(|units| units.parse().ok());
            if matches!(kind, PolicyKind::Fleetcast | PolicyKind::Oracle) {
                return Err(SpecError::NoFloor { policy });
            }
            floor = units
                .filter(|units| *units >= 1)
                .ok_or_else(|| SpecError::BadOption(option.to_string()))?;
        }
        if kind == PolicyKind::Static {
            // A constant fleet with a floor is the larger of the two.
            let knob = knob.max(floor as f64);
            return Ok(Self::new(kind, knob));
        }
        Ok(Self { kind, knob, floor })
    }
}

impl fmt::Display for PolicySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name, knob, _) = Self::row(self.kind);
        f.write_str(name)?;
        if knob.is_some() {
            write!(f, ":{}", self.knob)?;
        }
        if self.floor > 1 {
            write!(f, ",min={}", self.floor)?;
        }
        Ok(())
    }
}

impl TryFrom<String> for PolicySpec {
    type Error = SpecError;
    fn try_from(text: String) -> Result<Self, SpecError> {
        text.parse()
    }
}

impl From<PolicySpec> for String {
    fn from(spec: PolicySpec) -> String {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_is_printed() {
        for text in [
            "fleetcast",
            "hpa:0.6",
            "hpa:0.6,min=12",
            "kubernetes-hpa:0.5",
            "target-tracking:0.6",
            "aws-predictive:0.6",
            "react:1.2",
            "max:0.8,min=3",
            "cluster-autoscaler:0.6",
            "cluster-autoscaler-price:0.6",
            "karpenter:0.6,min=4",
            "static:40",
            "oracle",
        ] {
            assert_eq!(
                text.parse::<PolicySpec>().map(|spec| spec.to_string()),
                Ok(text.to_string())
            );
        }
    }

    #[test]
    fn bad_policies_say_how_to_mend_them() {
        let message = |text: &str| {
            text.parse::<PolicySpec>()
                .map_or_else(|e| e.to_string(), |spec| format!("accepted {spec}"))
        };
        assert!(
            message("hpa")
                .contains("needs a target utilisation between 0.01 and 1, such as `hpa:0.6`")
        );
        assert!(message("hpa:60").contains("`60` is no good for policy `hpa`"));
        assert!(message("kpa:0.6").contains("`kpa` is not a policy: use fleetcast, hpa"));
        assert!(message("static:2.5").contains("a number of units"));
        assert!(message("hpa:0.6,max=3").contains("use min=UNITS"));
        assert!(message("hpa:NaN").contains("no good"));
    }
}
