//! Small symmetric systems of equations, by their triangular factor (Cholesky).

/// The lower triangle whose product with its transpose is the matrix; what is not positive counts as nearly nothing.
#[expect(clippy::needless_range_loop, reason = "three indices of one triangle")]
pub(super) fn cholesky<const N: usize>(mut matrix: Vec<[f64; N]>) -> Vec<[f64; N]> {
    for j in 0..N {
        for k in 0..=j {
            let mut value = matrix[j][k];
            for i in 0..k {
                value -= matrix[j][i] * matrix[k][i];
            }
            matrix[j][k] = if j == k {
                libm::sqrt(value.max(1e-9))
            } else {
                value / matrix[k][k]
            };
        }
    }
    matrix
}

/// What the matrix of this factor takes to the right side.
pub(super) fn solve<const N: usize>(factor: &[[f64; N]], right: &[f64; N]) -> [f64; N] {
    let mut x = *right;
    for j in 0..N {
        for k in 0..j {
            x[j] -= factor[j][k] * x[k];
        }
        x[j] /= factor[j][j];
    }
    for j in (0..N).rev() {
        for k in j + 1..N {
            x[j] -= factor[k][j] * x[k];
        }
        x[j] /= factor[j][j];
    }
    x
}
