//! What each part of the judgement brings: the provisioning benchmark again without it.
//!
//! Ours is compared with the cheapest peer in hindsight at the unserved share that it achieved, so a part that
//! saves money by missing the objective gains nothing.

use anyhow::{Context, Result};
use fleetcast_engine::Part;
use fleetcast_model::{Event, Objective, ObjectiveMetric, Share};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_report::{Column, TextTable};

use crate::cli::ProvisioningArgs;
use crate::curve::{self, Point};
use crate::judgement::Judgement;
use crate::provisioning::{self, STYLE};
use crate::traces::Trace;
use crate::{direct, parallel, run, traces};

/// The kick-offs of the World Cup of 1998, of which one trace is: known long before, so they are events. How much
/// each lifts demand is learned from those before it.
const WORLD_CUP: &str = include_str!("../data/world-cup-1998.json");

/// What is left out.
const VARIANTS: [(&str, &[Part]); 7] = [
    ("nothing: Fleetcast as it is", &[]),
    ("anomalies", &[Part::Anomalies]),
    ("the budget that is left", &[Part::Budget]),
    ("the level learned from shadow fleets", &[Part::Calibration]),
    ("the challenger of the forecast", &[Part::Challenger]),
    ("the fitted forecast", &[Part::Model]),
    (
        "forecast, level and budget",
        &[Part::Model, Part::Calibration, Part::Budget],
    ),
];

/// Prints the tables.
pub fn run(args: &ProvisioningArgs) -> Result<()> {
    let traces = traces::read(&args.traces)?;
    provisioning::print_settings(&provisioning::settings(&args.traces, &traces));
    let objectives = provisioning::objectives(args);
    let peers: Vec<Vec<Point>> = direct::curves(&traces)?;
    let mut jobs = Vec::new();
    for (variant, (_, without)) in VARIANTS.iter().enumerate() {
        for target in &objectives {
            jobs.extend((0..traces.len()).map(|trace| (variant, *without, *target, trace)));
        }
    }
    let outcomes = parallel::run_all(&jobs, |(_, without, target, trace)| {
        ours(&traces[*trace], *target, without, &[])
    })?;
    for target in &objectives {
        println!("\nunserved {} %", target.get() * 100.0);
        let mut table = TextTable::new(vec![
            Column::words("without"),
            Column::number("ratio\nmean"),
            Column::number("ratio\nworst"),
            Column::number("median\n|ln ÷ target|"),
            Column::number("worst\n÷ target"),
            Column::number("starts\nfleets/day"),
        ]);
        for (place, (name, _)) in VARIANTS.iter().enumerate() {
            let of_variant = jobs
                .iter()
                .zip(&outcomes)
                .filter(|((variant, _, of, _), _)| *variant == place && of == target);
            let rows: Vec<(Option<f64>, f64, f64)> = of_variant
                .map(|((.., trace), outcome)| {
                    let share = outcome.tally.unserved_share();
                    let peer = curve::cheapest(&peers[*trace], share);
                    let cost = outcome.tally.cost_over_need();
                    (
                        peer.map(|peer| cost / peer.cost),
                        share / target.get(),
                        outcome.tally.starts_per_day(),
                    )
                })
                .collect();
            let judgement = Judgement::new(target.get(), &rows);
            let number =
                |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
            let worst = rows.iter().map(|row| row.1).fold(0.0, f64::max);
            table.row(vec![
                (*name).to_string(),
                number(judgement.ratio_mean),
                number(judgement.ratio_worst),
                number(judgement.miss_median),
                format!("{worst:.2}"),
                format!("{:.2}", rows.iter().map(|row| row.2).fold(0.0, f64::max)),
            ]);
        }
        print!("{}", table.render(STYLE));
    }
    events(&traces, &objectives, &peers)
}

/// The traces that the built-in calendar speaks of, with it and without.
fn events(traces: &[Trace], objectives: &[Share], peers: &[Vec<Point>]) -> Result<()> {
    let calendar = fleetcast_document::parse_events(WORLD_CUP)
        .map_err(|problems| anyhow::anyhow!("{problems:?}"))
        .context("the match calendar")?;
    for (place, trace) in traces.iter().enumerate() {
        let span = trace.demand.start()..trace.demand.end();
        if !calendar.iter().any(|event| span.contains(&event.start)) {
            continue;
        }
        println!(
            "\n{} with its match calendar as events, nothing stated of them",
            trace.name
        );
        for target in objectives {
            for (name, events) in [("without", &[][..]), ("with", &calendar)] {
                let outcome = ours(trace, *target, &[], events)?;
                let share = outcome.tally.unserved_share();
                let cost = outcome.tally.cost_over_need();
                let peer = curve::cheapest(&peers[place], share);
                println!(
                    "  {} % {name:<7} the calendar: {cost:.3} × need at {:.3} % unserved, {} of the cheapest peer",
                    target.get() * 100.0,
                    share * 100.0,
                    peer.map_or("–".into(), |peer| format!("{:.3}", cost / peer.cost)),
                );
            }
        }
    }
    Ok(())
}

fn ours(trace: &Trace, target: Share, without: &[Part], events: &[Event]) -> Result<run::Outcome> {
    let objective = Objective::over_28_days(ObjectiveMetric::Unserved, target);
    let spec = PolicySpec::new(PolicyKind::Fleetcast, 0.0);
    run::run_as(trace, &spec, Some(objective), |config| {
        config.without = without.to_vec();
        config.events = events.to_vec();
    })
}
