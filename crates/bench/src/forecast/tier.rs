//! The two tiers: which forecasts are judged, and what they should reach.

use fleetcast_forecast::SeasonSpec;
use fleetcast_forecast::evaluation::{Origins, Protocol};

/// Forecasts at one step.
pub struct Tier {
    /// Ends the names of its files.
    pub name: &'static str,
    pub step_seconds: u32,
    pub protocol: Protocol,
    /// The shorter of the two horizons, in steps.
    pub short: usize,
    /// What the horizons are called, the short one first.
    pub horizons: [&'static str; 2],
    pub seasons: SeasonSpec,
    pub goals: &'static [Goals],
}

/// What a setting of ours should reach; one number for each horizon, the short one first.
pub struct Goals {
    /// The model's name.
    pub model: &'static str,
    pub relative_wql: [f64; 2],
    pub relative_ql95: Option<[f64; 2]>,
    /// Whether coverage is judged at the long horizon too.
    pub coverage_long: bool,
    pub cpu_seconds: f64,
}

/// The least and the most share of outcomes within intervals of 80 and of 95 %.
pub const COVERAGE: [(f64, f64); 2] = [(0.78, 0.82), (0.94, 0.96)];

/// Both tiers.
pub const TIERS: [Tier; 2] = [
    Tier {
        name: "1h",
        step_seconds: 3600,
        protocol: Protocol {
            horizon: 48,
            window: 1344,
            first: 336,
            first_share: 0.4,
            origins: Origins::Spread(12),
        },
        short: 24,
        horizons: ["24 h", "48 h"],
        seasons: SeasonSpec {
            day: 24,
            week: 168,
            year: 0,
        },
        goals: &[
            Goals {
                model: DEFAULT,
                relative_wql: [0.65, 0.71],
                relative_ql95: Some([0.72, 0.74]),
                coverage_long: true,
                cpu_seconds: 0.07,
            },
            Goals {
                model: ACCURATE,
                relative_wql: [0.61, 0.66],
                relative_ql95: Some([0.68, 0.70]),
                coverage_long: true,
                cpu_seconds: 0.8,
            },
        ],
    },
    Tier {
        name: "10min",
        step_seconds: 600,
        protocol: Protocol {
            horizon: 36,
            window: 2016,
            first: 1008,
            first_share: 0.4,
            origins: Origins::Spread(10),
        },
        short: 6,
        horizons: ["1 h", "6 h"],
        seasons: SeasonSpec {
            day: 144,
            week: 1008,
            year: 0,
        },
        goals: &[Goals {
            model: DEFAULT,
            relative_wql: [0.33, 0.58],
            relative_ql95: None,
            coverage_long: false,
            cpu_seconds: 0.1,
        }],
    },
];

/// The setting that is used unless another is asked for.
pub const DEFAULT: &str = "combination";
/// The setting for those who have the time.
pub const ACCURATE: &str = "combination-accurate";
