//! What-if: changed documents, comparisons, rules for a pipeline, and the frontier.

use serde_json::Value;

use crate::place::Place;

const COMPARE: [&str; 8] = [
    "backtest",
    "shop",
    "--demand",
    "demand.csv",
    "--warm-up",
    "1d",
    "--vs",
    "--set",
];

#[test]
fn a_higher_floor_costs_more_and_a_rule_says_so() {
    let place = Place::with_shop(4);
    let floor = "fleet.components[web].floor=20";
    let ran = place.run(
        &[
            &COMPARE[..],
            &[floor, "--fail-if", "cost>+2% or violation>+0.1pp"],
        ]
        .concat(),
    );
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    for words in [
        "against fleet.components[web].floor=20",
        "The change costs",
        "95 % interval",
    ] {
        assert!(ran.out.contains(words), "{words} is not in\n{}", ran.out);
    }
    assert!(
        ran.err.contains("failed: cost is +") && ran.err.contains("`cost>+2%`"),
        "{}",
        ran.err
    );
    let json = place.run(
        &[
            &COMPARE[..],
            &[floor, "--format", "json", "--fail-if", "cost<-50%"],
        ]
        .concat(),
    );
    assert_eq!(json.code, Some(0), "{}", json.err);
    let result: Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(result["schema"], "comparison/v1");
    let cost = &result["figures"][0];
    assert!(cost["relative"].as_f64().expect("a number") > 0.0, "{cost}");
    assert!(cost["difference_interval"].is_array(), "{cost}");
}

#[test]
fn what_changes_nothing_makes_no_difference() {
    let place = Place::with_shop(3);
    let same = "fleet.components[web].floor=2";
    let ran = place.run(&[&COMPARE[..], &[same]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("makes no difference"), "{}", ran.out);
}

#[test]
fn a_change_that_cannot_be_made_names_the_nearest_that_can() {
    let place = Place::with_shop(2);
    let check = |change: &str, code: i32, words: &str| {
        let ran = place.run(&[&COMPARE[..], &[change]].concat());
        assert_eq!(ran.code, Some(code), "{}", ran.err);
        assert!(ran.err.contains(words), "{words} is not in\n{}", ran.err);
    };
    check(
        "fleet.components[web].flor=3",
        3,
        "did you mean `components[web].floor`?",
    );
    check("fleet.components[wep].floor=3", 3, "did you mean `web`?");
    check(
        "fleet.components[web].floor=lots",
        3,
        "fleet.json with --set",
    );
    check("fleet.components[web].floor", 2, "PATH=VALUE");
    check(
        "shop.floor=3",
        2,
        "a path begins with fleet, persona, events, overrides, offers",
    );
    let rule = place.run(
        &[
            &COMPARE[..],
            &["fleet.mode=auto", "--fail-if", "cost>+2% or volation>+1pp"],
        ]
        .concat(),
    );
    assert_eq!(rule.code, Some(2));
    assert!(rule.err.contains("^^^^^^^^"), "{}", rule.err);
    let without = place.run(&[
        "backtest",
        "shop",
        "--demand",
        "demand.csv",
        "--fail-if",
        "cost>+2%",
    ]);
    assert_eq!(without.code, Some(3));
    assert!(without.err.contains("--vs"), "{}", without.err);
}

#[test]
fn bounds_need_no_base() {
    let place = Place::with_demand(3);
    let plain = [
        "backtest",
        "--demand",
        "demand.csv",
        "--capacity-per-unit",
        "40",
        "--warm-up",
        "1d",
        "--no-report",
        "--policy",
        "static:1",
        "--fail-if",
    ];
    let ran = place.run(&[&plain[..], &["violation>50%"]].concat());
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("failed: violation is"), "{}", ran.err);
    assert_eq!(
        place.run(&[&plain[..], &["cost>1000000"]].concat()).code,
        Some(0)
    );
}

#[test]
fn a_frontier_shows_what_less_breach_costs() {
    let place = Place::with_demand(5);
    let args = [
        "frontier",
        "--demand",
        "demand.csv",
        "--capacity-per-unit",
        "40",
        "--warm-up",
        "1d",
        "--levels",
        "0.2%,2%,10%",
        "--policy",
        "kubernetes-hpa:0.6",
    ];
    let text = place.check(&args);
    for words in [
        "◆ the present objective",
        "0.5 % ◆ now",
        "breach probability",
        "Kubernetes HPA at 60 %",
        "$ in 30 days",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let page = place.read("fleetcast-report/frontier.html");
    assert!(page.contains("Cost against breach probability") && !page.contains("http:"));
    let json = place.check(&[&args[..], &["--format", "json", "--no-report"]].concat());
    let result: Value = serde_json::from_str(&json).expect("JSON");
    let points = result["points"].as_array().expect("a list");
    assert_eq!(points.len(), 4);
    let refused = place.run(&[&args[..], &["--record", "there"]].concat());
    assert_eq!(refused.code, Some(3));
}

#[test]
fn autoscalers_of_nodes_run_on_a_shop_and_in_the_plain_setting() {
    let place = Place::with_shop(3);
    for policy in [
        "cluster-autoscaler:0.6",
        "cluster-autoscaler-price:0.6",
        "karpenter:0.6",
    ] {
        for setting in [&["shop"][..], &["--capacity-per-unit", "40"]] {
            let args = [
                "backtest",
                "--demand",
                "demand.csv",
                "--warm-up",
                "1d",
                "--policy",
                policy,
                "--format",
                "json",
            ];
            let json = place.check(&[&args[..], setting].concat());
            let result: Value = serde_json::from_str(&json).expect("JSON");
            let unserved = result["policies"][0]["unserved_share"]
                .as_f64()
                .expect("a number");
            assert!(unserved < 0.2, "{policy}: {unserved}");
        }
    }
}
