//! A fleet state: from JSON's types to the validated ones, and back.

use std::collections::{BTreeMap, BTreeSet};

use fleetcast_model as model;
use fleetcast_model::{ComponentName, Fleet, Units};

use crate::amount::{
    cores, duration, gigabytes, iops, megabits, money, positive, share, to_cores, to_gigabytes,
    to_megabits, to_money,
};
use crate::limits;
use crate::near::did_you_mean;
use crate::problem::Problems;
use crate::standby;
use crate::wire;
use crate::wire::{Fraction, IsoDuration};

/// Turns a fleet state into a fleet. What is wrong with it goes into `problems`; then the fleet is of no use.
pub(crate) fn read(state: &wire::FleetState, problems: &mut Problems) -> Fleet {
    let names: Vec<&ComponentName> = state
        .components
        .iter()
        .map(|component| &component.name)
        .collect();
    let mut components = Vec::new();
    for (i, component) in state.components.iter().enumerate() {
        let at = format!("/components/{i}");
        if let Some(first) = names[..i].iter().position(|name| **name == component.name) {
            let message = format!("component `{}` stands twice", component.name);
            let hint = format!(
                "names are unique; the first is component {} of the list",
                first + 1
            );
            problems.add(&format!("{at}/name"), message).hint(hint);
        }
        components.push(read_component(component, &at, problems));
        check_dependencies(component, &names, &at, problems);
    }
    check_cycles(&components, problems);
    check_all_have_demand(&components, problems);
    Fleet {
        name: state.name.clone(),
        components,
        budget: state
            .budget
            .as_ref()
            .map(|budget| read_budget(budget, problems)),
        approval_threshold: state.approval_threshold.as_ref().map(money),
        mode: state.mode,
        mode_promotion: state
            .mode_promotion
            .as_ref()
            .map(|rule| read_promotion(rule, state.mode, problems)),
        freeze_windows: read_freeze_windows(&state.freeze_windows, problems),
        quotas: limits::read_quotas(&state.quotas, problems),
        telemetry: (state.telemetry.as_ref())
            .map(|telemetry| read_telemetry(telemetry, problems))
            .unwrap_or_default(),
    }
}

fn read_telemetry(stated: &wire::Telemetry, problems: &mut Problems) -> model::TelemetryTerms {
    let delay = stated.delay.0;
    if delay > model::TelemetryTerms::DELAY_MAX {
        let message = format!("delay is {}; it is at most PT1H", stated.delay);
        problems
            .add("/telemetry/delay", message)
            .hint("by demand that is told later nothing is provisioned in time");
    }
    model::TelemetryTerms {
        delay,
        served_only: stated.served_only,
    }
}

fn read_promotion(
    rule: &wire::ModePromotion,
    mode: model::Mode,
    problems: &mut Problems,
) -> model::ModePromotion {
    let day = 86_400;
    if rule.after.0.as_secs() < day || rule.after.0.as_secs() % day != 0 {
        problems
            .add(
                "/mode_promotion/after",
                "`after` is not a number of whole days",
            )
            .hint("write it as `P14D`; regret is measured by the day");
    }
    if rule.up_to < mode {
        problems
            .add(
                "/mode_promotion/up_to",
                "up_to does less than the fleet's mode, so nothing is ever promoted",
            )
            .hint("leave mode_promotion out, or start with a lower mode");
    }
    model::ModePromotion {
        after: rule.after.0,
        regret_max: rule.regret_max,
        against: rule.against,
        up_to: rule.up_to,
    }
}

fn read_budget(budget: &wire::Budget, problems: &mut Problems) -> model::Budget {
    let monthly = money(&budget.monthly);
    let hard_cap = budget.hard_cap.as_ref().map(money);
    for (field, amount) in [("monthly", Some(monthly)), ("hard_cap", hard_cap)] {
        if amount == Some(model::MicroUsd::ZERO) {
            let message = format!("{field} is 0; a budget is more than nothing");
            problems
                .add(&format!("/budget/{field}/amount"), message)
                .hint("leave it out if there is no limit");
        }
    }
    if let Some(cap) = hard_cap.filter(|cap| *cap < monthly) {
        let message = format!("hard_cap is {cap}, below the monthly budget of {monthly}");
        problems
            .add("/budget/hard_cap/amount", message)
            .hint("the hard cap is the larger of the two");
    }
    model::Budget { monthly, hard_cap }
}

