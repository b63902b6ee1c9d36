//! The JSON of the Prometheus HTTP API.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a server answers to a range query: series, or an error.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(rename = "status")]
    _status: Status,
    #[serde(default)]
    pub data: Data,
    #[serde(rename = "errorType")]
    pub error_type: Option<String>,
    pub error: Option<String>,
    #[serde(default)]
    pub warnings: Vec<String>,
    #[serde(default)]
    pub infos: Vec<String>,
    /// VictoriaMetrics says so if some of its storage nodes did not answer.
    #[serde(default, rename = "isPartial")]
    pub is_partial: bool,
}

/// Any other JSON is not from Prometheus.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Error,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Data {
    pub result: Vec<SeriesAnswer>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SeriesAnswer {
    pub metric: BTreeMap<String, String>,
    /// Seconds since 1970-01-01 UTC, and a value; as text, so that it can be `NaN` or `+Inf`.
    #[serde(default)]
    pub values: Vec<(f64, String)>,
    #[serde(default)]
    pub histograms: Vec<IgnoredAny>,
}
