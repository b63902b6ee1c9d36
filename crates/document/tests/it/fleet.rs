use fleetcast_document::Document;
use fleetcast_model::Mode;

use crate::{EVENTS, FLEET, OVERRIDES, PREDICTED, changed, check, read};

#[test]
fn every_problem_is_listed_at_once() {
    check(
        FLEET,
        &[
            ("\"mode\": \"auto\"", "\"mode\": \"automatic\""),
            ("\"memory_gb\": 4", "\"memory_gb\": \"8GB\""),
            ("\"importance\": 9", "\"importance\": 11"),
            ("\"ceiling\": 60", "\"ceiling\": 2"),
            ("\"component\": \"stock\"", "\"component\": \"stok\""),
        ],
        &[
            "mode is \"automatic\", which is not a mode; did you mean `auto`?",
            "memory_gb is \"8GB\"; it is a number in GB; write 8",
            "floor is 3, above the ceiling of 2; the floor is at most the ceiling",
            "`stok` is not a component of this fleet; did you mean `stock`?",
            "importance is 11; importance is at most 10",
        ],
    );
    check(
        FLEET,
        &[("\"ceiling\": 12,", ""), ("\"provider\": \"aws\",", "")],
        &[
            "`provider` is missing from a placement; add it: The provider",
            "`ceiling` is missing from a component; add it: Never more units than this; not below the floor",
        ],
    );
}

#[test]
fn units_in_text_are_turned_into_the_number_to_write() {
    for (written, hint) in [
        ("\"8GB\"", "; write 8"),
        ("\"512 MB\"", "; write 0.512"),
        ("\"2Gi\"", "; write 2.147483648"),
        ("\"4\"", "; write 4"),
        ("\"lots\"", "; write the number of GB, without quotes"),
    ] {
        let expected = format!("memory_gb is {written}; it is a number in GB{hint}");
        check(
            FLEET,
            &[("\"memory_gb\": 4", &format!("\"memory_gb\": {written}"))],
            &[&expected],
        );
    }
    check(
        FLEET,
        &[("\"cpu_cores\": 2,", "\"cpu_cores\": \"500m\",")],
        &["cpu_cores is \"500m\"; it is a number in cores; write 0.5"],
    );
}

