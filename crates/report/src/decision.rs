//! One decision as `fleetcast why` tells it: what was seen, expected, wanted, done, and what else there was.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::number::{UNKNOWN, grouped, maybe, quantity, usd};
use crate::text_table::{TextStyle, cut, wrap};
use crate::time;

/// Longest text of a decision: it fits on one screen, whatever the plan holds.
const MOST_LINES: usize = 40;

/// One decision on one component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "schema", rename = "decision/v1")]
pub struct DecisionView {
    pub at: Timestamp,
    pub component: String,
    pub inputs: InputsView,
    /// `None` if there was none, and the reactive rule decided.
    pub forecast: Option<ForecastView>,
    pub requirement: Vec<ResourceView>,
    /// Whether the profile or what was learned of the use decided, in words; empty where no use was observed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learned: Vec<String>,
    /// Units wanted.
    pub wanted: u64,
    pub ready: u64,
    pub pending: u64,
    pub plan: Vec<PlanStepView>,
    /// The capacity ledger: why each wanted unit is wanted; adds up to `wanted`.
    pub reasons: Vec<ReasonView>,
    pub alternatives: Vec<AlternativeView>,
    /// How much stands by, how it is kept, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standby: Vec<String>,
    /// What people were told: that the demand was unknown, and what was done about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
    /// Quotas that bound, and promises for the loss of a zone that are not kept, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// What people decided: what is in force, and what it brought where it is over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    /// What the gate said, in words: `passed: $12/h is under the approval threshold of $50/h`.
    pub gate: String,
    /// What else the gate would let pass, or what would cost less, each worked out; for the fleet as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recommendations: Vec<String>,
    /// What the component costs an hour once the plan is done.
    pub cost_usd_per_hour: f64,
}

/// What was known of demand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InputsView {
    pub last_demand: Option<f64>,
    pub demand_unit: String,
    /// How old the last demand was.
    pub age_seconds: Option<u64>,
    /// Steps without an observation in the last hour.
    pub missing_steps: u64,
    /// What 95 % of responses were within, as the queueing model has it; `None`: not known, or beyond all bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms_p95: Option<f64>,
    /// The same as it was measured, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_latency_ms_p95: Option<f64>,
    /// What they must be within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_target_ms: Option<u64>,
}

/// What was expected at the time an order placed now would serve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForecastView {
    pub arrival: Timestamp,
    pub model: String,
    pub quantiles: Vec<QuantileView>,
}

/// One quantile: with probability `level`, demand stays under `demand`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QuantileView {
    pub level: f64,
    pub demand: f64,
}

/// What one resource asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceView {
    pub resource: String,
    pub quantity: f64,
    /// The unit of `quantity`: `cores`.
    pub unit: String,
    /// Units of the component that provide it, as a fraction.
    pub units: f64,
    /// This resource asks for the most units.
    pub binding: bool,
}

/// One step of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum PlanStepView {
    Order {
        units: u64,
        offer: String,
        price_usd_per_hour: f64,
    },
    Release {
        units: u64,
        offer: String,
    },
    Keep {
        units: u64,
    },
}

/// One entry of the capacity ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReasonView {
    pub reason: String,
    pub units: i64,
}

/// Something else that could have been done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlternativeView {
    pub what: String,
    pub units: u64,
    pub cost_usd_per_hour: f64,
    pub consequence: String,
}

/// The decision as JSON, indented.
pub fn decision_json(view: &DecisionView) -> String {
    serde_json::to_string_pretty(view)
        .unwrap_or_else(|error| panic!("{view:?} is not JSON: {error}"))
}

