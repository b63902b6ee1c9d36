//! Quantiles of what counts differently.

/// The values of sorted (value, weight) pairs up to which these rising weights lie, by straight lines between the middles of
/// the weights.
pub(crate) fn weighted_quantiles<const N: usize>(
    sorted: &[(f64, f64)],
    wanted: &[f64; N],
) -> [f64; N] {
    let mut quantiles = [sorted.last().map_or(0.0, |(value, _)| *value); N];
    let mut left = wanted.iter().zip(&mut quantiles).peekable();
    let mut below = 0.0;
    let mut last: Option<(f64, f64)> = None;
    for &(value, own) in sorted {
        let middle = below + 0.5 * own;
        while let Some((weight, quantile)) = left.next_if(|(weight, _)| middle >= **weight) {
            *quantile = match last {
                Some((before, at)) if middle > at => {
                    before + (value - before) * (weight - at) / (middle - at)
                }
                _ => value,
            };
        }
        last = Some((value, middle));
        below += own;
    }
    quantiles
}
