//! `fleetcast anomalies`: the table, the scores, and input that cannot be used.

use std::fmt::Write as _;

use crate::place::{DAY, Place, demand};

/// A header of its own, two weeks of demand, and a surge of tenfold demand.
fn with_surge() -> String {
    let mut text = String::new();
    for (row, line) in demand(14).lines().enumerate() {
        match (row, line.split_once(',')) {
            (0, _) => text.push_str("TimeStamp,Value,Label\n"),
            (_, Some((at, value))) => {
                let surge = (10 * DAY + 100..10 * DAY + 106).contains(&row);
                let value: f64 = value.parse().expect("a number");
                let value = if surge { 10.0 * value } else { value };
                writeln!(text, "\"{at}\",{value},{}", u8::from(surge)).expect("text");
            }
            _ => {}
        }
    }
    text
}

#[test]
fn a_surge_is_in_the_table_and_in_the_scores() {
    let place = Place::new();
    place.write("metric.csv", with_surge());
    let ran = place.run(&["anomalies", "metric.csv", "--scores", "scores.csv"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("spike"), "{}", ran.out);
    assert!(
        ran.out.contains("a week; the budget allows 3"),
        "{}",
        ran.out
    );

    let scores = place.read("scores.csv");
    let rows: Vec<&str> = scores.lines().collect();
    assert_eq!(rows[0], "timestamp,value,anomaly_score");
    assert_eq!(rows.len(), 14 * DAY + 1);
    // Timestamps as they were given, without the quotes around them.
    assert!(
        with_surge()
            .lines()
            .nth(5)
            .unwrap()
            .contains(rows[5].split(',').next().unwrap())
    );
    let score = |row: &str| row.rsplit(',').next().unwrap().parse::<f64>().unwrap();
    let highest = (1..rows.len()).max_by(|&a, &b| score(rows[a]).total_cmp(&score(rows[b])));
    assert_eq!(highest, Some(10 * DAY + 100));
    // It stays abnormal, and is told once.
    assert!(score(rows[10 * DAY + 103]) > 0.25);
    assert!(score(rows[10 * DAY + 103]) < 0.5);
}

#[test]
fn json_and_piped_scores_are_for_programs() {
    let place = Place::new();
    place.write("metric.csv", with_surge());
    let ran = place.run(&[
        "anomalies",
        "metric.csv",
        "--format",
        "json",
        "--alarms-per-week",
        "0.5",
    ]);
    let found: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(found["alarms_per_week_budget"], 0.5);
    let anomalies = found["anomalies"].as_array().expect("a list");
    let surge = anomalies
        .iter()
        .find(|anomaly| anomaly["row"] == 10 * DAY + 99);
    let surge = surge.expect("the surge");
    assert_eq!(surge["kind"], "spike");
    assert_eq!(surge["response"]["surge"], true);
    assert!(surge["rows"].as_u64() >= Some(6));

    let ran = place.run(&[
        "anomalies",
        "metric.csv",
        "--scores",
        "-",
        "--score",
        "state",
    ]);
    assert!(
        ran.out.starts_with("timestamp,value,anomaly_score\n"),
        "{}",
        ran.out
    );
    assert_eq!(ran.out.lines().count(), 14 * DAY + 1);
}

#[test]
fn a_model_by_name_is_a_detector() {
    let place = Place::new();
    place.write("metric.csv", with_surge());
    let ran = place.run(&[
        "anomalies",
        "metric.csv",
        "--detector",
        "seasonal-naive-day",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("spike"), "{}", ran.out);
}

#[test]
fn what_cannot_be_used_is_said() {
    let place = Place::new();
    place.write(
        "word.csv",
        "timestamp,value\n2026-03-02T00:00:00Z,1\n2026-03-02T00:05:00Z,one\n",
    );
    place.write("empty.csv", "");
    place.write("good.csv", "timestamp,value\n2026-03-02,1\n");
    for (args, words) in [
        (&["word.csv"][..], "line 3"),
        (&["empty.csv"], "the file is empty"),
        (
            &["good.csv", "--detector", "crystal-ball"],
            "there is no detector `crystal-ball`",
        ),
    ] {
        let before = place.files();
        let ran = place.run(&[&["anomalies"], args, &["--scores", "scores.csv"]].concat());
        assert_eq!(ran.code, Some(3), "{}", ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
        assert_eq!(ran.out, "");
        assert_eq!(place.files(), before);
    }
    let ran = place.run(&["anomalies", "good.csv"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("0 anomalies"), "{}", ran.out);
}
