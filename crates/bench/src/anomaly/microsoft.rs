//! Microsoft's labelled series: average precision of each, after the first fifth.

use std::collections::BTreeMap;

use super::corpus::{Recording, groups};
use super::precision::average_precision;

/// Mean average precision.
pub struct Precision {
    pub mean: f64,
    pub mean_of_groups: f64,
    /// The mean over series if the group that helps most is left out.
    pub least_without_a_group: f64,
    pub by_group: BTreeMap<String, f64>,
}

/// The first fifth is seen and not scored.
fn first(recording: &Recording) -> usize {
    recording.samples.len() / 5
}

fn labels(recording: &Recording) -> Vec<bool> {
    let scored = recording.samples[first(recording)..].iter();
    scored.map(|sample| sample.label == Some(true)).collect()
}

/// Whether it has anything to find.
pub fn is_scored(recording: &Recording) -> bool {
    labels(recording).contains(&true)
}

/// Scores the scores.
pub fn result(recordings: &[Recording], scores: &[Vec<f64>]) -> Precision {
    let mut series: Vec<(&str, f64)> = Vec::new();
    for (recording, scores) in recordings.iter().zip(scores) {
        let average = average_precision(&labels(recording), &scores[first(recording)..]);
        series.extend(average.map(|average| (recording.group.as_str(), average)));
    }
    let mean_where = |wanted: &dyn Fn(&str) -> bool| {
        let wanted: Vec<f64> = series
            .iter()
            .filter(|(group, _)| wanted(group))
            .map(|(_, average)| *average)
            .collect();
        (!wanted.is_empty()).then(|| wanted.iter().sum::<f64>() / wanted.len() as f64)
    };
    let by_group: BTreeMap<String, f64> = groups(recordings)
        .into_iter()
        .filter_map(|group| Some((group.clone(), mean_where(&|other| other == group)?)))
        .collect();
    let without = by_group
        .keys()
        .filter_map(|left_out| mean_where(&|group| group != left_out));
    Precision {
        mean: mean_where(&|_| true).unwrap_or(0.0),
        mean_of_groups: by_group.values().sum::<f64>() / by_group.len().max(1) as f64,
        least_without_a_group: without.fold(1.0, f64::min),
        by_group,
    }
}
