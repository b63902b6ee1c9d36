//! Ctrl-C in the middle of a run: the program says so, and what it began to write is gone.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::place::{Place, Ran, START, of_step, rows};

/// Thirty days by the minute, for everybody: longer than it takes to press a key.
fn place() -> Place {
    let place = Place::new();
    let minute = |i: usize| {
        (
            START + SignedDuration::from_mins(1) * i as i32,
            of_step(i / 5),
        )
    };
    place.write("demand.csv", rows((0..30 * 1_440).map(minute)));
    place
}

const RUN: [&str; 9] = [
    "backtest",
    "--demand",
    "demand.csv",
    "--capacity-per-unit",
    "40",
    "--steps",
    "steps.csv",
    "--report",
    "report",
];

/// Starts the long run and presses Ctrl-C once a file is there; gives how it ended, and the files.
#[track_caller]
fn check(more: &[&str], once_there: &str) {
    let place = place();
    let before = place.files();
    let mut command = place.command(&[&RUN, more].concat());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    while !place.path(once_there).exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{once_there} never came"
        );
        assert!(
            child.try_wait().expect("a child").is_none(),
            "it ended before {once_there} came"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    press(&child);
    let pressed = Instant::now();
    let ran = Ran::of(child.wait_with_output().expect("it ends"));
    assert!(
        pressed.elapsed() < Duration::from_secs(5),
        "it took {:?} to stop",
        pressed.elapsed()
    );
    assert_eq!(ran.code, Some(130), "{}", ran.err);
    assert_eq!(ran.err.trim_end(), "error: cancelled; nothing was written");
    assert_eq!(ran.out, "");
    assert_eq!(place.files(), before, "something was written");
}

fn press(child: &Child) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-INT", &id]).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "kill -INT {id}"
    );
}

#[test]
fn ctrl_c_in_the_middle_of_a_run_leaves_nothing_behind() {
    check(
        &["--record", "recorded"],
        "recorded/recording.jsonl.gz.partial",
    );
}

#[test]
fn ctrl_c_leaves_no_steps_behind() {
    check(&[], "steps.csv.partial");
}
