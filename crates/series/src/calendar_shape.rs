//! How the volume of an occurrence is spread over it.

use jiff::{SignedDuration, Timestamp};

/// The share of an occurrence's volume that has come by each boundary of its equal parts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// From 0 at the start to 1 at the end, one more than parts; empty: evenly.
    passed: Vec<f64>,
}

impl Shape {
    /// Reads weights of equal parts; none: evenly. `None` if they are not weights.
    pub(crate) fn new(weights: &[f64]) -> Option<Self> {
        let total: f64 = weights.iter().sum();
        let usable = weights
            .iter()
            .all(|weight| weight.is_finite() && *weight >= 0.0);
        if !usable || !total.is_finite() || (total <= 0.0 && !weights.is_empty()) {
            return None;
        }
        if weights.windows(2).all(|pair| pair[0] == pair[1]) {
            return Some(Self { passed: Vec::new() });
        }
        let mut sum = 0.0;
        let mut passed = vec![0.0];
        for weight in weights {
            sum += weight;
            passed.push(sum / total);
        }
        Some(Self { passed })
    }

    pub(crate) fn is_even(&self) -> bool {
        self.passed.is_empty()
    }

    /// The share between two fractions of the occurrence's length, each in 0..=1.
    pub(crate) fn share_between(&self, start: f64, end: f64) -> f64 {
        if self.is_even() {
            end - start
        } else {
            self.passed_by(end) - self.passed_by(start)
        }
    }

    /// The first boundary of the occurrence `start..end` after `after`: where one of its parts or
    /// the whole ends. `None` if it is over by then.
    pub(crate) fn next_boundary(
        &self,
        start: Timestamp,
        end: Timestamp,
        after: Timestamp,
    ) -> Option<Timestamp> {
        if after >= end {
            return None;
        }
        if self.is_even() {
            return Some(end);
        }
        let parts = i128::try_from(self.passed.len() - 1).expect("a vector's length fits 128 bits");
        let length = end.duration_since(start).as_nanos();
        let into = after.duration_since(start).as_nanos().max(0);
        // The boundary of part k is at the nanosecond that k·length/parts rounds up to.
        let mut part = into * parts / length + 1;
        let boundary = |part: i128| (part * length + parts - 1) / parts;
        while boundary(part) <= into {
            part += 1;
        }
        start
            .checked_add(SignedDuration::from_nanos_i128(boundary(part.min(parts))))
            .ok()
    }

    fn passed_by(&self, fraction: f64) -> f64 {
        let parts = self.passed.len() - 1;
        let position = fraction.clamp(0.0, 1.0) * parts as f64;
        let part = (position as usize).min(parts - 1);
        let (before, after) = (self.passed[part], self.passed[part + 1]);
        before + (after - before) * (position - part as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares_of_equal_parts() {
        let shape = Shape::new(&[1.0, 3.0]).expect("weights");
        assert_eq!(shape.share_between(0.0, 0.5), 0.25);
        assert_eq!(shape.share_between(0.25, 0.75), 0.5);
        assert_eq!(shape.share_between(0.0, 1.0), 1.0);
    }

    #[test]
    fn weights_that_are_none_are_refused() {
        for nonsense in [
            &[-1.0, 2.0][..],
            &[f64::NAN],
            &[0.0, 0.0],
            &[f64::INFINITY],
            &[1e308, 1e308],
        ] {
            assert_eq!(Shape::new(nonsense), None, "{nonsense:?}");
        }
        assert!(Shape::new(&[]).expect("none is even").is_even());
        assert!(Shape::new(&[2.0, 2.0]).expect("equal is even").is_even());
    }

    #[test]
    fn boundaries_follow_one_another_to_the_end() {
        let shape = Shape::new(&[1.0, 2.0, 4.0]).expect("weights");
        let start = Timestamp::UNIX_EPOCH;
        let end = Timestamp::constant(100, 0); // Does not divide by three.
        let mut at = start;
        let mut seen = Vec::new();
        while let Some(next) = shape.next_boundary(start, end, at) {
            assert!(next > at, "{next} after {at}");
            seen.push(next.as_second());
            at = next;
        }
        assert_eq!(seen, [33, 66, 100]);
    }
}
