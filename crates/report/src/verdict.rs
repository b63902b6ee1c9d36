//! The verdict of a backtest: one sentence, as plain when we lost as when we won.

use crate::number::{percent, significant, target, usd};
use crate::result::{Metric, ObjectiveView, PolicyResult};

/// Below this share two policies are as good as each other: a hundred-thousandth of demand.
const NEGLIGIBLE_SHARE: f64 = 1e-5;
/// Shares this close, as a factor, count as equal service.
const EQUAL_SERVICE: f64 = 1.1;
/// Costs this close, as a factor, count as equal.
const EQUAL_COST: f64 = 1.005;

/// Says what ours would have cost and left undone against the autoscaler it is to replace.
///
/// Of several autoscalers it speaks of the one that beats us if there is one, else of the one whose
/// service is nearest to ours, so that costs compare at like service. Policies that know the future
/// are no rivals; the perfect-foresight fleet (named `oracle…`) is quoted as the bound.
pub fn verdict(policies: &[PolicyResult], objective: Option<&ObjectiveView>) -> String {
    let metric = objective.map_or(Metric::Unserved, |objective| objective.metric);
    let Some(ours) = policies
        .iter()
        .find(|policy| policy.is_ours && policy.cost_usd.is_finite())
    else {
        return "Fleetcast was not among the policies, so there is nothing to compare.".to_owned();
    };
    let rivals: Vec<_> = policies
        .iter()
        .filter(|policy| !policy.is_ours && !policy.hindsight && policy.cost_usd.is_finite())
        .collect();
    let rival = choose_rival(ours, &rivals, metric);
    let mut text = match rival {
        Some(rival) => against(ours, rival, metric),
        None => format!(
            "Fleetcast would have cost {} and {}",
            usd(ours.cost_usd),
            left(metric.of(ours), metric)
        ),
    };
    if rival.is_some() && rivals.len() > 1 {
        text += &format!(" ({} autoscalers were compared)", rivals.len());
    }
    if let Some(objective) = objective {
        text += &judged(ours, rival, objective);
    }
    if let Some(oracle) = policies
        .iter()
        .find(|policy| policy.hindsight && policy.name.starts_with("oracle"))
    {
        text += &format!(
            "; the perfect-foresight fleet costs {}",
            usd(oracle.cost_usd)
        );
    }
    text + "."
}

fn choose_rival<'a>(
    ours: &PolicyResult,
    rivals: &[&'a PolicyResult],
    metric: Metric,
) -> Option<&'a PolicyResult> {
    let beats_us = |rival: &&&PolicyResult| {
        rival.cost_usd < ours.cost_usd && metric.of(rival) <= metric.of(ours)
    };
    let winner = rivals
        .iter()
        .filter(beats_us)
        .min_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd));
    let distance = |rival: &PolicyResult| {
        let factor = floored(metric.of(rival)) / floored(metric.of(ours));
        factor.max(1.0 / factor)
    };
    let nearest = || {
        let order = |a: &&&PolicyResult, b: &&&PolicyResult| {
            distance(a)
                .total_cmp(&distance(b))
                .then(a.cost_usd.total_cmp(&b.cost_usd))
        };
        rivals.iter().min_by(order)
    };
    winner.or_else(nearest).copied()
}

