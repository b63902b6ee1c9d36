//! Fourteen days: what to rent when, at what cost and how near to the least that is possible, what limits it, and what
//! quotas that takes.

use fleetcast_forecast::HorizonForecast;
use fleetcast_model::{Component, MicroUsd, Offer, PurchaseKind, QuotaCount, Units};
use fleetcast_planner::fleet_plan::{
    Binding, FleetPlan, Missing, Origin, Part, Run, WorkLimit, plan_fleet,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::demand::{UnitTable, forecasts};
use super::medium_problem::{MediumProblem, boot, lead_periods};
use super::{cheapest, within};
use crate::plan::{Decision, Prospect};

/// The quota must suffice with this probability over the whole horizon.
const QUOTA_LEVEL: f64 = 0.99;
/// Where no forecast of ours was made this level is scheduled for.
const LEVEL: f64 = 0.95;
/// The shortest period that is planned with.
const PERIOD_SECONDS: i64 = 3_600;
/// The same where the loss of a zone counts: each zone is one more thing to cover in each period, and the relaxation's
/// time grows with the third power of all of them.
const PERIOD_SECONDS_WITH_ZONES: i64 = 4 * 3_600;

/// What the next fourteen days take.
#[derive(Clone, Debug, Serialize)]
pub struct MediumPlan {
    schema: &'static str,
    pub(super) planned_at: Timestamp,
    /// What all of it costs.
    pub(super) cost_usd: f64,
    /// No plan costs less.
    pub(super) lower_bound_usd: f64,
    /// The plan costs at most so much more than the cheapest possible one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) over_cheapest_percent_max: Option<f64>,
    pub(super) components: Vec<ComponentSchedule>,
    pub(super) quotas: Vec<Quota>,
    pub(super) notes: Vec<String>,
}

/// One component's schedule.
#[derive(Clone, Debug, Serialize)]
pub struct ComponentSchedule {
    pub(super) component: String,
    /// The level of the forecast that is scheduled for.
    pub(super) level: f64,
    /// Units that are wanted all the time.
    pub(super) steady_units: u64,
    /// Units at the highest hour.
    pub(super) highest_units: u64,
    /// What it costs.
    pub(super) cost_usd: f64,
    /// What to rent when.
    pub(super) rents: Vec<Rent>,
    /// What is missing of what is wanted, and why.
    pub(super) missing: Vec<Short>,
    /// How many units are wanted when.
    slots: Vec<Slot>,
}

/// Instances that run from one time to another.
#[derive(Clone, Debug, Serialize)]
pub struct Rent {
    pub(super) offer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) zone: Option<String>,
    pub(super) purchase_kind: PurchaseKind,
    pub(super) instances: u64,
    pub(super) units: u64,
    /// They run already.
    pub(super) running: bool,
    /// When they must be ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order_by: Option<Timestamp>,
    /// When they serve.
    pub(super) from: Timestamp,
    /// When they are given back; none within the horizon: they stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
    /// Hours that they are there.
    pub(super) hours: f64,
}

/// Units that are missing for a while.
#[derive(Clone, Debug, Serialize)]
pub struct Short {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// At the worst hour.
    pub(super) units: u64,
    pub(super) unit_hours: u64,
    /// `demand`, or `zone_loss`: what would be left after the loss of a zone.
    pub(super) of: &'static str,
    /// What binds: `quota`, `ceiling`, `boot`, `zones` or `nothing to rent`.
    pub(super) limit: &'static str,
    /// Which quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quota: Option<String>,
    /// Unit hours that come back without the limit, over all of the component's time, and what they cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lift: Option<Lifted>,
}

/// What lifting a limit brings, and how much more the plan costs then, or less.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lifted {
    pub(super) unit_hours: u64,
    pub(super) cost_usd: f64,
    /// Where the limit made it rent what is dearer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) saving_usd: Option<f64>,
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
    pub(super) provider: String,
    pub(super) region: String,
    /// Virtual CPUs at the highest hour, with the quota's probability.
    pub(super) vcpu: u64,
    /// Of them, what runs all the time.
    pub(super) steady_vcpu: u64,
    /// The fleet state's quota that allows less, and how much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) raise: Option<(String, u64)>,
}

/// What one component wants over the horizon.
struct Wanted {
    index: usize,
    level: f64,
    start: Timestamp,
    period: SignedDuration,
    /// By period, within floor and ceiling.
    units: Vec<Units>,
    /// The same, whatever the ceiling.
    unlimited: Vec<Units>,
    quota: Option<Quota>,
}