/// The decision as text of at most 40 lines, the outcome first.
pub fn decision_text(view: &DecisionView, style: TextStyle) -> String {
    let mut lines = vec![style.accent(&cut(&headline(view), style.width))];
    let mut section = |head: &str, entries: Vec<String>, most: usize| {
        let left_out = entries.len().saturating_sub(most);
        for (index, entry) in entries.into_iter().take(most).enumerate() {
            for (row, text) in folded(entry, style.width.saturating_sub(14).max(20))
                .into_iter()
                .enumerate()
            {
                let head = if index == 0 && row == 0 { head } else { "" };
                let indent = if row > 0 { "  " } else { "" };
                lines.push(cut(&format!("  {head:<9} {indent}{text}"), style.width));
            }
        }
        if left_out > 0 {
            lines.push(format!(
                "  {:<9} … and {left_out} more (--format json has all)",
                ""
            ));
        }
    };
    section("alert", view.alerts.clone(), 2);
    let latency = latency(&view.inputs);
    section(
        "seen",
        std::iter::once(seen(&view.inputs)).chain(latency).collect(),
        2,
    );
    section("expected", expected(view), 3);
    section("needs", view.requirement.iter().map(resource).collect(), 6);
    section("learned", view.learned.clone(), 6);
    section(
        "wanted",
        vec![format!(
            "{}, with {} ready and {} on the way",
            units(view.wanted),
            view.ready,
            view.pending
        )],
        1,
    );
    section("because", ledger(view), 9);
    section("plan", plan(view), 5);
    section(
        "cost",
        vec![format!("{}/h once done", usd(view.cost_usd_per_hour))],
        1,
    );
    section(
        "gate",
        wrap(&view.gate, style.width.saturating_sub(12).max(20)),
        2,
    );
    section("options", view.recommendations.clone(), 3);
    section("standby", view.standby.clone(), 2);
    section("limits", view.limits.clone(), 4);
    section("people", view.overrides.clone(), 4);
    section(
        "instead",
        view.alternatives.iter().map(alternative).collect(),
        5,
    );
    lines.truncate(MOST_LINES);
    lines.join("\n") + "\n"
}

/// The entry as it stands if it fits, else wrapped.
fn folded(entry: String, width: usize) -> Vec<String> {
    if entry.chars().count() <= width + 2 {
        vec![entry]
    } else {
        wrap(&entry, width)
    }
}

fn headline(view: &DecisionView) -> String {
    let total = |pick: fn(&PlanStepView) -> u64| view.plan.iter().map(pick).sum::<u64>();
    let ordered = total(|step| {
        if let PlanStepView::Order { units, .. } = step {
            *units
        } else {
            0
        }
    });
    let released = total(|step| {
        if let PlanStepView::Release { units, .. } = step {
            *units
        } else {
            0
        }
    });
    let what = match (ordered, released) {
        (0, 0) => format!("no change, keeps {}", units(view.ready + view.pending)),
        (0, released) => format!("releases {}", units(released)),
        (ordered, 0) => format!("orders {}", units(ordered)),
        (ordered, released) => format!("orders {} and releases {released}", units(ordered)),
    };
    format!("{}: {what} ({})", view.component, time::moment(view.at))
}

fn seen(inputs: &InputsView) -> String {
    let age = match inputs.age_seconds {
        Some(seconds) => format!(", {} old", time::duration(seconds)),
        None => String::new(),
    };
    let demand = match inputs.last_demand {
        Some(demand) => format!("demand of {} {}{age}", quantity(demand), inputs.demand_unit),
        None => "no demand observed".to_owned(),
    };
    match inputs.missing_steps {
        0 => demand,
        1 => format!("{demand}; 1 step missing in the last hour"),
        missing => format!("{demand}; {missing} steps missing in the last hour"),
    }
}

/// The latency beside its target, where there is one.
fn latency(inputs: &InputsView) -> Option<String> {
    let target = inputs.latency_target_ms?;
    if let Some(measured) = inputs.measured_latency_ms_p95 {
        let model = maybe(inputs.latency_ms_p95, |latency| format!("{latency:.0} ms"));
        return Some(format!(
            "95 % of responses within {measured:.0} ms as measured (target {target} ms); {model} by the queueing model"
        ));
    }
    Some(match inputs.latency_ms_p95 {
        Some(latency) => format!(
            "95 % of responses within {latency:.0} ms (target {target} ms), by the queueing model"
        ),
        None => {
            format!("the queue grows: 95 % of responses are not within the target of {target} ms")
        }
    })
}

