//! What lies ahead after a run: forecasts of the horizons, and the documents that they lead to.

use fleetcast_document::{Horizon, PredictedFleetState, Quantile, ResourceRequirement};
use fleetcast_engine::Engine;
use fleetcast_forecast::{
    Combination, Dates, EventEffects, Fit, History, HorizonForecasts, Horizons, KnownEvent,
    LocalTime, ModelName, Predict, SamplePaths, SeasonSpec, WithEvents,
};
use fleetcast_model::{Bytes, Event, KilobitsPerSecond, MilliCores};
use fleetcast_report::FanPoint;
use fleetcast_series::{Aggregate, DemandOf, Series, Step as SeriesStep};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Sample paths drawn.
const PATHS: usize = 200;
/// Probabilities that a predicted quantity suffices.
const LEVELS: [f64; 4] = [0.5, 0.9, 0.95, 0.99];
/// The one to provide.
const PROVIDED: usize = 2;
/// History that the fan is forecast from.
const HISTORY_DAYS: i64 = 35;

/// The seed of what is drawn.
const SEED: u64 = 1;

/// Sample paths of a volume over a time ahead, by the clock on the wall and with the events that come, in steps of `step` or of the history if those are longer; `None`
/// with too little history, or a history too coarse for it.
pub fn paths(
    volume: &Series,
    step: SeriesStep,
    ahead: SignedDuration,
    events: &[KnownEvent],
    zone: &TimeZone,
) -> Option<(SamplePaths, Series)> {
    let native = volume.step();
    let step = if native.seconds() > step.seconds() {
        native
    } else {
        step
    };
    let count = ahead.as_secs() / i64::from(step.seconds());
    let coarse = volume.aggregate(step, Aggregate::Mean).ok()?;
    let most = (HISTORY_DAYS * 86_400 / i64::from(step.seconds())) as usize;
    let coarse = coarse.slice(coarse.len().saturating_sub(most)..coarse.len());
    let day = (86_400 / step.seconds()) as usize;
    let values: Vec<Option<f64>> = coarse.values().collect();
    let history = History::new(
        &values,
        SeasonSpec {
            day,
            week: 7 * day,
            year: 0,
        },
    )
    .ok()?;
    let dates = Dates::new(coarse.start(), step.duration(), zone.clone());
    let model = WithEvents {
        model: LocalTime {
            model: Combination::default(),
        },
        events: events.to_vec(),
    };
    let fitted = model.fit(&history.with_dates(&dates)).ok()?;
    (count > 0).then(|| (fitted.paths(count as usize, PATHS, SEED), coarse))
}

/// The fan of the next 48 hours of a volume, by quarter of an hour; people live in `zone`.
pub fn fan(volume: &Series, events: &[Event], zone: &TimeZone) -> Vec<FanPoint> {
    let two_days = SignedDuration::from_hours(48);
    let whole = [(DemandOf::default(), 1.0)];
    let known: Vec<KnownEvent> = events
        .iter()
        .map(|event| KnownEvent::of(event.clone(), &whole))
        .collect();
    let found = paths(volume, SeriesStep::QUARTER_HOUR, two_days, &known, zone);
    let Some((paths, history)) = found else {
        return Vec::new();
    };
    let (start, step) = (history.end(), history.step().seconds());
    let (p05, p50, p95) = (
        paths.quantiles(0.05),
        paths.quantiles(0.5),
        paths.quantiles(0.95),
    );
    let point = |i: usize| FanPoint {
        t: start + SignedDuration::from_secs(i64::from(step) * i as i64),
        p05: p05[i],
        p50: p50[i],
        p95: p95[i],
    };
    (0..p50.len()).map(point).collect()
}

/// What the fleet will require: the highest demand of each horizon, by component and resource, with the events that
/// come. Days are those of `zone`.
pub fn predicted(
    engine: &Engine,
    at: Timestamp,
    volumes: &[Series],
    zone: &TimeZone,
) -> PredictedFleetState {
    let forecasts: Vec<Option<HorizonForecasts>> = volumes
        .iter()
        .enumerate()
        .map(|(component, volume)| horizons(volume, &engine.events_of(component), zone))
        .collect();
    let mut requirements = Vec::new();
    for horizon in [Horizon::Short, Horizon::Medium, Horizon::Long] {
        for (component, forecasts) in forecasts.iter().enumerate() {
            let Some((paths, model)) = forecasts
                .as_ref()
                .and_then(|forecasts| highest(forecasts, horizon))
            else {
                continue;
            };
            let highest = paths.maximum_over(0..paths.horizon());
            let volumes = LEVELS.map(|level| highest.quantile(level));
            let by = (horizon, model);
            requirements.extend(required(engine, component, by, &volumes));
        }
    }
    PredictedFleetState {
        timestamp: at,
        resource_requirements: requirements,
    }
}

