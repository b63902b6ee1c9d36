//! Demand that is unknown, and what is done about it, in words.

use fleetcast_engine::{Engine, Step};
use fleetcast_model::{Fallback, UnknownDemand, UnknownResponse};
use jiff::SignedDuration;

use super::words::moment;

/// What is unknown in a step, by component; that something is known again is no alert before a decision.
pub fn of_step(engine: &Engine, step: &Step) -> Vec<String> {
    let names = engine.config().fleet.components.iter();
    names
        .zip(&step.components)
        .filter_map(|(component, report)| Some((component, report.unknown?)))
        .filter(|(_, unknown)| unknown.response != UnknownResponse::KnownAgain)
        .map(|(component, unknown)| words(component.name.as_str(), &unknown))
        .collect()
}

/// One of them.
pub fn words(component: &str, unknown: &UnknownDemand) -> String {
    let since = moment(unknown.since);
    match unknown.response {
        UnknownResponse::Held { until } => format!(
            "the demand of {component} is unknown since {since}: nothing is given back, and at {} its fallback applies",
            moment(until)
        ),
        UnknownResponse::FellBack { to, units } => {
            let most = match to {
                Fallback::Hold => String::new(),
                Fallback::Floor | Fallback::Ceiling => format!(", {units} units"),
                Fallback::PeakOfDayBefore => {
                    format!(", {units} units or what is there if that is more")
                }
            };
            format!(
                "the demand of {component} is unknown since {since}: it falls back to {}{most}",
                to.name()
            )
        }
        UnknownResponse::KnownAgain => {
            format!("the demand of {component}, unknown since {since}, is known again")
        }
    }
}

/// How long the stretches of unknown demand were that ended or began in a run, of one component: how often, for how
/// long at most, and which of them outlasted the hold.
pub fn notes(component: &str, told: &[(jiff::Timestamp, UnknownDemand)]) -> Vec<String> {
    let over = told
        .iter()
        .filter(|(_, unknown)| unknown.response == UnknownResponse::KnownAgain);
    let lengths = over.map(|(at, unknown)| at.duration_since(unknown.since));
    let (mut count, mut longest) = (0, SignedDuration::ZERO);
    for length in lengths {
        count += 1;
        longest = longest.max(length);
    }
    let mut notes = Vec::new();
    if count > 0 {
        let times = if count == 1 {
            "once".into()
        } else {
            format!("{count} times")
        };
        notes.push(format!(
            "{component}: its demand was unknown {times}, for {longest:#} at most"
        ));
    }
    let fell = |(_, unknown): &&(jiff::Timestamp, UnknownDemand)| {
        matches!(unknown.response, UnknownResponse::FellBack { .. })
    };
    let fallen: Vec<_> = told.iter().filter(fell).collect();
    notes.extend(
        fallen
            .iter()
            .take(SHOWN)
            .map(|(at, unknown)| format!("alert: {}: {}", moment(*at), words(component, unknown))),
    );
    if fallen.len() > SHOWN {
        notes.push(format!(
            "alert: {component} fell back {} more times",
            fallen.len() - SHOWN
        ));
    }
    notes
}

/// So many fallbacks of a run are told one by one.
const SHOWN: usize = 3;
