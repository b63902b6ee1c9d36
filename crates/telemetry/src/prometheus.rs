//! Reads demand from a server that speaks the Prometheus HTTP API.
//!
//! Prometheus itself, Mimir, Thanos and VictoriaMetrics do. A long range is asked for in several
//! requests, since Prometheus gives at most 11,000 points of a series at a time.

mod answer;
mod client;
mod collect;
mod error;
mod since;

use std::fmt;
use std::time::Duration;

use fleetcast_series::{Demand, Step, ValueUnit};
use jiff::Timestamp;

use self::client::Client;
use self::collect::{Collected, Steps};
pub use self::error::PrometheusError;
pub use self::since::{BadSince, since};
use crate::IngestReport;

/// What to ask, and whom.
#[derive(Clone)]
pub struct PrometheusQuery {
    /// The server's base address, such as `http://prometheus:9090` or `https://mimir/prometheus`.
    pub url: String,
    /// The PromQL expression, such as `sum(rate(http_requests_total[2m]))`.
    pub query: String,
    /// Where the first step begins; moved back to a multiple of the step.
    pub start: Timestamp,
    /// Where the last step ends; moved back to a multiple of the step.
    pub end: Timestamp,
    /// The step of the series.
    pub step: Step,
    /// What the values count: interactions a second for `rate()`, which is the default.
    pub value_unit: ValueUnit,
    /// The token for `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// More headers, such as `X-Scope-OrgID`.
    pub headers: Vec<(String, String)>,
    /// How long one request may take. 30 s by default.
    pub timeout: Duration,
    /// How many points of a series one request asks for. Prometheus' limit by default.
    pub points_per_request: usize,
}

/// Prometheus refuses to give more points of a series at a time.
const POINTS_PER_REQUEST: usize = 11_000;

impl PrometheusQuery {
    /// A query with the defaults of the other fields.
    pub fn new(
        url: impl Into<String>,
        query: impl Into<String>,
        start: Timestamp,
        end: Timestamp,
        step: Step,
    ) -> Self {
        Self {
            url: url.into(),
            query: query.into(),
            start,
            end,
            step,
            value_unit: ValueUnit::PerSecond,
            bearer: None,
            headers: Vec::new(),
            timeout: Duration::from_secs(30),
            points_per_request: POINTS_PER_REQUEST,
        }
    }
}

impl fmt::Debug for PrometheusQuery {
    /// Leaves out the address, the token and the headers: each may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            query,
            start,
            end,
            step,
            value_unit,
            timeout,
            points_per_request,
            ..
        } = self;
        f.debug_struct("PrometheusQuery")
            .field("query", query)
            .field("start", start)
            .field("end", end)
            .field("step", step)
            .field("value_unit", value_unit)
            .field("timeout", timeout)
            .field("points_per_request", points_per_request)
            .finish_non_exhaustive()
    }
}

/// Asks a server for demand. `progress` learns how many requests are done, and of how many.
///
/// The value of a step is what the query gives at the *end* of the step, when all of it is known:
/// `rate(…[1m])` at 12:01 is the rate of the minute that begins at 12:00.
///
/// Where the server has no value, NaN or infinity, the step is missing. The series begin with the
/// first sample; steps missing at the end stay, for they say that the source fell silent. Several
/// series are told apart by their labels `interaction_type` and `region`.
pub async fn fetch(
    query: &PrometheusQuery,
    progress: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<(Demand, IngestReport), PrometheusError> {
    let steps = Steps::new(query)?;
    let client = Client::new(query)?;
    let chunks = steps.chunks(query.points_per_request);
    let mut collected = Collected::new(steps);
    progress(0, chunks.len());
    for (done, chunk) in (1..).zip(&chunks) {
        let answer = client.query_range(&query.query, chunk).await?;
        collected.add(answer)?;
        progress(done, chunks.len());
    }
    collected.finish(query)
}

#[cfg(test)]
mod tests;
