//! `fleetcast forecast` and `fleetcast forecast evaluate`: what is printed, what is kept, and what is refused.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::place::{DAY, Place, START, of_step, rows};

/// Some days of demand by the hour.
fn hourly(days: usize) -> String {
    rows((0..24 * days).map(|hour| (at(hour), of_hour(hour))))
}

fn at(hour: usize) -> Timestamp {
    START + SignedDuration::from_hours(hour as i64)
}

/// Five-minute demand, but every hour one of them; weekends are quieter.
fn of_hour(hour: usize) -> f64 {
    let weekend = if hour / 24 % 7 >= 5 { 0.5 } else { 1.0 };
    weekend * of_step(hour * DAY / 24)
}

fn with_hours(days: usize) -> Place {
    let place = Place::new();
    place.write("demand.csv", hourly(days));
    place
}

/// Runs and gives the JSON.
#[track_caller]
fn json(place: &Place, args: &[&str]) -> Value {
    let args = [&["forecast"], args, &["--format", "json"]].concat();
    serde_json::from_str(&place.check(&args)).expect("JSON")
}

/// Runs what must fail with this code and these words, and must leave nothing behind.
#[track_caller]
fn refused(place: &Place, args: &[&str], code: i32, words: &[&str]) {
    let before = place.files();
    let ran = place.run(&[&["forecast"], args].concat());
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in\n{}", ran.err);
    }
    assert_eq!(ran.code, Some(code), "{}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert_eq!(ran.out, "", "nothing that could be taken for a result");
    assert_eq!(place.files(), before, "files were left behind");
}

#[test]
fn the_table_the_csv_and_the_json_say_the_same() {
    let place = with_hours(28);
    let text = place.check(&["forecast", "demand.csv"]);
    assert!(text.starts_with("demand.csv: 672 steps of 1 h\n"), "{text}");
    for words in [
        "48 steps ahead",
        "2026-03-30 00:00",
        "the highest step of each day",
        "│",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    let csv = place.check(&[
        "forecast",
        "demand.csv",
        "--format",
        "csv",
        "--levels",
        "0.1,0.9",
    ]);
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("timestamp,q0.1,q0.9"));
    let result = json(&place, &["demand.csv", "--levels", "0.1,0.9"]);
    assert_eq!(result["schema"], "forecast/v1");
    let steps = result["steps"].as_array().expect("a list");
    assert_eq!(steps.len(), 48);
    for (step, line) in steps.iter().zip(lines.by_ref()) {
        let written = format!(
            "{},{},{}",
            step["at"].as_str().expect("a moment"),
            step["quantiles"][0].as_f64().expect("a number"),
            step["quantiles"][1].as_f64().expect("a number"),
        );
        assert_eq!(line, written);
    }
    assert_eq!(lines.next(), None);
    // The pattern goes on: each expected value is near what the next days would have.
    for (ahead, step) in steps.iter().enumerate() {
        let (expected, truth) = (
            step["expected"].as_f64().expect("a number"),
            of_hour(672 + ahead),
        );
        assert!(
            (expected - truth).abs() < 350.0,
            "{ahead}: {expected} for {truth}"
        );
    }
}

#[test]
fn a_horizon_is_steps_or_a_time_and_steps_can_be_longer() {
    let place = Place::with_demand(21);
    let by_time = json(&place, &["demand.csv", "--horizon", "2d", "--step", "1h"]);
    let by_steps = json(&place, &["demand.csv", "--horizon", "48", "--step", "1h"]);
    assert_eq!(by_time, by_steps);
    assert_eq!(by_time["step_seconds"], 3600);
    // Counts of twelve steps are added up, rates are not.
    let first = |result: &Value| result["steps"][0]["expected"].as_f64().expect("a number");
    let rates = json(
        &place,
        &["demand.csv", "--step", "1h", "--value-unit", "per-minute"],
    );
    assert!((first(&by_time) / first(&rates) - 12.0).abs() < 1e-6);
    refused(
        &place,
        &["demand.csv", "--step", "7m"],
        3,
        &["--step: ", "choose a multiple of 5 min"],
    );
}

