//! What can be rented: offers with their size, price and billing rule.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{
    BadName, Bytes, Component, Iops, KilobitsPerSecond, MicroUsdPerHour, MilliCores, OfferId,
    Placement, Region, UnitSize, Zone,
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
    /// The user's own machines, and containers on them.
    Own,
    /// The simulated cloud.
    Simulated,
}

impl ProviderKind {
    /// How long before it is taken back a spot instance is told: two minutes at AWS, half a minute at Azure and
    /// Google Cloud (the vendors' documentation).
    pub fn spot_notice(self) -> SignedDuration {
        match self {
            Self::Aws | Self::Simulated => SignedDuration::from_secs(120),
            Self::Azure | Self::Gcp => SignedDuration::from_secs(30),
            Self::Kubernetes | Self::Own => SignedDuration::ZERO,
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Kubernetes => "kubernetes",
            Self::Own => "own",
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

impl fmt::Display for PurchaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnDemand => "on demand",
            Self::Spot => "spot",
            Self::Reserved => "reserved",
            Self::Standby => "standby",
        })
    }
}

/// The instructions that a machine runs; an image is made for one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Architecture {
    /// Intel's and AMD's, 64 bit.
    #[serde(rename = "x86_64")]
    X86_64,
    /// Arm's, 64 bit.
    #[serde(rename = "arm64")]
    Arm64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

/// How a provider bills an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// Billed at least for so many seconds.
    pub minimum_seconds: u32,
    /// Billed in whole multiples of so many seconds.
    pub granularity_seconds: u32,
}

impl Billing {
    /// The seconds that are billed of so many: whole multiples, and the minimum at least.
    pub fn billed_seconds(self, seconds: u64) -> u64 {
        let granularity = u64::from(self.granularity_seconds.max(1));
        let whole = seconds.div_ceil(granularity).saturating_mul(granularity);
        whole.max(u64::from(self.minimum_seconds))
    }
}

/// One thing that can be rented: a type in a region, and in a zone if that is stated, bought in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The catalogue's name for it.
    pub id: OfferId,
    /// Who rents it out.
    pub provider: ProviderKind,
    /// Where.
    pub region: Region,
    /// In which of the region's zones; `None`: the provider chooses.
    #[serde(default)]
    pub zone: Option<Zone>,
    /// The provider's name for its size, such as `m7i.xlarge`.
    pub instance_type: String,
    /// How it is bought.
    pub purchase: PurchaseKind,
    /// For how many months it is paid for at least; `None`: by use.
    #[serde(default)]
    pub term_months: Option<u16>,
    /// What it runs; `None`: not stated, so anything is believed to run.
    #[serde(default)]
    pub architecture: Option<Architecture>,
    /// CPU of one instance.
    pub cpu: MilliCores,
    /// Memory of one instance.
    pub memory: Bytes,
    /// Storage of one instance; `None`: not stated, as disks are attached in the size that is needed.
    #[serde(default)]
    pub disk: Option<Bytes>,
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
    /// Whether an offer may be rented here: provider, region, zone, way of buying, and the list if there
    /// is one. Where zones are named, an offer that leaves the zone to the provider may not.
    pub fn allows(&self, offer: &Offer) -> bool {
        let in_zone = || {
            offer
                .zone
                .as_ref()
                .is_some_and(|zone| self.zones.contains(zone))
        };
        (self.zones.is_empty() || in_zone()) && self.allows_anywhere(offer)
    }

    /// The same for the region as a whole, whatever the zones.
    pub fn allows_anywhere(&self, offer: &Offer) -> bool {
        self.provider == offer.provider
            && self.region == offer.region
            && self.purchase_kinds.contains(&offer.purchase)
            && (self.offers.is_empty() || self.offers.iter().any(|id| offer.answers_to(id)))
    }
}

impl Component {
    /// Whether any of its placements allows an offer, its image runs there, and it holds at least one unit.
    pub fn allows(&self, offer: &Offer) -> bool {
        self.fits(offer) && self.placements.iter().any(|place| place.allows(offer))
    }

    /// Whether an offer holds at least one unit, and runs its image.
    pub fn fits(&self, offer: &Offer) -> bool {
        let runs = match (self.configuration.architecture, offer.architecture) {
            (Some(wanted), Some(there)) => wanted == there,
            _ => true,
        };
        runs && offer.units_of(&self.unit) > 0
    }
}

impl OfferId {
    /// The id of a type that is bought in one way, such as `aws/us-east-1/m7i.xlarge/us-east-1a:spot`; on
    /// demand in the whole region it is the type's own.
    pub fn of_type(
        type_id: &Self,
        zone: Option<&Zone>,
        purchase: PurchaseKind,
        term_months: Option<u16>,
    ) -> Result<Self, BadName> {
        let mut id = type_id.to_string();
        if let Some(zone) = zone {
            id.push('/');
            id.push_str(zone.as_str());
        }
        match (purchase, term_months) {
            (PurchaseKind::OnDemand, _) => {}
            (PurchaseKind::Spot, _) => id.push_str(":spot"),
            (PurchaseKind::Standby, _) => id.push_str(":standby"),
            (PurchaseKind::Reserved, None) => id.push_str(":reserved"),
            (PurchaseKind::Reserved, Some(months)) => id.push_str(&format!(":reserved-{months}m")),
        }
        Self::new(&id)
    }
}

impl Offer {
    /// Whether an id names this offer, or its type in any zone and however it is bought: a longer id says
    /// more after a `/` or `:`, as `aws/us-east-1/m7i.xlarge:spot` does.
    pub fn answers_to(&self, id: &OfferId) -> bool {
        let rest = self.id.as_str().strip_prefix(id.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
    }

    /// How many units of `size` one instance provides; zero if it is too small for one.
    pub fn units_of(&self, size: &UnitSize) -> u64 {
        let mut units = u64::MAX;
        let mut fit =
            |have: u64, need: u64| units = units.min(have.checked_div(need).unwrap_or(units));
        fit(self.cpu.get(), size.cpu.get());
        fit(self.memory.get(), size.memory.get());
        if let (Some(have), Some(need)) = (self.disk, size.storage) {
            fit(have.get(), need.get());
        }
        if let (Some(have), Some(need)) = (self.disk_io, size.disk_io) {
            fit(have.get(), need.get());
        }
        if let (Some(have), Some(need)) = (self.bandwidth, size.bandwidth) {
            fit(have.get(), need.get());
        }
        if units == u64::MAX { 1 } else { units }
    }
}
