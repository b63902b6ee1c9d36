//! The rules of the Numenta benchmark (Lavin and Ahmad 2015, version 1.1).
//!
//! Per window only the earliest detection counts, the more the earlier; each detection outside costs,
//! the more the further it is behind the last window; the first rows of a file do not count. One
//! threshold for all files, the best one.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use super::corpus::{Recording, groups};

/// What hits and errors weigh.
#[derive(Clone, Copy)]
pub struct Profile {
    false_positive: f64,
    false_negative: f64,
}

pub const STANDARD: Profile = Profile {
    false_positive: 0.11,
    false_negative: 1.0,
};
pub const LOW_FALSE_POSITIVES: Profile = Profile {
    false_positive: 0.22,
    false_negative: 1.0,
};
pub const LOW_FALSE_NEGATIVES: Profile = Profile {
    false_positive: 0.11,
    false_negative: 2.0,
};

/// Standard, low FP, low FN, as the benchmark's own scoreboard has them.
pub const PUBLISHED: [(&str, [f64; 3]); 8] = [
    ("ARTime", [74.9, 65.1, 80.4]),
    ("Numenta HTM", [70.1, 63.1, 74.3]),
    ("CAD OSE", [69.9, 67.0, 73.2]),
    ("earthgecko Skyline", [58.2, 46.2, 63.9]),
    ("KNN CAD", [58.0, 43.4, 64.8]),
    ("Relative entropy", [54.6, 47.6, 58.8]),
    ("Random cut forest", [51.7, 38.4, 59.7]),
    ("Windowed Gaussian", [39.6, 20.9, 47.4]),
];

/// The rows of one file that count.
pub struct Points {
    rows: Vec<Point>,
    windows: usize,
}

#[derive(Clone, Copy)]
struct Point {
    score: f64,
    /// What a detection here is worth, before weights.
    value: f64,
    window: Option<usize>,
}

/// A total and the threshold that gave it.
pub struct Best {
    /// From 0 (silence) to 100 (perfect).
    pub score: f64,
    pub threshold: f64,
}

/// What detections would be worth in each file.
pub fn points(recordings: &[Recording], scores: &[Vec<f64>]) -> Vec<Points> {
    let both = recordings.iter().zip(scores);
    both.map(|(recording, scores)| points_of(recording, scores))
        .collect()
}

fn points_of(recording: &Recording, scores: &[f64]) -> Points {
    let mut rows = Vec::with_capacity(scores.len());
    let mut windows = recording.windows.iter().enumerate().peekable();
    let mut behind: Option<(usize, usize)> = None;
    for (row, &score) in scores.iter().enumerate() {
        let mut point = Point {
            score,
            value: -1.0,
            window: None,
        };
        match windows.peek() {
            Some(&(window, &(first, last))) if row >= first => {
                let width = last - first + 1;
                let place = -((last - row + 1) as f64) / width as f64;
                point.value = sigmoid(place) / sigmoid(-1.0);
                point.window = Some(window);
                if row == last {
                    behind = Some((last, width));
                    windows.next();
                }
            }
            _ => {
                if let Some((last, width)) = behind {
                    point.value = sigmoid((row - last) as f64 / (width as f64 - 1.0));
                }
            }
        }
        rows.push(point);
    }
    let skipped = (scores.len() as f64 * 0.15).floor().min(750.0) as usize;
    Points {
        rows: rows.split_off(skipped),
        windows: recording.windows.len(),
    }
}

/// From 1 far before to −1 far behind the end of a window.
fn sigmoid(place: f64) -> f64 {
    if place > 3.0 {
        -1.0
    } else {
        2.0 / (1.0 + (5.0 * place).exp()) - 1.0
    }
}

/// The score at the best threshold there is, which may be that nothing is a detection.
pub fn best(files: &[Points], profile: Profile) -> Best {
    let (raw, threshold) = best_raw(&files.iter().collect::<Vec<_>>(), profile);
    Best {
        score: normalised(raw, files, profile),
        threshold,
    }
}

/// The score at a threshold.
pub fn at(files: &[Points], profile: Profile, threshold: f64) -> f64 {
    let raw = files
        .iter()
        .map(|file| raw_at(file, profile, threshold))
        .sum();
    normalised(raw, files, profile)
}

/// The standard score if each group's threshold is the best one of all other groups.
pub fn leave_group_out(recordings: &[Recording], files: &[Points]) -> f64 {
    let mut raw = 0.0;
    for group in groups(recordings) {
        let (own, others): (Vec<_>, Vec<_>) = recordings
            .iter()
            .zip(files)
            .partition(|(recording, _)| recording.group == group);
        let others: Vec<&Points> = others.into_iter().map(|(_, points)| points).collect();
        let (_, threshold) = best_raw(&others, STANDARD);
        raw += own
            .iter()
            .map(|(_, points)| raw_at(points, STANDARD, threshold))
            .sum::<f64>();
    }
    normalised(raw, files, STANDARD)
}

/// A line for each group: windows found, and false alarms.
pub fn by_group(recordings: &[Recording], files: &[Points], threshold: f64) -> Vec<String> {
    let line = |group: String| {
        let mut found = 0;
        let mut windows = 0;
        let mut false_alarms = 0;
        for (_, points) in recordings
            .iter()
            .zip(files)
            .filter(|(recording, _)| recording.group == group)
        {
            let mut hit = vec![false; points.windows];
            for point in points.rows.iter().filter(|point| point.score >= threshold) {
                match point.window {
                    Some(window) => hit[window] = true,
                    None => false_alarms += 1,
                }
            }
            windows += points.windows;
            found += hit.iter().filter(|hit| **hit).count();
        }
        format!("{group:24} {found:3} of {windows:3} windows, {false_alarms:4} false alarms")
    };
    groups(recordings).into_iter().map(line).collect()
}

