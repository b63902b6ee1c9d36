//! A provisional fleet state in words: quiet, the changes first, then what they come to and what the gate says.

use fleetcast_document::wire::Fraction;
use fleetcast_document::{
    ChangeAction, ChangeCause, ChangeReason, Money, PlanAccount, ProvisionalChange,
    ProvisionalFleetState, Recommendation,
};
use fleetcast_model::{Override, OverrideDecision, OverrideScore, PurchaseKind};
use jiff::Timestamp;

/// The plan in words.
pub fn plan_words(state: &ProvisionalFleetState) -> String {
    let mut text = String::new();
    let mut say = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let Some(plan) = &state.plan else {
        return text;
    };
    let name = &state.fleet.name;
    if state.provisional_changes.is_empty() {
        say(format!(
            "No changes: {name} is {} at {}.",
            if plan.limits.is_empty() {
                "as it should be"
            } else {
                "as far as its limits allow"
            },
            moment(plan.planned_at)
        ));
        for alert in &plan.alerts {
            say(format!("Alert: {alert}."));
        }
        for limit in &plan.limits {
            say(format!("Limit: {}.", limit.words));
        }
        return text;
    }
    say(format!("Plan for {name} at {}\n", moment(plan.planned_at)));
    for alert in &plan.alerts {
        say(format!("Alert: {alert}."));
    }
    if !plan.alerts.is_empty() {
        say(String::new());
    }
    for change in &state.provisional_changes {
        say(headline(change));
        say(format!("      {}", because(&change.reasons)));
    }
    say(format!("\n{}", totals(plan)));
    say(format!("Because: {}.", because(&plan.reasons)));
    say(format!("Gate: {}.", plan.gate.words));
    for standby in &plan.standby {
        say(format!("Standby: {standby}."));
    }
    for limit in &plan.limits {
        say(format!("Limit: {}.", limit.words));
    }
    for refusal in &plan.if_refused {
        say(format!(
            "If you refuse: {} is left with {} units, and {} falls short when the order would have served (with the \
             plan {}).",
            refusal.component,
            refusal.units,
            risk(refusal.breach_risk),
            risk(refusal.breach_risk_planned)
        ));
    }
    if !plan.recommendations.is_empty() {
        say("\nInstead you could, the best first:".into());
        for one in &plan.recommendations {
            say(recommended(one));
        }
    }
    say(format!("\nChange set {}", state.change_set_hash()));
    text
}

/// A word as a shell takes it.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// What an alternative means, with the command that takes it.
fn recommended(one: &Recommendation) -> String {
    format!(
        "  {}: {}\n      {}\n      {}",
        one.name,
        one.what,
        recommendation_effect(one),
        one.command
    )
}

/// What an alternative saves, and what that risks.
pub fn recommendation_effect(one: &Recommendation) -> String {
    let effect = if one.saves.micro_usd() > fleetcast_model::MicroUsd::ZERO {
        format!("saves {}", one.saves.micro_usd())
    } else {
        "saves nothing".into()
    };
    format!(
        "{effect} (the change costs {}), {} falls short (with the plan {}); {}",
        one.cost.micro_usd(),
        risk(one.breach_risk),
        risk(one.breach_risk_planned),
        gate_word(one.verdict),
    )
}

fn gate_word(verdict: fleetcast_document::GateVerdict) -> &'static str {
    use fleetcast_document::GateVerdict;
    match verdict {
        GateVerdict::Nothing => "nothing is left to change",
        GateVerdict::Go => "passes the gate",
        GateVerdict::NeedsApproval => "still needs an approval",
        GateVerdict::Withheld => "still withheld",
        GateVerdict::OverCap => "still over the hard cap",
    }
}

fn headline(change: &ProvisionalChange) -> String {
    let (sign, what) = match change.action {
        ChangeAction::Add => ('+', ""),
        ChangeAction::Remove => ('-', ""),
        ChangeAction::Promote => ('~', " promoted from standby"),
    };
    let money = match (&change.cost, change.action) {
        (Some(cost), _) => format!(
            "{} over two hours ({} to {})",
            cost.expected.micro_usd(),
            cost.low.micro_usd(),
            cost.high.micro_usd()
        ),
        (None, ChangeAction::Remove) => "given back now".into(),
        (None, _) => String::new(),
    };
    let when = match change.action {
        ChangeAction::Remove => String::new(),
        _ => {
            let ordered = change
                .order_by
                .map_or_else(String::new, |at| format!("order by {}, ", moment(at)));
            format!("{ordered}ready by {}; ", moment(change.ready_by))
        }
    };
    let zone = change
        .zone
        .as_ref()
        .map_or_else(String::new, |zone| format!(" in {zone}"));
    format!(
        "  {sign} {}: {} × {} ({}){zone}{what} = {} units; {when}{money}",
        change.component,
        change.instances,
        change.offer,
        purchase(change.purchase_kind),
        change.units
    )
}

