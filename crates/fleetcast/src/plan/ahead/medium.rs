//! Fourteen days: how many units when, when to order them, and what quotas that takes.

use std::fmt::Write as _;

use fleetcast_model::{Component, MicroUsd, Units};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::demand::{UnitTable, forecasts};
use super::{cheapest, within};
use crate::plan::words::moment;
use crate::plan::{Decision, Prospect};

/// The quota must suffice with this probability over the whole horizon.
const QUOTA_LEVEL: f64 = 0.99;
/// Where no forecast of ours was made this level is scheduled for.
const LEVEL: f64 = 0.95;
/// The most lines of a schedule that people are shown for a component.
const LINES: usize = 6;

/// What the next fourteen days take.
#[derive(Clone, Debug, Serialize)]
pub struct MediumPlan {
    schema: &'static str,
    planned_at: Timestamp,
    components: Vec<ComponentSchedule>,
    quotas: Vec<Quota>,
    notes: Vec<String>,
}

/// One component's schedule.
#[derive(Clone, Debug, Serialize)]
pub struct ComponentSchedule {
    component: String,
    /// The level of the forecast that is scheduled for.
    level: f64,
    /// Units that are wanted all the time.
    steady_units: u64,
    /// Units at the highest hour.
    highest_units: u64,
    /// What the schedule costs at the price of the cheapest unit.
    cost_usd: f64,
    slots: Vec<Slot>,
}

/// A time in which the same number of units is wanted.
#[derive(Clone, Debug, Serialize)]
pub struct Slot {
    from: Timestamp,
    units: u64,
    /// When what is more than before must be ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_by: Option<Timestamp>,
}

/// What a provider must allow.
#[derive(Clone, Debug, Serialize)]
pub struct Quota {
    provider: String,
    region: String,
    /// Virtual CPUs at the highest hour, with the quota's probability.
    vcpu: u64,
    /// Of them, what runs all the time.
    steady_vcpu: u64,
}

/// Plans fourteen days.
pub fn medium(prospect: &Prospect, decision: &Decision) -> MediumPlan {
    let mut plan = MediumPlan {
        schema: "medium-plan/v1",
        planned_at: prospect.now,
        components: Vec::new(),
        quotas: Vec::new(),
        notes: Vec::new(),
    };
    for (index, component) in prospect.documents.fleet.components.iter().enumerate() {
        match schedule(prospect, decision, index, component) {
            Some((schedule, quota)) => {
                plan.components.push(schedule);
                add(&mut plan.quotas, quota);
            }
            None => plan.notes.push(format!(
                "`{}` has too little history for fourteen days ahead",
                component.name
            )),
        }
    }
    plan
}

/// Components in one region share its quota.
fn add(quotas: &mut Vec<Quota>, new: Quota) {
    let same = |quota: &&mut Quota| quota.provider == new.provider && quota.region == new.region;
    match quotas.iter_mut().find(same) {
        Some(quota) => {
            quota.vcpu += new.vcpu;
            quota.steady_vcpu += new.steady_vcpu;
        }
        None => quotas.push(new),
    }
}