#[test]
fn every_model_forecasts_by_name_and_an_unknown_one_lists_them() {
    let place = with_hours(28);
    let unknown = place.run(&["forecast", "demand.csv", "--model", "oracle"]);
    assert_eq!(unknown.code, Some(3), "{}", unknown.err);
    let (_, list) = unknown.err.split_once("the models are ").expect("a list");
    let names: Vec<&str> = list.trim().split(", ").collect();
    assert!(
        names.contains(&"combination") && names.contains(&"theta"),
        "{names:?}"
    );
    for name in [
        "combination",
        "seasonal-naive-day",
        "seasonal-naive-week",
        "theta",
        "level-season",
    ] {
        let result = json(&place, &["demand.csv", "--model", name, "--horizon", "3"]);
        let step = &result["steps"][2];
        let quantiles: Vec<f64> = step["quantiles"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|value| value.as_f64().expect("a number"))
            .collect();
        assert!(
            quantiles.is_sorted() && quantiles[0] >= 0.0,
            "{name}: {quantiles:?}"
        );
    }
    let naive = json(&place, &["demand.csv", "--model", "seasonal-naive-week"]);
    assert_eq!(
        naive["steps"][0]["expected"].as_f64(),
        Some(of_hour(672 - 168))
    );
}

#[test]
fn the_explanation_sums_to_the_forecast() {
    let place = with_hours(28);
    let result = json(&place, &["demand.csv", "--explain"]);
    let steps = result["steps"].as_array().expect("a list");
    let parts = result["parts"].as_array().expect("a list");
    assert_eq!(parts.len(), steps.len());
    for (step, parts) in steps.iter().zip(parts) {
        let parts = parts.as_object().expect("parts");
        let sum: f64 = parts
            .values()
            .map(|part| part.as_f64().expect("a number"))
            .sum();
        let expected = step["expected"].as_f64().expect("a number");
        assert!(
            (sum - expected).abs() < 1e-6 * (1.0 + expected),
            "{sum} is not {expected}"
        );
    }
    let text = place.check(&["forecast", "demand.csv", "--explain"]);
    assert!(
        text.contains("what the expected demand is made of") && text.contains("level"),
        "{text}"
    );
    assert_eq!(
        json(&place, &["demand.csv"])["parts"],
        Value::Array(Vec::new())
    );
}

