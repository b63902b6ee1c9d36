//! Two versions of the documents on the same demand.

use std::collections::BTreeMap;

use anyhow::Result;
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_report::{
    ComparedFigure, Comparison, DayFigures, DayPair, compare, comparison_verdict,
};
use fleetcast_sim::{Daily, Day};

use super::demand::History;
use super::outcome::floors;
use super::runs::{self, Run};
use super::scenario::Scenario;
use crate::cli::BacktestArgs;
use crate::files::BadInput;

/// Runs the base and the changed version, and compares them day by day.
pub fn compare_versions(args: &BacktestArgs, history: &History) -> Result<Comparison> {
    let spec = match args.policy.as_slice() {
        [] => PolicySpec::new(PolicyKind::Fleetcast, 0.0),
        [one] if one.kind != PolicyKind::Oracle => one.clone(),
        [_] => {
            let text = "perfect foresight heeds no document: compare with another --policy";
            return Err(BadInput(text.into()).into());
        }
        _ => return Err(BadInput("--vs compares one policy: give one --policy".into()).into()),
    };
    let [base, changed] = Scenario::versions(args, history)?;
    let run = |scenario: &Scenario| Run::new(&spec, &floors(args, scenario));
    let finished = runs::run_both([(&base, run(&base)), (&changed, run(&changed))], args.quiet)?;
    let [daily_base, daily_changed] = finished.each_ref().map(|finished| &finished.daily);
    let days = pairs(daily_base, daily_changed);
    let figures = compare(&days);
    let failed = failed(args, &figures);
    let mut notes = changed.notes.clone();
    notes.retain(|note| !base.notes.contains(note));
    Ok(Comparison {
        title: base.title.clone(),
        changes: args.set.iter().map(|change| change.text.clone()).collect(),
        policy: spec.label(),
        days: days.len() as u64,
        verdict: comparison_verdict(&figures, days.len() as u64),
        figures,
        failed,
        notes,
    })
}

/// What of `--fail-if` came true of a comparison.
pub fn failed(args: &BacktestArgs, figures: &[ComparedFigure]) -> Option<String> {
    args.fail_if.as_ref().and_then(|rule| rule.judge(figures))
}

/// The figures of one run by itself, for rules that need no base.
pub fn alone(daily: &Daily) -> Vec<ComparedFigure> {
    compare(&pairs(daily, daily))
}

/// The days that both runs have.
fn pairs(base: &Daily, changed: &Daily) -> Vec<DayPair> {
    let of_base: BTreeMap<i64, &Day> = base.days().iter().map(|day| (day.number, day)).collect();
    let pair = |day: &Day| {
        of_base.get(&day.number).map(|base| DayPair {
            base: figures(base),
            changed: figures(day),
        })
    };
    changed.days().iter().filter_map(pair).collect()
}

fn figures(day: &Day) -> DayFigures {
    DayFigures {
        cost_usd: day.bill as f64 / 3.6e9,
        demand: day.demand,
        unserved: day.unserved,
        steps: day.steps as f64,
        steps_in_violation: day.violations as f64,
        unit_starts: day.starts as f64,
    }
}
