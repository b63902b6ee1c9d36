//! What can go wrong when asking a server for demand.

use std::time::Duration;

use fleetcast_series::Step;
use jiff::Timestamp;

/// Why a server gave no demand.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// Mend the address.
    #[error(
        "`{url}` is not an address of a server ({problem}): write it as `http://prometheus:9090`"
    )]
    BadUrl {
        /// The address, without its password.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// Mend the header.
    #[error("the header `{name}` has a name or a value that HTTP does not allow")]
    BadHeader {
        /// Its name.
        name: String,
    },
    /// Ask for a longer range.
    #[error(
        "there is no whole step of {step} between {start} and {end}: give a longer range or a finer step"
    )]
    EmptyRange {
        /// Where the range begins.
        start: Timestamp,
        /// Where it ends.
        end: Timestamp,
        /// The step.
        step: Step,
    },
    /// Ask for a shorter range.
    #[error(
        "the range has {steps} steps of {step}, and at most {max} can be read: give a shorter range or a coarser step"
    )]
    LongRange {
        /// Steps in the range.
        steps: u64,
        /// How many there may be.
        max: u64,
        /// The step.
        step: Step,
    },
    /// Start the server, or mend the address.
    #[error("cannot connect to `{url}`: is the server running, and are host and port right?")]
    Connect {
        /// The address, without its password.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Ask for less at a time, or wait longer.
    #[error("`{url}` did not answer within {} s: raise the timeout, shorten the range or simplify the query", .after.as_secs_f64())]
    TimedOut {
        /// The address, without its password.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// Repeat the call.
    #[error("the connection to `{url}` failed")]
    Broken {
        /// The address, without its password.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Mend the query; the server says how.
    #[error("the server refused the query ({kind}): {message}")]
    Refused {
        /// The server's word for the kind of error.
        kind: String,
        /// The server's message.
        message: String,
    },
    /// Mend the address or the credentials.
    #[error("`{url}` answered {status}{hint}{}", shown(.body))]
    Http {
        /// The address, without its password.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What to do, or nothing.
        hint: String,
        /// How the body begins.
        body: String,
    },
    /// Something else than a Prometheus server answered.
    #[error("`{url}` answered something else than the JSON of Prometheus: is it the right address, and is there a login page or a proxy in front?{}", shown(.body))]
    NotPrometheus {
        /// The address, without its password.
        url: String,
        /// How the body begins.
        body: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// Ask for fewer series.
    #[error(
        "the answer is larger than {max_mb} MB: add the series up with `sum(…)`, or shorten the range"
    )]
    LargeAnswer {
        /// How large it may be.
        max_mb: usize,
    },
    /// Mend the query, or the range.
    #[error(
        "the query gives no samples between {start} and {end}: no data is not zero demand; check the metric's name, its labels, the range and the server's retention"
    )]
    Empty {
        /// Where the range begins.
        start: Timestamp,
        /// Where it ends.
        end: Timestamp,
    },
    /// Add series up.
    #[error(
        "the query gives more than {max} series: add them up with `sum(…)` or `sum by (interaction_type, region) (…)`"
    )]
    TooManySeries {
        /// How many there may be.
        max: usize,
    },
    /// Add the series up, or have them labelled.
    #[error(
        "the query gives {count} series which the labels `interaction_type` and `region` do not tell apart, such as {}: add them up with `sum(…)` or `sum by (interaction_type, region) (…)`",
        .examples.join(" and ")
    )]
    Ambiguous {
        /// How many series there are so far.
        count: usize,
        /// The labels of two of them.
        examples: Vec<String>,
    },
    /// Rename the label's values with `label_replace`.
    #[error("the label `{label}` has the value `{value}`, which {problem}")]
    BadLabel {
        /// The label.
        label: &'static str,
        /// Its value.
        value: String,
        /// What is wrong, and how to mend it.
        problem: &'static str,
    },
    /// Mend the query.
    #[error(
        "the query gives {value} at {at}, and demand cannot be negative: use `rate(…)` for counters, or `clamp_min(…, 0)`"
    )]
    Negative {
        /// The value.
        value: f64,
        /// When.
        at: Timestamp,
    },
    /// Mend the query.
    #[error(
        "the query gives native histograms: take their count, as in `histogram_count(rate(…))`"
    )]
    Histograms,
}

/// How a body begins, as a part of a message.
fn shown(body: &str) -> String {
    if body.is_empty() {
        String::new()
    } else {
        format!("; the answer begins `{body}`")
    }
}
