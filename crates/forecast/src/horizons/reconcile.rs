//! Temporal reconciliation: sums of short steps equal the longer steps.
//!
//! Athanasopoulos, Hyndman, Kourentzes and Petropoulos (2017) reconcile all levels at once by
//! weighted least squares. Our levels form a tree (days, their quarters of an hour, their minutes),
//! on which that solution is two passes: upwards each longer step becomes the mean of its own
//! forecast and the sum of its parts, weighted by their precision; downwards what it gained or lost is
//! handed to its parts by their covariance with the sum. Variances are those of the sample paths,
//! errors within a level being correlated as its paths are.
//!
//! On paths: quantiles of the two forecasts of one step are averaged (errors of the two are the same
//! future's, so that independent averaging would make them falsely sure), and handed to paths in the
//! order of their parts, so that each path adds up. Where a part would become negative, the parts
//! are scaled instead.

/// One level: its forecast and its paths, step by step, all counting the same unit.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) points: Vec<f64>,
    pub(super) paths: Vec<Vec<f64>>,
}

/// Makes each of the first steps of `parent` the sum of its `each` steps of `child`, through all that
/// `child` covers, upwards only: `child` does not change. Both have equally many paths.
pub(super) fn gather(parent: &mut Level, child: &Level, each: usize) {
    let nodes = child.points.len() / each;
    match_order(parent, child, nodes, each);
    for node in 0..nodes {
        let parts = node * each..(node + 1) * each;
        let sums: Vec<f64> = child
            .paths
            .iter()
            .map(|path| path[parts.clone()].iter().sum())
            .collect();
        let own: Vec<f64> = parent.paths.iter().map(|path| path[node]).collect();
        let (of_sums, of_own) = (variance(&sums), variance(&own));
        let trust = if of_sums + of_own > 0.0 {
            of_own / (of_sums + of_own)
        } else {
            0.5
        };
        let mut sorted = own;
        sorted.sort_unstable_by(f64::total_cmp);
        for (rank, path) in order(&sums).into_iter().enumerate() {
            parent.paths[path][node] = trust * sums[path] + (1.0 - trust) * sorted[rank];
        }
        let sum: f64 = child.points[parts].iter().sum();
        parent.points[node] = trust * sum + (1.0 - trust) * parent.points[node];
    }
}

/// Changes the steps of `child` so that they sum to `parent`.
pub(super) fn spread(parent: &Level, child: &mut Level, each: usize) {
    for node in 0..child.points.len() / each {
        let parts = node * each..(node + 1) * each;
        let shares = shares(child, parts.clone());
        adjust(
            &mut child.points[parts.clone()],
            parent.points[node],
            &shares,
        );
        for (path, above) in child.paths.iter_mut().zip(&parent.paths) {
            adjust(&mut path[parts.clone()], above[node], &shares);
        }
    }
}

/// Puts the parent's paths into the order in which the child's stand by their totals over the steps
/// that both know: a busy path goes on as a busy one.
fn match_order(parent: &mut Level, child: &Level, nodes: usize, each: usize) {
    let totals = |level: &Level, steps: usize| -> Vec<f64> {
        let total = |path: &Vec<f64>| path[..steps].iter().sum();
        level.paths.iter().map(total).collect()
    };
    let (above, below) = (
        order(&totals(parent, nodes)),
        order(&totals(child, nodes * each)),
    );
    let mut paths: Vec<Vec<f64>> = vec![Vec::new(); parent.paths.len()];
    for (from, to) in above.into_iter().zip(below) {
        paths[to] = std::mem::take(&mut parent.paths[from]);
    }
    parent.paths = paths;
}

