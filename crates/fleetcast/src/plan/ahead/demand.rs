//! The demand of the weeks and months ahead, with the events that are announced.

use fleetcast_engine::Engine;
use fleetcast_forecast::{Dates, History, HorizonForecasts, Horizons, SeasonSpec};
use fleetcast_model::Units;
use fleetcast_series::Series;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Sample paths drawn.
const PATHS: usize = 100;
/// Demands at which the units are worked out; between them they are looked up.
const POINTS: usize = 400;

/// The forecasts of a component's volume, without the effect of events; `None` with too little history.
pub(super) fn forecasts(
    engine: &Engine,
    component: usize,
    volume: &Series,
) -> Option<HorizonForecasts> {
    // What events did is taken out, and put back where they come again.
    let usual = |(at, value): (Timestamp, Option<f64>)| {
        value.map(|value| value / engine.event_uplift(component, at))
    };
    let values: Vec<Option<f64>> = volume.iter().map(usual).collect();
    let dates = Dates::new(volume.start(), volume.step().duration(), TimeZone::UTC);
    let history = History::new(&values, SeasonSpec::default())
        .ok()?
        .with_dates(&dates);
    let fitted = Horizons::default().fit(&history).ok()?;
    Some(fitted.forecast(PATHS, 1))
}

/// Units by volume, worked out once: a queueing model for each hour of a year would take minutes.
pub(super) struct UnitTable {
    /// The highest volume that so many units carry, as far as the table's points tell.
    points: Vec<(f64, Units)>,
}

impl UnitTable {
    /// Works out the units for volumes up to `highest`.
    pub(super) fn new(engine: &Engine, component: usize, highest: f64) -> Self {
        let volume = |i: usize| highest.max(1e-9) * i as f64 / POINTS as f64;
        let point = |i| (volume(i), engine.units_for(component, volume(i)));
        Self {
            points: (1..=POINTS).map(point).collect(),
        }
    }

    /// The units for a volume, rounded up to the table's next point.
    pub(super) fn units(&self, volume: f64) -> Units {
        let at = self.points.partition_point(|(point, _)| *point < volume);
        let last = self.points.len() - 1;
        self.points[at.min(last)].1
    }
}
