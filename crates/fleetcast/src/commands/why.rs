//! `fleetcast why`

use std::process::ExitCode;

use anyhow::Result;
use fleetcast_document::Recommendation;
use fleetcast_engine::{Engine, Step as Decision};
use fleetcast_model::{Action, ComponentReport, Gate, Observation, Reason, Resource};
use fleetcast_report::{
    AlternativeView, DecisionView, ForecastView, InputsView, PlanStepView, QuantileView,
    ReasonView, ResourceView, decision_json, decision_text,
};
use fleetcast_series::{Series, Step};
use jiff::{SignedDuration, Timestamp};

use super::backtest::text_style;
use super::{documents, replay};
use crate::cli::{Format, WhyArgs};
use crate::files::BadInput;
use crate::learned;
use crate::plan::words::recommendation_effect;
use crate::plan::{self, Prospect};

/// What a replay up to a moment leaves behind.
struct Found {
    step: Decision,
    first: Timestamp,
    /// Decisions until this one.
    steps: u64,
    /// What was seen when it was made, if the gate held it back.
    seen: Vec<Observation>,
    /// Demand of each component since the first decision, newest last.
    demand: Vec<Vec<Option<f64>>>,
}

impl Found {
    /// Demand of a component in the hour before, newest last.
    fn lately(&self, index: usize, step_seconds: u32) -> &[Option<f64>] {
        let hour = (3_600 / step_seconds.max(1)).max(1) as usize;
        let all = &self.demand[index];
        &all[all.len().saturating_sub(hour)..]
    }
}

