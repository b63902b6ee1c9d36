//! Every detector by name.

use std::str::FromStr;

use fleetcast_forecast::Model;
use serde::{Deserialize, Serialize};

/// Which detector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectorKind {
    /// Robust baselines and novelty, on line. See the crate's documentation.
    #[default]
    Default,
    /// Residuals of a model of `fleetcast-forecast`.
    Residual(Model),
}

/// There is no detector of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no detector `{0}`; the detectors are {list}", list = DetectorKind::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownDetector(pub String);

const DEFAULT: &str = "default";
const FORECAST: &str = "forecast";

impl DetectorKind {
    /// The names that [`DetectorKind::from_str`] knows: `default`, `forecast` (the default model), and
    /// all models.
    pub fn names() -> impl Iterator<Item = &'static str> {
        [DEFAULT, FORECAST].into_iter().chain(Model::names())
    }
}

impl FromStr for DetectorKind {
    type Err = UnknownDetector;

    fn from_str(name: &str) -> Result<Self, UnknownDetector> {
        match name.trim().to_ascii_lowercase().as_str() {
            DEFAULT => Ok(Self::Default),
            FORECAST => Ok(Self::Residual(Model::default())),
            other => other
                .parse()
                .map(Self::Residual)
                .map_err(|_| UnknownDetector(name.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_detector() {
        for name in DetectorKind::names() {
            assert!(name.parse::<DetectorKind>().is_ok(), "{name}");
        }
        let unknown = "nonsense".parse::<DetectorKind>().unwrap_err();
        assert!(
            unknown.to_string().contains("default, forecast, "),
            "{unknown}"
        );
        assert_eq!(" Default ".parse(), Ok(DetectorKind::Default));
    }
}
