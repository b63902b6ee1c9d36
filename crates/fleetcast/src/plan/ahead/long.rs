//! Thirteen months: how many units to commit to, and what to reserve before announced events.

use std::fmt::Write as _;

use fleetcast_forecast::HorizonForecasts;
use fleetcast_model::{Component, EventKind, Offer, PurchaseKind};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::demand::{UnitTable, forecasts};
use super::{cheapest, within};
use crate::plan::words::moment;
use crate::plan::{Decision, Prospect};

/// The term of a commitment.
const TERM_DAYS: usize = 365;
/// Courses of the year that are looked at: more move the figures by less than the forecast is sure.
const COURSES: usize = 40;
/// A commitment must pay for itself in this share of the courses.
const SURE: f64 = 0.9;
/// Capacity is reserved so long before an event: providers grant it when they have it, not when it is needed.
const RESERVE_AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// The level of the demand that is reserved for.
const EVENT_LEVEL: f64 = 0.99;

/// What the next year suggests to buy.
#[derive(Clone, Debug, Serialize)]
pub struct LongPlan {
    schema: &'static str,
    planned_at: Timestamp,
    components: Vec<Commitment>,
    reservations: Vec<Reservation>,
    notes: Vec<String>,
}

/// What to commit to for one component.
#[derive(Clone, Debug, Serialize)]
pub struct Commitment {
    component: String,
    /// Units to commit to: each is used enough in nine of ten courses of the year.
    units: u64,
    /// The same where the median course decides.
    units_at_median: u64,
    /// A committed unit pays for itself if it is used in more than this share of the hours.
    break_even_share: f64,
    /// Where the price of the commitment comes from.
    price_from: String,
    /// What the commitment saves in a year, over the courses: 10 % quantile, median, 90 % quantile.
    saves_usd: [f64; 3],
    /// What all would cost on demand in the median course.
    on_demand_usd: f64,
}

/// Capacity to reserve before an announced event.
#[derive(Clone, Debug, Serialize)]
pub struct Reservation {
    event: String,
    component: String,
    units: u64,
    from: Timestamp,
    until: Timestamp,
    /// What it costs if nobody comes.
    cost_usd: f64,
}

/// Plans thirteen months; `discount` is what a commitment saves on each hour where the catalogue has no price for it.
pub fn long(prospect: &Prospect, decision: &Decision, discount: f64) -> LongPlan {
    let mut plan = LongPlan {
        schema: "long-plan/v1",
        planned_at: prospect.now,
        components: Vec::new(),
        reservations: Vec::new(),
        notes: Vec::new(),
    };
    for (index, component) in prospect.documents.fleet.components.iter().enumerate() {
        let volume = &prospect.volumes[index];
        let Some(forecast) = forecasts(&decision.engine, index, volume) else {
            plan.notes.push(format!(
                "`{}` has too little history for a forecast of months",
                component.name
            ));
            continue;
        };
        let Some(offer) = cheapest(&decision.engine, index) else {
            continue;
        };
        plan.reservations
            .extend(reservations(prospect, decision, index, &forecast, offer));
        match commitment(decision, index, component, &forecast, offer, discount) {
            Some(commitment) => plan.components.push(commitment),
            None => plan.notes.push(format!(
                "`{}` needs two weeks of history for a commitment: nothing is known of months",
                component.name
            )),
        }
    }
    plan.reservations.sort_by_key(|one| one.from);
    plan
}

/// The price of a committed unit-hour as a share of an on-demand one, and where it comes from.
fn committed_share(decision: &Decision, offer: &Offer, discount: f64) -> (f64, String) {
    let reserved = decision.engine.config().offers.iter().find(|other| {
        other.purchase == PurchaseKind::Reserved
            && other.provider == offer.provider
            && other.region == offer.region
            && other.instance_type == offer.instance_type
    });
    match reserved {
        Some(reserved) => (
            reserved.price.as_f64() / offer.price.as_f64().max(1.0),
            reserved.id.to_string(),
        ),
        None => (
            1.0 - discount,
            format!(
                "{:.0} % off {} (--commitment-discount)",
                discount * 100.0,
                offer.id
            ),
        ),
    }
}