fn read_freeze_windows(
    windows: &[wire::FreezeWindow],
    problems: &mut Problems,
) -> Vec<model::FreezeWindow> {
    let mut out = Vec::new();
    for (i, window) in windows.iter().enumerate() {
        if window.end <= window.start {
            let message = format!(
                "the freeze window ends at {}, not after its start {}",
                window.end, window.start
            );
            problems.add(&format!("/freeze_windows/{i}/end"), message);
        }
        out.push(model::FreezeWindow {
            start: window.start,
            end: window.end,
            reason: window.reason.clone(),
        });
    }
    out
}

fn read_component(
    component: &wire::Component,
    at: &str,
    problems: &mut Problems,
) -> model::Component {
    if component.floor > component.ceiling {
        let message = format!(
            "floor is {}, above the ceiling of {}",
            component.floor, component.ceiling
        );
        problems
            .add(&format!("{at}/floor"), message)
            .hint("the floor is at most the ceiling");
    }
    let range = component.floor..=component.ceiling;
    if let Some(desired) = component
        .desired
        .filter(|desired| !range.is_empty() && !range.contains(desired))
    {
        let message = format!(
            "desired is {desired}, outside {} (floor) to {} (ceiling)",
            component.floor, component.ceiling
        );
        problems.add(&format!("{at}/desired"), message);
    }
    model::Component {
        name: component.name.clone(),
        unit: read_unit(&component.unit),
        placements: component.placements.iter().map(read_placement).collect(),
        floor: Units::new(component.floor),
        ceiling: Units::new(component.ceiling),
        desired: component.desired.map(Units::new),
        current: component.current.map(Units::new),
        configuration: read_configuration(&component.configuration),
        sla: read_sla(component, at, problems),
        serves: unique(&component.serves, &format!("{at}/serves"), problems),
        depends_on: component.depends_on.iter().map(read_dependency).collect(),
        stateful: component.stateful,
        standby: component
            .standby
            .as_ref()
            .map(|stated| standby::read(stated, &format!("{at}/standby"), problems)),
        timing: model::Timing {
            boot: component
                .timing
                .boot
                .map(|boot| duration(boot, &format!("{at}/timing/boot"), problems)),
            drain: duration(
                component.timing.drain,
                &format!("{at}/timing/drain"),
                problems,
            ),
            warm_up: duration(
                component.timing.warm_up,
                &format!("{at}/timing/warm_up"),
                problems,
            ),
            lifetime: duration(
                component.timing.lifetime,
                &format!("{at}/timing/lifetime"),
                problems,
            ),
            scale_in_per_hour: component
                .timing
                .scale_in_per_hour
                .map(|value| share(value, &format!("{at}/timing/scale_in_per_hour"), problems)),
            direction_changes_per_hour: component.timing.direction_changes_per_hour,
            hold_max: duration(
                component.timing.hold_max,
                &format!("{at}/timing/hold_max"),
                problems,
            ),
            fallback: component.timing.fallback,
        },
    }
}

fn unique<T: Clone + Ord + std::fmt::Display>(
    all: &[T],
    at: &str,
    problems: &mut Problems,
) -> Vec<T> {
    let mut seen = BTreeSet::new();
    for (i, one) in all.iter().enumerate() {
        if !seen.insert(one) {
            problems
                .add(&format!("{at}/{i}"), format!("`{one}` stands twice"))
                .hint("leave one of them out");
        }
    }
    all.to_vec()
}

fn read_unit(unit: &wire::Unit) -> model::UnitSize {
    model::UnitSize {
        cpu: cores(unit.cpu_cores),
        memory: gigabytes(unit.memory_gb),
        disk_io: unit.disk_io_ops.map(iops),
        bandwidth: unit.network_bandwidth_mbps.map(megabits),
        storage: unit.storage_gb.map(gigabytes),
    }
}

fn read_placement(placement: &wire::Placement) -> model::Placement {
    model::Placement {
        provider: placement.provider,
        region: placement.region.clone(),
        zones: placement.zones.clone(),
        offers: placement.offers.clone(),
        purchase_kinds: placement.purchase_kinds.clone(),
    }
}

fn read_configuration(configuration: &wire::Configuration) -> model::Configuration {
    let check = |check: &wire::HealthCheck| model::HealthCheck {
        path: check.path.clone(),
        port: check.port,
    };
    model::Configuration {
        image: configuration.image.clone(),
        architecture: configuration.architecture,
        user_data: configuration.user_data.clone(),
        tags: configuration.tags.clone(),
        health_check: configuration.health_check.as_ref().map(check),
        load_balancer: configuration.load_balancer.clone(),
    }
}

