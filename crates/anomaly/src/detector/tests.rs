use proptest::prelude::*;

use super::*;
use crate::testing::{Noise, daily};
use crate::{Kind, Verdict};

const HOUR: i64 = 3600;

fn kinds() -> Vec<DetectorKind> {
    ["default", "seasonal-naive-day", "theta"]
        .iter()
        .map(|name| name.parse().unwrap())
        .collect()
}

/// Verdicts on hourly samples.
fn judged(kind: &DetectorKind, samples: &[Option<f64>]) -> Vec<Verdict> {
    let mut detector = Detector::new(kind, &Settings::every_seconds(3600));
    let at = |hour: usize| hour as i64 * HOUR;
    let samples = samples.iter().enumerate();
    samples
        .map(|(hour, value)| detector.observe(at(hour), *value))
        .collect()
}

/// Four weeks of daily traffic with noise.
fn traffic() -> Vec<Option<f64>> {
    let mut noise = Noise::new(11);
    (0..28 * 24)
        .map(|hour| Some(daily(hour) + 5.0 * noise.normal()))
        .collect()
}

fn alarms(verdicts: &[Verdict]) -> Vec<usize> {
    (0..verdicts.len())
        .filter(|&hour| verdicts[hour].is_alarm())
        .collect()
}

#[test]
fn a_spike_is_told_at_once_by_every_detector() {
    let mut samples = traffic();
    samples[500] = Some(700.0);
    for kind in kinds() {
        let verdicts = judged(&kind, &samples);
        let verdict = verdicts[500];
        assert!(verdict.is_alarm(), "{kind:?}: {verdict:?}");
        assert_eq!(verdict.kind, Some(Kind::Spike), "{kind:?}");
        assert!(verdict.response.widens_margin() && verdict.response.guards_scale_in());
        let expected = verdict.expected.unwrap();
        assert!((expected - daily(500)).abs() < 40.0, "{kind:?}: {expected}");
        let highest = verdicts
            .iter()
            .map(|verdict| verdict.score)
            .fold(0.0, f64::max);
        assert_eq!(highest, verdict.score, "{kind:?}");
    }
}

#[test]
fn an_outage_is_kept_out_of_training_while_it_lasts() {
    let mut samples = traffic();
    samples[490..496].fill(Some(0.0));
    for kind in kinds() {
        let verdicts = judged(&kind, &samples);
        for (hour, verdict) in verdicts.iter().enumerate().take(496).skip(490) {
            assert_eq!(verdict.kind, Some(Kind::Outage), "{kind:?} {hour}");
            assert!(verdict.response.is_kept_out_of_training());
            assert!(verdict.state > 0.4, "{kind:?} {hour}: {verdict:?}");
        }
        assert!(
            !verdicts[500].response.is_kept_out_of_training(),
            "{kind:?}"
        );
    }
}

#[test]
fn a_step_is_a_shift_and_asks_for_a_refit_until_it_is_learned() {
    let mut samples = traffic();
    for sample in samples[400..].iter_mut().flatten() {
        *sample *= 3.0;
    }
    let verdicts = judged(&DetectorKind::Default, &samples);
    assert!(
        alarms(&verdicts)
            .iter()
            .any(|alarm| (400..410).contains(alarm))
    );
    let shifted = |verdict: &Verdict| verdict.response.triggers_refit();
    assert!(!verdicts[..400].iter().any(shifted));
    assert!(verdicts[405..430].iter().any(shifted));
    assert!(!verdicts[600..].iter().any(shifted));
}

#[test]
fn a_dead_sensor_is_told_though_its_value_is_usual() {
    let mut noise = Noise::new(4);
    let mut samples: Vec<Option<f64>> = (0..600).map(|_| Some(50.0 + noise.normal())).collect();
    samples[500..540].fill(Some(50.3));
    let verdicts = judged(&DetectorKind::Default, &samples);
    assert_eq!(verdicts[539].kind, Some(Kind::Dead));
    assert!(verdicts[539].response.outage);
    assert!(verdicts[500..530].iter().any(Verdict::is_alarm));
    assert_eq!(verdicts[560].kind, None);
}

#[test]
fn samples_that_stay_away_are_told_and_teach_nothing() {
    let mut samples = traffic();
    samples[500..510].fill(None);
    for kind in kinds() {
        let verdicts = judged(&kind, &samples);
        assert_eq!(verdicts[509].kind, Some(Kind::Missing), "{kind:?}");
        assert!(verdicts[500..510].iter().any(Verdict::is_alarm), "{kind:?}");
        assert!(verdicts[509].expected.is_some());
    }
}

#[test]
fn a_day_without_its_peak_is_told() {
    let mut samples = traffic();
    let midnight = samples[480];
    samples[480..504].fill(midnight);
    let verdicts = judged(&DetectorKind::Default, &samples);
    assert!(!alarms(&verdicts[480..504]).is_empty());
}

