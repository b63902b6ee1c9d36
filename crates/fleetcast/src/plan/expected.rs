//! What a change is expected to cost: its units are given back as the forecast falls.

use fleetcast_document::{CostRange, Money, ProvisionalChange};
use fleetcast_engine::PRICED;
use fleetcast_model::{ChangeAction, MicroUsd};
use fleetcast_series::{Series, Step as SeriesStep};
use jiff::tz::TimeZone;

use super::Decision;
use super::account::place_of;
use crate::outlook;

/// Puts the expected cost of each change between its bounds: the share of the priced hours in which its units are
/// still wanted, if what is wanted goes with the median of the forecast. Without a forecast it stays the highest.
pub fn expect(changes: &mut [ProvisionalChange], decision: &Decision, volumes: &[Series]) {
    let fleet = &decision.engine.config().fleet;
    for (index, volumes) in volumes.iter().enumerate() {
        let place = |change: &&mut ProvisionalChange| {
            change.action == ChangeAction::Add
                && place_of(fleet, &change.component).is_some_and(|at| usize::from(at.0) == index)
        };
        let mut own: Vec<&mut ProvisionalChange> = changes.iter_mut().filter(place).collect();
        let report = &decision.step.components[index];
        let Some(arrival) = report.forecast.filter(|forecast| forecast.p50 > 0.0) else {
            continue;
        };
        if own.is_empty() {
            continue;
        }
        let events = decision.engine.events_of(index);
        let zone = TimeZone::UTC;
        let found = outlook::paths(volumes, SeriesStep::QUARTER_HOUR, PRICED, &events, &zone);
        let Some((paths, _)) = found else {
            continue;
        };
        let medians = paths.quantiles(0.5);
        let added: u64 = own.iter().map(|change| change.units).sum();
        let have = (report.ready + report.pending).as_f64();
        let kept = |median: &f64| {
            let wanted = report.wanted.as_f64() * median / arrival.p50;
            (wanted - have).clamp(0.0, added as f64) / added as f64
        };
        let share = medians.iter().map(kept).sum::<f64>() / medians.len().max(1) as f64;
        for cost in own.iter_mut().filter_map(|change| change.cost.as_mut()) {
            cost.expected = between(cost, share);
        }
    }
}

fn between(cost: &CostRange, share: f64) -> Money {
    let (low, high) = (cost.low.micro_usd(), cost.high.micro_usd());
    let part = high.saturating_sub(low).as_f64() * share.clamp(0.0, 1.0);
    Money::usd((low + MicroUsd::new(part as u64)).min(high))
}