fn against(ours: &PolicyResult, rival: &PolicyResult, metric: Metric) -> String {
    let (a, b) = (metric.of(ours), metric.of(rival));
    let service = floored(a) / floored(b);
    let cost = ours.cost_usd / rival.cost_usd;
    let costs = format!(
        "{} against {} for {}",
        usd(ours.cost_usd),
        usd(rival.cost_usd),
        rival.label
    );
    let change = match cost {
        _ if !cost.is_finite() => "no comparison".to_owned(),
        cost if cost < 1.0 / EQUAL_COST => {
            format!("{} % less", significant((1.0 - cost) * 100.0, 2))
        }
        cost if cost > EQUAL_COST => format!("{} % more", significant((cost - 1.0) * 100.0, 2)),
        _ => "about the same".to_owned(),
    };
    let (cheaper, dearer) = (cost < 1.0 / EQUAL_COST, cost > EQUAL_COST);
    let (better, worse) = (service < 1.0 / EQUAL_SERVICE, service > EQUAL_SERVICE);
    let plain = format!("Fleetcast would have cost {costs} ({change})");
    let served = format!("{} against {}", left(a, metric), percent(b));
    match () {
        () if dearer && worse => {
            format!(
                "Fleetcast did worse here: it would have cost {costs} ({change}) and {served}, more of it"
            )
        }
        () if dearer && better => format!(
            "{plain} and {served}: the cheaper one leaves more {}",
            undone(metric)
        ),
        () if dearer => format!(
            "Fleetcast would have been the costlier one here: {costs} ({change}), and would have {served}"
        ),
        () if cheaper && worse => format!(
            "{plain}, but {served}: the cheaper one leaves more {}",
            undone(metric)
        ),
        () if worse => format!("{plain}, but {served}, which is worse"),
        () => format!("{plain} and {served}"),
    }
}

fn judged(ours: &PolicyResult, rival: Option<&PolicyResult>, objective: &ObjectiveView) -> String {
    let metric = objective.metric;
    let goal = format!(
        "the objective of {} {}",
        target(objective.target_share),
        metric.words()
    );
    let missed = |policy: &PolicyResult| metric.of(policy) > objective.target_share;
    if !missed(ours) {
        let rival = rival
            .filter(|rival| missed(rival))
            .map(|_| ", which the other missed")
            .unwrap_or_default();
        return format!("; {goal} was kept{rival}");
    }
    let excess = metric.of(ours) / objective.target_share;
    let by = if objective.target_share > 0.0 && excess < 1.995 {
        format!("by {} %", significant((excess - 1.0) * 100.0, 2))
    } else if objective.target_share > 0.0 {
        format!("by a factor of {}", significant(excess, 2))
    } else {
        format!("by {}", percent(metric.of(ours)))
    };
    let rival = rival.map_or("", |rival| {
        if missed(rival) {
            ", and the other missed it too"
        } else {
            ", and the other kept it"
        }
    });
    format!("; {goal} was missed {by}{rival}")
}

fn left(share: f64, metric: Metric) -> String {
    match metric {
        Metric::Unserved => format!("left {} of demand unserved", percent(share)),
        Metric::Violation => format!("been short of capacity {} of the time", percent(share)),
    }
}

fn undone(metric: Metric) -> &'static str {
    match metric {
        Metric::Unserved => "unserved",
        Metric::Violation => "time short",
    }
}

