//! Amounts: the documents' decimal numbers to the model's integers, and back.

use fleetcast_model::{Bytes, Iops, KilobitsPerSecond, MicroUsd, MilliCores, Share};
use jiff::SignedDuration;

use crate::problem::Problems;
use crate::wire::{Fraction, IsoDuration, Money};

/// How far a product may lie above a whole number and still be meant as it, as a share of it: 0.07 × 1000
/// is 70.00000000000001, and rounding that up would buy what nobody wrote.
const FLOAT_NOISE: f64 = 1e-12;

/// Rounds up to a whole number of the smaller unit. The schema has ruled out negative and absurd values;
/// those of a document that is refused anyway become 0.
fn scaled_up(value: f64, factor: f64) -> u64 {
    let product = value * factor;
    let nearest = product.round();
    let whole = if (product - nearest).abs() <= nearest.abs() * FLOAT_NOISE {
        nearest
    } else {
        product.ceil()
    };
    whole as u64
}

pub(crate) fn cores(value: f64) -> MilliCores {
    MilliCores::new(scaled_up(value, 1e3))
}

/// Exact to the byte up to the 4 PB that the schema allows: beyond, a float of GB cannot tell bytes apart.
pub(crate) fn gigabytes(value: f64) -> Bytes {
    Bytes::new(scaled_up(value, 1e9))
}

pub(crate) fn iops(value: f64) -> Iops {
    Iops::new(scaled_up(value, 1.0))
}

pub(crate) fn megabits(value: f64) -> KilobitsPerSecond {
    KilobitsPerSecond::new(scaled_up(value, 1e3))
}

pub(crate) fn money(value: &Money) -> MicroUsd {
    value.micro_usd()
}

pub(crate) fn to_cores(value: MilliCores) -> f64 {
    value.as_f64() / 1e3
}

pub(crate) fn to_gigabytes(value: Bytes) -> f64 {
    value.as_f64() / 1e9
}

pub(crate) fn to_megabits(value: KilobitsPerSecond) -> f64 {
    value.as_f64() / 1e3
}

pub(crate) fn to_money(value: MicroUsd) -> Money {
    Money::usd(value)
}

/// A share; what is none, in a document that is refused anyway, becomes 0.
pub(crate) fn share(value: Fraction, at: &str, problems: &mut Problems) -> Share {
    Share::new(value.0).unwrap_or_else(|| {
        let field = at.rsplit('/').next().unwrap_or_default();
        let message = format!(
            "{field} is {} %; a share is between 0 and 100 %",
            value.0 * 100.0
        );
        problems.add(at, message);
        Share::new(0.0).expect("0 is a share")
    })
}

/// The longest duration of a document, ten years: beyond it a time added to it may leave the calendar.
pub(crate) const DAYS_MAX: i64 = 3660;

pub(crate) fn duration(value: IsoDuration, at: &str, problems: &mut Problems) -> SignedDuration {
    if value.0 > SignedDuration::from_hours(DAYS_MAX * 24) {
        let field = at.rsplit('/').next().unwrap_or_default();
        problems.add(
            at,
            format!("{field} is {value}; it is at most P{DAYS_MAX}D"),
        );
    }
    value.0
}

pub(crate) fn positive(value: IsoDuration, at: &str, problems: &mut Problems) -> SignedDuration {
    if value.0.is_zero() {
        let field = at.rsplit('/').next().unwrap_or_default();
        problems.add(
            at,
            format!("{field} is {value}; it must last longer than nothing"),
        );
    }
    duration(value, at, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_meant() {
        for milli in 0..5_000 {
            let written = format!("{}.{:03}", milli / 1000, milli % 1000);
            assert_eq!(cores(written.parse().unwrap()).get(), milli, "{written}");
        }
        assert_eq!(cores(0.0001), MilliCores::new(1), "rounded up");
        assert_eq!(gigabytes(7.3), Bytes::new(7_300_000_000));
    }

    #[test]
    fn nonsense_of_a_refused_document_is_no_panic() {
        assert_eq!(cores(f64::NAN), MilliCores::ZERO);
        assert_eq!(gigabytes(-3.0), Bytes::ZERO);
    }
}