fn commitment(
    decision: &Decision,
    index: usize,
    component: &Component,
    forecast: &HorizonForecasts,
    offer: &Offer,
    discount: f64,
) -> Option<Commitment> {
    let long = forecast.long.as_ref()?;
    let (share, price_from) = committed_share(decision, offer, discount);
    let engine = &decision.engine;
    // The hours of a week as shares of the mean: what a day of the long horizon is divided by.
    let profile = weekly_profile(forecast);
    let highest_hour = profile.iter().copied().fold(0.0, f64::max);
    let courses: Vec<&[f64]> = long.paths.iter().take(COURSES).collect();
    let highest_day = courses.iter().flat_map(|course| course.iter()).copied();
    let highest = highest_day.fold(0.0, f64::max) * highest_hour;
    let table = UnitTable::new(engine, index, highest);
    // For each course: hours in which at least so many units are needed.
    let used: Vec<Vec<u32>> = courses
        .iter()
        .map(|course| {
            let mut hours =
                vec![0_u32; within(engine, index, table.units(highest)).get() as usize + 1];
            for (day, mean) in course.iter().take(TERM_DAYS).enumerate() {
                for hour in 0..24 {
                    let volume = mean * profile[(day * 24 + hour) % profile.len()];
                    let units = within(engine, index, table.units(volume)).get() as usize;
                    let last = hours.len() - 1;
                    hours[units.min(last)] += 1;
                }
            }
            // From hours at exactly so many to hours at so many or more.
            for k in (0..hours.len().saturating_sub(1)).rev() {
                hours[k] += hours[k + 1];
            }
            hours
        })
        .collect();
    let days = courses
        .first()
        .map_or(0, |course| course.len().min(TERM_DAYS));
    let term = (days * 24).max(1) as f64;
    let pays = |k: usize| {
        let good = used.iter().filter(|hours| {
            let hours = hours.get(k).copied().unwrap_or_default();
            f64::from(hours) / term >= share
        });
        good.count() as f64 / used.len().max(1) as f64
    };
    let most = used.first().map_or(0, Vec::len).saturating_sub(1);
    let largest = |sure: f64| {
        (1..=most)
            .take_while(|k| pays(*k) >= sure)
            .last()
            .unwrap_or(0)
    };
    let (units, units_at_median) = (largest(SURE), largest(0.5));
    let each = offer.units_of(&component.unit).max(1) as f64;
    let unit_price = offer.price.as_f64() / 1e6 / each;
    let year = 365.0 / days.max(1) as f64;
    let saving = |hours: &Vec<u32>| {
        let saved = |k: usize| f64::from(hours[k]) - share * term;
        (1..=units).map(saved).sum::<f64>() * unit_price * year
    };
    let on_demand = |hours: &Vec<u32>| {
        hours
            .iter()
            .skip(1)
            .map(|hours| f64::from(*hours))
            .sum::<f64>()
            * unit_price
            * year
    };
    let saves = sorted(used.iter().map(saving));
    let all = sorted(used.iter().map(on_demand));
    let cents = |value: f64| (value * 100.0).round() / 100.0;
    Some(Commitment {
        component: component.name.to_string(),
        units: units as u64,
        units_at_median: units_at_median as u64,
        break_even_share: cents(share),
        price_from,
        saves_usd: [0.1, 0.5, 0.9].map(|level| cents(quantile(&saves, level))),
        on_demand_usd: cents(quantile(&all, 0.5)),
    })
}

/// What the hours of a week are of the week's mean, from the medium horizon's expectation.
fn weekly_profile(forecast: &HorizonForecasts) -> Vec<f64> {
    let medium = &forecast.medium;
    let per_hour = usize::try_from(3_600 / medium.step.as_secs().max(1))
        .unwrap_or(1)
        .max(1);
    let hours: Vec<f64> = medium
        .points
        .chunks(per_hour)
        .take(7 * 24)
        .map(|chunk| chunk.iter().copied().fold(0.0, f64::max))
        .collect();
    let week = &medium.points[..medium.points.len().min(7 * 24 * per_hour)];
    let mean = week.iter().sum::<f64>() / week.len().max(1) as f64;
    let profile: Vec<f64> = hours.iter().map(|hour| hour / mean.max(1e-9)).collect();
    if profile.is_empty() {
        vec![1.0]
    } else {
        profile
    }
}