/// What share of a change of their sum each part takes: its covariance with the sum, where positive.
fn shares(child: &Level, parts: std::ops::Range<usize>) -> Vec<f64> {
    let count = child.paths.len() as f64;
    let sums: Vec<f64> = child
        .paths
        .iter()
        .map(|path| path[parts.clone()].iter().sum())
        .collect();
    let mean_sum = sums.iter().sum::<f64>() / count;
    let covariance = |part: usize| {
        let mean = child.paths.iter().map(|path| path[part]).sum::<f64>() / count;
        let products = child
            .paths
            .iter()
            .zip(&sums)
            .map(|(path, sum)| (path[part] - mean) * (sum - mean_sum));
        products.sum::<f64>().max(0.0)
    };
    let each = parts.len() as f64;
    let covariances: Vec<f64> = parts.map(covariance).collect();
    let all: f64 = covariances.iter().sum();
    covariances
        .into_iter()
        .map(|covariance| {
            if all > 0.0 {
                covariance / all
            } else {
                1.0 / each
            }
        })
        .collect()
}

/// Changes parts, none negative, so that they sum to `total`.
fn adjust(parts: &mut [f64], total: f64, shares: &[f64]) {
    let sum: f64 = parts.iter().sum();
    let gained = total - sum;
    let negative = parts
        .iter()
        .zip(shares)
        .any(|(part, share)| part + gained * share < 0.0);
    if !negative {
        for (part, share) in parts.iter_mut().zip(shares) {
            *part += gained * share;
        }
    } else if sum > 0.0 {
        parts.iter_mut().for_each(|part| *part *= total / sum);
    } else {
        let each = total / parts.len() as f64;
        parts.fill(each);
    }
}

fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / count
}

/// The places of the values, smallest value first.
fn order(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn points_are_those_of_weighted_least_squares() {
        // Two parts of variances 1 and 4, uncorrelated (all signs together), and their sum forecast
        // apart with variance 5: numpy 2.4.6, S (SᵀW⁻¹S)⁻¹ SᵀW⁻¹ y with y = (40, 10, 20).
        let signs = [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)];
        let mut child = Level {
            points: vec![10.0, 20.0],
            paths: signs
                .iter()
                .map(|(a, b)| vec![10.0 + a, 20.0 + 2.0 * b])
                .collect(),
        };
        let spread_of_sum = 5.0_f64.sqrt();
        let mut parent = Level {
            points: vec![40.0],
            paths: [-1.0, -1.0, 1.0, 1.0]
                .iter()
                .map(|sign| vec![40.0 + spread_of_sum * sign])
                .collect(),
        };
        gather(&mut parent, &child, 2);
        spread(&parent, &mut child, 2);
        for (found, expected) in [
            (parent.points[0], 35.0),
            (child.points[0], 11.0),
            (child.points[1], 24.0),
        ] {
            assert!((found - expected).abs() < 1e-12, "{parent:?} {child:?}");
        }
    }

    #[test]
    fn equal_forecasts_stay_as_sure_as_they_were() {
        let mut rng = Rng::new(5, 0);
        let mut level = |mean: f64, steps: usize| Level {
            points: vec![mean; steps],
            paths: (0..400)
                .map(|_| {
                    let common = rng.uniform() - 0.5;
                    (0..steps).map(|_| mean * (1.0 + common)).collect()
                })
                .collect(),
        };
        let (mut parent, mut child) = (level(100.0, 1), level(25.0, 4));
        let before = variance(&parent.paths.iter().map(|path| path[0]).collect::<Vec<_>>());
        gather(&mut parent, &child, 4);
        spread(&parent, &mut child, 4);
        let after = variance(&parent.paths.iter().map(|path| path[0]).collect::<Vec<_>>());
        assert!((after / before - 1.0).abs() < 0.15, "{before} {after}");
    }

    #[test]
    fn nothing_becomes_negative() {
        let mut parts = [1.0, 0.0, 9.0];
        adjust(&mut parts, 2.0, &[0.4, 0.4, 0.2]);
        assert!(
            parts.iter().all(|part| *part >= 0.0)
                && (parts.iter().sum::<f64>() - 2.0).abs() < 1e-12
        );
        let mut nothing = [0.0, 0.0];
        adjust(&mut nothing, 3.0, &[-1.0, 2.0]);
        assert_eq!(nothing, [1.5, 1.5]);
    }
}
