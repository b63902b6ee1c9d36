//! Recorded series with labels.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use fleetcast_telemetry::{Sample, read_samples};

/// A series with what is known to be anomalous in it.
pub struct Recording {
    pub group: String,
    /// The file's name.
    pub name: String,
    pub samples: Vec<Sample>,
    /// Median seconds between rows.
    pub step_seconds: u32,
    /// First and last row of each window, in order.
    pub windows: Vec<(usize, usize)>,
}

impl Recording {
    /// Rows in a day.
    pub fn day(&self) -> usize {
        ((86_400.0 / f64::from(self.step_seconds)).round() as usize).max(1)
    }

    /// How long it is.
    pub fn weeks(&self) -> f64 {
        let at = |sample: Option<&Sample>| sample.map_or(0, |sample| sample.at);
        (at(self.samples.last()) - at(self.samples.first())) as f64 / (7.0 * 86_400.0)
    }
}

/// The Numenta benchmark: all files that have an entry in its combined windows.
pub fn nab(folder: &Path) -> Result<Vec<Recording>> {
    let labels = folder.join("labels/combined_windows.json");
    let text = fs::read_to_string(&labels).with_context(|| missing(&labels))?;
    let windows: BTreeMap<String, Vec<[String; 2]>> = serde_json::from_str(&text)?;
    let mut recordings = Vec::new();
    for (path, windows) in windows {
        let mut recording = read(&folder.join("data").join(&path))?;
        for [first, last] in windows {
            let row = |stamp: &str| {
                let samples = &recording.samples;
                let found = samples
                    .iter()
                    .position(|sample| same_time(&sample.written, stamp));
                found.with_context(|| format!("{path} has no row for its window's {stamp}"))
            };
            let window = (row(&first)?, row(&last)?);
            recording.windows.push(window);
        }
        recording.windows.sort_unstable();
        recordings.push(recording);
    }
    Ok(recordings)
}

/// Microsoft's labelled series: all files of all folders.
pub fn microsoft(folder: &Path) -> Result<Vec<Recording>> {
    let mut recordings = Vec::new();
    for split in entries(folder)? {
        for group in entries(&split)? {
            for path in entries(&group)? {
                if path.extension().is_some_and(|extension| extension == "csv") {
                    recordings.push(read(&path)?);
                }
            }
        }
    }
    if recordings.is_empty() {
        bail!(missing(folder));
    }
    Ok(recordings)
}

/// The groups, each once, in order.
pub fn groups(recordings: &[Recording]) -> Vec<String> {
    let mut groups: Vec<String> = recordings
        .iter()
        .map(|recording| recording.group.clone())
        .collect();
    groups.sort();
    groups.dedup();
    groups
}

fn read(path: &Path) -> Result<Recording> {
    let file = File::open(path).with_context(|| missing(path))?;
    let samples = read_samples(file).with_context(|| format!("cannot read {}", path.display()))?;
    let name = |path: Option<&Path>| {
        let name = path.and_then(Path::file_name).unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let times: Vec<i64> = samples.iter().map(|sample| sample.at).collect();
    Ok(Recording {
        group: name(path.parent()),
        name: name(Some(path)),
        step_seconds: median_step(&times),
        samples,
        windows: Vec::new(),
    })
}

/// The median of the steps between rows, as a command that knows the whole file would find it.
fn median_step(times: &[i64]) -> u32 {
    let mut steps: Vec<i64> = times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .filter(|step| *step > 0)
        .collect();
    steps.sort_unstable();
    steps
        .get(steps.len() / 2)
        .map_or(60, |step| u32::try_from(*step).unwrap_or(u32::MAX))
}

/// Windows are stamped to the microsecond, rows to the second or the minute.
fn same_time(row: &str, stamp: &str) -> bool {
    let plain = |text: &str| -> String {
        let mut text: String = text.chars().take(19).collect();
        if text.len() == 16 {
            text.push_str(":00");
        }
        text
    };
    plain(row) == plain(stamp)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let read: std::io::Result<Vec<PathBuf>> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect();
    let mut paths = read?;
    paths.sort();
    Ok(paths)
}

fn missing(path: &Path) -> String {
    format!(
        "there is no {}: set FLEETCAST_SHARED to the folder of shared data, or use --data DIR",
        path.display()
    )
}