/// Plans fourteen days.
pub fn medium(prospect: &Prospect, decision: &Decision) -> anyhow::Result<MediumPlan> {
    let engine = &decision.engine;
    let mut plan = MediumPlan {
        schema: "medium-plan/v1",
        planned_at: prospect.now,
        cost_usd: 0.0,
        lower_bound_usd: 0.0,
        over_cheapest_percent_max: None,
        components: Vec::new(),
        quotas: Vec::new(),
        notes: Vec::new(),
    };
    let mut all: Vec<Wanted> = Vec::new();
    let mut stated: Option<MediumProblem> = None;
    for (index, component) in prospect.documents.fleet.components.iter().enumerate() {
        let Some(wanted) = wanted(prospect, decision, index, component) else {
            plan.notes.push(format!(
                "`{}` has too little history for fourteen days ahead",
                component.name
            ));
            continue;
        };
        crate::stop::check()?;
        let seconds = u32::try_from(wanted.period.as_secs()).unwrap_or(u32::MAX);
        let problem =
            stated.get_or_insert_with(|| MediumProblem::new(seconds, wanted.units.len() as u32));
        let fits = problem.problem.period_seconds == seconds
            && problem.problem.periods as usize == wanted.units.len();
        if fits && problem.add(engine, index, wanted.units.clone()) {
            plan.quotas = added(plan.quotas, wanted.quota.clone());
            all.push(wanted);
        } else {
            let note = format!("`{}` may rent nothing by the hour", component.name);
            plan.notes.push(note);
        }
    }
    let Some(mut stated) = stated else {
        return Ok(plan);
    };
    stated.limit(engine);
    let found = plan_fleet(&stated.problem, None, WorkLimit::default())?;
    plan.cost_usd = cents(found.cost.total());
    plan.lower_bound_usd = cents(found.lower_bound);
    plan.over_cheapest_percent_max = over_percent(&found);
    for (wanted, part) in all.iter().zip(&found.parts) {
        let schedule = schedule(prospect, decision, &stated, wanted, part);
        plan.components.push(schedule);
    }
    let spot = |component: &ComponentSchedule| {
        let mut rents = component.rents.iter();
        rents.any(|rent| rent.purchase_kind == PurchaseKind::Spot)
    };
    if plan.components.iter().any(spot) {
        plan.notes.push(
            "spot is planned at its price and as if it were not taken back: cover and firm capacity beside it come on top"
                .into(),
        );
    }
    raise(&mut plan.quotas, &engine.config().fleet.quotas);
    Ok(plan)
}

/// How much more than the cheapest possible plan one costs at most, in percent.
fn over_percent(plan: &FleetPlan) -> Option<f64> {
    let (cost, least) = (plan.cost.total().as_f64(), plan.lower_bound.as_f64());
    (least > 0.0).then(|| ((cost / least - 1.0) * 1e3).ceil().max(0.0) / 10.0)
}

/// Components in one region share its quota.
fn added(mut quotas: Vec<Quota>, new: Option<Quota>) -> Vec<Quota> {
    let Some(new) = new else {
        return quotas;
    };
    let same = |quota: &&mut Quota| quota.provider == new.provider && quota.region == new.region;
    match quotas.iter_mut().find(same) {
        Some(quota) => {
            quota.vcpu += new.vcpu;
            quota.steady_vcpu += new.steady_vcpu;
        }
        None => quotas.push(new),
    }
    quotas
}

/// Marks the needs that a quota of the fleet state does not allow.
fn raise(needs: &mut [Quota], stated: &[fleetcast_model::Quota]) {
    for need in needs {
        let tight = stated.iter().find(|quota| {
            quota.counts == QuotaCount::Vcpu
                && quota.provider.to_string() == need.provider
                && quota.region.as_str() == need.region
                && quota.limit < need.vcpu
        });
        need.raise = tight.map(|quota| (quota.name.clone(), quota.limit));
    }
}

