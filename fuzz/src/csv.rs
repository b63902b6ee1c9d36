//! Files of demand and of samples: what is read is demand, and what is not is refused with its place.

use fleetcast_series::{Step, ValueUnit};
use fleetcast_telemetry::{CsvOptions, read_csv, read_samples};

use super::bytes::Bytes;

/// A byte of options, then the file.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let flags = bytes.next();
    let is = |bit: u8| flags & (1 << bit) != 0;
    let options = CsvOptions {
        step: is(0).then_some(Step::MINUTE),
        keep_fine: is(1),
        skip_bad_rows: is(2),
        strict_order: is(3),
        regular: is(4),
        keep_unobserved: is(5),
        value_unit: if is(6) {
            ValueUnit::PerSecond
        } else {
            ValueUnit::PerStep
        },
        ..CsvOptions::default()
    };
    let file = bytes.rest();
    match read_csv(file, &options) {
        Ok((demand, report)) => {
            assert!(!report.to_string().is_empty());
            let total = demand.total();
            assert_eq!(total.len(), demand.len());
            for value in total.values().flatten() {
                assert!(value.is_finite() && value >= 0.0, "{value} is no demand");
            }
        }
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
    match read_samples(file) {
        Ok(samples) => assert!(
            samples
                .iter()
                .all(|sample| sample.value.is_none_or(f64::is_finite))
        ),
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
}
