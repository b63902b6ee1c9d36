//! A series and what explains it, ready to be fitted.

use super::order::ArimaOrder;
use super::regression::{regress, without};

/// Levels and their differences. Gaps are bridged where the method cannot leave them open: at the
/// start, which differencing uses up, and for conditional least squares.
pub(super) struct Data {
    /// The series first, then the regressors.
    levels: Vec<Vec<f64>>,
    observed: Vec<bool>,
    complete: bool,
    differenced: Vec<Vec<f64>>,
}

impl Data {
    /// Takes a series and as many steps of each regressor.
    pub(super) fn new(
        values: &[Option<f64>],
        order: &ArimaOrder,
        regressors: Vec<Vec<f64>>,
    ) -> Self {
        let mut levels = vec![bridged(values, order.season)];
        levels.extend(regressors);
        let observed: Vec<bool> = values.iter().map(Option::is_some).collect();
        let used_up = order.lost().min(observed.len());
        Self {
            complete: observed[used_up..].iter().all(|&observed| observed),
            differenced: levels.iter().map(|level| order.difference(level)).collect(),
            levels,
            observed,
        }
    }

    /// Whether no gap is left after the steps that differencing uses up.
    pub(super) fn complete(&self) -> bool {
        self.complete
    }

    /// Which levels were observed.
    pub(super) fn observed(&self) -> &[bool] {
        &self.observed
    }

    /// The series and its regressors, bridged.
    pub(super) fn levels(&self) -> impl Iterator<Item = &[f64]> {
        self.levels.iter().map(Vec::as_slice)
    }

    /// The same differenced.
    pub(super) fn differenced(&self) -> &[Vec<f64>] {
        &self.differenced
    }

    /// The differenced series without what ordinary least squares gives to the regressors.
    pub(super) fn unexplained(&self) -> Vec<f64> {
        let (regression, _) = regress(&self.differenced);
        without(&self.differenced, &regression.coefficients)
    }
}

/// The series without gaps: each is filled by what lies between its neighbours, on top of the usual
/// height of its place in the season.
pub(super) fn bridged(values: &[Option<f64>], season: usize) -> Vec<f64> {
    if values.iter().all(Option::is_some) {
        return values.iter().flatten().copied().collect();
    }
    let season = if values.len() >= 2 * season {
        season
    } else {
        1
    };
    let mean = |places: &mut dyn Iterator<Item = f64>| {
        let (sum, count) =
            places.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        (count > 0.0).then(|| sum / count)
    };
    let over_all = mean(&mut values.iter().flatten().copied()).unwrap_or(0.0);
    let usual: Vec<f64> = (0..season)
        .map(|place| {
            let all = values.get(place..).unwrap_or(&[]).iter().step_by(season);
            mean(&mut all.flatten().copied()).unwrap_or(over_all)
        })
        .collect();
    let deviations: Vec<Option<f64>> = values
        .iter()
        .enumerate()
        .map(|(step, value)| value.map(|value| value - usual[step % season]))
        .collect();
    let mut bridged = crate::history::interpolated(&deviations);
    bridged.resize(values.len(), 0.0);
    for (step, value) in bridged.iter_mut().enumerate() {
        *value = values[step].unwrap_or(*value + usual[step % season]);
    }
    bridged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_keep_the_season() {
        let mut values: Vec<Option<f64>> = (0..16)
            .map(|step| Some(f64::from(step % 4) * 10.0))
            .collect();
        let full = bridged(&values, 4);
        values[6] = None;
        values[7] = None;
        values[15] = None;
        assert_eq!(bridged(&values, 4), full);
        assert_eq!(bridged(&[None, None], 1), [0.0, 0.0]);
    }
}