/// What a component wants by the hour, and the quota that it needs.
fn wanted(
    prospect: &Prospect,
    decision: &Decision,
    index: usize,
    component: &Component,
) -> Option<Wanted> {
    let engine = &decision.engine;
    let forecast = forecasts(engine, index, &prospect.volumes[index])?.medium;
    let bought = decision.step.components[index].forecast;
    let level = bought.map_or(LEVEL, |forecast| forecast.bought_level.clamp(0.5, 0.99));
    let step = forecast.step.as_secs().max(1);
    let components = &engine.config().fleet.components;
    let zones = components.iter().any(|one| one.sla.zone_loss.is_some());
    let period = if zones {
        PERIOD_SECONDS_WITH_ZONES
    } else {
        PERIOD_SECONDS
    };
    let chunk = usize::try_from(period / step).unwrap_or(1).max(1);
    let uplift: Vec<f64> = (0..forecast.points.len())
        .map(|i| engine.event_uplift(index, forecast.at(i)))
        .collect();
    let quantiles = forecast.paths.quantiles(level);
    let volumes: Vec<f64> = quantiles.iter().zip(&uplift).map(|(a, b)| a * b).collect();
    let quota_volume = quota_volume(&forecast, &uplift);
    let most = volumes.iter().copied().fold(quota_volume, f64::max);
    let table = UnitTable::new(engine, index, most);
    let highest = |chunk: &[f64]| table.units(chunk.iter().copied().fold(0.0, f64::max));
    let unlimited: Vec<Units> = volumes.chunks(chunk).map(highest).collect();
    let units: Vec<Units> = (unlimited.iter())
        .map(|units| within(engine, index, *units))
        .collect();
    let least = units.iter().copied().min().unwrap_or_default();
    let quota = cheapest(engine, index).map(|offer| {
        let each = offer.units_of(&component.unit).max(1);
        let vcpu = |units: Units| units.get().div_ceil(each) * offer.cpu.get().div_ceil(1_000);
        Quota {
            provider: offer.provider.to_string(),
            region: offer.region.to_string(),
            vcpu: vcpu(within(engine, index, table.units(quota_volume))),
            steady_vcpu: vcpu(least),
            raise: None,
        }
    });
    Some(Wanted {
        index,
        level,
        start: forecast.start,
        period: SignedDuration::from_secs(step * chunk as i64),
        units,
        unlimited,
        quota,
    })
}

/// The volume that the whole horizon stays under with the quota's probability.
fn quota_volume(forecast: &HorizonForecast, uplift: &[f64]) -> f64 {
    let highest = |path: &[f64]| -> f64 {
        let lifted = path.iter().zip(uplift).map(|(a, b)| a * b);
        lifted.fold(0.0, f64::max)
    };
    let mut highest: Vec<f64> = forecast.paths.iter().map(highest).collect();
    highest.sort_by(f64::total_cmp);
    let at = ((highest.len() as f64 * QUOTA_LEVEL).ceil() as usize).clamp(1, highest.len().max(1));
    highest.get(at - 1).copied().unwrap_or_default()
}

fn schedule(
    prospect: &Prospect,
    decision: &Decision,
    stated: &MediumProblem,
    wanted: &Wanted,
    part: &Part,
) -> ComponentSchedule {
    let engine = &decision.engine;
    let boot = boot(engine, wanted.index);
    let mut slots: Vec<Slot> = Vec::new();
    let mut before = prospect.running[wanted.index].get();
    for (number, units) in wanted.units.iter().enumerate() {
        let units = units.get();
        if slots.last().is_none_or(|slot| slot.units != units) {
            let from = wanted.at(number as u32);
            slots.push(Slot {
                from,
                units,
                order_by: (units > before).then(|| (from - boot).max(prospect.now)),
            });
        }
        before = units;
    }
    let rents = part.runs.iter().filter(|run| run.until > run.from);
    let rents = rents.map(|run| rent(prospect, decision, stated, wanted, run));
    let mut missing = missing(stated, wanted, part);
    missing.extend(over_ceiling(engine, wanted));
    ComponentSchedule {
        component: engine.config().fleet.components[wanted.index]
            .name
            .to_string(),
        level: wanted.level,
        steady_units: wanted.units.iter().min().map_or(0, |units| units.get()),
        highest_units: wanted.units.iter().max().map_or(0, |units| units.get()),
        cost_usd: cents(part.cost.total()),
        rents: rents.collect(),
        missing,
        slots,
    }
}

impl ComponentSchedule {
    /// When the horizon begins.
    pub(super) fn starts(&self) -> Timestamp {
        self.slots.first().map_or(Timestamp::MIN, |slot| slot.from)
    }
}

impl Wanted {
    fn at(&self, period: u32) -> Timestamp {
        self.start + self.period * i32::try_from(period).unwrap_or(i32::MAX)
    }

    fn hours(&self) -> f64 {
        self.period.as_secs_f64() / 3_600.0
    }
}

