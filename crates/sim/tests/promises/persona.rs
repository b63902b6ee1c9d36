//! Without any history the persona is what is known, and the fleet is there before its morning is.

use fleetcast_model::{Action, OverrideDecision, Units};

use crate::support::{
    Choice, Log, Mark, START, Shape, Site, minutes, persona, series, usual_choice,
};

/// Views of each hour of the day as the persona expects them: a morning that comes at once, at 02:00.
fn hours() -> Vec<f64> {
    let mut hours = vec![1.0; 24];
    hours[2..10].fill(8.0);
    hours
}

const VIEWS: f64 = 9_000.0;
/// The first step of the morning.
const MORNING: usize = 2 * 12;
/// A boot of half an hour and the step in which the decision is made.
const LEAD: usize = 7;

/// A fleet that boots for half an hour, on its first morning.
fn site(persona_shape: &[f64], known: bool) -> Site {
    let choice = Choice {
        boot: fleetcast_sim::BootTime::Fixed(minutes(29)),
        configure_seconds: 0,
        offers: 0b0001,
        ..usual_choice()
    };
    let mut site = choice.site(1);
    site.config.persona = Some(persona(0.8, VIEWS, persona_shape));
    let mean = hours().iter().sum::<f64>() / 24.0;
    let of_step = |i: usize| known.then(|| VIEWS * hours()[i / 12 % 24] / mean);
    site.simulation.demand = vec![
        series(START, (0..120).map(of_step).collect()),
        series(START, (0..120).map(|_| known.then_some(900.0)).collect()),
    ];
    site
}

fn wanted(log: &Log, step: usize) -> f64 {
    log.steps[step].components[0].wanted.as_f64()
}

/// The highest need of the morning, as it would be if the demand were known.
fn need() -> f64 {
    let log = site(&hours(), true).run();
    log.intervals[MORNING + 2].components[0].need as f64
}

#[test]
fn the_fleet_is_there_before_its_first_morning() {
    let with = site(&hours(), true).run();
    let without = site(&[], true).run(); // The same volume, evenly over the day.
    let before = MORNING - 1;
    assert!(
        !with.steps[..before]
            .iter()
            .any(|step| step.actions.iter().any(|a| matches!(a, Action::Fit(_))))
    );
    let decided = before + 1 - LEAD;
    assert!(
        wanted(&with, decided) > 0.7 * need(),
        "{} of {}",
        wanted(&with, decided),
        need()
    );
    assert!(
        wanted(&with, decided - 6) < 0.5 * need(),
        "not hours too early either"
    );
    assert!(
        wanted(&without, decided) < 0.5 * need(),
        "the demand has not come yet"
    );
    let lost = |log: &Log| -> f64 { log.intervals.iter().map(|i| i.components[0].unserved).sum() };
    assert!(
        lost(&with) < 0.2 * lost(&without),
        "{} and {}",
        lost(&with),
        lost(&without)
    );
}

#[test]
fn a_persona_alone_scales_a_fleet_that_reports_nothing() {
    let log = site(&hours(), false).run();
    assert!(
        log.steps
            .iter()
            .all(|step| step.components[0].demand.is_none())
    );
    let decided = MORNING - LEAD;
    assert!(
        wanted(&log, decided) > 0.7 * need(),
        "{} of {}",
        wanted(&log, decided),
        need()
    );
    assert!(wanted(&log, decided - 6) < 0.5 * need());
}

#[test]
fn history_overtakes_a_persona_that_is_wrong() {
    let mut site = usual_choice().site(1);
    site.config.persona = Some(persona(0.5, 90_000.0, &[])); // Ten times what will come.
    let views = Shape {
        level: 9_000.0,
        marks: vec![(0, 0, Mark::Zero)],
        ..usual_choice().views
    };
    site.simulation.demand[0] = series(START, views.values(10 * 288));
    site.simulation.demand[1] = series(START, usual_choice().calls.values(10 * 288));
    let log = site.run();
    let weight = |step: usize| {
        log.steps[step].components[0]
            .forecast
            .map(|f| f.persona_weight)
    };
    assert!(weight(10) > Some(0.5), "{:?}", weight(10));
    assert!(weight(2_800) < Some(0.2), "{:?}", weight(2_800));
    let (wanted, need) = (
        wanted(&log, 2_800),
        log.intervals[2_800].components[0].need as f64,
    );
    assert!(
        wanted < 2.5 * need,
        "{wanted} wanted where {need} are needed"
    );
}

#[test]
fn a_person_outranks_the_persona() {
    let mut site = site(&hours(), true);
    let mut choice = usual_choice();
    choice.overrides = vec![(0, OverrideDecision::Pin(Units::new(5)), 0, 60)];
    site.config.overrides = choice.site(1).config.overrides;
    let log = site.run();
    assert!((0..59).all(|step| wanted(&log, step) == 5.0));
}
