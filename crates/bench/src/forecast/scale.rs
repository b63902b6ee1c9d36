//! Many series: what refitting all of them takes, and whether it grows in line with their number.

use std::fs;
use std::time::Instant;

use anyhow::Result;
use fleetcast_forecast::{Fit, FittedModel, History, Model, SeasonSpec};
use fleetcast_report::{Column, TextTable};

use super::args::ForecastArgs;
use crate::parallel;
use crate::provisioning::STYLE;

/// Eight weeks of hours.
const STEPS: usize = 8 * 168;
const SEASONS: SeasonSpec = SeasonSpec {
    day: 24,
    week: 168,
    year: 0,
};
const THREADS: usize = 2;

/// A series, and the model that is fitted to it: both stay in memory, as they do in an engine.
struct Fleet {
    values: Vec<Option<f64>>,
    fitted: Option<FittedModel>,
}

/// Runs the benchmark with the first model that is asked for; the default one if none is.
pub fn run(args: &ForecastArgs, models: &[(String, Model)]) -> Result<()> {
    let default = (super::tier::DEFAULT.to_string(), Model::default());
    let (name, model) = models
        .first()
        .filter(|_| !args.models.is_empty())
        .unwrap_or(&default);
    println!(
        "{name} refitted to generated series of 8 weeks by the hour, {THREADS} threads; histories and models stay in memory"
    );
    let mut table = TextTable::new(vec![
        Column::number("series"),
        Column::number("refit of all\ns"),
        Column::number("a series\nms"),
        Column::number("by the\nfirst row's"),
        Column::number("memory\nMiB"),
        Column::number("a series\nKiB"),
        Column::number("peak so far\nMiB"),
        Column::number("refused\n"),
    ]);
    let before = memory("VmRSS:");
    let mut first = None;
    for &count in &args.series {
        let numbers: Vec<usize> = (0..count).collect();
        let mut fleets: Vec<Fleet> = numbers
            .iter()
            .map(|&series| Fleet {
                values: generated(series as u64),
                fitted: None,
            })
            .collect();
        let began = Instant::now();
        let fitted = parallel::run_on(THREADS, &numbers, |&series| {
            let history = History::new(&fleets[series].values, SEASONS)?;
            Ok(model.fit(&history).ok())
        })?;
        let seconds = began.elapsed().as_secs_f64();
        for (fleet, fitted) in fleets.iter_mut().zip(fitted) {
            fleet.fitted = fitted;
        }
        let each = seconds * 1e3 / count.max(1) as f64;
        let grown = each / *first.get_or_insert(each);
        let used = memory("VmRSS:")
            .zip(before)
            .map(|(now, before)| (now - before).max(0.0));
        let shown = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.0}"));
        let refused = fleets.iter().filter(|fleet| fleet.fitted.is_none()).count();
        table.row(vec![
            count.to_string(),
            format!("{seconds:.1}"),
            format!("{each:.2}"),
            format!("{grown:.2}"),
            shown(used),
            shown(used.map(|used| used * 1024.0 / count.max(1) as f64)),
            shown(memory("VmHWM:")),
            refused.to_string(),
        ]);
        eprintln!("{count} series: {seconds:.1} s");
    }
    print!("{}", table.render(STYLE));
    println!("linear: the time a series stays the same from row to row");
    Ok(())
}

/// Demand with a day, a week, a trend, noise and a burst now and then, different for each number.
fn generated(series: u64) -> Vec<Option<f64>> {
    let mut state = series.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = move || {
        // xorshift64 (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (scale, swing, growth) = (10.0 + 990.0 * uniform(), 0.2 + 0.7 * uniform(), uniform());
    let phase = uniform();
    let value = |step: usize| {
        let turn = std::f64::consts::TAU * (step as f64 / 24.0 + phase);
        let weekend = if step / 24 % 7 >= 5 { 0.7 } else { 1.0 };
        let burst = if uniform() < 0.002 { 3.0 } else { 1.0 };
        let noise = 1.0 + 0.2 * (uniform() - 0.5);
        let level = scale * (1.0 + growth * step as f64 / STEPS as f64);
        Some(level * (1.0 + swing * turn.sin()) * weekend * burst * noise)
    };
    (0..STEPS).map(value).collect()
}

/// A line of what the system knows of this process, in MiB; `None` where it does not tell.
fn memory(line: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let found = status.lines().find_map(|text| text.strip_prefix(line))?;
    let kib: f64 = found.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_series_are_demand_and_differ() {
        let one = generated(1);
        assert_eq!(one.len(), STEPS);
        assert!(
            one.iter()
                .flatten()
                .all(|value| value.is_finite() && *value >= 0.0)
        );
        assert_eq!(one, generated(1));
        assert_ne!(one, generated(2));
    }
}
