//! `predicted-fleet-state/v1`: the resources that the forecast demand will require.

use fleetcast_model::{Bytes, ComponentName, KilobitsPerSecond, MilliCores};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HorizonText, NameText, ResourceTypeText, TimeText, WordsText};

/// The resources that the forecast demand will require.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a predicted fleet state"))]
pub struct PredictedFleetState {
    /// The time that the prediction is for, RFC 3339; a requirement with a horizon is counted from it.
    #[schemars(with = "TimeText")]
    pub timestamp: Timestamp,
    /// What will be required, by resource, horizon and component.
    pub resource_requirements: Vec<ResourceRequirement>,
}

/// How much of one resource will be required.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a resource requirement"))]
pub struct ResourceRequirement {
    /// The resource: `CPU`, `Memory`, `Bandwidth` or `Storage`.
    #[schemars(with = "ResourceTypeText")]
    pub resource_type: ResourceType,
    /// How much of it, in `units`.
    #[schemars(range(min = 0, max = 1e15), extend("x-noun" = "a quantity"))]
    pub quantity: f64,
    /// What the quantity counts. CPU: `cores`, `millicores`. Memory and storage: `MB`, `GB`, `TB`
    /// (powers of 1000), `MiB`, `GiB`, `TiB` (powers of 1024). Bandwidth: `kbps`, `Mbps`, `Gbps`.
    #[schemars(with = "WordsText", extend("x-noun" = "a unit", "examples" = ["cores", "GB", "Gbps"]))]
    pub units: String,
    /// How far ahead the requirement lies: `short` is 2 hours, `medium` 14 days, `long` 13 months.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<HorizonText>")]
    pub horizon: Option<Horizon>,
    /// The component that requires it; without it the whole fleet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<NameText>")]
    pub component: Option<ComponentName>,
    /// What will suffice with which probability, by rising level; `quantity` is the one to provide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Quantile>,
    /// The forecast that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<WordsText>")]
    pub forecast: Option<String>,
}

/// What will suffice with a stated probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-noun" = "a quantile"))]
pub struct Quantile {
    /// The probability that the quantity suffices; between 0 and 1.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1, "x-noun" = "the level of a quantile"))]
    pub level: f64,
    /// How much, in the requirement's units.
    #[schemars(range(min = 0, max = 1e15), extend("x-noun" = "a quantity"))]
    pub quantity: f64,
}

/// A resource of which a fleet needs a stated amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ResourceType {
    /// CPU.
    #[serde(rename = "CPU")]
    Cpu,
    /// Memory.
    Memory,
    /// Network bandwidth.
    Bandwidth,
    /// Storage.
    Storage,
}

/// How far ahead a prediction looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Horizon {
    /// 2 hours, by the minute.
    Short,
    /// 14 days, by 15 minutes.
    Medium,
    /// 13 months, by the day.
    Long,
}

impl ResourceType {
    /// Its name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "Memory",
            Self::Bandwidth => "Bandwidth",
            Self::Storage => "Storage",
        }
    }

    /// The units in which a quantity of it may be stated, with how many of the base unit each is.
    /// The base units are cores, bytes and bits a second.
    pub fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Cpu => &[("cores", 1.0), ("millicores", 1e-3)],
            Self::Memory | Self::Storage => &[
                ("GB", 1e9),
                ("MB", 1e6),
                ("TB", 1e12),
                ("MiB", 1_048_576.0),
                ("GiB", 1_073_741_824.0),
                ("TiB", 1_099_511_627_776.0),
            ],
            Self::Bandwidth => &[("Mbps", 1e6), ("kbps", 1e3), ("Gbps", 1e9)],
        }
    }
}

impl ResourceRequirement {
    /// A requirement of CPU.
    pub fn cpu(amount: MilliCores) -> Self {
        Self::new(ResourceType::Cpu, amount.as_f64() / 1e3, "cores")
    }

    /// A requirement of memory.
    pub fn memory(amount: Bytes) -> Self {
        Self::new(ResourceType::Memory, amount.as_f64() / 1e9, "GB")
    }

    /// A requirement of network bandwidth.
    pub fn bandwidth(amount: KilobitsPerSecond) -> Self {
        Self::new(ResourceType::Bandwidth, amount.as_f64() / 1e3, "Mbps")
    }

    /// A requirement of storage.
    pub fn storage(amount: Bytes) -> Self {
        Self::new(ResourceType::Storage, amount.as_f64() / 1e9, "GB")
    }

    fn new(resource_type: ResourceType, quantity: f64, units: &str) -> Self {
        Self {
            resource_type,
            quantity,
            units: units.to_string(),
            horizon: None,
            component: None,
            quantiles: Vec::new(),
            forecast: None,
        }
    }

    /// The quantity in the resource's base unit: cores, bytes or bits a second. `None` if `units`
    /// does not measure this resource, which parsing has ruled out.
    pub fn in_base_units(&self) -> Option<f64> {
        let units = self.resource_type.units().iter();
        units
            .clone()
            .find(|(name, _)| *name == self.units)
            .map(|(_, each)| self.quantity * each)
    }
}