/// Capacity for each announced event within the horizon.
fn reservations(
    prospect: &Prospect,
    decision: &Decision,
    index: usize,
    forecast: &HorizonForecasts,
    offer: &Offer,
) -> Vec<Reservation> {
    let engine = &decision.engine;
    let component = &engine.config().fleet.components[index];
    let medium = &forecast.medium;
    let days = forecast.peaks.as_ref();
    let announced = prospect.documents.events.iter().filter(|event| {
        event.end > prospect.now
            && !matches!(event.kind, EventKind::Incident | EventKind::Maintenance)
    });
    let mut found = Vec::new();
    for event in announced {
        let ahead = |at: Timestamp| at.duration_since(medium.start).as_secs();
        // Of each quarter in the next days, of each day after.
        let quarter = medium.step.as_secs().max(1);
        let usual = |at: Timestamp| {
            let step = usize::try_from(ahead(at) / quarter).ok()?;
            if step < medium.paths.horizon() {
                return Some(medium.paths.at(step).quantile(EVENT_LEVEL));
            }
            let day = usize::try_from(ahead(at) / 86_400).ok()?;
            let days = days?;
            (day < days.horizon()).then(|| days.at(day).quantile(EVENT_LEVEL))
        };
        let start = event.start.max(prospect.now);
        let steps = (event.end.duration_since(start).as_secs() / quarter).clamp(1, 4_000);
        let moments = (0..steps).map(|i| start + SignedDuration::from_secs(i * quarter));
        let (mut with, mut without) = (0.0, 0.0);
        for at in moments {
            if let Some(usual) = usual(at) {
                let lifted = usual * engine.event_uplift(index, at);
                if lifted > with {
                    (with, without) = (lifted, usual);
                }
            }
        }
        let units = |volume: f64| within(engine, index, engine.units_for(index, volume)).get();
        let more = units(with).saturating_sub(units(without));
        if more == 0 {
            continue;
        }
        let from = (start - RESERVE_AHEAD).max(prospect.now);
        let hours = event.end.duration_since(from).as_secs() as f64 / 3_600.0;
        let each = offer.units_of(&component.unit).max(1);
        let price = offer.price.as_f64() / 1e6 * more.div_ceil(each) as f64;
        found.push(Reservation {
            event: event.name.clone(),
            component: component.name.to_string(),
            units: more,
            from,
            until: event.end,
            cost_usd: (price * hours * 100.0).round() / 100.0,
        });
    }
    found
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], level: f64) -> f64 {
    let at = ((sorted.len() as f64 * level).ceil() as usize).clamp(1, sorted.len().max(1));
    sorted.get(at - 1).copied().unwrap_or_default()
}

/// The plan in words.
pub fn long_words(plan: &LongPlan) -> String {
    let mut text = format!("The thirteen months from {}\n\n", moment(plan.planned_at));
    // Writing to a string cannot fail.
    for one in &plan.components {
        let [low, median, high] = one.saves_usd;
        let share = one.break_even_share;
        let _ = writeln!(
            text,
            "  {}: commit to {} units for a year ({} if the median course decides)\n    \
             a committed unit pays if it is used more than {:.0} % of the time ({}); it saves ${median:.0} a year \
             (${low:.0} to ${high:.0}) of ${:.0} on demand",
            one.component,
            one.units,
            one.units_at_median,
            share * 100.0,
            one.price_from,
            one.on_demand_usd
        );
        let _ = writeln!(
            text,
            "    without trusting the forecast: commit to a unit once it has cost on demand what its commitment costs \
             ({:.0} hours of use in a year); whatever comes, that costs at most twice the best in hindsight",
            share * 8_760.0
        );
    }
    if !plan.reservations.is_empty() {
        let _ = writeln!(text, "\nCapacity to reserve before announced events:");
    }
    for one in &plan.reservations {
        let _ = writeln!(
            text,
            "  {} for {}: {} units from {} to {}; ${:.2} if nobody comes",
            one.event,
            one.component,
            one.units,
            moment(one.from),
            moment(one.until),
            one.cost_usd
        );
    }
    for note in &plan.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}
