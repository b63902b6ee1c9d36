//! Quotas: how much of something a provider lets a fleet have at once.

use serde::{Deserialize, Serialize};

use crate::{Offer, ProviderKind, PurchaseKind, Region};

/// How much a provider lets all components of a fleet have at once, in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// What people call it, unique in the fleet.
    pub name: String,
    /// The provider.
    pub provider: ProviderKind,
    /// Its region.
    pub region: Region,
    /// The ways of buying that count; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchase_kinds: Vec<PurchaseKind>,
    /// The types that count, each by its name or, with `*` at the end, by how it begins; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_types: Vec<String>,
    /// At most so much at once.
    pub limit: u64,
    /// What is counted.
    pub counts: QuotaCount,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaCount {
    /// Virtual CPUs, those of an instance rounded up.
    #[default]
    Vcpu,
    /// Instances.
    Instances,
}

impl QuotaCount {
    /// A person's word for so many.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vcpu => "vCPU",
            Self::Instances => "instances",
        }
    }
}

impl Quota {
    /// Whether instances of an offer count.
    pub fn covers(&self, offer: &Offer) -> bool {
        let named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => offer.instance_type.starts_with(beginning),
            None => offer.instance_type == *pattern,
        };
        self.provider == offer.provider
            && self.region == offer.region
            && (self.purchase_kinds.is_empty() || self.purchase_kinds.contains(&offer.purchase))
            && (self.instance_types.is_empty() || self.instance_types.iter().any(named))
    }

    /// How much one instance of an offer takes of it.
    pub fn taken_by(&self, offer: &Offer) -> u64 {
        match self.counts {
            _ if !self.covers(offer) => 0,
            QuotaCount::Vcpu => offer.cpu.get().div_ceil(1_000),
            QuotaCount::Instances => 1,
        }
    }
}
