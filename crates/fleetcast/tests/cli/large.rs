//! A history that is larger than the memory the program may use.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Command;

use crate::place::{Place, Ran};

/// 200 MB of address space, in the KiB of `ulimit -v`.
const LIMIT: &str = "ulimit -v 204800; exec \"$0\" \"$@\"";
/// Bytes of a row.
const ROW: usize = 25;

/// Writes rows of one second each, some of them in each minute missing.
fn write(place: &Place, bytes: usize) -> usize {
    let mut out = BufWriter::new(File::create(place.path("large.csv")).expect("a file"));
    out.write_all(b"timestamp,value\n").expect("room");
    let rows = bytes / ROW;
    for i in 0..rows {
        let (day, second) = (i / 86_400, i % 86_400);
        // March and April and so on: 28 days of each month are enough.
        let (month, day) = (3 + day / 28, 1 + day % 28);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        writeln!(
            out,
            "2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z,{:03}",
            100 + hour
        )
        .expect("room");
    }
    out.flush().expect("room");
    rows
}

/// 60 MB are written and read by each test run. The full size, 300 MB under the same limit, takes half a minute:
/// `FLEETCAST_LARGE=1 cargo nextest run -p fleetcast a_history_larger_than_the_memory_is_read`
#[test]
fn a_history_larger_than_the_memory_is_read() {
    let place = Place::new();
    let full = std::env::var_os("FLEETCAST_LARGE").is_some_and(|value| value == "1");
    let rows = write(&place, if full { 300_000_000 } else { 60_000_000 });
    let mut command = Command::new("bash");
    command
        .current_dir(place.path(""))
        .args(["-c", LIMIT, env!("CARGO_BIN_EXE_fleetcast")]);
    command.args([
        "backtest",
        "--demand",
        "large.csv",
        "--step",
        "5m",
        "--capacity-per-unit",
        "5",
    ]);
    let output = command
        .args(["--policy", "fleetcast", "--policy", "max:0.8"])
        .output()
        .expect("bash");
    let ran = Ran::of(output);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.err
            .contains(&format!("{rows} rows, 2026-03-01T00:00:00Z to ")),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("rows are 1 s apart: the mean of each 5 min is kept"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("Fleetcast (ours)"), "{}", ran.out);
}
