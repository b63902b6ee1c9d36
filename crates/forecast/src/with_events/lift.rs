//! Paths under events.

use jiff::{SignedDuration, Timestamp};

use super::EventEffects;
use crate::event_book::Uplift;
use crate::rng::Rng;
use crate::{HorizonForecast, HorizonForecasts, SamplePaths};

/// Keeps the draws of events apart from those of the paths themselves.
const STREAM: u64 = 0x6576_656E_7473;
/// Moments within a longer step at which events are looked at.
const MOMENTS: i32 = 24;

/// Multiplies each path by what events do on it: one draw for a path, so that an event that turns out strong is
/// strong from its start to its end.
pub(super) fn lifted_paths(paths: &SamplePaths, uplifts: &[Uplift], seed: u64) -> SamplePaths {
    if paths.horizon() == 0 || uplifts.iter().all(|uplift| *uplift == Uplift::NONE) {
        return paths.clone();
    }
    let lift = |(place, path): (usize, &[f64])| {
        let luck = Rng::new(seed ^ STREAM, place as u64).normal();
        path.iter()
            .zip(uplifts)
            .map(|(value, uplift)| value * uplift.factor * libm::exp(uplift.deviation * luck))
            .collect()
    };
    let lifted: Vec<Vec<f64>> = paths.iter().enumerate().map(lift).collect();
    SamplePaths::from_paths(&lifted)
}

impl HorizonForecasts {
    /// Multiplies what events do into forecasts of demand without them, of rates (means of longer steps). The
    /// horizons agree afterwards as before: on every path a quarter of an hour is the mean of its minutes, and a day
    /// the mean of its quarters.
    pub fn lift(&mut self, effects: &EventEffects, seed: u64) {
        if effects.events().is_empty() {
            return;
        }
        if let Some(short) = &mut self.short {
            lift_horizon(short, effects, seed);
        }
        lift_horizon(&mut self.medium, effects, seed);
        if let Some(short) = &self.short {
            take_means(&mut self.medium, short);
        }
        let Some(long) = &mut self.long else {
            return;
        };
        let days = long.paths.horizon();
        let (start, step) = (long.start, long.step);
        lift_horizon(long, effects, seed);
        take_means(long, &self.medium);
        if let Some(peaks) = &mut self.peaks {
            let moments = |day| moments(start, step, day);
            let highest: Vec<Uplift> = (0..days.min(peaks.horizon()))
                .map(|day| {
                    let all = moments(day).map(|at| effects.uplift(at));
                    all.fold(
                        Uplift {
                            factor: 0.0,
                            ..Uplift::NONE
                        },
                        |best, next| {
                            if next.factor > best.factor {
                                next
                            } else {
                                best
                            }
                        },
                    )
                })
                .collect();
            *peaks = lifted_paths(peaks, &highest, seed);
            take_peaks(peaks, &self.medium, step);
        }
    }
}

fn lift_horizon(forecast: &mut HorizonForecast, effects: &EventEffects, seed: u64) {
    let uplifts: Vec<Uplift> = (0..forecast.paths.horizon())
        .map(|step| {
            let all = moments(forecast.start, forecast.step, step).map(|at| effects.uplift(at));
            let (sum, deviations, count) = all.fold((0.0, 0.0, 0.0), |sums, next| {
                (sums.0 + next.factor, sums.1 + next.deviation, sums.2 + 1.0)
            });
            Uplift {
                factor: sum / count,
                deviation: deviations / count,
            }
        })
        .collect();
    for (point, uplift) in forecast.points.iter_mut().zip(&uplifts) {
        *point *= uplift.factor;
    }
    forecast.paths = lifted_paths(&forecast.paths, &uplifts, seed);
}

/// Moments within a step: its start, and if it is long more.
fn moments(
    start: Timestamp,
    step: SignedDuration,
    place: usize,
) -> impl Iterator<Item = Timestamp> {
    let count = if step >= SignedDuration::from_hours(1) {
        MOMENTS
    } else {
        1
    };
    let from = crate::Dates::new(start, step, jiff::tz::TimeZone::UTC).at(place);
    (0..count).map(move |part| {
        from.checked_add(step / count * part)
            .unwrap_or(Timestamp::MAX)
    })
}

/// Longer steps are the means of the shorter ones, as far as those reach.
fn take_means(long: &mut HorizonForecast, short: &HorizonForecast) {
    let each = (long.step.as_secs() / short.step.as_secs().max(1)).max(1) as usize;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    for (point, values) in long.points.iter_mut().zip(short.points.chunks_exact(each)) {
        *point = mean(values);
    }
    let paths: Vec<Vec<f64>> = long
        .paths
        .iter()
        .zip(short.paths.iter())
        .map(|(long, short)| {
            let mut path = long.to_vec();
            for (value, values) in path.iter_mut().zip(short.chunks_exact(each)) {
                *value = mean(values);
            }
            path
        })
        .collect();
    long.paths = SamplePaths::from_paths(&paths);
}

/// The highest step of each day that the medium horizon reaches.
fn take_peaks(peaks: &mut SamplePaths, medium: &HorizonForecast, day: SignedDuration) {
    let each = (day.as_secs() / medium.step.as_secs().max(1)).max(1) as usize;
    let paths: Vec<Vec<f64>> = peaks
        .iter()
        .zip(medium.paths.iter())
        .map(|(peaks, medium)| {
            let mut path = peaks.to_vec();
            for (value, values) in path.iter_mut().zip(medium.chunks_exact(each)) {
                *value = values.iter().copied().fold(0.0, f64::max);
            }
            path
        })
        .collect();
    *peaks = SamplePaths::from_paths(&paths);
}
