//! Has the like been seen? The distance of the last samples to the nearest earlier stretch.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Lengths of the stretches: a value with the one before, a passage, a course. One short and one
/// long alone find less than three, and more find no more.
pub const LENGTHS: [usize; 3] = [2, 10, 50];

/// Earlier stretches that the last one is compared with. More cost more and find no more; what was
/// usual longer ago is no longer a reason to call it usual.
const COMPARED: usize = 600;
/// Stretches before the first comparison, so that the nearest of them means something.
const COMPARED_MIN: usize = 10;

/// The last values, to compare the newest of them with the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Novelty {
    recent: VecDeque<f64>,
}

impl Novelty {
    /// Nothing was seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a value, and gives the distance of the stretch that ends with it to the nearest
    /// earlier one that does not overlap it, for each of [`LENGTHS`]; `None` while there are too few.
    pub fn observe(&mut self, value: f64) -> [Option<f64>; LENGTHS.len()] {
        let longest = LENGTHS[LENGTHS.len() - 1];
        if self.recent.len() == COMPARED + 2 * longest {
            self.recent.pop_front();
        }
        self.recent.push_back(value);
        let recent: &[f64] = self.recent.make_contiguous();
        LENGTHS.map(|length| nearest(recent, length))
    }
}

/// The first values of all stretches are compared at once; few need the rest.
const FIRST: usize = 4;

/// The Euclidean distance of the last `length` values to the nearest stretch before them.
fn nearest(recent: &[f64], length: usize) -> Option<f64> {
    if recent.len() < 2 * length + COMPARED_MIN {
        return None;
    }
    let start = recent.len() - length;
    let last = &recent[start..];
    // Stretches that end before the last one starts, the newest COMPARED of them.
    let newest = start - length;
    let oldest = (newest + 1).saturating_sub(COMPARED);
    let first = length.min(FIRST);
    let mut sums = [0.0; COMPARED];
    let sums = &mut sums[..=newest - oldest];
    for (place, own) in last[..first].iter().enumerate() {
        for (sum, other) in sums.iter_mut().zip(&recent[oldest + place..]) {
            *sum += (own - other) * (own - other);
        }
    }
    let mut best = f64::INFINITY;
    for (from, sum) in (oldest..newest + 1).zip(&*sums).rev() {
        if *sum < best {
            let other = &recent[from + first..from + length];
            best = best.min(squared(*sum, &last[first..], other, best));
        }
    }
    Some(best.min(f64::MAX).sqrt())
}

/// The sum with the squared differences added, or something larger than `enough` if it is larger than that.
fn squared(mut sum: f64, one: &[f64], other: &[f64], enough: f64) -> f64 {
    for (one, other) in one.chunks(8).zip(other.chunks(8)) {
        for (a, b) in one.iter().zip(other) {
            sum += (a - b) * (a - b);
        }
        if sum > enough {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Noise;

    fn known(distances: [Option<f64>; 3]) -> [f64; 3] {
        distances.map(|distance| distance.expect("enough was seen"))
    }

    #[test]
    fn what_repeats_is_not_new() {
        let mut novelty = Novelty::new();
        for step in 0..400 {
            novelty.observe(f64::from(step % 24));
        }
        assert_eq!(known(novelty.observe(f64::from(400 % 24))), [0.0; 3]);
        // A value that is usual, at the wrong place: new as a pair.
        let odd = known(novelty.observe(f64::from((401 + 7) % 24)));
        assert!(odd[0] > 0.0 && odd[1] > 0.0, "{odd:?}");
    }

    #[test]
    fn usual_values_in_a_new_course_are_new() {
        let mut noise = Noise::new(5);
        let mut novelty = Novelty::new();
        let mut usual = 0.0_f64;
        for step in 0..480 {
            let distances = novelty.observe(f64::from(step % 24) + 0.3 * noise.normal());
            if step > 100 {
                usual = usual.max(known([distances[1]; 3])[1]);
            }
        }
        // Downwards what has always gone upwards.
        let mut fall = 0.0;
        for step in 0..10 {
            fall = known(novelty.observe(f64::from(20 - step)))[1];
        }
        assert!(fall > 5.0 * usual, "{fall} {usual}");
    }

    #[test]
    fn too_few_values_are_no_news() {
        let mut novelty = Novelty::new();
        for step in 1..2 * LENGTHS[0] + COMPARED_MIN {
            assert_eq!(novelty.observe(step as f64), [None; 3]);
        }
        assert!(novelty.observe(1e300)[0] > Some(0.0));
        assert!(novelty.observe(-1e300)[0].is_some_and(f64::is_finite));
    }

    #[test]
    fn memory_is_bounded() {
        let mut novelty = Novelty::new();
        for step in 0..5000 {
            novelty.observe(f64::from(step));
        }
        assert_eq!(novelty.recent.len(), COMPARED + 100);
    }
}
