//! Least squares with few columns.

use serde::{Deserialize, Serialize};

/// The share of a column that the ones before it must leave unexplained, or it is left out.
const OWN_SHARE_MIN: f64 = 1e-9;

/// Coefficients of columns; 0 for those that say nothing new.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Regression {
    pub(super) coefficients: Vec<f64>,
    /// How many columns count.
    pub(super) rank: usize,
}

/// Explains the first series by the others; gives their coefficients and the sum of the squares that
/// are left.
pub(super) fn regress(series: &[Vec<f64>]) -> (Regression, f64) {
    let Some((target, columns)) = series.split_first() else {
        return (Regression::default(), 0.0);
    };
    let count = columns.len();
    if count == 0 {
        return (Regression::default(), dot(target, target));
    }
    // Gauss elimination on the products, without the columns that have no more to say.
    let mut products = vec![0.0; count * (count + 1)];
    let wide = count + 1;
    for row in 0..count {
        for column in row..count {
            let product = dot(&columns[row], &columns[column]);
            products[row * wide + column] = product;
            products[column * wide + row] = product;
        }
        products[row * wide + count] = dot(&columns[row], target);
    }
    let sizes: Vec<f64> = (0..count).map(|at| products[at * wide + at]).collect();
    let counts: Vec<bool> = (0..count)
        .map(|pivot| {
            let size = products[pivot * wide + pivot];
            if !(size > OWN_SHARE_MIN * sizes[pivot] && size.is_normal()) {
                return false;
            }
            for row in 0..count {
                if row != pivot {
                    let share = products[row * wide + pivot] / size;
                    for column in pivot..wide {
                        products[row * wide + column] -= share * products[pivot * wide + column];
                    }
                }
            }
            true
        })
        .collect();
    let coefficients: Vec<f64> = (0..count)
        .map(|at| {
            if counts[at] {
                products[at * wide + count] / products[at * wide + at]
            } else {
                0.0
            }
        })
        .collect();
    let left = without(series, &coefficients);
    let squares = dot(&left, &left);
    (
        Regression {
            coefficients,
            rank: counts.iter().filter(|counts| **counts).count(),
        },
        squares,
    )
}

/// The first series without what the coefficients make of the others.
pub(super) fn without(series: &[Vec<f64>], coefficients: &[f64]) -> Vec<f64> {
    let mut left = series[0].clone();
    for (column, &coefficient) in series[1..].iter().zip(coefficients) {
        if coefficient != 0.0 {
            for (left, value) in left.iter_mut().zip(column) {
                *left -= coefficient * value;
            }
        }
    }
    left
}

/// The sum of products, in four strands, which the processor does side by side.
pub(super) fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (ones, others) = (one.chunks_exact(4), other.chunks_exact(4));
    let rest: f64 = ones
        .remainder()
        .iter()
        .zip(others.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (one, other) in ones.zip(others) {
        for (sum, (a, b)) in sums.iter_mut().zip(one.iter().zip(other)) {
            *sum += a * b;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_say_nothing_new_are_left_out() {
        let ones = vec![1.0; 6];
        let line: Vec<f64> = (0..6).map(f64::from).collect();
        let twice: Vec<f64> = line.iter().map(|value| 2.0 * value + 1.0).collect();
        let odd = vec![1.0, -1.0, 0.5, -0.5, 2.0, -2.0];
        let target: Vec<f64> = (0..6).map(|at| 3.0 + 0.5 * line[at] - odd[at]).collect();
        let (found, squares) = regress(&[target, ones, line, twice, odd, vec![0.0; 6]]);
        assert_eq!(found.rank, 3);
        for (coefficient, expected) in found.coefficients.iter().zip([3.0, 0.5, 0.0, -1.0, 0.0]) {
            assert!((coefficient - expected).abs() < 1e-9, "{found:?}");
        }
        assert!(squares < 1e-18);
    }
}