fn best_raw(files: &[&Points], profile: Profile) -> (f64, f64) {
    let mut rows: Vec<(Point, usize)> = Vec::new();
    let mut windows = 0;
    for file in files {
        rows.extend(file.rows.iter().map(|point| (*point, windows)));
        windows += file.windows;
    }
    rows.sort_by(|(one, _), (other, _)| other.score.total_cmp(&one.score));
    // A window of which no row counts costs nothing and brings nothing.
    let mut earned: Vec<Option<f64>> = vec![None; windows];
    for (point, offset) in &rows {
        if let Some(window) = point.window {
            earned[offset + window] = Some(-profile.false_negative);
        }
    }
    let mut total: f64 = earned.iter().flatten().sum();
    let mut best = (total, 1.1);
    for (index, (point, offset)) in rows.iter().enumerate() {
        match point.window {
            None => total += point.value * profile.false_positive,
            Some(window) => {
                let earned = earned[offset + window].get_or_insert(-profile.false_negative);
                if point.value > *earned {
                    total += point.value - *earned;
                    *earned = point.value;
                }
            }
        }
        let last_of_its_score = rows
            .get(index + 1)
            .is_none_or(|(next, _)| next.score < point.score);
        if last_of_its_score && total > best.0 {
            best = (total, point.score);
        }
    }
    best
}

fn raw_at(file: &Points, profile: Profile, threshold: f64) -> f64 {
    let mut earned = vec![-profile.false_negative; file.windows];
    let mut raw = 0.0;
    for point in file.rows.iter().filter(|point| point.score >= threshold) {
        match point.window {
            None => raw += point.value * profile.false_positive,
            Some(window) => earned[window] = earned[window].max(point.value),
        }
    }
    raw + earned.iter().sum::<f64>()
}

fn normalised(raw: f64, files: &[Points], profile: Profile) -> f64 {
    let windows = files.iter().map(|file| file.windows).sum::<usize>() as f64;
    let silence = -windows * profile.false_negative;
    100.0 * (raw - silence) / (windows - silence)
}

/// Writes scores in the benchmark's layout.
pub fn write(
    folder: &Path,
    detector: &str,
    recordings: &[Recording],
    scores: &[Vec<f64>],
) -> Result<()> {
    for (recording, scores) in recordings.iter().zip(scores) {
        let group = folder.join(detector).join(&recording.group);
        fs::create_dir_all(&group)?;
        let file = fs::File::create(group.join(format!("{detector}_{}", recording.name)))?;
        let mut out = std::io::BufWriter::new(file);
        writeln!(out, "timestamp,value,anomaly_score")?;
        for (sample, score) in recording.samples.iter().zip(scores) {
            let value = sample
                .value
                .map_or(String::new(), |value| value.to_string());
            writeln!(out, "{},{value},{score}", sample.written)?;
        }
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleetcast_telemetry::Sample;

    /// Twenty rows, a window from row 10 to 14.
    fn recording() -> Recording {
        let sample = |row: i64| Sample {
            written: row.to_string(),
            at: row * 300,
            value: Some(1.0),
            label: None,
        };
        Recording {
            group: "group".into(),
            name: "file.csv".into(),
            samples: (0..20).map(sample).collect(),
            step_seconds: 300,
            windows: vec![(10, 14)],
        }
    }

    fn score(detected: &[usize]) -> f64 {
        let scores = (0..20)
            .map(|row| f64::from(u8::from(detected.contains(&row))))
            .collect();
        at(&points(&[recording()], &[scores]), STANDARD, 0.5)
    }

    #[test]
    fn the_left_edge_is_perfect_and_silence_nothing() {
        assert!((score(&[10]) - 100.0).abs() < 1e-9);
        assert!(score(&[]).abs() < 1e-9);
        assert_eq!(score(&[10, 12]), score(&[10]));
        // At the right edge x = −1/5: (2/(1+e⁻¹) − 1)/(2/(1+e⁻⁵) − 1).
        let right = 0.462_117_157 / 0.986_614_298;
        assert!((score(&[14]) - 100.0 * (right + 1.0) / 2.0).abs() < 1e-6);
    }

    #[test]
    fn false_alarms_cost_their_weight_unless_in_the_first_rows() {
        assert!((score(&[5]) - 100.0 * -0.11 / 2.0).abs() < 1e-9);
        assert_eq!(score(&[0, 1, 2]), 0.0);
        // One row behind: x = 1/4.
        let close = 0.11 * (2.0 / (1.0 + 1.25_f64.exp()) - 1.0);
        assert!((score(&[15]) - 100.0 * close / 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_best_threshold_is_found() {
        let mut scores = vec![0.0; 20];
        (scores[5], scores[10], scores[16]) = (0.9, 0.8, 0.7);
        let points = points(&[recording()], &[scores]);
        let best = best(&points, STANDARD);
        assert_eq!(best.threshold, 0.8);
        assert!((best.score - 100.0 * (2.0 - 0.11) / 2.0).abs() < 1e-9);
        assert!((best.score - at(&points, STANDARD, 0.8)).abs() < 1e-9);
    }
}
