//! The anomaly detector on any samples: scores between 0 and 1, and nothing that is no number.

use fleetcast_anomaly::{Detector, DetectorKind, Settings};

use super::bytes::Bytes;

/// Samples at most: enough for the default to have learned what is rare.
const SAMPLES_MAX: usize = 3_000;
/// Of a model's residuals fewer, because it is fitted again and again.
const FITTED_SAMPLES_MAX: usize = 400;
/// The default, and models that are quick to fit.
const DETECTORS: [&str; 4] = ["default", "seasonal-naive-day", "theta", "ets"];
const STEP_SECONDS: [u32; 5] = [1, 60, 300, 3_600, 86_400];

/// Detector, step and unevenness by a byte each, then the samples.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let name = DETECTORS[bytes.choice(DETECTORS.len())];
    let kind: DetectorKind = name.parse().expect("a detector");
    let most = if name == "default" {
        SAMPLES_MAX
    } else {
        FITTED_SAMPLES_MAX
    };
    let step = STEP_SECONDS[bytes.choice(STEP_SECONDS.len())];
    let uneven = i64::from(bytes.next());
    let settings = Settings::every_seconds(step).with_alarms_per_week(f64::from(bytes.next()));
    let mut detector = Detector::new(&kind, &settings);
    let mut at = 1_772_409_600;
    for (place, value) in bytes.series(most).into_iter().enumerate() {
        // Late, twice at a time and back in time.
        at += i64::from(step) + if place % 7 == 3 { uneven - 128 } else { 0 };
        let verdict = detector.observe(at, value);
        for score in [verdict.score, verdict.onset, verdict.state] {
            assert!((0.0..=1.0).contains(&score), "{verdict:?} at {place}");
        }
        assert!(!verdict.rarity.is_nan(), "{verdict:?} at {place}");
        assert!(
            verdict.expected.is_none_or(f64::is_finite),
            "{verdict:?} at {place}"
        );
    }
}
