//! Thins a run's rows out to what a chart can show.

use fleetcast_report::{ChartData, ChartPoint};
use fleetcast_series::{Series, Step as SeriesStep};
use jiff::SignedDuration;

use super::follow::Row;
use super::worst::Frame;

/// Buckets of the chart of the whole run.
const BUCKETS: usize = 1_500;
/// A worst moment is shown with so much time before and after it.
const AROUND: SignedDuration = SignedDuration::from_hours(2);

/// One step of the whole fleet, in the chart's unit.
#[derive(Clone, Copy, Default)]
struct Point {
    demand: Option<f64>,
    belief: Option<[f64; 3]>,
    ready: f64,
    need: f64,
    unserved: f64,
}

/// The chart of the whole run.
pub fn chart(rows: &[Vec<Row>], frame: &Frame) -> ChartData {
    let count = rows.iter().map(Vec::len).min().unwrap_or(0);
    let all: Vec<usize> = (0..rows.len()).collect();
    thin(rows, &all, frame, 0..count, count.div_ceil(BUCKETS).max(1))
}

/// The chart of one component around one row, step by step.
pub fn detail(rows: &[Vec<Row>], component: usize, peak: usize, frame: &Frame) -> ChartData {
    let around = (AROUND.as_secs() / frame.step.as_secs().max(1)).max(6) as usize;
    let end = (peak + around).min(rows[component].len());
    thin(
        rows,
        &[component],
        frame,
        peak.saturating_sub(around)..end,
        1,
    )
}

/// The demand of the whole fleet, in the chart's unit.
pub fn fleet_demand(rows: &[Vec<Row>], frame: &Frame) -> Series {
    let all: Vec<usize> = (0..rows.len()).collect();
    let count = rows.iter().map(Vec::len).min().unwrap_or(0);
    let demand = (0..count).map(|at| point(rows, &all, frame, at).demand);
    Series::from_values(frame.start, series_step(frame), demand)
}

/// The volume of one component, in interactions a minute (in the demand's own unit in the plain setting).
pub fn volume(rows: &[Row], frame: &Frame) -> Series {
    let known = |row: &Row| row.observed.then_some(f64::from(row.volume));
    Series::from_values(frame.start, series_step(frame), rows.iter().map(known))
}

fn series_step(frame: &Frame) -> SeriesStep {
    SeriesStep::from_duration(frame.step).unwrap_or(SeriesStep::MINUTE)
}

fn thin(
    rows: &[Vec<Row>],
    components: &[usize],
    frame: &Frame,
    range: std::ops::Range<usize>,
    bucket: usize,
) -> ChartData {
    let points = range.clone().step_by(bucket).map(|first| {
        let steps =
            (first..(first + bucket).min(range.end)).map(|at| point(rows, components, frame, at));
        bucket_of(frame, first, &steps.collect::<Vec<_>>())
    });
    let seconds = frame.step.as_secs() * bucket as i64;
    let step_label = if seconds % 3_600 == 0 {
        format!("{} h", seconds / 3_600)
    } else {
        format!("{} min", (seconds as f64 / 60.0 * 10.0).round() / 10.0)
    };
    let demand_unit = if frame.per_unit.is_some() {
        "demand a step"
    } else {
        "units' worth of demand"
    };
    ChartData {
        step_label,
        demand_unit: demand_unit.into(),
        points: points.collect(),
        detail: Vec::new(),
        ahead: Vec::new(),
    }
}

/// The sum over components of one step: demand itself in the plain setting, else units' worth of it.
fn point(rows: &[Vec<Row>], components: &[usize], frame: &Frame, at: usize) -> Point {
    let mut sum = Point {
        demand: Some(0.0),
        belief: Some([0.0; 3]),
        ..Point::default()
    };
    for &component in components {
        let row = &rows[component][at];
        let scale = match frame.per_unit {
            Some(_) => 1.0,
            None if row.volume > 0.0 => f64::from(row.load / row.volume),
            None => 0.0,
        };
        let unit = frame.per_unit.unwrap_or(1.0);
        sum.demand = sum
            .demand
            .filter(|_| row.observed)
            .map(|demand| demand + f64::from(row.volume) * scale);
        let belief = row
            .belief
            .map(|b| [b.p05, b.p50, b.p95].map(|q| f64::from(q) * scale));
        sum.belief = sum
            .belief
            .zip(belief)
            .map(|(a, b)| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
        sum.ready += f64::from(row.ready) * unit;
        sum.need += f64::from(row.need) * unit;
        sum.unserved += f64::from(row.unserved) * scale;
    }
    sum
}

fn bucket_of(frame: &Frame, first: usize, steps: &[Point]) -> ChartPoint {
    let seen: Vec<f64> = steps.iter().filter_map(|step| step.demand).collect();
    let mean = |values: &[f64]| {
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let quantile = |index: usize| {
        mean(
            &steps
                .iter()
                .filter_map(|step| step.belief.map(|b| b[index]))
                .collect::<Vec<_>>(),
        )
    };
    let needs: Vec<f64> = steps
        .iter()
        .filter(|step| step.demand.is_some())
        .map(|step| step.need)
        .collect();
    ChartPoint {
        t: frame.at(first),
        demand_min: seen.iter().copied().reduce(f64::min),
        demand_mean: mean(&seen),
        demand_max: seen.iter().copied().reduce(f64::max),
        p05: quantile(0),
        p50: quantile(1),
        p95: quantile(2),
        ready_min: steps
            .iter()
            .map(|step| step.ready)
            .fold(f64::INFINITY, f64::min),
        ready_max: steps.iter().map(|step| step.ready).fold(0.0, f64::max),
        need: needs.iter().copied().reduce(f64::max),
        unserved: steps.iter().map(|step| step.unserved).sum::<f64>() / steps.len().max(1) as f64,
    }
}
