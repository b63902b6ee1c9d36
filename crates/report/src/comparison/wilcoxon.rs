//! Wilcoxon's signed-rank test: do differences lie to one side of nothing?

/// Up to so many differences without ties the distribution is counted out, beyond it is nearly normal.
const EXACT_MAX: usize = 50;

/// The two-sided p-value of paired differences; `None` if all are nothing.
///
/// Differences of nothing are left out, as Wilcoxon did. Ties share their mean rank; with them, and beyond 50
/// differences, the normal approximation with the correction for ties stands in.
pub fn signed_rank(differences: &[f64]) -> Option<f64> {
    let mut sizes: Vec<(f64, bool)> = differences
        .iter()
        .filter(|one| one.is_finite() && **one != 0.0)
        .map(|one| (one.abs(), *one > 0.0))
        .collect();
    if sizes.is_empty() {
        return None;
    }
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = sizes.len();
    let (mut positive, mut ties) = (0.0, 0.0);
    let mut from = 0;
    while from < count {
        let same = sizes[from..]
            .iter()
            .take_while(|one| one.0 == sizes[from].0);
        let length = same.count();
        // Ranks from + 1 to from + length share their mean.
        let rank = from as f64 + (length as f64 + 1.0) / 2.0;
        let above = sizes[from..from + length]
            .iter()
            .filter(|one| one.1)
            .count();
        positive += rank * above as f64;
        ties += (length as f64).powi(3) - length as f64;
        from += length;
    }
    if ties == 0.0 && count <= EXACT_MAX {
        return Some(exact(count, positive as usize));
    }
    let n = count as f64;
    let mean = n * (n + 1.0) / 4.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    if variance <= 0.0 {
        return Some(1.0);
    }
    let z = (positive - mean).abs() / variance.sqrt();
    Some(libm::erfc(z / std::f64::consts::SQRT_2).min(1.0))
}

/// Counts how many of the 2ⁿ sets of ranks have a sum as far from the middle.
fn exact(count: usize, positive: usize) -> f64 {
    let most = count * (count + 1) / 2;
    // Shares rather than numbers of sets, so that 2⁵⁰ sets stay exact enough.
    let mut ways = vec![0.0; most + 1];
    ways[0] = 1.0;
    for rank in 1..=count {
        for sum in (0..=most).rev() {
            let with = if sum >= rank { ways[sum - rank] } else { 0.0 };
            ways[sum] = (ways[sum] + with) / 2.0;
        }
    }
    let lower = positive.min(most - positive);
    let tail: f64 = ways[..=lower].iter().sum();
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values of `scipy.stats.wilcoxon` (1.17): exact, and `method="approx"` with ties.
    #[test]
    fn p_values_agree_with_the_reference() {
        let check = |differences: &[f64], expected: f64| {
            let found = signed_rank(differences).unwrap();
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        };
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.0625);
        check(&[1.0, -2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 0.046875);
        check(
            &[
                6.0, 8.0, 14.0, 16.0, 23.0, 24.0, 28.0, 29.0, 41.0, -48.0, 49.0, 56.0, 60.0, -67.0,
                75.0,
            ],
            0.041259765625,
        );
        check(&[1.0, 1.0, -1.0, 2.0, 0.0, 3.0], 0.13079706180685857);
    }

    #[test]
    fn nothing_but_nothing_says_nothing() {
        assert_eq!(signed_rank(&[0.0, 0.0]), None);
        assert_eq!(signed_rank(&[]), None);
    }
}
