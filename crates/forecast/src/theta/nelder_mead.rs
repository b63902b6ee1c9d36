//! Minimising a function of three bounded numbers without its derivatives.

/// Rounds that a search may take; it usually ends well before.
const ROUNDS_MAX: usize = 400;

/// The search ends when the values at the corners differ by no more than this share.
const TOLERANCE: f64 = 1e-9;

/// The simplex search of Nelder and Mead (1965) from `start`, each number kept between its bounds.
/// Gives the best point and its value. Counted work only: the same start gives the same end.
pub(super) fn minimise(
    loss: &impl Fn(&[f64; 3]) -> f64,
    start: [f64; 3],
    low: [f64; 3],
    high: [f64; 3],
) -> ([f64; 3], f64) {
    let bounded = |mut point: [f64; 3]| {
        for place in 0..3 {
            point[place] = point[place].clamp(low[place], high[place]);
        }
        let value = loss(&point);
        (point, if value.is_nan() { f64::INFINITY } else { value })
    };
    let mut corners = [bounded(start); 4];
    for place in 0..3 {
        let mut corner = start;
        corner[place] += if start[place].abs() > 1e-4 {
            0.25 * start[place]
        } else {
            0.1
        };
        corners[place + 1] = bounded(corner);
    }
    for _ in 0..ROUNDS_MAX {
        corners.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (best, worst) = (corners[0], corners[3]);
        if worst.1 - best.1 <= TOLERANCE * best.1.abs() {
            break;
        }
        let mut center = [0.0; 3];
        for (corner, _) in &corners[..3] {
            for place in 0..3 {
                center[place] += corner[place] / 3.0;
            }
        }
        let along = |share: f64| {
            let mut point = center;
            for place in 0..3 {
                point[place] += share * (worst.0[place] - center[place]);
            }
            bounded(point)
        };
        let reflected = along(-1.0);
        corners[3] = if reflected.1 < best.1 {
            let expanded = along(-2.0);
            if expanded.1 < reflected.1 {
                expanded
            } else {
                reflected
            }
        } else if reflected.1 < corners[2].1 {
            reflected
        } else {
            let contracted = along(if reflected.1 < worst.1 { -0.5 } else { 0.5 });
            if contracted.1 < worst.1.min(reflected.1) {
                contracted
            } else {
                for corner in &mut corners[1..] {
                    let middle = |place: usize| 0.5 * (best.0[place] + corner.0[place]);
                    let point = [middle(0), middle(1), middle(2)];
                    *corner = bounded(point);
                }
                continue;
            }
        };
    }
    corners
        .into_iter()
        .reduce(|best, next| if next.1 < best.1 { next } else { best })
        .unwrap_or(corners[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_a_valley_within_bounds() {
        let valley = |&[x, y, z]: &[f64; 3]| {
            (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x) + (z - 5.0) * (z - 5.0) + 1.0
        };
        let (point, value) = minimise(&valley, [-1.2, 1.0, 0.0], [-5.0; 3], [5.0, 5.0, 3.0]);
        assert!((value - 5.0).abs() < 1e-4, "{point:?} {value}");
    }
}