fn rent(
    prospect: &Prospect,
    decision: &Decision,
    stated: &MediumProblem,
    wanted: &Wanted,
    run: &Run,
) -> Rent {
    let engine = &decision.engine;
    let config = engine.config();
    let pool = &stated.problem.pools[run.pool.0 as usize];
    let offer: &Offer = &config.offers[usize::from(pool.offer.0)];
    let running = matches!(run.origin, Origin::Standing(_));
    let boot = boot(engine, wanted.index);
    let lead = lead_periods(boot, stated.problem.period_seconds);
    let serves = if running { run.from } else { run.from + lead };
    let from = wanted.at(serves);
    Rent {
        offer: offer.id.to_string(),
        zone: offer.zone.as_ref().map(ToString::to_string),
        purchase_kind: offer.purchase,
        instances: u64::from(run.count),
        units: u64::from(run.count) * offer.units_of(&config.fleet.components[wanted.index].unit),
        running,
        order_by: (!running).then(|| (from - boot).max(prospect.now)),
        from,
        until: (run.until < stated.problem.periods).then(|| wanted.at(run.until)),
        hours: f64::from(run.until - run.from) * wanted.hours(),
    }
}

/// What the plan lacks, in stretches of one cause.
fn missing(stated: &MediumProblem, wanted: &Wanted, part: &Part) -> Vec<Short> {
    let mut found: Vec<(Short, u32, Binding)> = Vec::new();
    for unmet in &part.unmet {
        let of = match unmet.what {
            Missing::Demand => "demand",
            Missing::ZoneSpare => "zone_loss",
        };
        let goes_on = found.iter_mut().find(|(short, last, binding)| {
            short.of == of && last + 1 == unmet.period && *binding == unmet.binding
        });
        let hours = unmet.units.get() * wanted.period.as_secs().unsigned_abs() / 3_600;
        if let Some((short, last, _)) = goes_on {
            *last = unmet.period;
            short.until = wanted.at(unmet.period + 1);
            short.units = short.units.max(unmet.units.get());
            short.unit_hours += hours;
            continue;
        }
        let lift = part.lifts.iter().find(|lift| lift.binding == unmet.binding);
        let quota = match unmet.binding {
            Binding::Quota(place) => stated.problem.quotas.get(place as usize),
            _ => None,
        };
        let short = Short {
            from: wanted.at(unmet.period),
            until: wanted.at(unmet.period + 1),
            units: unmet.units.get(),
            unit_hours: hours,
            of,
            limit: limit_word(unmet.binding),
            quota: quota.map(|quota| quota.name.clone()),
            lift: lift.map(|lift| Lifted {
                unit_hours: (lift.unit_periods as f64 * wanted.hours()) as u64,
                cost_usd: cents(lift.price),
                saving_usd: (lift.saving > MicroUsd::ZERO).then(|| cents(lift.saving)),
            }),
        };
        found.push((short, unmet.period, unmet.binding));
    }
    found.into_iter().map(|(short, ..)| short).collect()
}

fn limit_word(binding: Binding) -> &'static str {
    match binding {
        Binding::NoOffer => "nothing to rent",
        Binding::Lead => "boot",
        Binding::Ceiling => "ceiling",
        Binding::Quota(_) => "quota",
        Binding::Budget => "budget",
        Binding::Zones => "zones",
        Binding::Price => "price",
    }
}

/// What the ceiling keeps away: the optimiser is not asked for it.
fn over_ceiling(engine: &fleetcast_engine::Engine, wanted: &Wanted) -> Option<Short> {
    let component = &engine.config().fleet.components[wanted.index];
    let over: Vec<u64> = (wanted.unlimited.iter())
        .map(|units| units.saturating_sub(component.ceiling).get())
        .collect();
    let (first, last) = (
        over.iter().position(|units| *units > 0)?,
        over.iter().rposition(|units| *units > 0)?,
    );
    let hours = wanted.period.as_secs().unsigned_abs() / 3_600;
    let unit_hours = over.iter().sum::<u64>() * hours.max(1);
    let lift = cheapest(engine, wanted.index).map(|offer| {
        let each = offer.units_of(&component.unit).max(1);
        Lifted {
            unit_hours,
            cost_usd: cents(MicroUsd::new(offer.price.get() / each * unit_hours)),
            saving_usd: None,
        }
    });
    Some(Short {
        from: wanted.at(first as u32),
        until: wanted.at(last as u32 + 1),
        units: over.iter().copied().max().unwrap_or(0),
        unit_hours,
        of: "demand",
        limit: "ceiling",
        quota: None,
        lift,
    })
}

/// In dollars, to the cent.
fn cents(money: MicroUsd) -> f64 {
    (money.as_usd() * 100.0).round() / 100.0
}