#[test]
fn values_out_of_range_are_explained() {
    let cases = [
        ("PT2M", "P4000D", "drain is P4000D; it is at most P3660D"),
        (
            "\"floor\": 3",
            "\"floor\": 0",
            "floor is 0; a floor is at least 1",
        ),
        (
            "\"floor\": 3",
            "\"floor\": 2.5",
            "floor is 2.5; it is a whole number",
        ),
        (
            "\"cpu_cores\": 2",
            "\"cpu_cores\": 0",
            "cpu_cores is 0; the CPU of a unit is more than 0",
        ),
        (
            "\"floor\": 3",
            "\"floor\": null",
            "floor is null; it is a whole number; leave it out if it is not known",
        ),
        (
            "\"0.5%\"",
            "\"0%\"",
            "target is 0 %; an objective allows more than 0 and less than 100 % to be missed; write a small share, such as \"0.5%\"",
        ),
        (
            "\"0.5%\"",
            "5",
            "target is 5; a share is at most 1; write a number between 0 and 1, or percent such as \"0.5%\"",
        ),
        (
            "\"0.5%\"",
            "\"half\"",
            "\"half\" is not a share; write a number between 0 and 1, or percent such as \"0.5%\"",
        ),
        (
            "\"99.9%\"",
            "\"101%\"",
            "availability is 101 %; a share is between 0 and 100 %",
        ),
        (
            "\"P28D\"",
            "\"P1M\"",
            "\"P1M\" is not a duration; write it as ISO 8601 does: `PT5M` is five minutes, `PT2H` two hours, `P1D` a day",
        ),
        (
            "\"P28D\"",
            "300",
            "window is 300; it is text in quotes; write it as ISO 8601 does: `PT5M` is five minutes, `PT2H` two hours, `P1D` a day",
        ),
        (
            "\"P28D\"",
            "\"PT0S\"",
            "window is PT0S; it must last longer than nothing",
        ),
        (
            "9000, \"currency\": \"USD\"",
            "9000, \"currency\": \"EUR\"",
            "currency is \"EUR\"; only `USD` is supported",
        ),
        (
            "\"amount\": 12000",
            "\"amount\": 800",
            "hard_cap is $800.00, below the monthly budget of $9,000.00; the hard cap is the larger of the two",
        ),
        (
            "\"amount\": 9000",
            "\"amount\": 0",
            "monthly is 0; a budget is more than nothing; leave it out if there is no limit",
        ),
        (
            "\"amount\": 9000",
            "\"amount\": -1",
            "amount is -1; an amount of money cannot be negative",
        ),
        (
            "\"2026-12-27T06:00:00Z\"",
            "\"2026-12-24T06:00:00Z\"",
            "the freeze window ends at 2026-12-24T06:00:00Z, not after its start 2026-12-24T12:00:00Z",
        ),
        (
            "\"2026-12-27T06:00:00Z\"",
            "\"tomorrow\"",
            "\"tomorrow\" is not a time; write it as RFC 3339 does, with its offset: `2026-11-27T08:00:00Z`",
        ),
        (
            "\"name\": \"web\"",
            "\"name\": \"web server\"",
            "\"web server\" is not a name; use 1 to 120 letters, digits, `.`, `_`, `-`, `/` or `:`",
        ),
        (
            "\"provider\": \"aws\"",
            "\"provider\": \"amazon\"",
            "provider is \"amazon\", which is not a provider; write one of: `aws`, `azure`, `gcp`, `kubernetes`, `own`, `simulated`",
        ),
        (
            "\"/healthz\"",
            "\"healthz\"",
            "\"healthz\" is not a path; start it with `/`, such as `/healthz`",
        ),
        (
            "\"search\", ",
            "\"serch\", ",
            "\"serch\" is not an interaction type; did you mean `search`?",
        ),
        (
            "\"search\", ",
            "\"search\", \"search\", ",
            "`search` stands twice; leave one of them out",
        ),
        (
            "[\"search\", \"content_view\"]",
            "\"search\"",
            "serves is \"search\"; it is a list in `[ ]`; put it in `[ ]`, even if it is the only one",
        ),
        (
            "\"latency_ms_p95\": 250,",
            "\"latency_ms_p95\": \"2s\",",
            "latency_ms_p95 is \"2s\"; it is a whole number in ms; write 2000",
        ),
        ("\"nobody is in the office\"", "\" \"", "reason is empty"),
    ];
    for (from, to, expected) in cases {
        check(FLEET, &[(from, to)], &[expected]);
    }
}

#[test]
fn unknown_fields_are_named_with_the_nearest_known_one() {
    let cases = [
        (
            "\"memory_gb\": 4",
            "\"memroy_gb\": 4",
            "`memroy_gb` is not a field of a unit; did you mean `memory_gb`?",
        ),
        (
            "\"memory_gb\": 4",
            "\"memoryGb\": 4",
            "`memoryGb` is not a field of a unit; did you mean `memory_gb`?",
        ),
        (
            "\"memory_gb\": 4",
            "\"memory\": 4",
            "`memory` is not a field of a unit; did you mean `memory_gb`?",
        ),
        (
            "\"memory_gb\": 4",
            "\"memory_gb\": 4, \"colour\": 1",
            "`colour` is not a field of a unit; its fields are: `cpu_cores`, `disk_io_ops`, `memory_gb`, `network_bandwidth_mbps`, `storage_gb`",
        ),
    ];
    for (from, to, expected) in cases {
        let text = changed(FLEET, &[(from, to)]);
        let problems = fleetcast_document::parse_fleet(&text).unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
        assert_eq!(
            problems.0[0].pointer.rsplit_once('/').unwrap().0,
            "/components/0/unit"
        );
        assert_eq!(problems.to_string().split_once(": ").unwrap().1, expected);
    }
}

