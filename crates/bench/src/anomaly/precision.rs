//! Average precision.

/// The area under the steps of precision over recall, as scikit-learn's `average_precision_score`:
/// the sum over thresholds of the recall gained there times the precision there. `None` without
/// a positive.
pub fn average_precision(labels: &[bool], scores: &[f64]) -> Option<f64> {
    let positives = labels.iter().filter(|label| **label).count();
    if positives == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&one, &other| scores[other].total_cmp(&scores[one]));
    let (mut found, mut seen, mut sum) = (0, 0, 0.0);
    for equal in order.chunk_by(|&one, &other| scores[one] == scores[other]) {
        let more = equal.iter().filter(|&&row| labels[row]).count();
        found += more;
        seen += equal.len();
        sum += more as f64 / positives as f64 * (found as f64 / seen as f64);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_scikit_learn() {
        // sklearn.metrics.average_precision_score, scikit-learn 1.9.1.
        let labels = [false, false, true, true];
        let scores = [0.1, 0.4, 0.35, 0.8];
        let average = average_precision(&labels, &scores).unwrap();
        assert!((average - 0.833_333_333).abs() < 1e-6);
        // Equal scores are one threshold.
        let labels = [true, false, true, false, false];
        let scores = [0.9, 0.9, 0.5, 0.5, 0.1];
        assert!((average_precision(&labels, &scores).unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(average_precision(&[false], &[1.0]), None);
    }
}