#[test]
fn the_budget_holds_on_noise() {
    // Half a year of 5 minutes: what is told is about the budget or less.
    let mut noise = Noise::new(7);
    let settings = Settings::every_seconds(300);
    let mut detector = Detector::new(&DetectorKind::Default, &settings);
    let weeks = 26;
    let mut told = 0;
    for row in 0..weeks * 7 * 288_i64 {
        let value = 100.0 + 10.0 * noise.normal();
        told += i64::from(detector.observe(row * 300, Some(value)).is_alarm());
    }
    let a_week = told as f64 / weeks as f64;
    assert!(a_week < 1.5 * settings.alarms_per_week, "{a_week} a week");
    assert!(a_week > 0.3 * settings.alarms_per_week, "{a_week} a week");
}

#[test]
fn a_verdict_does_not_depend_on_what_comes_later() {
    let samples = traffic();
    let mut other = samples.clone();
    other[300..].fill(Some(1e9));
    for kind in kinds() {
        assert_eq!(
            judged(&kind, &samples)[..300],
            judged(&kind, &other)[..300],
            "{kind:?}"
        );
    }
}

#[test]
fn a_stored_detector_goes_on_as_if_nothing_had_been() {
    let samples = traffic();
    for kind in kinds() {
        let expected = judged(&kind, &samples);
        let mut detector = Detector::new(&kind, &Settings::every_seconds(3600));
        for (hour, value) in samples.iter().enumerate() {
            if hour == 333 {
                let stored = serde_json::to_string(&detector).unwrap();
                assert!(stored.contains("fleetcast-anomaly/v1"));
                detector = serde_json::from_str(&stored).unwrap();
            }
            let verdict = detector.observe(hour as i64 * HOUR, *value);
            assert_eq!(verdict, expected[hour], "{kind:?} {hour}");
        }
    }
}

#[test]
fn refits_are_counted_and_shared_by_many_samples() {
    let kind: DetectorKind = "theta".parse().unwrap();
    let mut detector = Detector::new(&kind, &Settings::every_seconds(3600));
    for (hour, value) in traffic().iter().enumerate() {
        detector.observe(hour as i64 * HOUR, *value);
    }
    let refits = detector.refits();
    // 672 hours: the first at 48, then one each 67.
    assert_eq!((refits.made, refits.refused), (10, 0));
    assert!(refits.rows < 10 * 672);
    assert_eq!(
        Detector::new(&DetectorKind::Default, &Settings::every_seconds(60)).refits(),
        Refits::default()
    );
}

#[test]
fn the_scale_of_the_series_does_not_matter() {
    let samples = traffic();
    let larger: Vec<Option<f64>> = samples
        .iter()
        .map(|sample| sample.map(|value| value * 1024.0))
        .collect();
    let (ours, theirs) = (
        judged(&DetectorKind::Default, &samples),
        judged(&DetectorKind::Default, &larger),
    );
    for (hour, (one, other)) in ours.iter().zip(&theirs).enumerate() {
        assert!((one.state - other.state).abs() < 1e-6, "{hour}");
        // Buckets of the tail fall differently, by up to their width.
        assert!(
            (one.rarity - other.rarity).abs() < 0.5,
            "{hour}: {one:?} {other:?}"
        );
    }
}

fn any_samples() -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![
        4 => (-1e3..1e3).prop_map(Some),
        2 => Just(Some(0.0)),
        1 => Just(Some(1e15)),
        1 => Just(Some(-1e300)),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(f64::INFINITY)),
        2 => Just(None),
    ];
    let constant = (1..400_usize, -1e3..1e3).prop_map(|(rows, value)| vec![Some(value); rows]);
    let spike = (1..400_usize).prop_map(|rows| {
        let mut samples = vec![Some(1.0); 2 * rows];
        samples[rows] = Some(1e12);
        samples
    });
    prop_oneof![
        prop::collection::vec(value, 0..300),
        constant,
        spike,
        Just(vec![Some(0.0); 300]),
        Just(vec![None; 300]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_comes_scores_are_between_0_and_1(samples in any_samples(), step in prop_oneof![Just(1_u32), Just(60), Just(3600), Just(2_000_000)]) {
        for kind in kinds() {
            let mut detector = Detector::new(&kind, &Settings::every_seconds(step));
            for (row, value) in samples.iter().enumerate() {
                let verdict = detector.observe(row as i64 * i64::from(step) - 1000, *value);
                for score in [verdict.score, verdict.onset, verdict.state] {
                    prop_assert!((0.0..=1.0).contains(&score), "{verdict:?}");
                }
                prop_assert!(verdict.rarity.is_finite() && verdict.expected.is_none_or(f64::is_finite));
                prop_assert_eq!(verdict.is_alarm(), verdict.score >= Verdict::ALARM);
            }
        }
    }
}
