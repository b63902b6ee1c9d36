//! How lopsided the combined quantiles may be.
//!
//! To which side of the median errors are larger is learned from few of them, and quantiles that come from logarithms are
//! stretched upwards with their spread: upper quantiles that hold as often as they should still lose more than narrower ones
//! would, while the lower ones fail. So the two sides are drawn towards each other.

/// The part of the difference between the two sides that is taken off each, from a quarter of a day ahead on.
const PART: f64 = 0.3;

/// Draws the quantiles of a step, at levels that lie alike on both sides of the median, towards symmetry; none falls under 0.
/// `lead` counts from 1, `day` is a day in steps: nearer than a quarter of a day, the shape is known the better the nearer it is.
pub(super) fn even_out(quantiles: &mut [f64], lead: usize, day: usize) {
    let quarter = (day as f64 / 4.0).max(1.0);
    let part = PART * (lead as f64 / quarter).min(1.0);
    let middle = quantiles.len() / 2;
    let median = quantiles[middle];
    for low in 0..middle {
        let high = quantiles.len() - 1 - low;
        let (below, above) = (median - quantiles[low], quantiles[high] - median);
        let moved = part * (below - above);
        quantiles[high] += moved;
        quantiles[low] = (quantiles[low] + moved).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longer_side_is_shortened_and_the_shorter_one_made_longer() {
        let mut quantiles = [6.0, 10.0, 30.0];
        even_out(&mut quantiles, 6, 24);
        assert_eq!(quantiles, [6.0 - 4.8, 10.0, 30.0 - 4.8]);
        let mut quantiles = [6.0, 10.0, 30.0];
        even_out(&mut quantiles, 3, 24);
        assert_eq!(
            quantiles,
            [6.0 - 2.4, 10.0, 30.0 - 2.4],
            "half as much at half a quarter"
        );
    }

    proptest! {
        #[test]
        fn order_median_and_width_stay(
            mut quantiles in proptest::collection::vec(50.0..1e6_f64, 3..12), lead in 1_usize..300, day in 1_usize..300,
        ) {
            if quantiles.len() % 2 == 0 {
                quantiles.pop();
            }
            quantiles.sort_by(f64::total_cmp);
            let before = quantiles.clone();
            even_out(&mut quantiles, lead, day);
            prop_assert!(quantiles.is_sorted_by(|a, b| *a <= b + 1e-6));
            let (first, last) = (0, quantiles.len() - 1);
            prop_assert_eq!(quantiles[last / 2], before[last / 2]);
            if quantiles[first] > 0.0 {
                let width = |of: &[f64]| of[last] - of[first];
                prop_assert!((width(&quantiles) - width(&before)).abs() < 1e-6);
            }
        }
    }
}
