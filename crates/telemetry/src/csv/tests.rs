use std::error::Error;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use fleetcast_series::Series;
use proptest::prelude::*;

use super::*;

fn read(text: &str, options: &CsvOptions) -> Result<(Demand, IngestReport), CsvError> {
    read_csv(text.as_bytes(), options)
}

fn only(demand: &Demand) -> &Series {
    demand
        .get(&DemandKey::default())
        .expect("one series without a key")
}

/// Reads a file of one series; a missing value is written `-`.
fn check(text: &str, options: &CsvOptions, start: &str, step: &str, values: &str) -> IngestReport {
    let (demand, report) = read(text, options).unwrap();
    let series = only(&demand);
    let shown = series
        .values()
        .map(|value| value.map_or("-".to_string(), |value| value.to_string()));
    let found = (
        series.start().to_string(),
        series.step().to_string(),
        shown.collect::<Vec<_>>().join(" "),
    );
    assert_eq!(
        found,
        (start.to_string(), step.to_string(), values.to_string())
    );
    report
}

fn check_error(text: impl AsRef<[u8]>, options: &CsvOptions, expected: &str) {
    let error = read_csv(text.as_ref(), options).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn berlin() -> CsvOptions {
    CsvOptions {
        time_zone: TimeZone::get("Europe/Berlin").unwrap(),
        ..CsvOptions::default()
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Rows of minutes, `value` of the minute's number.
fn minutes(count: u32, value: impl Fn(u32) -> u32) -> String {
    let rows = (0..count).map(|i| format!("{},{}\n", 1_767_225_600 + i * 60, value(i)));
    format!("timestamp,value\n{}", rows.collect::<String>())
}

#[test]
fn reads_the_plain_form() {
    let text = "timestamp,value\n2026-01-01T00:00:00Z,1\n2026-01-01T00:05:00Z,\n2026-01-01T00:10:00Z,2.5\n\n2026-01-01T00:25:00Z,4\n";
    let report = check(
        text,
        &CsvOptions::default(),
        "2026-01-01T00:00:00Z",
        "5 min",
        "1 - 2.5 - - 4",
    );
    let expected = "\
        4 rows, 2026-01-01T00:00:00Z to 2026-01-01T00:25:00Z, step 5 min\n\
        3 of 6 steps missing, in 2 gaps; the longest lasts 2 steps from 2026-01-01T00:15:00Z";
    assert_eq!(report.to_string(), expected);
}

#[test]
fn reads_what_spreadsheets_write() {
    let text = "\u{feff}Value;\"Timestamp\";note\r\n\" 1 \";2026-01-01 00:00; \r\n2;2026-01-01 01:00;\"a;b\"\"c\"\r\n";
    let report = check(
        text,
        &CsvOptions::default(),
        "2026-01-01T00:00:00Z",
        "1 h",
        "1 2",
    );
    let notes = [
        "2 timestamps without an offset: read in UTC",
        "columns that were not read: `note`",
    ];
    assert_eq!(report.notes, notes);
}

#[test]
fn values_that_were_not_observed_are_missing() {
    let text = "timestamp,value,observed\n0,1,1\n60,5,0\n120,,0\n180,2,true\n";
    let report = check(
        text,
        &CsvOptions::default(),
        "1970-01-01T00:00:00Z",
        "1 min",
        "1 - - 2",
    );
    assert_eq!(
        report.notes,
        ["1 value not observed by the file's own account: missing"]
    );
}

#[test]
fn reads_kinds_and_regions() {
    let text = "region,timestamp,INTERACTION_TYPE,value\n\
        eu,0,search,1\nus,0,Search,2\neu,0,x-login,3\neu,60,search,4\nus,120,search,5\neu,60,x-login,6\n,60,,7\n";
    let (demand, report) = read(text, &CsvOptions::default()).unwrap();
    let found: Vec<_> = demand
        .iter()
        .map(|(key, series)| (key.to_string(), series.values().collect()))
        .collect();
    let expected: [(&str, Vec<Option<f64>>); 4] = [
        ("all demand", vec![None, Some(7.0), None]),
        ("search in eu", vec![Some(1.0), Some(4.0), None]),
        ("search in us", vec![Some(2.0), None, Some(5.0)]),
        ("x-login in eu", vec![Some(3.0), Some(6.0), None]),
    ];
    assert_eq!(
        found,
        expected.map(|(key, values)| (key.to_string(), values))
    );
    let expected = "\
        7 rows, 1970-01-01T00:00:00Z to 1970-01-01T00:02:00Z, step 1 min, 4 series\n\
        1 of 8 steps missing, in 1 gap; the longest lasts 1 step from 1970-01-01T00:01:00Z (search in us)";
    assert_eq!(report.to_string(), expected);
}

#[test]
fn hours_that_clocks_repeat_are_both_kept() {
    let text = "timestamp,value\n2026-10-25 01:00,1\n2026-10-25 02:00,2\n2026-10-25 02:00,3\n2026-10-25 03:00,4\n";
    let report = check(text, &berlin(), "2026-10-24T23:00:00Z", "1 h", "1 2 3 4");
    assert_eq!(report.duplicates, 0);
    assert_eq!(
        report.notes,
        ["4 timestamps without an offset: read in Europe/Berlin"]
    );
}

#[test]
fn hours_that_clocks_skip_are_bad_rows() {
    let text = "timestamp,value\n2026-03-29 01:00,1\n2026-03-29 02:00,2\n2026-03-29 03:00,3\n2026-03-29 04:00,4\n";
    let problem = "line 3, column `timestamp`: `2026-03-29 02:00` was never shown by clocks, which went forward over it: \
        check the time zone, or write timestamps with an offset";
    check_error(text, &berlin(), problem);
    let skip = CsvOptions {
        skip_bad_rows: true,
        ..berlin()
    };
    let report = check(text, &skip, "2026-03-29T00:00:00Z", "1 h", "1 3 4");
    assert_eq!(report.skipped.unwrap().first.to_string(), problem);
}

#[test]
fn the_last_of_repeated_rows_counts_in_any_order() {
    let text = "timestamp,value\n180,4\n0,1\n120,7\n60,2\n120,3\n";
    let report = check(
        text,
        &CsvOptions::default(),
        "1970-01-01T00:00:00Z",
        "1 min",
        "1 2 3 4",
    );
    assert_eq!((report.duplicates, report.out_of_order), (1, 4));
    let strict = CsvOptions {
        strict_order: true,
        ..CsvOptions::default()
    };
    let problem = "line 3: 1970-01-01T00:00:00Z comes after 1970-01-01T00:03:00Z: \
        sort the rows by time, or do not ask for strict order";
    check_error(text, &strict, problem);
}

#[test]
fn rows_must_be_one_step_apart_where_their_numbers_count() {
    let regular = CsvOptions {
        regular: true,
        ..CsvOptions::default()
    };
    for (rows, problem) in [
        (
            "0,1\n60,2\n60,3\n",
            "line 4: 1970-01-01T00:01:00Z repeats the row before it: keep one of them",
        ),
        (
            "0,1\n0,2\n",
            "line 3: 1970-01-01T00:00:00Z repeats the row before it: keep one of them",
        ),
        (
            "0,1\n60,2\n180,3\n",
            "line 4: 1970-01-01T00:03:00Z is 120 s after the row before it, and the others are 60 s apart: \
             write a row for each step, with an empty value where none is known",
        ),
        (
            "0,1\n60,2\n90,3\n",
            "line 4: 1970-01-01T00:01:30Z is 30 s after the row before it, and the others are 60 s apart: \
             write rows that are equally far apart",
        ),
        (
            "60,1\n0,2\n",
            "line 3: 1970-01-01T00:00:00Z comes before the row above it: sort the rows by time",
        ),
    ] {
        check_error(format!("timestamp,value\n{rows}"), &regular, problem);
    }
    check(
        "timestamp,value\n0,1\n60,\n120,3\n",
        &regular,
        "1970-01-01T00:00:00Z",
        "1 min",
        "1 - 3",
    );
}

#[test]
fn values_that_were_filled_in_are_kept_on_request() {
    let keep = CsvOptions {
        keep_unobserved: true,
        ..CsvOptions::default()
    };
    let text = "timestamp,value,observed\n0,1,1\n60,2,0\n120,3,1\n";
    for (options, values) in [(CsvOptions::default(), "1 - 3"), (keep, "1 2 3")] {
        check(text, &options, "1970-01-01T00:00:00Z", "1 min", values);
    }
}

#[test]
fn rows_which_differ_in_an_ignored_column_are_pointed_out() {
    let report = check(
        "timestamp,value,host\n0,1,a\n0,2,b\n60,3,a\n",
        &CsvOptions::default(),
        "1970-01-01T00:00:00Z",
        "1 min",
        "2 3",
    );
    assert_eq!(
        report.notes[1],
        "rows which differ in a column that is not read repeat the same moment: add them up first"
    );
}

#[test]
fn rows_beside_the_grid_move_to_the_start_of_their_step() {
    let text = "timestamp,value\n30,1\n90,2\n155,3\n209.999,5\n270,6\n";
    let report = check(
        text,
        &CsvOptions::default(),
        "1970-01-01T00:00:30Z",
        "1 min",
        "1 2 4 - 6",
    );
    assert_eq!(report.snapped, 2);
    assert_eq!(
        report.notes,
        ["1 row beside the grid fell into a step that had one: the step's mean is kept"]
    );
}

#[test]
fn fine_steps_are_averaged_to_minutes() {
    // The first minute is whole, the second has half of its rows, the third less.
    let rows = (0..6)
        .chain([6, 8, 10])
        .chain([12, 14])
        .map(|i| format!("{},{i}\n", i * 10));
    let text = format!("timestamp,value\n{}", rows.collect::<String>());
    let options = CsvOptions {
        step: Step::from_seconds(10),
        ..CsvOptions::default()
    };
    let report = check(&text, &options, "1970-01-01T00:00:00Z", "1 min", "2.5 8 -");
    assert_eq!(
        report.notes,
        ["rows are 10 s apart: the mean of each 1 min is kept; each value still counts 10 s"]
    );
    let (demand, _) = read(&text, &options).unwrap();
    assert_eq!(demand.per_minute(2.5), 15.0);
    let fine = CsvOptions {
        keep_fine: true,
        ..options
    };
    check(
        &text,
        &fine,
        "1970-01-01T00:00:00Z",
        "10 s",
        "0 1 2 3 4 5 6 - 8 - 10 - 12 - 14",
    );
}

#[test]
fn a_given_step_wins() {
    let text = "timestamp,value\n1767225600,4\n";
    let options = CsvOptions {
        step: Some(Step::HOUR),
        ..CsvOptions::default()
    };
    check(text, &options, "2026-01-01T00:00:00Z", "1 h", "4");
    let problem = "each series has a single moment (2026-01-01T00:00:00Z), so the step between rows cannot be seen: \
        give the step, or add rows";
    check_error(text, &CsvOptions::default(), problem);
    let report = check(
        &minutes(90, |i| i),
        &options,
        "2026-01-01T00:00:00Z",
        "1 h",
        "29.5 74.5",
    );
    assert_eq!(
        report.notes,
        ["rows are 1 min apart: the mean of each 1 h is kept; each value still counts 1 min"]
    );
}

#[test]
fn gzip_is_read_as_it_is() {
    let text = minutes(3, |i| i);
    let (first, second) = text.split_at(30);
    let members = [gzip(first), gzip(second)].concat();
    let (demand, _) = read_csv(&members[..], &CsvOptions::default()).unwrap();
    assert_eq!(
        only(&demand).values().collect::<Vec<_>>(),
        [Some(0.0), Some(1.0), Some(2.0)]
    );
}

#[test]
fn damaged_gzip_says_how_far_it_got() {
    let mut packed = gzip(&minutes(20_000, |i| i * 7919 % 10_007));
    packed.truncate(packed.len() / 2);
    let error = read_csv(&packed[..], &CsvOptions::default()).unwrap_err();
    assert!(
        matches!(
            error,
            CsvError::GzipCutOff {
                rows: 5_000..15_000
            }
        ),
        "{error}"
    );
    let CsvError::GzipCutOff { rows } = error else {
        unreachable!()
    };
    let expected =
        format!("the gzip file is cut off after {rows} complete rows: copy or download it again");
    assert_eq!(error.to_string(), expected);

    let mut packed = gzip(&minutes(3, |i| i));
    let middle = packed.len() - 6; // In the checksum.
    packed[middle] ^= 0xff;
    let error = read_csv(&packed[..], &CsvOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the gzip file is damaged after 3 complete rows: copy or download it again"
    );
    assert!(error.source().is_some());
    check_error(
        &packed[..9],
        &CsvOptions::default(),
        "the gzip file is cut off after 0 complete rows: copy or download it again",
    );
}

#[test]
fn other_files_are_told_apart() {
    let options = CsvOptions::default();
    let excel = "this is not a CSV file but a zip archive or an Excel file: unpack it, or export the sheet as CSV";
    check_error(b"PK\x03\x04rest of it", &options, excel);
    check_error(
        b"PAR1....",
        &options,
        "this is not a CSV file but a Parquet file: export it as CSV",
    );
    check_error(
        b"\xff\xfet\0i\0m\0e\0",
        &options,
        "this is not a CSV file but UTF-16 text: save it as UTF-8",
    );
    check_error(
        "x".repeat(100_000),
        &options,
        "line 1 is longer than 65536 bytes: is this a CSV file?",
    );
}

#[test]
fn files_without_rows_are_errors() {
    let options = CsvOptions::default();
    let empty = "the file is empty: it needs a header such as `timestamp,value`, and rows below it";
    check_error("", &options, empty);
    check_error("\n\r\n", &options, empty);
    check_error(
        "timestamp,value\n\n",
        &options,
        "the file has a header but no rows",
    );
    let skip = CsvOptions {
        skip_bad_rows: true,
        ..options
    };
    let problem = "no row could be read (2 rows skipped); the first: line 2, column `value`: `a` is not a number: \
        write a decimal such as `1234.5`, or leave it empty if the value is missing";
    check_error("timestamp,value\n0,a\n60,b\n", &skip, problem);
}

#[test]
fn headers_are_checked() {
    let check = |header: &str, expected: &str| {
        check_error(format!("{header}\n0,1\n"), &CsvOptions::default(), expected)
    };
    check(
        "timestmp,value",
        "there is no column `timestamp` in the header `timestmp,value`; did you mean `timestamp` by `timestmp`?",
    );
    check(
        "ds,y",
        "there is no column `timestamp` in the header `ds,y`; if `ds` is the timestamp, rename it to `timestamp`",
    );
    check(
        "timestamp,y",
        "there is no column `value` in the header `timestamp,y`; if `y` is the value, rename it to `value`",
    );
    check(
        "a,b",
        "there is no column `timestamp` in the header `a,b`; the header needs the columns `timestamp` and `value`",
    );
    check(
        "Timestamp,value,VALUE",
        "the header has the column `value` twice: remove one",
    );
    check(
        "timestamp,value,regions",
        "the header has a column `regions`: rename it to `region` if that is what it is, else to something less alike",
    );
    check(
        "2026-01-01T00:00:00Z,5",
        "line 1 should name the columns, but is `2026-01-01T00:00:00Z,5`: put a header such as `timestamp,value` above the first row",
    );
}

#[test]
fn bad_rows_say_where_and_how_to_mend_them() {
    let check = |row: &str, expected: &str| {
        let text = format!(
            "timestamp,value,region,interaction_type,observed\n0,1,eu,search,1\n\n{row}\n60,1,eu,search,1\n"
        );
        check_error(text, &CsvOptions::default(), expected);
    };
    check(
        "60,abc,eu,search,1",
        "line 4, column `value`: `abc` is not a number: write a decimal such as `1234.5`, or leave it empty if the value is missing",
    );
    check(
        "60,NaN,eu,search,1",
        "line 4, column `value`: `NaN` is not a finite number: leave it empty if the value is missing",
    );
    check(
        "60,1e999,eu,search,1",
        "line 4, column `value`: `1e999` is not a finite number: leave it empty if the value is missing",
    );
    check(
        "60,-3,eu,search,1",
        "line 4, column `value`: `-3` is negative, which demand cannot be: correct it, or leave it empty if it is missing",
    );
    check(
        "soon,1,eu,search,1",
        "line 4, column `timestamp`: `soon` is not a timestamp: write `2026-03-29T12:00:00Z`, `2026-03-29 12:00` or Unix seconds",
    );
    check(
        ",1,eu,search,1",
        "line 4, column `timestamp`: an empty field is not a timestamp: write `2026-03-29T12:00:00Z`, `2026-03-29 12:00` or Unix seconds",
    );
    check(
        "60,1,eu,browse,1",
        "line 4, column `interaction_type`: `browse` is not an interaction type: use search, transaction, content_view, api_call, or a name of your own that starts with `x-`",
    );
    check(
        "60,1,e u,search,1",
        "line 4, column `region`: `e u` is not a region: use 1 to 120 letters, digits, `.`, `_`, `-`, `/` or `:`",
    );
    check(
        "60,1,eu,search,maybe",
        "line 4, column `observed`: `maybe` does not say whether the value was observed: write 1 or 0",
    );
    check(
        "60,1",
        "line 4: `60,1` has 2 fields where the header has 5: write nothing between two delimiters for an empty field",
    );
    check(
        "60,1,5,eu,search,1",
        "line 4: `60,1,5,eu,search,1` has 6 fields where the header has 5: write decimals with a point, and put fields that hold a delimiter in double quotes",
    );
    check(
        "60,\"1,eu,search,1",
        "line 4: `60,\"1,eu,search,1` opens a quote and does not close it",
    );
    check_error(
        b"timestamp,value\n0,1\n60,\xe9\n",
        &CsvOptions::default(),
        "line 3: `60,\u{fffd}` is not UTF-8: save the file as UTF-8",
    );
}

#[test]
fn wrong_timestamps_do_not_make_endless_series() {
    let problem = "3 rows from 1970-01-01T00:00:00Z (line 3) to 2026-01-01T00:01:00Z (line 4) would be 29453762 steps of 1 min, \
        nearly all of them missing: mend the timestamp of the wrong line, or give a coarser step";
    let text = "timestamp,value\n2026-01-01T00:00:00Z,1\n0,1\n2026-01-01T00:01:00Z,1\n";
    let options = CsvOptions {
        step: Some(Step::MINUTE),
        ..CsvOptions::default()
    };
    check_error(text, &options, problem);
}

#[test]
fn rows_closer_than_a_second_are_an_error() {
    let problem = "the rows are 100 ms apart, which is less than a step of one second: \
        add up the rows of each second first, or give the step";
    check_error(
        "timestamp,value\n0.1,1\n0.2,1\n0.3,1\n",
        &CsvOptions::default(),
        problem,
    );
}

#[test]
fn too_many_series_are_an_error() {
    let rows = (0..=SERIES_MAX)
        .map(|i| format!("{i},1,user-{i}\n"))
        .collect::<String>();
    let problem = "line 1002: more than 1000 series: do `interaction_type` and `region` name kinds and regions?";
    check_error(
        format!("timestamp,value,region\n{rows}"),
        &CsvOptions::default(),
        problem,
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn shuffled_and_repeated_rows_give_the_same_series(
        values in proptest::collection::vec(proptest::option::weighted(0.9, 0..100_000_u32), 3..400),
        step in prop_oneof![Just(1_u32), Just(7), Just(60), Just(3600)],
        late in 0..5_u32,
        keep_fine: bool,
        (seed, repeats) in (any::<u64>(), 0..50_usize),
    ) {
        let row = |(i, value): (usize, &Option<u32>)| {
            let jitter = if i % 11 == 5 { late.min(step - 1) } else { 0 };
            let value = value.map_or(String::new(), |value| (f64::from(value) / 100.0).to_string());
            format!("{},{value},{}\n", i as u32 / 2 * step + jitter, ["eu", "us"][i % 2])
        };
        let orderly: Vec<String> = values.iter().enumerate().map(row).collect();
        let mut shuffled = orderly.clone();
        shuffled.extend(orderly.iter().cycle().skip(seed as usize % orderly.len()).take(repeats).cloned());
        let mut random = seed;
        for i in (1..shuffled.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(i, (random >> 33) as usize % (i + 1));
        }
        let options = CsvOptions { keep_fine, ..CsvOptions::default() };
        let text = |rows: &[String]| format!("timestamp,value,region\n{}", rows.concat());
        match (read(&text(&orderly), &options), read(&text(&shuffled), &options)) {
            (Ok((orderly, one)), Ok((shuffled, other))) => {
                prop_assert_eq!(orderly, shuffled);
                prop_assert_eq!(one.missing_steps, other.missing_steps);
                prop_assert_eq!(other.duplicates, repeats as u64);
            }
            (one, other) => prop_assert_eq!(one.unwrap_err().to_string(), other.unwrap_err().to_string()),
        }
    }
}