fn expected(view: &DecisionView) -> Vec<String> {
    let Some(forecast) = &view.forecast else {
        return vec!["no healthy forecast: the reactive rule decided".to_owned()];
    };
    let quantiles: Vec<String> = forecast
        .quantiles
        .iter()
        .map(|quantile| {
            format!(
                "{} % under {}",
                crate::number::target(quantile.level).trim_end_matches(" %"),
                quantity(quantile.demand)
            )
        })
        .collect();
    let unit = &view.inputs.demand_unit;
    vec![
        format!(
            "at {}, when an order placed now would serve:",
            time::moment(forecast.arrival),
        ),
        format!(
            "{} {unit}",
            if quantiles.is_empty() {
                UNKNOWN.to_owned()
            } else {
                quantiles.join(", ")
            }
        ),
        format!("by {}", forecast.model),
    ]
}

fn resource(view: &ResourceView) -> String {
    let binds = if view.binding { "  ◂ binds" } else { "" };
    format!(
        "{:<25} {:>9} {:<12} = {}{binds}",
        view.resource,
        quantity(view.quantity),
        view.unit,
        format_args!("{:.1} units", view.units)
    )
}

fn ledger(view: &DecisionView) -> Vec<String> {
    let mut lines: Vec<String> = view
        .reasons
        .iter()
        .map(|entry| format!("{:>6} {}", signed(entry.units), entry.reason))
        .collect();
    let sum: i64 = view.reasons.iter().map(|entry| entry.units).sum();
    if i64::try_from(view.wanted) != Ok(sum) {
        lines.insert(
            0,
            format!(
                "these reasons add up to {sum}, not {}: this is a bug, please report it",
                view.wanted
            ),
        );
    }
    lines
}

fn plan(view: &DecisionView) -> Vec<String> {
    if view.plan.is_empty() {
        return vec!["nothing to do".to_owned()];
    }
    let step = |step: &PlanStepView| match step {
        PlanStepView::Order {
            units,
            offer,
            price_usd_per_hour,
        } => {
            format!(
                "order {units} × {offer} at {}/h each",
                usd(*price_usd_per_hour)
            )
        }
        PlanStepView::Release { units, offer } => format!("release {units} × {offer}"),
        PlanStepView::Keep { units: kept } => format!("keep {}", units(*kept)),
    };
    view.plan.iter().map(step).collect()
}

fn alternative(view: &AlternativeView) -> String {
    let cost = maybe(Some(view.cost_usd_per_hour), usd);
    format!(
        "{}: {}, {cost}/h; {}",
        view.what,
        units(view.units),
        view.consequence
    )
}

fn units(count: u64) -> String {
    format!(
        "{} unit{}",
        grouped(count as f64, 0),
        if count == 1 { "" } else { "s" }
    )
}

