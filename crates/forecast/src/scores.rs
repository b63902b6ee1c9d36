//! What forecasts are judged by.

/// The pinball loss of one quantile forecast, in the unit of the demand: `level` times what it was
/// too low, or `1 − level` times what it was too high (Koenker and Bassett 1978).
pub fn pinball(level: f64, forecast: f64, actual: f64) -> f64 {
    let short = actual - forecast;
    if short >= 0.0 {
        level * short
    } else {
        (level - 1.0) * short
    }
}

/// The weighted quantile loss: the mean over levels of twice the summed pinball loss, relative to
/// the summed demand. `quantiles` holds one slice per step in the order of `levels`. `None` if
/// there is no level or no demand.
///
/// # Panics
/// Unless there are as many steps in both and one quantile per level.
pub fn weighted_quantile_loss(
    levels: &[f64],
    quantiles: &[&[f64]],
    actuals: &[f64],
) -> Option<f64> {
    assert_eq!(quantiles.len(), actuals.len(), "forecasts and outcomes");
    let size: f64 = actuals.iter().map(|actual| actual.abs()).sum();
    let mut sum = 0.0;
    for (quantiles, &actual) in quantiles.iter().zip(actuals) {
        assert_eq!(quantiles.len(), levels.len(), "quantiles for {levels:?}");
        sum += levels
            .iter()
            .zip(*quantiles)
            .map(|(&level, &quantile)| 2.0 * pinball(level, quantile, actual))
            .sum::<f64>();
    }
    (size > 0.0 && !levels.is_empty()).then(|| sum / (levels.len() as f64 * size))
}

/// The share of outcomes at or under their quantile. `None` of nothing.
///
/// # Panics
/// Unless there are as many of both.
pub fn coverage(quantiles: &[f64], actuals: &[f64]) -> Option<f64> {
    assert_eq!(quantiles.len(), actuals.len(), "forecasts and outcomes");
    let covered = quantiles
        .iter()
        .zip(actuals)
        .filter(|(quantile, actual)| actual <= quantile)
        .count();
    (!actuals.is_empty()).then(|| covered as f64 / actuals.len() as f64)
}

/// The mean absolute error relative to that of repeating the last season within the history
/// (Hyndman and Koehler 2006). Missing steps of the history do not count. `None` if there is
/// nothing to compare, or nothing that the season misses.
///
/// # Panics
/// Unless there are as many forecasts as outcomes.
pub fn mase(
    forecasts: &[f64],
    actuals: &[f64],
    history: &[Option<f64>],
    season: usize,
) -> Option<f64> {
    assert_eq!(forecasts.len(), actuals.len(), "forecasts and outcomes");
    let mean = |errors: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = errors.fold((0.0, 0_usize), |(sum, count), error| {
            (sum + error.abs(), count + 1)
        });
        (count > 0).then(|| sum / count as f64)
    };
    let later = history.get(season..)?;
    let scale = mean(
        &mut history
            .iter()
            .zip(later)
            .filter_map(|(&old, &new)| Some(new? - old?)),
    )?;
    let error = mean(
        &mut forecasts
            .iter()
            .zip(actuals)
            .map(|(forecast, actual)| actual - forecast),
    )?;
    (scale > 0.0).then(|| error / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_short_costs_the_level_and_being_long_the_rest() {
        assert_eq!(pinball(0.75, 10.0, 14.0), 3.0);
        assert_eq!(pinball(0.75, 14.0, 10.0), 1.0);
        assert_eq!(pinball(0.75, 10.0, 10.0), 0.0);
    }

    #[test]
    fn relative_scores() {
        let quantiles: [&[f64]; 2] = [&[10.0, 14.0], &[10.0, 14.0]];
        // (0.5·(2 + 6) + (0.25·2 + 0.75·2)) · 2 ÷ 2 levels ÷ 28.
        let loss = weighted_quantile_loss(&[0.5, 0.75], &quantiles, &[12.0, 16.0]).unwrap();
        assert!((loss - 6.0 / 28.0).abs() < 1e-12, "{loss}");
        assert_eq!(weighted_quantile_loss(&[0.5], &[&[1.0]], &[0.0]), None);
        assert_eq!(
            coverage(&[1.0, 2.0, 3.0, 4.0], &[0.5, 2.0, 9.0, 1.0]),
            Some(0.75)
        );
        let history = [Some(1.0), Some(2.0), Some(3.0), None, Some(5.0), Some(8.0)];
        // Seasons of two: |3 − 1| and |5 − 3|; a gap lies under the third.
        assert_eq!(mase(&[9.0, 9.0], &[8.0, 12.0], &history, 2), Some(1.0));
        assert_eq!(mase(&[9.0], &[8.0], &[Some(1.0); 9], 2), None);
    }
}