#[test]
fn components_hang_together() {
    check(
        FLEET,
        &[("\"name\": \"stock\"", "\"name\": \"web\"")],
        &[
            "`stock` is not a component of this fleet; the components are: `web`, `web`",
            "component `web` stands twice; names are unique; the first is component 1 of the list",
        ],
    );
    check(
        FLEET,
        &[(
            "\"stateful\": true",
            "\"depends_on\": [{ \"component\": \"web\" }]",
        )],
        &["components depend on one another in a circle: web → stock → web"],
    );
    check(
        FLEET,
        &[("\"component\": \"stock\"", "\"component\": \"web\"")],
        &[
            "components depend on one another in a circle: web → web",
            "component `stock` has no demand: it serves nothing and nothing calls it; say which interactions it serves, such as \"serves\": [\"content_view\"], or name it in another's `depends_on`",
        ],
    );
    check(
        FLEET,
        &[("\"latency_ms_p95\": 250,", ""), ("unserved", "violation")],
        &[
            "an objective on `violation` needs a latency target to violate; add `latency_ms_p95` to the SLA",
        ],
    );
}

#[test]
fn lists_have_a_limit() {
    let many = "{ \"component\": \"stock\" }, ".repeat(100);
    check(
        FLEET,
        &[(
            "[{ \"component\": \"stock\"",
            &format!("[{many}{{ \"component\": \"stock\""),
        )],
        &["depends_on has more than 100 items"],
    );
}

#[test]
fn whole_floats_are_whole_numbers() {
    let Document::Fleet(fleet) = read(
        FLEET,
        &[
            ("\"floor\": 3", "\"floor\": 3.0"),
            ("  \"mode\": \"auto\",\n", ""),
        ],
    ) else {
        panic!("it is a fleet state")
    };
    assert_eq!(fleet.components[0].floor.get(), 3);
    assert_eq!(fleet.mode, Mode::Recommend, "the default");
}

#[test]
fn events_and_overrides_end_after_they_start() {
    check(
        EVENTS,
        &[
            ("\"2026-10-08T", "\"2026-09-08T"),
            ("1.8", "-1"),
            ("\"holiday\"", "\"holydays\""),
        ],
        &[
            "event `autumn sale` ends at 2026-09-07T22:00:00Z, not after its start 2026-09-30T22:00:00Z",
            "uplift is -1; an uplift cannot be negative",
            "kind is \"holydays\", which is not a kind of event; did you mean `holiday`?",
        ],
    );
    check(
        OVERRIDES,
        &[
            ("\"2026-11-28T", "\"2026-11-27T"),
            ("      \"units\": 12,\n", ""),
            ("\"pause\",", "\"pause\", \"units\": 2,"),
        ],
        &[
            "`units` is missing from an override; say how many units it is about",
            "the override expires at 2026-11-27T06:00:00Z, not after its start 2026-11-27T06:00:00Z",
            "`pause` takes no `units`; leave `units` out, or use `pin` to hold that number",
        ],
    );
}

#[test]
fn a_predictions_units_suit_its_resource() {
    check(
        PREDICTED,
        &[
            ("\"units\": \"cores\"", "\"units\": \"GB\""),
            ("\"Bandwidth\"", "\"CPU\""),
        ],
        &[
            "`GB` is not a unit of CPU; write one of: `cores`, `millicores`",
            "the same resource is required twice for one component and horizon; make one requirement of the two, or say what they are for",
            "`Gbps` is not a unit of CPU; write one of: `cores`, `millicores`",
        ],
    );
}

#[test]
fn provisional_changes_keep_to_their_fleet_and_hash() {
    let text = crate::round_trip::provisional_text();
    let problems = fleetcast_document::parse_provisional(&changed(
        &text,
        &[
            ("\"instances\": 3", "\"instances\": 4"),
            ("\"component\": \"web\"", "\"component\": \"wbe\""),
            ("\"units\": 5", "\"units\": 4"),
            ("\"amount\": 1.25", "\"amount\": 5"),
            ("\"2026-11-27T07:55:00Z\"", "\"2026-11-27T08:55:00Z\""),
        ],
    ))
    .unwrap_err();
    let messages: Vec<&str> = problems
        .0
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "`wbe` is not a component of this fleet",
            "order_by is 2026-11-27T08:55:00Z, after ready_by 2026-11-27T08:00:00Z",
            "the expected cost of $5.00 is not between $0.90 (low) and $2.00 (high)",
            "the reasons account for 5 units, the change has 6",
            "change_set_hash is not the hash of these provisional_changes",
        ]
    );
}