fn read_sla(component: &wire::Component, at: &str, problems: &mut Problems) -> model::Sla {
    let sla = &component.sla;
    let zone_loss = limits::read_zone_loss(component, at, problems);
    let at = format!("{at}/sla");
    let objective = sla.objective.as_ref().map(|objective| {
        let target_at = format!("{at}/objective/target");
        let target = share(objective.target, &target_at, problems);
        if [0.0, 1.0].contains(&objective.target.0) {
            let message = format!(
                "target is {} %; an objective allows more than 0 and less than 100 % to be missed",
                target.percent()
            );
            problems
                .add(&target_at, message)
                .hint("write a small share, such as \"0.5%\"");
        }
        let metric = objective.metric;
        if metric == model::ObjectiveMetric::Violation && sla.latency_ms_p95.is_none() {
            let message = "an objective on `violation` needs a latency target to violate";
            problems
                .add(&format!("{at}/objective/metric"), message)
                .hint("add `latency_ms_p95` to the SLA");
        }
        let window = positive(
            objective.window,
            &format!("{at}/objective/window"),
            problems,
        );
        model::Objective {
            metric,
            target,
            window,
        }
    });
    model::Sla {
        latency_ms_p95: sla.latency_ms_p95,
        availability: sla
            .availability
            .map(|value| share(value, &format!("{at}/availability"), problems)),
        importance: sla.importance,
        objective,
        zone_loss,
    }
}

fn read_dependency(dependency: &wire::Dependency) -> model::Dependency {
    model::Dependency {
        component: dependency.component.clone(),
        calls_per_interaction: dependency.calls_per_interaction,
        interaction_type: dependency.interaction_type.clone(),
    }
}

fn check_dependencies(
    component: &wire::Component,
    names: &[&ComponentName],
    at: &str,
    problems: &mut Problems,
) {
    for (i, dependency) in component.depends_on.iter().enumerate() {
        let called = &dependency.component;
        if !names.contains(&called) {
            let hint = did_you_mean(
                called.as_str(),
                names.iter().map(|name| name.as_str()),
                "the components are",
            );
            let message = format!("`{called}` is not a component of this fleet");
            problems
                .add(&format!("{at}/depends_on/{i}/component"), message)
                .hint(hint);
        }
    }
}

/// Follows the dependencies: demand that comes back to where it started would grow without end.
fn check_cycles(components: &[model::Component], problems: &mut Problems) {
    let mut finished = BTreeSet::new();
    for start in components {
        // A walk by hand, because a recursive one could be made to overflow the stack.
        let mut path: Vec<(&model::Component, usize)> = vec![(start, 0)];
        while let Some((component, next)) = path.last_mut() {
            let component = *component;
            let Some(dependency) = component
                .depends_on
                .get(*next)
                .filter(|_| !finished.contains(&component.name))
            else {
                finished.insert(&component.name);
                path.pop();
                continue;
            };
            *next += 1;
            let which = *next - 1;
            if let Some(at) = path
                .iter()
                .position(|(one, _)| one.name == dependency.component)
            {
                let mut round: Vec<&str> = path[at..]
                    .iter()
                    .map(|(one, _)| one.name.as_str())
                    .collect();
                round.push(dependency.component.as_str());
                let i = components
                    .iter()
                    .position(|one| one.name == component.name)
                    .unwrap_or_default();
                let message = format!(
                    "components depend on one another in a circle: {}",
                    round.join(" → ")
                );
                problems.add(
                    &format!("/components/{i}/depends_on/{which}/component"),
                    message,
                );
            } else if let Some(called) = components
                .iter()
                .find(|one| one.name == dependency.component)
            {
                path.push((called, 0));
            }
        }
    }
}

fn check_all_have_demand(components: &[model::Component], problems: &mut Problems) {
    let called: BTreeSet<&ComponentName> = components
        .iter()
        .flat_map(|one| &one.depends_on)
        .map(|dependency| &dependency.component)
        .collect();
    if called
        .iter()
        .any(|name| components.iter().all(|one| one.name != **name))
    {
        return; // A misspelt name was reported; it may be the call that is missing here.
    }
    for (i, component) in components.iter().enumerate() {
        if component.serves.is_empty() && !called.contains(&component.name) {
            let message = format!(
                "component `{}` has no demand: it serves nothing and nothing calls it",
                component.name
            );
            let hint = "say which interactions it serves, such as \"serves\": [\"content_view\"], or name it in another's `depends_on`";
            problems
                .add(&format!("/components/{i}"), message)
                .hint(hint);
        }
    }
}

