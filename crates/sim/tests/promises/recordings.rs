//! A recording is enough to get every step again, and tells when it is not.

use std::io::BufReader;

use fleetcast_engine::drive;
use fleetcast_sim::{BootTime, Replay, ReplayError, run_to_end};
use proptest::prelude::*;

use crate::support::{Choice, Site, calm, cases, choices, minutes, plain_site, usual_choice};

/// Replays: how many steps came out the same, or why not.
fn replay(recording: &[u8]) -> Result<u64, ReplayError> {
    let (mut engine, mut world) = Replay::open(BufReader::new(recording), |_, _| true)?;
    run_to_end(drive(&mut engine, &mut world))?;
    Ok(world.steps)
}

/// Replays a recording that was changed.
fn check(recording: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> ReplayError {
    let mut changed = recording.to_vec();
    change(&mut changed);
    assert!(changed != recording, "nothing was changed");
    replay(&changed).expect_err("a changed recording is not reproduced")
}

fn recording(site: &Site) -> Vec<u8> {
    site.run().recording()
}

fn text_in_line(line: usize, from: &str, to: &str) -> impl FnOnce(&mut Vec<u8>) {
    move |bytes| {
        let text = String::from_utf8(bytes.clone()).expect("JSON is text");
        let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
        // The step comes last in its line: its members, not those of what was seen.
        let (seen, step) = lines[line].split_once("\"step\":").expect("a step");
        lines[line] = format!("{seen}\"step\":{}", step.replacen(from, to, 1));
        *bytes = (lines.join("\n") + "\n").into_bytes();
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn equal_inputs_give_equal_bytes_and_a_replay_gives_them_again(choice in choices()) {
        let choice: Choice = choice;
        let site = choice.site(300);
        let first = recording(&site);
        prop_assert!(first == recording(&site), "two runs differ");
        prop_assert_eq!(replay(&first).map_err(|e| e.to_string()), Ok(300));
    }
}

#[test]
fn every_fit_is_replayed_from_its_result() {
    let site = plain_site(&calm(8), 4, "fleetcast", minutes(10));
    assert_eq!(replay(&recording(&site)).ok(), Some(4 * 288));
}

#[test]
fn another_seed_boots_otherwise() {
    let boot = BootTime::LogNormal {
        median: minutes(5),
        sigma: 0.3,
    };
    let of = |seed| {
        Choice {
            seed,
            boot: boot.clone(),
            ..usual_choice()
        }
        .site(288)
    };
    assert!(recording(&of(1)) == recording(&of(1)));
    assert!(recording(&of(1)) != recording(&of(2)));
}

#[test]
fn a_changed_step_is_named_with_its_member() {
    let bytes = recording(&usual_choice().site(100));
    let found = check(&bytes, text_in_line(42, "\"wanted\":", "\"wanted\":1"));
    let ReplayError::Differs { step, pointer, .. } = &found else {
        panic!("{found:?}");
    };
    assert_eq!((*step, pointer.as_str()), (41, "/components/0/wanted"));
    let text = found.to_string();
    assert!(text.starts_with("step 41 at 2026-03-02T03:30:00Z differs from the recording at `/components/0/wanted`: recorded 1"), "{text}");
}

#[test]
fn a_changed_observation_shows_in_what_is_decided() {
    let bytes = recording(&plain_site(&calm(8), 1, "hpa:0.6", minutes(10)));
    let found = check(&bytes, |bytes| {
        let text = String::from_utf8(bytes.clone()).expect("JSON is text");
        let changed = text.replacen("\"per_minute\":[", "\"per_minute\":[9", 1);
        *bytes = changed.into_bytes();
    });
    assert!(
        matches!(found, ReplayError::Differs { step: 0, .. }),
        "{found:?}"
    );
}

#[test]
fn a_recording_that_is_cut_off_says_where() {
    let bytes = recording(&usual_choice().site(50));
    let lines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let ends: Vec<usize> = lines.map(|(at, _)| at).collect();
    for line in [1, 2, 20, 50] {
        // In the middle of the line, and before its last character.
        for at in [(ends[line - 1] + ends[line]) / 2, ends[line] - 1] {
            let found = check(&bytes, |bytes| bytes.truncate(at));
            let place = format!("line {} of the recording is damaged or cut off", line + 1);
            assert_eq!(found.to_string(), place, "cut at byte {at}");
        }
    }
    let empty = check(&bytes, Vec::clear);
    assert_eq!(
        empty.to_string(),
        "line 1 of the recording is damaged or cut off"
    );
}

#[test]
fn another_format_is_not_guessed_at() {
    let bytes = recording(&usual_choice().site(2));
    let found = check(&bytes, |bytes| {
        let text = String::from_utf8(bytes.clone()).expect("JSON is text");
        *bytes = text
            .replacen("fleetcast-recording/v1", "fleetcast-recording/v9", 1)
            .into_bytes();
    });
    assert_eq!(
        found.to_string(),
        "the recording has format `fleetcast-recording/v9`; this version reads `fleetcast-recording/v1`"
    );
    let damaged = check(&bytes, |bytes| bytes[0] = b'x');
    assert_eq!(
        damaged.to_string(),
        "line 1 of the recording is damaged or cut off"
    );
}