/// How something is bought, in words.
pub fn purchase(kind: PurchaseKind) -> &'static str {
    match kind {
        PurchaseKind::OnDemand => "on demand",
        PurchaseKind::Spot => "spot",
        PurchaseKind::Reserved => "reserved",
        PurchaseKind::Standby => "standby",
    }
}

fn totals(plan: &PlanAccount) -> String {
    let mut parts = Vec::new();
    if plan.units_added > 0 {
        let cost = &plan.cost;
        let usd = |money: &Money| money.micro_usd();
        parts.push(format!(
            "{} units to add: {} over two hours ({} to {})",
            plan.units_added,
            usd(&cost.expected),
            usd(&cost.low),
            usd(&cost.high)
        ));
    }
    if plan.units_removed > 0 {
        parts.push(format!(
            "{} units to give back: saves {}",
            plan.units_removed,
            plan.saves.micro_usd()
        ));
    }
    format!("{}.", parts.join("; "))
}

/// `3 uncertainty of the forecast, 1 a known event`
pub fn because(reasons: &[ChangeCause]) -> String {
    let words: Vec<String> = reasons
        .iter()
        .map(|cause| {
            let name = cause
                .name
                .as_ref()
                .map_or_else(String::new, |name| format!(" ({name})"));
            format!("{} {}{name}", cause.units, reason_words(cause.reason))
        })
        .collect();
    words.join(", ")
}

fn reason_words(reason: ChangeReason) -> &'static str {
    match reason {
        ChangeReason::Floor => "for the floor",
        ChangeReason::Baseline => "for demand as it is now",
        ChangeReason::Season => "for the season",
        ChangeReason::Forecast => "for demand forecast for arrival",
        ChangeReason::Event => "for a known event",
        ChangeReason::Uncertainty => "for the uncertainty of the forecast",
        ChangeReason::Reactive => "for the reactive lower bound",
        ChangeReason::Hold => "kept, because a start would cost more",
        ChangeReason::Fallback => "for the fallback while demand is unknown",
        ChangeReason::SpotRisk => "against the loss of spot",
        ChangeReason::ZoneLoss => "against the loss of a zone",
        ChangeReason::Standby => "for standby",
        ChangeReason::Override => "by a person's override",
        ChangeReason::Policy => "by the policy's rule",
        ChangeReason::WholeInstances => "because instances come whole",
        ChangeReason::Surplus => "that nothing wants any more",
    }
}

/// An override with who decided it and why: `floor of 12 units for web until … by anna: launch`.
pub fn override_words(one: &Override) -> String {
    let what = match one.decision {
        OverrideDecision::Pin(units) => format!("pin to {units} units"),
        OverrideDecision::Floor(units) => format!("floor of {units} units"),
        OverrideDecision::Ceiling(units) => format!("ceiling of {units} units"),
        OverrideDecision::Pause => "pause".into(),
        OverrideDecision::Provision(units) => format!("{units} units more"),
        OverrideDecision::Forecast(stated) => format!(
            "forecast of {} interactions a minute",
            (stated.median.as_f64() / 1e3).round()
        ),
    };
    format!(
        "{what} for {} from {} to {}, by {}: {}",
        one.component,
        moment(one.start),
        moment(one.expires),
        one.owner,
        one.reason
    )
}

/// What an override brought: money and interactions, against the same fleet without it.
pub fn override_score(score: &OverrideScore) -> String {
    let money = if score.cost_with >= score.cost_without {
        format!("cost {} more", score.cost_with - score.cost_without)
    } else {
        format!("cost {} less", score.cost_without - score.cost_with)
    };
    let fewer = score.unserved_without - score.unserved_with;
    let served = if fewer.abs() < 0.5 {
        "left as much unserved".to_string()
    } else if fewer > 0.0 {
        format!("served {fewer:.0} interactions more")
    } else {
        format!("left {:.0} interactions more unserved", -fewer)
    };
    format!(
        "override, {}: {money} and {served} than without it (estimated)",
        override_words(&score.decided)
    )
}

fn risk(share: Fraction) -> String {
    let percent = share.0 * 100.0;
    if percent >= 9.95 {
        format!("{percent:.0} %")
    } else if percent >= 0.095 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.2} %")
    }
}

/// `2026-04-05 07:30 UTC`
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