/// Turns a fleet into the form in which it is written.
pub(crate) fn write(fleet: &Fleet) -> wire::FleetState {
    wire::FleetState {
        name: fleet.name.clone(),
        mode: fleet.mode,
        mode_promotion: fleet.mode_promotion.map(|rule| wire::ModePromotion {
            after: IsoDuration(rule.after),
            regret_max: rule.regret_max,
            against: rule.against,
            up_to: rule.up_to,
        }),
        budget: fleet.budget.map(|budget| wire::Budget {
            monthly: to_money(budget.monthly),
            hard_cap: budget.hard_cap.map(to_money),
        }),
        approval_threshold: fleet.approval_threshold.map(to_money),
        freeze_windows: fleet
            .freeze_windows
            .iter()
            .map(write_freeze_window)
            .collect(),
        quotas: fleet.quotas.iter().map(limits::write_quota).collect(),
        telemetry: (!fleet.telemetry.is_plain()).then_some(wire::Telemetry {
            delay: IsoDuration(fleet.telemetry.delay),
            served_only: fleet.telemetry.served_only,
        }),
        components: fleet.components.iter().map(write_component).collect(),
    }
}

fn write_freeze_window(window: &model::FreezeWindow) -> wire::FreezeWindow {
    wire::FreezeWindow {
        start: window.start,
        end: window.end,
        reason: window.reason.clone(),
    }
}

fn write_component(component: &model::Component) -> wire::Component {
    let configuration = &component.configuration;
    let sla = &component.sla;
    wire::Component {
        name: component.name.clone(),
        unit: wire::Unit {
            cpu_cores: to_cores(component.unit.cpu),
            memory_gb: to_gigabytes(component.unit.memory),
            disk_io_ops: component.unit.disk_io.map(model::Iops::as_f64),
            network_bandwidth_mbps: component.unit.bandwidth.map(to_megabits),
            storage_gb: component.unit.storage.map(to_gigabytes),
        },
        placements: component.placements.iter().map(write_placement).collect(),
        floor: component.floor.get(),
        ceiling: component.ceiling.get(),
        desired: component.desired.map(Units::get),
        current: component.current.map(Units::get),
        serves: component.serves.clone(),
        depends_on: component.depends_on.iter().map(write_dependency).collect(),
        sla: wire::Sla {
            latency_ms_p95: sla.latency_ms_p95,
            availability: sla.availability.map(|share| Fraction(share.get())),
            importance: sla.importance,
            objective: sla.objective.map(|objective| wire::Objective {
                metric: objective.metric,
                target: Fraction(objective.target.get()),
                window: IsoDuration(objective.window),
            }),
            zone_loss: sla.zone_loss.map(|share| Fraction(share.get())),
        },
        configuration: wire::Configuration {
            image: configuration.image.clone(),
            architecture: configuration.architecture,
            user_data: configuration.user_data.clone(),
            tags: BTreeMap::clone(&configuration.tags),
            health_check: configuration
                .health_check
                .as_ref()
                .map(|check| wire::HealthCheck {
                    path: check.path.clone(),
                    port: check.port,
                }),
            load_balancer: configuration.load_balancer.clone(),
        },
        stateful: component.stateful,
        standby: component.standby.as_ref().map(standby::write),
        timing: wire::Timing {
            boot: component.timing.boot.map(IsoDuration),
            drain: IsoDuration(component.timing.drain),
            warm_up: IsoDuration(component.timing.warm_up),
            lifetime: IsoDuration(component.timing.lifetime),
            scale_in_per_hour: component
                .timing
                .scale_in_per_hour
                .map(|share| Fraction(share.get())),
            direction_changes_per_hour: component.timing.direction_changes_per_hour,
            hold_max: IsoDuration(component.timing.hold_max),
            fallback: component.timing.fallback,
        },
    }
}

fn write_placement(placement: &model::Placement) -> wire::Placement {
    wire::Placement {
        provider: placement.provider,
        region: placement.region.clone(),
        zones: placement.zones.clone(),
        offers: placement.offers.clone(),
        purchase_kinds: placement.purchase_kinds.clone(),
    }
}

fn write_dependency(dependency: &model::Dependency) -> wire::Dependency {
    wire::Dependency {
        component: dependency.component.clone(),
        calls_per_interaction: dependency.calls_per_interaction,
        interaction_type: dependency.interaction_type.clone(),
    }
}