/// The horizons of a volume, which agree with each other; `None` with too little history, or steps
/// that do not divide a day.
fn horizons(volume: &Series, events: &[KnownEvent], zone: &TimeZone) -> Option<HorizonForecasts> {
    let mut values: Vec<Option<f64>> = volume.values().collect();
    let dates = Dates::new(volume.start(), volume.step().duration(), zone.clone());
    let effects = (!events.is_empty()).then(|| {
        let (effects, usual) = EventEffects::learn(&values, &dates, events);
        values = usual;
        effects
    });
    let history = History::new(&values, SeasonSpec::default())
        .ok()?
        .with_dates(&dates);
    let fitted = Horizons::default().fit(&history).ok()?;
    let mut forecasts = fitted.forecast(PATHS, SEED);
    if let Some(effects) = &effects {
        forecasts.lift(effects, SEED);
    }
    Some(forecasts)
}

/// What a fleet must carry in each step of a horizon, of days their highest quarter of an hour; and
/// the model that says so.
fn highest(forecasts: &HorizonForecasts, horizon: Horizon) -> Option<(&SamplePaths, ModelName)> {
    match horizon {
        Horizon::Short => {
            let short = forecasts.short.as_ref()?;
            Some((&short.paths, ModelName::Combination))
        }
        Horizon::Medium => Some((&forecasts.medium.paths, ModelName::Combination)),
        Horizon::Long => Some((forecasts.peaks.as_ref()?, ModelName::LongTrend)),
    }
}

/// The resources that a component needs for these quantiles of its volume.
fn required(
    engine: &Engine,
    component: usize,
    by: (Horizon, ModelName),
    volumes: &[f64],
) -> Vec<ResourceRequirement> {
    let name = &engine.config().fleet.components[component].name;
    let amounts: Option<Vec<_>> = volumes
        .iter()
        .map(|volume| engine.amounts_for(component, *volume))
        .collect();
    let Some(amounts) = amounts else {
        // The plain setting knows units only: a unit counts as a core.
        let units: Vec<f64> = volumes
            .iter()
            .map(|volume| engine.units_for(component, *volume).as_f64())
            .collect();
        let cpu = ResourceRequirement::cpu(MilliCores::new((units[PROVIDED] * 1e3) as u64));
        return vec![detailed(cpu, name, by, units.into_iter())];
    };
    let rounded = |value: f64| value.clamp(0.0, 1e17).ceil() as u64;
    let provided = &amounts[PROVIDED];
    let each = amounts.iter();
    vec![
        detailed(
            ResourceRequirement::cpu(MilliCores::new(rounded(provided.cores * 1e3))),
            name,
            by,
            each.clone().map(|amount| amount.cores),
        ),
        detailed(
            ResourceRequirement::memory(Bytes::new(rounded(provided.memory_bytes))),
            name,
            by,
            each.clone().map(|amount| amount.memory_bytes / 1e9),
        ),
        detailed(
            ResourceRequirement::bandwidth(KilobitsPerSecond::new(rounded(
                provided.kilobits_per_second,
            ))),
            name,
            by,
            each.clone().map(|amount| amount.kilobits_per_second / 1e3),
        ),
        detailed(
            ResourceRequirement::storage(Bytes::new(rounded(provided.storage_bytes))),
            name,
            by,
            each.map(|amount| amount.storage_bytes / 1e9),
        ),
    ]
}

fn detailed(
    requirement: ResourceRequirement,
    component: &fleetcast_model::ComponentName,
    (horizon, model): (Horizon, ModelName),
    quantities: impl Iterator<Item = f64>,
) -> ResourceRequirement {
    let quantiles = LEVELS
        .iter()
        .zip(quantities)
        .map(|(level, quantity)| Quantile {
            level: *level,
            quantity,
        });
    ResourceRequirement {
        horizon: Some(horizon),
        component: Some(component.clone()),
        quantiles: quantiles.collect(),
        forecast: Some(model.as_str().into()),
        ..requirement
    }
}