/// Runs the command.
pub fn run(args: &WhyArgs) -> Result<ExitCode> {
    crate::stop::listen();
    let (engine, found) = replay_until(args)?;
    crate::stop::check()?;
    if args.at < found.first {
        let text = format!(
            "the recording's first decision was made at {}, after {}",
            found.first, args.at
        );
        return Err(BadInput(text).into());
    }
    let names: Vec<&str> = engine
        .config()
        .fleet
        .components
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    if let Some(name) = args
        .component
        .as_deref()
        .filter(|name| !names.contains(name))
    {
        return Err(BadInput(format!(
            "the fleet has no component `{name}`; it has {}",
            names.join(", ")
        ))
        .into());
    }
    let chosen = (0..names.len()).filter(|i| {
        args.component
            .as_deref()
            .is_none_or(|name| name == names[*i])
    });
    let recommended = recommendations(args, &found)?;
    let views: Vec<DecisionView> = chosen
        .map(|index| view(&engine, &found, index, &recommended))
        .collect();
    match args.format {
        Format::Json => {
            let values: Result<Vec<serde_json::Value>, _> = views
                .iter()
                .map(|view| serde_json::from_str(&decision_json(view)))
                .collect();
            outln!("{}", serde_json::to_string_pretty(&values?)?);
        }
        Format::Text => {
            let texts: Vec<String> = views
                .iter()
                .map(|view| decision_text(view, text_style()))
                .collect();
            std::io::Write::write_all(&mut std::io::stdout(), texts.join("\n").as_bytes())?;
        }
    }
    if let Some(folder) = &args.documents {
        documents::write_provisional(folder, &engine, &found.step)?;
        errln!("wrote {}", folder.join(documents::PROVISIONAL).display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Replays until the last decision that is not after the asked moment.
fn replay_until(args: &WhyArgs) -> Result<(Engine, Found)> {
    let mut found: Option<Found> = None;
    let mut length = SignedDuration::ZERO;
    let (engine, _) = replay::replay(&args.folder, |step, seen| {
        let known = step.components.iter().map(|report| report.demand);
        let found = found.get_or_insert_with(|| Found {
            step: keep(step),
            first: step.now,
            steps: 0,
            seen: Vec::new(),
            demand: vec![Vec::new(); step.components.len()],
        });
        for (all, demand) in found.demand.iter_mut().zip(known) {
            all.push(demand);
        }
        if found.steps > 0 {
            length = step.now.duration_since(found.step.now);
        }
        found.step = keep(step);
        if step.components.iter().any(held_back) {
            found.seen = seen.to_vec();
        }
        found.steps += 1;
        // The next decision would be after the asked moment: this is the one.
        step.now + length.max(SignedDuration::from_secs(1)) <= args.at && !crate::stop::asked()
    })?;
    let found = found.ok_or_else(|| BadInput("the recording holds no decision".into()))?;
    Ok((engine, found))
}

/// What else could have been done where the gate held the decision back, each worked out from the engine as it was
/// just before.
fn recommendations(args: &WhyArgs, found: &Found) -> Result<Vec<Recommendation>> {
    if found.steps < 2 || !found.step.components.iter().any(held_back) {
        return Ok(Vec::new());
    }
    let mut steps = 0;
    let (before, _) = replay::replay(&args.folder, |_, _| {
        steps += 1;
        steps + 1 < found.steps && !crate::stop::asked()
    })?;
    crate::stop::check()?;
    let reports = found.step.components.iter();
    let running = reports
        .map(|report| report.ready + report.pending)
        .collect();
    let volumes = found.demand.iter().map(|all| {
        let step = Step::from_seconds(before.config().step_seconds).unwrap_or(Step::MINUTE);
        Series::from_values(before.config().start, step, all.iter().copied())
    });
    let known = (running, volumes.collect());
    let prospect = Prospect::recorded(before, found.step.now, found.seen.clone(), known);
    let Some(prospect) = prospect else {
        return Ok(Vec::new());
    };
    let state = plan::plan(&prospect, &[], "fleetcast plan")?;
    Ok(state
        .plan
        .map_or_else(Vec::new, |plan| plan.recommendations))
}

/// Whether the gate held a change back for its cost.
fn held_back(report: &ComponentReport) -> bool {
    matches!(
        report.gate,
        Gate::NeedsApproval { .. } | Gate::OverCap { .. }
    )
}

fn keep(step: &Decision) -> Decision {
    Decision {
        fits: Vec::new(),
        ..step.clone()
    }
}

fn view(
    engine: &Engine,
    found: &Found,
    index: usize,
    recommended: &[Recommendation],
) -> DecisionView {
    let step = &found.step;
    let report = &step.components[index];
    let explained = engine.explain(index);
    let lately = found.lately(index, engine.config().step_seconds);
    let plain = engine.config().plain_per_unit.is_some();
    let price = explained.offers.first().map_or(0.0, |(_, units, price)| {
        price.get() as f64 / 1e6 / f64::from((*units).max(1))
    });
    let age = lately.iter().rev().position(Option::is_some);
    DecisionView {
        at: step.now,
        component: engine.config().fleet.components[index].name.to_string(),
        inputs: InputsView {
            last_demand: lately.iter().rev().flatten().next().copied(),
            demand_unit: if plain { "a step" } else { "interactions/min" }.into(),
            age_seconds: age.map(|steps| {
                let late = u64::from(engine.config().telemetry.delay_steps);
                (steps as u64 + late) * u64::from(engine.config().step_seconds)
            }),
            latency_ms_p95: explained.latency_ms_p95,
            measured_latency_ms_p95: explained.measured_latency_ms_p95,
            latency_target_ms: latency_target(engine, index),
            missing_steps: lately.iter().filter(|demand| demand.is_none()).count() as u64,
        },
        forecast: report.forecast.map(|forecast| ForecastView {
            arrival: report.arrival,
            model: model_words(forecast.persona_weight, &explained),
            quantiles: quantiles(&forecast),
        }),
        requirement: requirement(report, engine, index),
        learned: learned(&explained, report),
        wanted: report.wanted.get(),
        ready: report.ready.get(),
        pending: report.pending.get(),
        plan: steps(engine, step, index),
        reasons: report
            .ledger
            .0
            .iter()
            .map(|(reason, units)| ReasonView {
                reason: reason_words(*reason).into(),
                units: units.get() as i64,
            })
            .collect(),
        alternatives: alternatives(engine, report, index, price),
        limits: limits(engine, report, index),
        standby: plan::standby::of_component(engine, report, index),
        alerts: (report.unknown.iter())
            .map(|unknown| {
                let name = &engine.config().fleet.components[index].name;
                crate::plan::alerts::words(name.as_str(), unknown)
            })
            .collect(),
        overrides: overrides(engine, index),
        gate: gate_words(&report.gate),
        recommendations: (recommended.iter())
            .filter(|_| held_back(report))
            .map(|one| format!("{}: {}", one.what, recommendation_effect(one)))
            .collect(),
        cost_usd_per_hour: report.wanted.as_f64() * price,
    }
}

/// The stricter of the SLA's and the persona's targets; `None` in the plain setting, which knows no latency.
fn latency_target(engine: &Engine, index: usize) -> Option<u64> {
    let config = engine.config();
    let component = &config.fleet.components[index];
    let patterns = &config.persona.as_ref()?.engagement_patterns;
    let own = patterns
        .iter()
        .filter(|pattern| component.serves.contains(&pattern.interaction_type))
        .map(|pattern| pattern.latency_target_ms);
    own.chain(component.sla.latency_ms_p95).min().map(u64::from)
}

fn model_words(persona_weight: f64, explained: &fleetcast_engine::Explained) -> String {
    let (count, under) = explained.scored;
    let mut words = String::from("quantile regression");
    if let Some((champion, rival_loss)) = explained.champion {
        words = champion.into();
        if rival_loss > 1.0 {
            words.push_str(&format!(
                " (its challenger lost {:.1} % more on held-out time)",
                (rival_loss - 1.0) * 100.0
            ));
        }
    }
    if persona_weight > 0.02 {
        words.push_str(&format!(", {:.0} % persona", persona_weight * 100.0));
    }
    if count > 0 {
        words.push_str(&format!(
            "; {count} forecasts scored, {:.1} % stayed under p95",
            under * 100.0
        ));
    }
    words
}

fn quantiles(forecast: &fleetcast_model::ArrivalForecast) -> Vec<QuantileView> {
    let bought = (forecast.bought_level.clamp(0.0, 1.0), forecast.bought);
    let mut all = vec![
        (0.05, forecast.p05),
        (0.5, forecast.p50),
        (0.95, forecast.p95),
        bought,
    ];
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.dedup_by(|a, b| (a.0 - b.0).abs() < 1e-6);
    all.into_iter()
        .map(|(level, demand)| QuantileView { level, demand })
        .collect()
}

/// What the demand at arrival needs, by resource; the binding one is marked.
fn requirement(report: &ComponentReport, engine: &Engine, index: usize) -> Vec<ResourceView> {
    let bought = report
        .forecast
        .map_or(report.demand.unwrap_or(0.0), |forecast| forecast.bought);
    let unit = &engine.config().fleet.components[index].unit;
    let Some(amounts) = engine.amounts_at_arrival(index, bought) else {
        let units = engine.load_for(index, bought);
        return vec![ResourceView {
            resource: Resource::Unit.name().into(),
            quantity: bought,
            unit: "a step".into(),
            units,
            binding: true,
        }];
    };
    let row = |resource: Resource, quantity: f64, unit_name: &str, have: Option<f64>| {
        // What does not limit a unit is left out.
        let have = have.filter(|have| *have > 0.0)?;
        Some(ResourceView {
            resource: resource.name().into(),
            quantity,
            unit: unit_name.into(),
            units: quantity / have,
            binding: resource == report.binding,
        })
    };
    let rows = [
        row(
            Resource::Cpu,
            amounts.cores,
            "cores",
            Some(unit.cpu.as_f64() / 1e3),
        ),
        row(
            Resource::Memory,
            amounts.memory_bytes / 1e9,
            "GB",
            Some(unit.memory.as_f64() / 1e9),
        ),
        row(
            Resource::DiskIo,
            amounts.iops,
            "operations/s",
            unit.disk_io.map(|iops| iops.as_f64()),
        ),
        row(
            Resource::Bandwidth,
            amounts.kilobits_per_second / 1e3,
            "Mbps",
            unit.bandwidth.map(|kbps| kbps.as_f64() / 1e3),
        ),
        row(
            Resource::Storage,
            amounts.storage_bytes / 1e9,
            "GB",
            unit.storage.map(|bytes| bytes.as_f64() / 1e9),
        ),
    ];
    rows.into_iter().flatten().collect()
}

/// Whether the profiles or what was learned of the use decided, with figures, and what stands out.
fn learned(explained: &fleetcast_engine::Explained, report: &ComponentReport) -> Vec<String> {
    let Some(view) = &explained.learned else {
        return Vec::new();
    };
    let types: Vec<_> = explained
        .volumes
        .iter()
        .map(|(kind, _)| kind.clone())
        .collect();
    let mut words = learned::figures(view, &types);
    words.extend(view.drifts.last().map(learned::drift));
    words.extend(learned::ceiling(view));
    if let Some(most) = report.scale_out_ceiling {
        words.push(format!(
            "more was wanted and cut to {most} units, beyond which more do not help"
        ));
    }
    words
}

fn steps(engine: &Engine, step: &Decision, index: usize) -> Vec<PlanStepView> {
    let unit = &engine.config().fleet.components[index].unit;
    let offers = &engine.config().offers;
    let own = |component: fleetcast_model::ComponentIndex| usize::from(component.0) == index;
    let mut steps = Vec::new();
    for action in &step.actions {
        match action {
            Action::Order(order) if own(order.component) => {
                let offer = &offers[usize::from(order.offer.0)];
                steps.push(PlanStepView::Order {
                    units: u64::from(order.instances) * offer.units_of(unit),
                    offer: offer.id.to_string(),
                    price_usd_per_hour: order.price.get() as f64 / 1e6,
                });
            }
            Action::Release(range) => {
                if let Some(cohort) = engine
                    .cohorts(index)
                    .iter()
                    .find(|cohort| cohort.token == range.token)
                {
                    let offer = &offers[usize::from(cohort.offer.0)];
                    steps.push(PlanStepView::Release {
                        units: u64::from(range.count) * offer.units_of(unit),
                        offer: offer.id.to_string(),
                    });
                }
            }
            _ => {}
        }
    }
    if steps.is_empty() {
        let report = &step.components[index];
        steps.push(PlanStepView::Keep {
            units: (report.ready + report.pending).get(),
        });
    }
    steps
}

/// What else could have been done, and what it would have meant.
fn alternatives(
    engine: &Engine,
    report: &ComponentReport,
    index: usize,
    price: f64,
) -> Vec<AlternativeView> {
    let Some(forecast) = report.forecast else {
        return Vec::new();
    };
    let have = (report.ready + report.pending).get();
    let nearest = |volume: f64| engine.load_for(index, volume).round().clamp(1.0, 1e12) as u64;
    let candidates = [
        ("change nothing", have),
        ("buy for the median", nearest(forecast.p50)),
        ("buy for the 95 % quantile", nearest(forecast.p95)),
        ("one unit more", report.wanted.get() + 1),
    ];
    let mut seen = vec![report.wanted.get()];
    let mut views = Vec::new();
    for (what, units) in candidates {
        if seen.contains(&units) {
            continue;
        }
        seen.push(units);
        let risk = engine.shortfall_risk(index, units);
        views.push(AlternativeView {
            what: what.into(),
            units,
            cost_usd_per_hour: units as f64 * price,
            consequence: risk.map_or_else(String::new, |risk| {
                format!("{} chance to fall short at arrival", percent(risk))
            }),
        });
    }
    views
}

/// The quotas that bound and the promises for the loss of a zone that are not kept yet, in words.
fn limits(engine: &Engine, report: &ComponentReport, index: usize) -> Vec<String> {
    let told = crate::plan::limits::of_component(engine, report, index);
    told.into_iter().map(|limit| limit.words).collect()
}

/// The overrides in force, then the last ones that are over with what they brought.
fn overrides(engine: &Engine, index: usize) -> Vec<String> {
    let in_force = engine.overrides_in_force(index);
    let mut lines: Vec<String> = in_force
        .into_iter()
        .map(crate::plan::words::override_words)
        .collect();
    let scored = engine.override_scores(index).iter().rev().take(3);
    lines.extend(scored.map(crate::plan::words::override_score));
    lines
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 1.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.2} %")
    }
}

fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::Floor => "floor of the fleet state",
        Reason::Baseline => "demand as it is now",
        Reason::Forecast => "demand forecast for arrival",
        Reason::Event => "a known event",
        Reason::Uncertainty => "uncertainty of the forecast",
        Reason::Reactive => "reactive lower bound",
        Reason::Hold => "kept: a start would cost more",
        Reason::Fallback => "the fallback while demand is unknown",
        Reason::SpotRisk => "cover for a spot pool that may be taken back",
        Reason::ZoneLoss => "so that the loss of a zone leaves enough",
        Reason::Override => "a person's override",
        Reason::Policy => "the policy's rule",
        Reason::Standby => "standby, for what no forecast sees in time",
        Reason::WholeInstances => "instances come whole",
        Reason::Surplus => "no reason is left to keep it",
    }
}

fn gate_words(gate: &Gate) -> String {
    match gate {
        Gate::Nothing => "nothing to change".into(),
        Gate::Go => "passed".into(),
        Gate::NeedsApproval {
            cost,
            threshold,
            change_set,
        } => format!(
            "waits for approval: {cost} over two hours is over the threshold of {threshold} (change set {change_set})"
        ),
        Gate::OverCap { cost, cap } => {
            format!("refused: the month would come to {cost}, over the hard cap of {cap}")
        }
        Gate::Withheld => "withheld by the mode or a freeze window".into(),
    }
}
