//! Quantities with their units. Integers wherever money or capacity is summed, so that sums are
//! exact and plans agree on every machine; forecasts become integers once, rounded the safe way.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

use serde::{Deserialize, Serialize};

macro_rules! integer_quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// None of it.
            pub const ZERO: Self = Self(0);
            /// Wraps a number that is already in this unit.
            pub const fn new(value: u64) -> Self {
                Self(value)
            }
            /// The bare number, in this unit.
            pub const fn get(self) -> u64 {
                self.0
            }
            /// The bare number as a float, for forecasts and ratios.
            pub fn as_f64(self) -> f64 {
                self.0 as f64
            }
            /// Subtracts, stopping at zero.
            pub fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
            /// Rounds up a float in this unit. `None` if it is negative, not a number or absurd.
            pub fn from_f64_rounded_up(value: f64) -> Option<Self> {
                (0.0..=1e17).contains(&value).then(|| Self(value.ceil() as u64))
            }
        }
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl Sub for $name {
            type Output = Self;
            /// Subtracts; less than nothing of a quantity is a broken invariant.
            fn sub(self, other: Self) -> Self {
                assert!(self.0 >= other.0, concat!(stringify!($name), ": {} - {} is negative"), self.0, other.0);
                Self(self.0 - other.0)
            }
        }
        impl Mul<u64> for $name {
            type Output = Self;
            fn mul(self, times: u64) -> Self {
                Self(self.0.saturating_mul(times))
            }
        }
        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
                all.fold(Self::ZERO, |sum, one| sum + one)
            }
        }
    };
}

integer_quantity! {
    /// CPU in thousandths of a core.
    MilliCores
}
integer_quantity! {
    /// Memory or storage in bytes; a document's GB is 10⁹ of them.
    Bytes
}
integer_quantity! {
    /// Disk operations a second.
    Iops
}
integer_quantity! {
    /// Network bandwidth in kilobits a second; a document's Mbps is 1,000 of them.
    KilobitsPerSecond
}
integer_quantity! {
    /// A count of units of a component, a unit being a stated amount of CPU and memory.
    Units
}
integer_quantity! {
    /// A stated volume of demand in thousandths of an interaction a minute.
    MilliPerMinute
}
integer_quantity! {
    /// Money in millionths of a US dollar.
    MicroUsd
}
integer_quantity! {
    /// A price in millionths of a US dollar an hour.
    MicroUsdPerHour
}

impl MicroUsdPerHour {
    /// What running at this price for `seconds` costs, rounded up to the next micro-dollar.
    pub fn for_seconds(self, seconds: u64) -> MicroUsd {
        let product = u128::from(self.0) * u128::from(seconds);
        MicroUsd(u64::try_from(product.div_ceil(3600)).unwrap_or(u64::MAX))
    }

    /// Compares what a unit costs of two offers, each as the price of an instance and its units; of no units it costs the most.
    ///
    /// Multiplied crosswise: quotients could tie or order wrongly by rounding.
    pub fn cmp_by_unit((price, units): (Self, u64), (other, other_units): (Self, u64)) -> Ordering {
        let times = |price: Self, units: u64| u128::from(price.0) * u128::from(units);
        times(price, other_units).cmp(&times(other, units))
    }
}

impl MicroUsd {
    /// In dollars, for display and ratios only.
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = (self.0 + 5_000) / 10_000;
        let whole = (cents / 100).to_string();
        let mut grouped = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        write!(f, "${grouped}.{:02}", cents % 100)
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A volume of demand in interactions a minute: finite and not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PerMinute(f64);

impl PerMinute {
    /// No demand, which is not the same as an unknown demand (`Option::None`).
    pub const ZERO: Self = Self(0.0);
    /// Wraps a rate. `None` if it is negative, infinite or not a number.
    pub fn new(per_minute: f64) -> Option<Self> {
        (per_minute.is_finite() && per_minute >= 0.0).then_some(Self(per_minute))
    }
    /// The bare number of interactions a minute.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A share between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(f64);

impl Share {
    /// Nothing of it.
    pub const NONE: Self = Self(0.0);
    /// So many thousandths, at most all.
    pub const fn per_mille(thousandths: u16) -> Self {
        Self(if thousandths > 1_000 {
            1.0
        } else {
            thousandths as f64 / 1e3
        })
    }
    /// Wraps a share. `None` outside 0..=1.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }
    /// The bare share, between 0 and 1.
    pub fn get(self) -> f64 {
        self.0
    }
    /// In millionths, rounded up: prices are exact integers.
    pub fn parts_per_million(self) -> u32 {
        (self.0 * 1e6 - 1e-6).ceil() as u32
    }
    /// In percent.
    pub fn percent(self) -> f64 {
        self.0 * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forecasts_round_up_and_nonsense_is_refused() {
        assert_eq!(Units::from_f64_rounded_up(2.1), Some(Units::new(3)));
        for nonsense in [f64::NAN, -0.1, f64::INFINITY, 1e300] {
            assert_eq!(Units::from_f64_rounded_up(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_price_for_seconds_rounds_up() {
        assert_eq!(MicroUsdPerHour::new(3_600).for_seconds(1), MicroUsd::new(1));
        assert_eq!(MicroUsdPerHour::new(1).for_seconds(1), MicroUsd::new(1));
        assert_eq!(
            MicroUsdPerHour::new(1_000_000).for_seconds(60),
            MicroUsd::new(16_667)
        );
    }

    #[test]
    fn prices_of_a_unit_compare_without_rounding() {
        let of = |price, units| (MicroUsdPerHour::new(price), units);
        // Thirds of ten and of eleven: as whole numbers both are three.
        let cmp = MicroUsdPerHour::cmp_by_unit(of(10, 3), of(11, 3));
        assert_eq!(cmp, Ordering::Less);
        assert_eq!(
            MicroUsdPerHour::cmp_by_unit(of(20, 6), of(10, 3)),
            Ordering::Equal
        );
        assert_eq!(
            MicroUsdPerHour::cmp_by_unit(of(1, 0), of(9, 1)),
            Ordering::Greater
        );
    }

    #[test]
    fn money_reads_like_money() {
        assert_eq!(
            MicroUsd::new(1_234_567_890_000).to_string(),
            "$1,234,567.89"
        );
        assert_eq!(MicroUsd::new(995_000).to_string(), "$1.00");
    }
}
