//! Runs a model from all origins of a series.

use fleetcast_forecast::evaluation::{
    ConditionalCoverage, OriginScore, Origins, Protocol, Rolling, Scores,
};
use fleetcast_forecast::{Fit, QuantileForecast};
use serde::Serialize;

use super::clock::cpu_seconds;
use super::series::Trace;
use super::tier::Tier;

/// What came of one model on one series. Pairs are of the short and the long horizon.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// From the protocol's origins.
    protocol: [Vec<OriginScore>; 2],
    /// From every origin that is a horizon after the last.
    apart: [Vec<OriginScore>; 2],
    /// Coverage by hour of day and by regime, from origins a horizon apart, at the long horizon.
    conditional: ConditionalCoverage,
    /// A fit and its forecast, from the protocol's origins.
    cpu_seconds: Vec<f64>,
    /// Why there was no forecast, with the origin.
    pub failures: Vec<String>,
}

/// The figures of one model on one series.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub series: String,
    /// From the protocol's origins, at the short and the long horizon.
    pub protocol: [Scores; 2],
    /// From origins a horizon apart.
    pub apart: [Scores; 2],
    /// By hour of day and by regime, from origins a horizon apart, at the long horizon.
    #[serde(skip)]
    pub conditional: ConditionalCoverage,
    pub cpu_seconds: Option<f64>,
    pub failures: usize,
}

impl Run {
    /// Takes the forecast from one origin.
    pub fn add(
        &mut self,
        tier: &Tier,
        place: Place,
        rolling: &Rolling<'_>,
        forecast: &QuantileForecast,
    ) {
        if place.apart {
            self.conditional.add(rolling, place.origin, forecast);
        }
        for (at, horizon) in [tier.short, tier.protocol.horizon].into_iter().enumerate() {
            let Some(score) = rolling.score(place.origin, forecast, horizon) else {
                continue;
            };
            if place.protocol {
                self.protocol[at].push(score);
            }
            if place.apart {
                self.apart[at].push(score);
            }
        }
    }

    /// Takes what a fit and its forecast cost, if it is one of those that are counted.
    pub fn add_cost(&mut self, place: Place, seconds: f64) {
        if place.protocol {
            self.cpu_seconds.push(seconds);
        }
    }

    /// Sums up.
    pub fn figures(&self, series: &str) -> Figures {
        let fits = self.cpu_seconds.len();
        Figures {
            series: series.to_string(),
            protocol: [Scores::of(&self.protocol[0]), Scores::of(&self.protocol[1])],
            apart: [Scores::of(&self.apart[0]), Scores::of(&self.apart[1])],
            conditional: self.conditional.clone(),
            cpu_seconds: (fits > 0).then(|| self.cpu_seconds.iter().sum::<f64>() / fits as f64),
            failures: self.failures.len(),
        }
    }
}

/// An origin, and which of the two sets it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub origin: usize,
    pub protocol: bool,
    pub apart: bool,
}

/// The origins of a series: the protocol's, and if wanted all that are a horizon apart.
pub fn places(tier: &Tier, trace: &Trace, protocol_only: bool) -> anyhow::Result<Vec<Place>> {
    let origins = trace.rolling(tier, tier.protocol).origins()?;
    let every = Protocol {
        origins: Origins::Every(tier.protocol.horizon),
        ..tier.protocol
    };
    let apart = if protocol_only {
        Vec::new()
    } else {
        trace.rolling(tier, every).origins()?
    };
    let mut all: Vec<usize> = origins.iter().chain(&apart).copied().collect();
    all.sort_unstable();
    all.dedup();
    let place = |origin: usize| Place {
        origin,
        protocol: origins.contains(&origin),
        apart: apart.contains(&origin),
    };
    Ok(all.into_iter().map(place).collect())
}

/// Runs one of our models.
pub fn run(model: &impl Fit, tier: &Tier, trace: &Trace, places: &[Place]) -> Run {
    run_with(tier, trace, places, |rolling, origin| {
        rolling
            .forecast(model, origin)
            .map_err(|error| error.to_string())
    })
}

/// Runs what relative scores are relative to.
pub fn run_yardstick(tier: &Tier, trace: &Trace, places: &[Place]) -> Run {
    run_with(tier, trace, places, |rolling, origin| {
        Ok(rolling.yardstick_forecast(origin))
    })
}

fn run_with(
    tier: &Tier,
    trace: &Trace,
    places: &[Place],
    forecast: impl Fn(&Rolling<'_>, usize) -> Result<QuantileForecast, String>,
) -> Run {
    let rolling = trace.rolling(tier, tier.protocol);
    let mut run = Run::default();
    for place in places {
        let began = cpu_seconds();
        let result = forecast(&rolling, place.origin);
        let spent = cpu_seconds() - began;
        match result {
            Ok(forecast) => {
                run.add_cost(*place, spent);
                run.add(tier, *place, &rolling, &forecast);
            }
            Err(why) => run.failures.push(format!("step {}: {why}", place.origin)),
        }
    }
    run
}