fn signed(units: i64) -> String {
    format!("{units:+}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> DecisionView {
        let resource = |name: &str, quantity, unit: &str, units, binding| ResourceView {
            resource: name.to_owned(),
            quantity,
            unit: unit.to_owned(),
            units,
            binding,
        };
        let reason = |reason: &str, units| ReasonView {
            reason: reason.to_owned(),
            units,
        };
        let quantile = |level, demand| QuantileView { level, demand };
        DecisionView {
            at: "2025-03-04T03:05:00Z".parse().unwrap(),
            component: "web".to_owned(),
            inputs: InputsView {
                last_demand: Some(10_450.0),
                demand_unit: "interactions/min".to_owned(),
                age_seconds: Some(70),
                missing_steps: 1,
                latency_ms_p95: Some(180.4),
                measured_latency_ms_p95: None,
                latency_target_ms: Some(250),
            },
            forecast: Some(ForecastView {
                arrival: "2025-03-04T03:11:00Z".parse().unwrap(),
                model: "combination of 4".to_owned(),
                quantiles: vec![
                    quantile(0.5, 10_900.0),
                    quantile(0.95, 12_300.0),
                    quantile(0.995, 13_800.0),
                ],
            }),
            requirement: vec![
                resource("CPU", 86.5, "cores", 43.25, true),
                resource("Memory", 140.0, "GB", 35.0, false),
            ],
            learned: Vec::new(),
            wanted: 44,
            ready: 36,
            pending: 2,
            plan: vec![
                PlanStepView::Keep { units: 38 },
                PlanStepView::Order {
                    units: 6,
                    offer: "m7g.large on-demand, eu-west-1b".to_owned(),
                    price_usd_per_hour: 0.0816,
                },
            ],
            reasons: vec![
                reason("baseline", 35),
                reason("season: Tuesday morning", 4),
                reason("uncertainty to 99.5 %", 5),
            ],
            alerts: Vec::new(),
            standby: Vec::new(),
            limits: Vec::new(),
            overrides: Vec::new(),
            alternatives: vec![AlternativeView {
                what: "buy the 95 % quantile".to_owned(),
                units: 39,
                cost_usd_per_hour: 3.18,
                consequence: "about 3 times as much demand unserved".to_owned(),
            }],
            gate: "passed: $3.59/h is under the approval threshold of $50/h".to_owned(),
            recommendations: vec!["place the orders 15 minutes later: saves $0.45".to_owned()],
            cost_usd_per_hour: 3.59,
        }
    }

    #[test]
    fn a_decision_reads_from_the_outcome_to_the_alternatives() {
        let expected = "\
web: orders 6 units (Tue 4 Mar 2025 03:05 UTC)
  seen      demand of 10,450 interactions/min, 1 min 10 s old; 1 step missing in the last hour
            95 % of responses within 180 ms (target 250 ms), by the queueing model
  expected  at Tue 4 Mar 2025 03:11 UTC, when an order placed now would serve:
            50 % under 10,900, 95 % under 12,300, 99.5 % under 13,800 interactions/min
            by combination of 4
  needs     CPU                            86.5 cores        = 43.2 units  ◂ binds
            Memory                          140 GB           = 35.0 units
  wanted    44 units, with 36 ready and 2 on the way
  because      +35 baseline
                +4 season: Tuesday morning
                +5 uncertainty to 99.5 %
  plan      keep 38 units
            order 6 × m7g.large on-demand, eu-west-1b at $0.08/h each
  cost      $3.59/h once done
  gate      passed: $3.59/h is under the approval threshold of $50/h
  options   place the orders 15 minutes later: saves $0.45
  instead   buy the 95 % quantile: 39 units, $3.18/h; about 3 times as much demand unserved
";
        assert_eq!(decision_text(&example(), TextStyle::default()), expected);
    }

    #[test]
    fn the_longest_decision_fits_on_a_screen() {
        let mut view = example();
        view.requirement = vec![view.requirement[0].clone(); 50];
        view.plan = vec![view.plan[1].clone(); 50];
        view.reasons = vec![view.reasons[0].clone(); 50];
        view.alternatives = vec![view.alternatives[0].clone(); 50];
        view.gate = "word ".repeat(200);
        let text = decision_text(&view, TextStyle::default());
        assert!(
            text.lines().count() <= 40 && text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert!(
            text.contains("these reasons add up to 1750, not 44") && text.contains("… and 45 more")
        );
    }

    #[test]
    fn a_decision_without_data_says_so() {
        let text = decision_text(&DecisionView::default(), TextStyle::default());
        assert!(
            text.contains("no demand observed")
                && text.contains("the reactive rule decided")
                && text.contains("nothing to do")
        );
    }

    #[test]
    fn json_reads_back_and_names_its_version() {
        let json = decision_json(&example());
        assert!(json.contains(r#""schema": "decision/v1""#));
        assert_eq!(
            serde_json::from_str::<DecisionView>(&json).unwrap(),
            example()
        );
    }
}
