//! Small symmetric positive definite systems, by Cholesky's decomposition.

/// The lower triangle L with L·Lᵀ = `matrix` (row by row, `n` × `n`); `None` where it is not positive definite.
pub(super) fn decompose(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; n * n];
    for row in 0..n {
        for column in 0..=row {
            let known: f64 = (0..column)
                .map(|k| lower[row * n + k] * lower[column * n + k])
                .sum();
            let rest = matrix[row * n + column] - known;
            if row == column {
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                lower[row * n + row] = libm::sqrt(rest);
            } else {
                lower[row * n + column] = rest / lower[column * n + column];
            }
        }
    }
    Some(lower)
}

/// Solves L·y = `right`.
pub(super) fn forward(lower: &[f64], right: &[f64]) -> Vec<f64> {
    let n = right.len();
    let mut solution: Vec<f64> = Vec::with_capacity(n);
    for (row, right) in right.iter().enumerate() {
        let known: f64 = solution
            .iter()
            .zip(&lower[row * n..])
            .map(|(one, factor)| one * factor)
            .sum();
        solution.push((right - known) / lower[row * n + row]);
    }
    solution
}

/// Solves L·Lᵀ·x = `right`.
pub(super) fn solve(lower: &[f64], right: &[f64]) -> Vec<f64> {
    let n = right.len();
    let mut solution = forward(lower, right);
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| lower[k * n + row] * solution[k]).sum();
        solution[row] = (solution[row] - known) / lower[row * n + row];
    }
    solution
}

/// The inverse of `matrix`; `None` where it is not positive definite.
pub(super) fn invert(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let lower = decompose(matrix, n)?;
    let mut inverse = vec![0.0; n * n];
    for column in 0..n {
        let mut unit = vec![0.0; n];
        unit[column] = 1.0;
        for (row, value) in solve(&lower, &unit).into_iter().enumerate() {
            inverse[row * n + column] = value;
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_times_its_matrix_is_one() {
        let matrix = [4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let inverse = invert(&matrix, 3).unwrap();
        for row in 0..3 {
            for column in 0..3 {
                let product: f64 = (0..3)
                    .map(|k| matrix[row * 3 + k] * inverse[k * 3 + column])
                    .sum();
                let expected = f64::from(u8::from(row == column));
                assert!((product - expected).abs() < 1e-12);
            }
        }
        assert_eq!(invert(&[1.0, 2.0, 2.0, 1.0], 2), None);
    }
}