fn schedule(
    prospect: &Prospect,
    decision: &Decision,
    index: usize,
    component: &Component,
) -> Option<(ComponentSchedule, Quota)> {
    let engine = &decision.engine;
    let forecast = forecasts(engine, index, &prospect.volumes[index])?.medium;
    let bought = decision.step.components[index].forecast;
    let level = bought.map_or(LEVEL, |forecast| forecast.bought_level.clamp(0.5, 0.99));
    let step = forecast.step.as_secs().max(1);
    let hour = usize::try_from(3_600 / step).unwrap_or(1).max(1);
    let uplift: Vec<f64> = (0..forecast.points.len())
        .map(|i| engine.event_uplift(index, forecast.at(i)))
        .collect();
    let lifted = |level: f64| -> Vec<f64> {
        let quantiles = forecast.paths.quantiles(level);
        quantiles.iter().zip(&uplift).map(|(a, b)| a * b).collect()
    };
    let wanted = lifted(level);
    let highest_volume = |paths: &mut dyn Iterator<Item = &[f64]>| -> Vec<f64> {
        let highest = |path: &[f64]| {
            path.iter()
                .zip(&uplift)
                .map(|(a, b)| a * b)
                .fold(0.0, f64::max)
        };
        paths.map(highest).collect()
    };
    let mut highest = highest_volume(&mut forecast.paths.iter());
    highest.sort_by(f64::total_cmp);
    let at = ((highest.len() as f64 * QUOTA_LEVEL).ceil() as usize).clamp(1, highest.len().max(1));
    let quota_volume = highest.get(at - 1).copied().unwrap_or_default();
    let most = wanted.iter().copied().fold(quota_volume, f64::max);
    let table = UnitTable::new(engine, index, most);
    let boot =
        i64::from(engine.config().boot_steps[index]) * i64::from(engine.config().step_seconds);
    let boot = SignedDuration::from_secs(boot);
    let mut slots: Vec<Slot> = Vec::new();
    let (mut least, mut most_units, mut unit_hours) = (u64::MAX, 0, 0.0);
    let mut before = prospect.running[index].get();
    for (number, chunk) in wanted.chunks(hour).enumerate() {
        let volume = chunk.iter().copied().fold(0.0, f64::max);
        let units = within(engine, index, table.units(volume)).get();
        least = least.min(units);
        most_units = most_units.max(units);
        unit_hours += units as f64 * chunk.len() as f64 * step as f64 / 3_600.0;
        if slots.last().is_none_or(|slot| slot.units != units) {
            let from = forecast.at(number * hour);
            slots.push(Slot {
                from,
                units,
                order_by: (units > before).then(|| (from - boot).max(prospect.now)),
            });
        }
        before = units;
    }
    let offer = cheapest(engine, index)?;
    let each = offer.units_of(&component.unit).max(1);
    let vcpu = |units: Units| units.get().div_ceil(each) * offer.cpu.get().div_ceil(1_000);
    let price = offer.price.as_f64() / 1e6 / each as f64;
    let quota = Quota {
        provider: offer.provider.to_string(),
        region: offer.region.to_string(),
        vcpu: vcpu(within(engine, index, table.units(quota_volume))),
        steady_vcpu: vcpu(Units::new(least)),
    };
    let schedule = ComponentSchedule {
        component: component.name.to_string(),
        level,
        steady_units: least,
        highest_units: most_units,
        cost_usd: (unit_hours * price * 100.0).round() / 100.0,
        slots,
    };
    Some((schedule, quota))
}

/// The plan in words.
pub fn medium_words(plan: &MediumPlan) -> String {
    let mut text = format!("The fourteen days from {}\n", moment(plan.planned_at));
    // Writing to a string cannot fail.
    for component in &plan.components {
        let cost = MicroUsd::new((component.cost_usd * 1e6) as u64);
        let _ = writeln!(
            text,
            "\n  {}: {} units all the time, up to {} (the {:.1} % quantile of the forecast); {cost} at the cheapest price",
            component.component,
            component.steady_units,
            component.highest_units,
            component.level * 100.0
        );
        for slot in component.slots.iter().take(LINES) {
            let order = slot
                .order_by
                .map_or_else(String::new, |by| format!(", order by {}", moment(by)));
            let _ = writeln!(
                text,
                "    from {}: {} units{order}",
                moment(slot.from),
                slot.units
            );
        }
        let left = component.slots.len().saturating_sub(LINES);
        if left > 0 {
            let _ = writeln!(
                text,
                "    … and {left} more changes (--format json has all)"
            );
        }
        let above = component
            .highest_units
            .saturating_sub(component.steady_units);
        if above > 0 {
            let _ = writeln!(
                text,
                "    the {above} units above the steady {} come and go: where spot is allowed, buy those there first",
                component.steady_units
            );
        }
    }
    if !plan.quotas.is_empty() {
        let _ = writeln!(
            text,
            "\nQuotas that must be granted (99 % sure to suffice):"
        );
    }
    for quota in &plan.quotas {
        let _ = writeln!(
            text,
            "  {}/{}: {} vCPU, of which {} all the time",
            quota.provider, quota.region, quota.vcpu, quota.steady_vcpu
        );
    }
    for note in &plan.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}