fn floored(share: f64) -> f64 {
    share.max(NEGLIGIBLE_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, cost_usd: f64, unserved_share: f64) -> PolicyResult {
        let label = if name == "hpa" {
            "Kubernetes HPA at 60 % with floor 12"
        } else {
            name
        };
        PolicyResult {
            name: name.to_owned(),
            label: label.to_owned(),
            cost_usd,
            unserved_share,
            violation_share: unserved_share * 2.0,
            is_ours: name == "fleetcast",
            hindsight: name == "oracle",
            ..PolicyResult::default()
        }
    }

    const HALF_PERCENT: ObjectiveView = ObjectiveView {
        metric: Metric::Unserved,
        target_share: 0.005,
    };

    #[track_caller]
    fn check(policies: &[(&str, f64, f64)], objective: Option<ObjectiveView>, expected: &str) {
        let policies: Vec<_> = policies
            .iter()
            .map(|(name, cost, unserved)| policy(name, *cost, *unserved))
            .collect();
        assert_eq!(verdict(&policies, objective.as_ref()), expected);
    }

    #[test]
    fn a_win_is_said_with_both_figures() {
        check(
            &[
                ("fleetcast", 1234.0, 0.0048),
                ("hpa", 1890.0, 0.0061),
                ("oracle", 1010.0, 0.0),
            ],
            Some(HALF_PERCENT),
            "Fleetcast would have cost $1,234 against $1,890 for Kubernetes HPA at 60 % with floor 12 (35 % less) and left 0.48 % \
             of demand unserved against 0.61 %; the objective of 0.5 % of demand unserved was kept, which the other missed; the \
             perfect-foresight fleet costs $1,010.",
        );
    }

    #[test]
    fn the_cheaper_one_is_said_to_leave_more_unserved() {
        check(
            &[("fleetcast", 1000.0, 0.009), ("hpa", 1500.0, 0.001)],
            None,
            "Fleetcast would have cost $1,000 against $1,500 for Kubernetes HPA at 60 % with floor 12 (33 % less), but left 0.90 % \
             of demand unserved against 0.10 %: the cheaper one leaves more unserved.",
        );
        check(
            &[("fleetcast", 1500.0, 0.001), ("hpa", 1000.0, 0.009)],
            None,
            "Fleetcast would have cost $1,500 against $1,000 for Kubernetes HPA at 60 % with floor 12 (50 % more) and left 0.10 % \
             of demand unserved against 0.90 %: the cheaper one leaves more unserved.",
        );
    }

    #[test]
    fn a_loss_is_said_plainly_and_the_winner_is_named() {
        check(
            &[
                ("fleetcast", 1500.0, 0.012),
                ("static", 9000.0, 0.0),
                ("hpa", 1000.0, 0.004),
            ],
            Some(HALF_PERCENT),
            "Fleetcast did worse here: it would have cost $1,500 against $1,000 for Kubernetes HPA at 60 % with floor 12 (50 % \
             more) and left 1.20 % of demand unserved against 0.40 %, more of it (2 autoscalers were compared); the objective of \
             0.5 % of demand unserved was missed by a factor of 2.4, and the other kept it.",
        );
        check(
            &[("fleetcast", 1100.0, 0.005), ("hpa", 1000.0, 0.005)],
            None,
            "Fleetcast would have been the costlier one here: $1,100 against $1,000 for Kubernetes HPA at 60 % with floor 12 (10 % \
             more), and would have left 0.50 % of demand unserved against 0.50 %.",
        );
    }

    #[test]
    fn a_missed_objective_is_said_with_its_measure() {
        check(
            &[("fleetcast", 1000.0, 0.0061)],
            Some(HALF_PERCENT),
            "Fleetcast would have cost $1,000 and left 0.61 % of demand unserved; the objective of 0.5 % of demand unserved was \
             missed by 22 %.",
        );
        check(
            &[("fleetcast", 1000.0, 0.001), ("hpa", 1000.0, 0.002)],
            Some(ObjectiveView {
                metric: Metric::Violation,
                target_share: 0.01,
            }),
            "Fleetcast would have cost $1,000 against $1,000 for Kubernetes HPA at 60 % with floor 12 (about the same) and been \
             short of capacity 0.20 % of the time against 0.40 %; the objective of 1 % of the time short of capacity was kept.",
        );
    }

    #[test]
    fn nothing_to_compare_is_still_a_sentence() {
        check(
            &[],
            None,
            "Fleetcast was not among the policies, so there is nothing to compare.",
        );
        check(
            &[("fleetcast", f64::NAN, f64::NAN)],
            None,
            "Fleetcast was not among the policies, so there is nothing to compare.",
        );
        check(
            &[("fleetcast", 0.0, 0.0), ("hpa", 0.0, 0.0)],
            Some(ObjectiveView {
                metric: Metric::Unserved,
                target_share: 0.0,
            }),
            "Fleetcast would have cost $0.00 against $0.00 for Kubernetes HPA at 60 % with floor 12 (no comparison) and left 0 % of \
             demand unserved against 0 %; the objective of 0 % of demand unserved was kept.",
        );
    }
}
