//! The figures that all traces together are judged by, and what they should be.

use serde::Serialize;

/// Over all traces, at one objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    pub target_share: f64,
    pub traces: usize,
    /// Traces on which some peer reaches the unserved share that we achieved.
    pub traces_compared: usize,
    /// Geometric mean of our cost ÷ the cheapest peer's.
    pub ratio_mean: Option<f64>,
    pub ratio_worst: Option<f64>,
    /// Median of |ln(achieved ÷ target)|; infinite where nothing was left unserved.
    pub miss_median: Option<f64>,
    /// The largest of the same, as a factor.
    pub miss_worst_factor: Option<f64>,
    pub starts_per_day_fleets_most: Option<f64>,
}

/// A figure beside its goals.
pub struct Line {
    pub what: String,
    pub value: Option<f64>,
    /// To be held now.
    pub goal: f64,
    /// To be reached next.
    pub next: f64,
}

impl Judgement {
    /// Sums up (ratio, achieved ÷ target, starts) of each trace.
    pub fn new(target_share: f64, traces: &[(Option<f64>, f64, f64)]) -> Self {
        let ratios: Vec<f64> = traces.iter().filter_map(|trace| trace.0).collect();
        let misses: Vec<f64> = traces.iter().map(|trace| trace.1.ln().abs()).collect();
        let starts: Vec<f64> = traces.iter().map(|trace| trace.2).collect();
        let mean = ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64;
        Self {
            target_share,
            traces: traces.len(),
            traces_compared: ratios.len(),
            ratio_mean: (!ratios.is_empty()).then(|| mean.exp()),
            ratio_worst: most(&ratios),
            miss_median: median(misses.clone()),
            miss_worst_factor: most(&misses).map(f64::exp),
            starts_per_day_fleets_most: most(&starts),
        }
    }

    /// The figures with their goals. Costs are to fall further where little may stay unserved.
    pub fn lines(&self) -> Vec<Line> {
        let next_mean = if self.target_share >= 0.003 { 0.9 } else { 0.8 };
        let line = |what: &str, value, goal, next| Line {
            what: what.to_string(),
            value,
            goal,
            next,
        };
        let compared = format!(
            "ratio, geometric mean of {} of {} traces",
            self.traces_compared, self.traces
        );
        vec![
            line(&compared, self.ratio_mean, 1.0, next_mean),
            line("ratio, worst", self.ratio_worst, 1.3, 1.05),
            line(
                "|ln(achieved ÷ target)|, median",
                self.miss_median,
                0.5,
                0.3,
            ),
            line(
                "achieved ÷ target, worst factor",
                self.miss_worst_factor,
                3.0,
                2.0,
            ),
            line(
                "unit starts, fleets a day, most",
                self.starts_per_day_fleets_most,
                4.0,
                4.0,
            ),
        ]
    }
}

fn most(values: &[f64]) -> Option<f64> {
    values.iter().copied().max_by(f64::total_cmp)
}

/// The middle value, or the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let high = *values.get(middle)?;
    Some(if values.len() % 2 == 1 {
        high
    } else {
        (values[middle - 1] + high) / 2.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_summed_up() {
        let traces = [
            (Some(0.5), 2.0, 1.0),
            (Some(2.0), 0.25, 3.5),
            (None, 1.0, 2.0),
        ];
        let found = Judgement::new(0.005, &traces);
        assert_eq!((found.traces, found.traces_compared), (3, 2));
        assert!((found.ratio_mean.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(found.ratio_worst, Some(2.0));
        assert!((found.miss_median.unwrap() - 2f64.ln()).abs() < 1e-12);
        assert!((found.miss_worst_factor.unwrap() - 4.0).abs() < 1e-12);
        assert_eq!(found.starts_per_day_fleets_most, Some(3.5));
        assert_eq!(median(vec![1.0, f64::INFINITY, 0.0, 3.0]), Some(2.0));
        assert_eq!(Judgement::new(0.001, &[]).ratio_mean, None);
    }
}