#[test]
fn the_page_stands_alone() {
    let place = with_hours(28);
    let text = place.check(&["forecast", "demand.csv", "--explain", "--report", "out"]);
    assert!(text.contains("Report: out/forecast.html"), "{text}");
    let page = place.read("out/forecast.html");
    for words in [
        "<svg",
        "What lies ahead",
        "What it is made of",
        "Who forecasts",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(
        !page.contains("://") && !page.contains("NaN"),
        "the page needs nothing else"
    );
}

#[test]
fn days_are_those_of_the_time_zone() {
    let place = with_hours(28);
    let result = json(
        &place,
        &[
            "demand.csv",
            "--time-zone",
            "America/New_York",
            "--horizon",
            "24",
        ],
    );
    // Midnight UTC is 20:00 of the day before there.
    assert_eq!(result["steps"][0]["local"], "2026-03-29T20:00:00");
    assert_eq!(result["days"][0]["date"], "2026-03-29");
    assert_eq!(result["days"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_kept_model_goes_on() {
    let place = with_hours(28);
    let model = ["--model", "theta", "--save", "model.json"];
    let made = json(&place, &[&["demand.csv"], &model[..]].concat());
    let kept = place.read("model.json");
    assert!(kept.contains(r#""schema":"forecast-model/v1""#));
    // Alone, with the same history, and again: the same forecast, the same file.
    let alone = json(&place, &["--load", "model.json"]);
    assert_eq!(alone["steps"], made["steps"]);
    let again = json(
        &place,
        &["demand.csv", "--load", "model.json", "--save", "again.json"],
    );
    assert_eq!(again["steps"], made["steps"]);
    assert_eq!(place.read("again.json"), kept);
    // With a later day the forecast starts a day later, and what is kept then has seen that day too.
    place.write("later.csv", hourly(29));
    let later = json(
        &place,
        &["later.csv", "--load", "model.json", "--save", "later.json"],
    );
    assert_eq!(later["steps"][0]["at"], made["steps"][24]["at"]);
    assert_eq!(later["seen_steps"], 29 * 24);
    let expected = later["steps"][12]["expected"].as_f64().expect("a number");
    let truth = of_hour(29 * 24 + 12);
    assert!((expected - truth).abs() < 350.0, "{expected} for {truth}");
    let note = later["notes"][0].as_str().expect("a note");
    assert!(note.contains("took in 24 steps"), "{note}");
    let alone = json(&place, &["--load", "later.json"]);
    assert_eq!(alone["steps"], later["steps"]);
}

#[test]
fn a_kept_model_that_does_not_fit_is_refused() {
    let place = with_hours(28);
    place.check(&[
        "forecast",
        "demand.csv",
        "--model",
        "theta",
        "--save",
        "model.json",
    ]);
    place.write("earlier.csv", hourly(20));
    place.write("minutes.csv", crate::place::demand(28));
    let load = ["--load", "model.json"];
    for (file, words) in [
        (
            "earlier.csv",
            "model.json: the stored model does not go with this history: its last step, of 672 that begin",
        ),
        ("minutes.csv", "its steps last 3600 s and these 300 s"),
    ] {
        refused(&place, &[&[file], &load[..]].concat(), 3, &[words]);
    }
    let other = place
        .read("model.json")
        .replace("forecast-model/v1", "forecast-model/v7");
    place.write("other.json", other);
    let words = "other.json: this is a model of the form `forecast-model/v7` and this version reads `forecast-model/v1`";
    refused(&place, &["--load", "other.json"], 3, &[words]);
    refused(
        &place,
        &["--load", "demand.csv"],
        3,
        &["demand.csv: this is no stored model"],
    );
    refused(&place, &[], 2, &["Usage"]);
}

#[test]
fn bad_words_and_bad_rows_are_told() {
    let place = with_hours(28);
    for (args, code, words) in [
        (
            &["--levels", "0.9,0.1"][..],
            3,
            "--levels: use rising levels between 0 and 1",
        ),
        (&["--levels", "0,0.5"], 3, "--levels: use rising levels"),
        (&["--horizon", "0"], 2, "use a whole number over 0"),
        (
            &["--horizon", "soon"],
            2,
            "use a number of steps, or a time such as 2h or 14d",
        ),
        (
            &["--horizon", "9000d"],
            3,
            "216000 steps are too many, 50000 is the most",
        ),
        (
            &["--time-zone", "Mars/North"],
            3,
            "`Mars/North` is not a time zone",
        ),
        (
            &["--model", "theta", "--country", "Narnia"],
            3,
            "--country: the holidays of `Narnia` are not known",
        ),
        (
            &["--model", "prophet", "--country", "Atlantis"],
            3,
            "--country: the holidays of `Atlantis` are not known",
        ),
    ] {
        refused(&place, &[&["demand.csv"], args].concat(), code, &[words]);
    }
    refused(&place, &["gone.csv"], 1, &["cannot read gone.csv"]);
    place.write("negative.csv", hourly(3).replacen(",1", ",-1", 1));
    refused(
        &place,
        &["negative.csv"],
        3,
        &["negative.csv: line ", "is negative, which demand cannot be"],
    );
    let blank: String = (0..48).map(|hour| format!("{},\n", at(hour))).collect();
    place.write(
        "single.csv",
        hourly(1).lines().take(2).collect::<Vec<_>>().join("\n"),
    );
    refused(
        &place,
        &["single.csv"],
        3,
        &["single.csv: ", "give the step, or add rows"],
    );
    place.write("blank.csv", format!("timestamp,value\n{blank}"));
    refused(
        &place,
        &["blank.csv"],
        3,
        &["blank.csv: the history holds no observation"],
    );
}

#[test]
fn strange_histories_have_a_forecast() {
    let place = Place::new();
    let of = |value: &dyn Fn(usize) -> f64, hours: usize| {
        rows((0..hours).map(|hour| (at(hour), value(hour))))
    };
    for (name, text) in [
        ("one", of(&|_| 7.0, 1)),
        ("two", of(&|hour| hour as f64, 2)),
        ("zero", of(&|_| 0.0, 500)),
        ("constant", of(&|_| 7.0, 500)),
        (
            "spike",
            of(&|hour| if hour == 300 { 1e12 } else { 5.0 }, 500),
        ),
        (
            "change",
            of(&|hour| if hour < 250 { 10.0 } else { 900.0 }, 500),
        ),
    ] {
        place.write("strange.csv", text);
        let result = json(&place, &["strange.csv", "--explain", "--step", "1h"]);
        for step in result["steps"].as_array().expect("a list") {
            let quantiles = step["quantiles"].as_array().expect("a list");
            assert!(
                quantiles
                    .iter()
                    .all(|value| value.as_f64().is_some_and(|value| value >= 0.0)),
                "{name}: {step}"
            );
        }
        let text = place.check(&["forecast", "strange.csv", "--explain", "--step", "1h"]);
        assert!(
            !text.contains("NaN") && !text.contains("inf"),
            "{name}: {text}"
        );
    }
}

/// One line of a dump.
struct Dumped {
    origin: usize,
    step: usize,
    timestamp: String,
    quantiles: Vec<f64>,
}

#[track_caller]
fn dumped(text: &str, series: &str) -> Vec<Dumped> {
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(
            "series,origin,step,timestamp,q0.025,q0.05,q0.1,q0.2,q0.3,q0.4,q0.5,q0.6,q0.7,q0.8,q0.9,q0.95,q0.975"
        )
    );
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[0] == series).then(|| Dumped {
            origin: fields[1].parse().expect("a row"),
            step: fields[2].parse().expect("a step"),
            timestamp: fields[3].to_string(),
            quantiles: fields[4..]
                .iter()
                .map(|field| field.parse().expect("a number"))
                .collect(),
        })
    };
    lines.filter_map(row).collect()
}

/// Hours of which some were not observed; there the file has a value that nobody should be judged by.
fn observed(hour: usize) -> bool {
    hour % 50 != 7
}

fn with_recording(days: usize) -> Place {
    let place = Place::new();
    let mut text = String::from("timestamp,value,observed\n");
    for hour in 0..24 * days {
        let value = if observed(hour) {
            of_hour(hour)
        } else {
            5_000.0
        };
        writeln!(text, "{},{value},{}", at(hour), u8::from(observed(hour))).expect("a string");
    }
    place.write("shop__1h.csv", text);
    place
}

#[test]
fn anybody_can_score_the_dump() {
    let place = with_recording(50);
    let args = [
        "forecast",
        "evaluate",
        "shop__1h.csv",
        "--horizon",
        "24",
        "--window",
        "500",
        "--origins",
        "7",
        "--model",
        "seasonal-naive-week",
        "--dump",
        "dump.csv",
        "--format",
        "json",
    ];
    let result: Value = serde_json::from_str(&place.check(&args)).expect("JSON");
    let rows = dumped(&place.read("dump.csv"), "shop__1h");
    // n = 1200, first = max(336, 480), last = 1176: 480 + k · 116 exactly.
    let origins: Vec<usize> = (0..7).map(|k| 480 + 116 * k).collect();
    let expected: Vec<(usize, usize)> = origins
        .iter()
        .flat_map(|origin| (1..=24).map(move |step| (*origin, step)))
        .collect();
    let found: Vec<(usize, usize)> = rows.iter().map(|row| (row.origin, row.step)).collect();
    assert_eq!(found, expected, "all steps are written, observed or not");
    let (mut loss, mut demand, mut within, mut steps) = (0.0, 0.0, 0, 0);
    for row in &rows {
        let hour = row.origin + row.step - 1;
        assert_eq!(row.timestamp, at(hour).to_string());
        // The point forecast of the seasonal naive is what the file had a week before, filled or not.
        let before = hour - 168;
        let week = if observed(before) {
            of_hour(before)
        } else {
            5_000.0
        };
        let middle = row.quantiles[6];
        assert!(
            row.quantiles.is_sorted() && row.quantiles[0] >= 0.0,
            "{middle} near {week}"
        );
        if !observed(hour) {
            continue;
        }
        let actual = of_hour(hour);
        steps += 1;
        demand += actual;
        within += u32::from(row.quantiles[2] <= actual && actual <= row.quantiles[10]);
        for (level, quantile) in (1..=9).zip(&row.quantiles[2..=10]) {
            let level = f64::from(level) / 10.0;
            loss +=
                2.0 / 9.0 * (level * (actual - quantile)).max((level - 1.0) * (actual - quantile));
        }
    }
    let scores = &result["models"][0]["series"][0];
    let number = |name: &str| scores[name].as_f64().expect("a number");
    assert!((number("wql") - loss / demand).abs() < 1e-9, "{scores}");
    assert!(
        (number("cov80") - f64::from(within) / f64::from(steps)).abs() < 1e-9,
        "{scores}"
    );
    assert_eq!(scores["series"], "shop__1h");
    assert_eq!(scores["origins"], 7);
    for name in [
        "relative_wql",
        "relative_ql95",
        "ql95",
        "cov95",
        "mase",
        "msis",
    ] {
        assert!(number(name) > 0.0, "{name} in {scores}");
    }
}

#[test]
fn models_are_fitted_to_filled_values_and_to_nothing_later() {
    let place = with_recording(30);
    let args = [
        "forecast",
        "evaluate",
        "shop__1h.csv",
        "--origins",
        "1",
        "--model",
        "seasonal-naive-day",
        "--dump",
    ];
    place.check(&[&args[..], &["before.csv"]].concat());
    // n = 720: the only origin is row 336, and 336 − 24 + 45 = 357 was not observed a day before.
    let rows = dumped(&place.read("before.csv"), "shop__1h");
    assert_eq!(rows.len(), 48);
    let text = place.read("shop__1h.csv");
    let later: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(line, row)| {
            let (at, _) = row.split_once(',').expect("fields");
            // Row 336 is on the 338th line.
            if line > 336 {
                format!("{at},1,1")
            } else {
                row.to_string()
            }
        })
        .collect();
    place.write("shop__1h.csv", later.join("\n"));
    place.check(&[&args[..], &["after.csv"]].concat());
    assert_eq!(place.read("before.csv"), place.read("after.csv"));
}

#[test]
fn origins_can_be_a_horizon_apart() {
    let place = with_recording(20);
    let args = [
        "forecast",
        "evaluate",
        "shop__1h.csv",
        "--horizon",
        "24",
        "--model",
        "theta",
        "--dump",
        "dump.csv",
    ];
    let origins = |more: &[&str]| -> Vec<usize> {
        place.check(&[&args[..], more].concat());
        let mut origins: Vec<usize> = dumped(&place.read("dump.csv"), "shop__1h")
            .iter()
            .map(|row| row.origin)
            .collect();
        origins.dedup();
        origins
    };
    assert_eq!(
        origins(&["--non-overlapping"]),
        [336, 360, 384, 408, 432, 456]
    );
    assert_eq!(origins(&["--every", "50"]), [336, 386, 436]);
    assert_eq!(
        origins(&["--first", "0", "--first-share", "0.5", "--origins", "2"]),
        [240, 456]
    );
}

#[test]
fn several_files_and_models_are_told_apart() {
    let place = with_hours(30);
    place.write("other/demand.csv", hourly(25));
    let args = [
        "forecast",
        "evaluate",
        "demand.csv",
        "other/demand.csv",
        "--origins",
        "2",
        "--model",
        "theta",
        "--model",
        "seasonal-naive-day",
        "--dump",
        "dump.csv",
    ];
    let text = place.check(&args);
    for words in [
        "\ntheta\n",
        "\nseasonal-naive-day\n",
        "\noverall ",
        "\ndemand-2 ",
        "all models, overall",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    for name in ["dump-theta.csv", "dump-seasonal-naive-day.csv"] {
        for series in ["demand", "demand-2"] {
            assert_eq!(
                dumped(&place.read(name), series).len(),
                96,
                "{name} {series}"
            );
        }
    }
    assert!(!place.files().contains("dump.csv"));
}

#[test]
fn recordings_whose_rows_cannot_be_counted_are_refused() {
    let place = with_hours(17);
    let text = place.read("demand.csv");
    let lines: Vec<&str> = text.lines().collect();
    let changed = |change: &dyn Fn(&mut Vec<&str>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines.join("\n")
    };
    for (name, text, words) in [
        (
            "gap.csv",
            changed(&|lines| {
                lines.remove(100);
            }),
            "gap.csv: line 101: 2026-03-06T04:00:00Z is 7200 s after the row before it",
        ),
        (
            "twice.csv",
            changed(&|lines| lines.insert(10, lines[9])),
            "twice.csv: line 11: 2026-03-02T08:00:00Z repeats the row before it",
        ),
        (
            "back.csv",
            changed(&|lines| lines.swap(20, 21)),
            "back.csv: line 21: ",
        ),
        (
            "negative.csv",
            changed(&|lines| lines[5] = "2026-03-02T04:00:00Z,-3"),
            "negative.csv: line 6, column `value`: `-3` is negative",
        ),
        (
            "short.csv",
            changed(&|lines| lines.truncate(380)),
            "short.csv: 379 steps are too few: the first origin at step 336 and a horizon of 48 need 384",
        ),
        ("empty.csv", String::new(), "empty.csv: the file is empty"),
    ] {
        place.write(name, text);
        refused(
            &place,
            &["evaluate", "demand.csv", name, "--dump", "dump.csv"],
            3,
            &[words],
        );
    }
    let unseen: String = (0..400).map(|hour| format!("{},5,0\n", at(hour))).collect();
    place.write("unseen.csv", format!("timestamp,value,observed\n{unseen}"));
    refused(
        &place,
        &["evaluate", "unseen.csv"],
        3,
        &["unseen.csv: no value was observed"],
    );
    for (args, words) in [
        (&["evaluate"][..], "required"),
        (
            &["evaluate", "demand.csv", "--origins", "0"],
            "use a whole number over 0",
        ),
        (
            &["evaluate", "demand.csv", "--first-share", "1"],
            "use a share from 0 to less than 1",
        ),
        (
            &[
                "evaluate",
                "demand.csv",
                "--every",
                "5",
                "--non-overlapping",
            ],
            "cannot be used with",
        ),
    ] {
        refused(&place, args, 2, &[words]);
    }
    refused(
        &place,
        &["evaluate", "demand.csv", "--model", "oracle"],
        3,
        &["there is no model `oracle`"],
    );
}

#[test]
fn scores_by_lead_are_kept_from_one_evaluation_to_the_next() {
    let place = with_recording(50);
    let evaluate = |more: &[&str]| {
        let args = ["forecast", "evaluate", "shop__1h.csv", "--origins", "3"];
        place.check(&[&args[..], &["--save-scores", "scores.json"], more].concat())
    };
    let first = evaluate(&["--model", "seasonal-naive-day"]);
    assert!(first.contains("kept scores, 1 in all"), "{first}");
    assert!(
        first.contains("00–03 h") && first.contains("weekends"),
        "{first}"
    );
    let again = evaluate(&["--model", "seasonal-naive-day", "--model", "theta"]);
    assert!(again.contains("kept scores, 2 in all"), "{again}");
    let kept: Value = serde_json::from_str(&place.read("scores.json")).expect("JSON");
    assert_eq!(kept["schema"], "forecast-scores/v1");
    let leads = &kept["entries"][1]["scores"]["leads"];
    // Hours that were not observed are not scored: 3 forecasts, one in fifty hours missing.
    let outcomes: u64 = (1..=48)
        .filter_map(|lead| leads[lead.to_string()]["outcomes"].as_u64())
        .sum();
    assert!((132..144).contains(&outcomes), "{outcomes} of 144");
    place.write("scores.json", "{}");
    refused(
        &place,
        &["evaluate", "shop__1h.csv", "--save-scores", "scores.json"],
        3,
        &["scores.json: not a file of kept scores"],
    );
}
