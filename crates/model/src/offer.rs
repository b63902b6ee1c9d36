//! What can be rented: offers with their size, price and billing rule.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Bytes, Component, Iops, KilobitsPerSecond, MicroUsdPerHour, MilliCores, OfferId, Placement,
    Region, UnitSize,
};

/// Who rents out capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
    /// A Kubernetes cluster.
    Kubernetes,
    /// The simulated cloud.
    Simulated,
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Kubernetes => "kubernetes",
            Self::Simulated => "simulated",
        })
    }
}

/// How capacity is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseKind {
    /// By the second or hour, at the list price.
    OnDemand,
    /// Cheaper, and taken back at short notice.
    Spot,
    /// Committed for a year or more.
    Reserved,
    /// Booted ahead and kept out of service.
    Standby,
}

/// How a provider bills an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// Billed at least for so many seconds.
    pub minimum_seconds: u32,
    /// Billed in whole multiples of so many seconds.
    pub granularity_seconds: u32,
}

/// One thing that can be rented.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The catalogue's name for it.
    pub id: OfferId,
    /// Who rents it out.
    pub provider: ProviderKind,
    /// Where.
    pub region: Region,
    /// The provider's name for its size, such as `m7i.xlarge`.
    pub instance_type: String,
    /// How it is bought.
    pub purchase: PurchaseKind,
    /// CPU of one instance.
    pub cpu: MilliCores,
    /// Memory of one instance.
    pub memory: Bytes,
    /// Disk operations of one instance; `None`: not stated.
    pub disk_io: Option<Iops>,
    /// Bandwidth of one instance; `None`: not stated.
    pub bandwidth: Option<KilobitsPerSecond>,
    /// Price of one instance.
    pub price: MicroUsdPerHour,
    /// How it is billed.
    pub billing: Billing,
}

impl Placement {
    /// Whether an offer may be rented here: provider, region, way of buying, and the list if there is one.
    pub fn allows(&self, offer: &Offer) -> bool {
        self.provider == offer.provider
            && self.region == offer.region
            && self.purchase_kinds.contains(&offer.purchase)
            && (self.offers.is_empty() || self.offers.contains(&offer.id))
    }
}

impl Component {
    /// Whether any of its placements allows an offer, and it holds at least one unit.
    pub fn allows(&self, offer: &Offer) -> bool {
        offer.units_of(&self.unit) > 0 && self.placements.iter().any(|place| place.allows(offer))
    }
}

impl Offer {
    /// How many units of `size` one instance provides; zero if it is too small for one.
    pub fn units_of(&self, size: &UnitSize) -> u64 {
        let mut units = u64::MAX;
        let mut fit =
            |have: u64, need: u64| units = units.min(have.checked_div(need).unwrap_or(units));
        fit(self.cpu.get(), size.cpu.get());
        fit(self.memory.get(), size.memory.get());
        if let (Some(have), Some(need)) = (self.disk_io, size.disk_io) {
            fit(have.get(), need.get());
        }
        if let (Some(have), Some(need)) = (self.bandwidth, size.bandwidth) {
            fit(have.get(), need.get());
        }
        if units == u64::MAX { 1 } else { units }
    }
}
