//! Fourteen days in few words: what runs all the time, what comes and goes, what is missing, and what to ask for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fleetcast_model::MicroUsd;

use super::medium::{ComponentSchedule, MediumPlan, Rent, Short};
use crate::plan::words::{moment, purchase};

/// The most orders that people are shown for a component.
const ORDERS: usize = 3;
/// The most stretches of missing units that people are shown for a component.
const SHORTS: usize = 3;

/// The plan in words.
pub fn medium_words(plan: &MediumPlan) -> String {
    let mut text = format!("The fourteen days from {}\n", moment(plan.planned_at));
    // Writing to a string cannot fail.
    for component in &plan.components {
        let _ = writeln!(
            text,
            "\n  {}: {} units all the time, up to {} (the {:.1} % quantile of the forecast); {}",
            component.component,
            component.steady_units,
            component.highest_units,
            component.level * 100.0,
            usd(component.cost_usd)
        );
        rents(&mut text, component);
        for short in component.missing.iter().take(SHORTS) {
            let _ = writeln!(text, "    missing: {}", missing(short));
        }
        let left = component.missing.len().saturating_sub(SHORTS);
        if left > 0 {
            let _ = writeln!(text, "    … and {left} more times (--format json has all)");
        }
    }
    if !plan.components.is_empty() {
        let lacks = |component: &ComponentSchedule| !component.missing.is_empty();
        let of_what = if plan.components.iter().any(lacks) {
            " that has as much"
        } else {
            ""
        };
        let near = match plan.over_cheapest_percent_max {
            Some(percent) => format!("at most {percent:.1} % over the cheapest possible{of_what}"),
            None => "no lower bound is known".into(),
        };
        let _ = writeln!(text, "\nAll of it: {}, {near}.", usd(plan.cost_usd));
    }
    if !plan.quotas.is_empty() {
        let _ = writeln!(
            text,
            "\nQuotas that must be granted (99 % sure to suffice):"
        );
    }
    for quota in &plan.quotas {
        let raise = quota
            .raise
            .as_ref()
            .map_or_else(String::new, |(name, limit)| {
                format!("; raise quota `{name}`, which allows {limit}")
            });
        let _ = writeln!(
            text,
            "  {}/{}: {} vCPU, of which {} all the time{raise}",
            quota.provider, quota.region, quota.vcpu, quota.steady_vcpu
        );
    }
    for note in &plan.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}

/// What runs all the time, what comes and goes, and the next orders.
fn rents(text: &mut String, component: &ComponentSchedule) {
    let what = |rent: &Rent| {
        (
            rent.offer.clone(),
            purchase(rent.purchase_kind),
            rent.zone.clone(),
        )
    };
    let named = |(offer, purchase, zone): &(String, &str, Option<String>)| {
        let zone = zone.as_ref().filter(|zone| !offer.ends_with(zone.as_str()));
        let zone = zone.map_or_else(String::new, |zone| format!(" in {zone}"));
        format!("{offer} ({purchase}){zone}")
    };
    let (steady, moving): (Vec<&Rent>, Vec<&Rent>) = component
        .rents
        .iter()
        .partition(|rent| rent.until.is_none() && rent.from == component.starts());
    let mut steadily: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    for rent in steady {
        let (all, running) = steadily.entry(what(rent)).or_default();
        *all += rent.instances;
        *running += if rent.running { rent.instances } else { 0 };
    }
    for (what, (all, running)) in &steadily {
        let running = match *running {
            0 => "to order now".to_string(),
            some if some == *all => "running already".to_string(),
            some => format!("{some} run already"),
        };
        let _ = writeln!(text, "    all the time: {all} × {}, {running}", named(what));
    }
    let mut coming: BTreeMap<_, (u64, u64, f64)> = BTreeMap::new();
    for rent in &moving {
        let (most, starts, hours) = coming.entry(what(rent)).or_default();
        *most = (*most).max(at_once(&moving, rent, &what));
        *starts += if rent.running { 0 } else { rent.instances };
        *hours += rent.hours * rent.instances as f64;
    }
    for (what, (most, starts, hours)) in &coming {
        let _ = writeln!(
            text,
            "    comes and goes: up to {most} × {}, {starts} starts, {hours:.0} instance hours",
            named(what)
        );
    }
    let mut orders: Vec<&&Rent> = moving.iter().filter(|rent| !rent.running).collect();
    orders.sort_by_key(|rent| (rent.order_by, rent.until));
    for rent in orders.iter().take(ORDERS) {
        let by = rent.order_by.map_or_else(String::new, moment);
        let until = rent
            .until
            .map_or_else(|| "on".to_string(), |until| format!("to {}", moment(until)));
        let _ = writeln!(
            text,
            "    order by {by}: {} × {} for {} {until}",
            rent.instances,
            named(&what(rent)),
            moment(rent.from)
        );
    }
    let left = orders.len().saturating_sub(ORDERS);
    if left > 0 {
        let _ = writeln!(text, "    … and {left} more orders (--format json has all)");
    }
}

/// Instances of the same kind that are there when one of them begins.
fn at_once<K: PartialEq>(all: &[&Rent], one: &Rent, what: &impl Fn(&Rent) -> K) -> u64 {
    let there = |rent: &&&Rent| {
        rent.from <= one.from
            && rent.until.is_none_or(|until| until > one.from)
            && what(rent) == what(one)
    };
    all.iter().filter(there).map(|rent| rent.instances).sum()
}

fn missing(short: &Short) -> String {
    let what = match short.of {
        "zone_loss" => "after the loss of a zone, ",
        _ => "",
    };
    let why = match (short.limit, &short.quota) {
        (_, Some(quota)) => format!("quota `{quota}` is used up"),
        ("ceiling", _) => "the ceiling allows no more".into(),
        ("boot", _) => "nothing ordered now serves so soon".into(),
        ("zones", _) => "there are too few zones".into(),
        (other, _) => other.to_string(),
    };
    let lift = short.lift.as_ref().map_or_else(String::new, |lift| {
        let price = match lift.saving_usd {
            Some(saved) => format!(
                "and saves {}, since less that is dearer is rented",
                usd(saved)
            ),
            None => format!("for {}", usd(lift.cost_usd)),
        };
        format!(
            "; lifting it brings back {} unit hours {price}",
            lift.unit_hours
        )
    });
    format!(
        "{what}up to {} units from {} to {} ({} unit hours): {why}{lift}",
        short.units,
        moment(short.from),
        moment(short.until),
        short.unit_hours
    )
}

fn usd(dollars: f64) -> MicroUsd {
    MicroUsd::new((dollars.max(0.0) * 1e6).round() as u64)
}
