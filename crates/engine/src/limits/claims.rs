//! What missing floors claim of the quotas before anybody orders.

use fleetcast_model::{Cohort, Units};
use fleetcast_planner::{LimitedInput, LimitedMix, limited_mix};
use jiff::SignedDuration;

use super::Limits;
use crate::engine::Engine;
use crate::stages::projection::{Deciders, floor_now};

/// Orders in which the floors' claims are tried, at most: where the first one leaves a floor missing, what misses goes first.
const CLAIM_ORDERS: usize = 8;

impl Limits {
    /// Lets missing floors claim their part of the quotas, the most important first; where that leaves one of them missing
    /// that would fit if it came first, it does.
    pub(super) fn claim(&mut self, engine: &Engine) {
        let missing: Vec<u64> = (0..self.components.len())
            .map(|index| missing_of_floor(engine, index))
            .collect();
        for own in &mut self.components {
            own.claim.fill(0);
            own.floor_mix.clear();
            own.report = None;
        }
        if self.quotas.is_empty() || missing.iter().all(|units| *units == 0) {
            return;
        }
        let by_importance = engine.by_importance();
        let mut order = by_importance.clone();
        let mut best: Option<(Vec<u64>, Vec<LimitedMix>)> = None;
        for _ in 0..CLAIM_ORDERS {
            let mut left = self.left();
            let mut mixes = vec![LimitedMix::default(); order.len()];
            for index in &order {
                let offers = &engine.components[*index].offers;
                let takes = self.takes_of(offers);
                let zone_of = vec![0; offers.len()];
                let input = LimitedInput {
                    offers,
                    zone_of: &zone_of,
                    zones: 1,
                    standing: &[0],
                    wanted: missing[*index],
                    spare: 0,
                    ceiling: u64::MAX,
                    takes: &takes,
                    left: &left,
                };
                let mix = limited_mix(&input);
                let taken = mix.taken(&input);
                left.iter_mut()
                    .zip(taken)
                    .for_each(|(left, taken)| *left -= taken);
                mixes[*index] = mix;
            }
            let short: Vec<u64> = by_importance
                .iter()
                .map(|index| mixes[*index].missing)
                .collect();
            let moved = order.iter().position(|index| mixes[*index].missing > 0);
            if best.as_ref().is_none_or(|(least, _)| short < *least) {
                best = Some((short, mixes));
            }
            // The first one that misses some goes before all others.
            match moved {
                Some(at) if at > 0 => order[..=at].rotate_right(1),
                _ => break,
            }
        }
        let mixes = best.map(|(_, mixes)| mixes).unwrap_or_default();
        for (index, mix) in mixes.into_iter().enumerate() {
            let offers = &engine.components[index].offers;
            let mut claim = vec![0; self.quotas.len()];
            for (place, count) in &mix.instances {
                for (quota, each) in &self.takes[usize::from(offers[*place].offer.0)] {
                    claim[*quota] += each * count;
                }
            }
            self.components[index].claim = claim;
            self.components[index].floor_mix = mix.instances;
        }
    }
}

/// Units of a component's floor that are neither there nor on their way.
fn missing_of_floor(engine: &Engine, index: usize) -> u64 {
    let component = &engine.config.fleet.components[index];
    let state = &engine.components[index];
    let step = SignedDuration::from_secs(i64::from(engine.config.step_seconds));
    let deciders = Deciders {
        overrides: &engine.config.overrides,
        without: None,
        now: engine.now,
        arrival: engine.now + step * (state.lead_steps as i32 - 1),
    };
    let units = |cohort: &Cohort| u64::from(cohort.count) * state.units_each(cohort);
    let there: u64 = state
        .cohorts
        .iter()
        .filter(|cohort| cohort.state.is_counted())
        .map(units)
        .sum();
    let floor = floor_now(component, &deciders);
    floor
        .saturating_sub(Units::new(there) + state.workflow.in_flight())
        .get()
}
