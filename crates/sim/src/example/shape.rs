//! The smooth part of the synthetic demand: how busy an hour of a day of the week is.

use fleetcast_model::InteractionType;
use libm::{cos, exp};

/// Interactions a minute at a level of one; with it a usual weekday evening peaks at about 6,000.
const SCALE: f64 = 6_150.0;
/// The share of the peak that never sleeps.
const FLOOR: f64 = 0.11;
/// Monday to Sunday: how much of a usual day's humps there is.
const DAYS: [f64; 7] = [1.03, 1.0, 0.98, 1.0, 0.94, 0.84, 0.97];
/// How much each week exceeds the week before.
const GROWTH_A_WEEK: f64 = 0.01;

/// A hump of a day: the hour it peaks at, its width in hours (standard deviation), its height.
type Hump = (f64, f64, f64);
/// Weekdays are busy before noon and, more so, in the evening.
const WEEKDAY: [Hump; 2] = [(11.2, 2.5, 0.62), (20.2, 2.2, 0.87)];
/// Weekends start late, and their evenings are quieter.
const WEEKEND: [Hump; 2] = [(13.8, 3.2, 0.72), (20.6, 2.4, 0.55)];

/// Expected interactions of all kinds a minute, before events and noise.
///
/// `day` counts civil days since a Monday, `hour` is the civil hour with its fraction, in 0..24.
/// Humps reach over midnight, so demand has no jump there.
pub(super) fn total(day: i32, hour: f64) -> f64 {
    let mut level = FLOOR;
    for offset in -1..=1 {
        let of_day = (day + offset).rem_euclid(7);
        let (humps, strength) = if of_day >= 5 {
            (WEEKEND, of_day)
        } else {
            (WEEKDAY, of_day)
        };
        for (peak, width, height) in humps {
            let distance = (hour - 24.0 * f64::from(offset) - peak) / width;
            level += DAYS[strength as usize] * height * exp(-distance * distance / 2.0);
        }
    }
    let weeks = (f64::from(day) + hour / 24.0) / 7.0;
    SCALE * level * (1.0 + GROWTH_A_WEEK * weeks)
}

/// The share of each kind at a civil hour, in the order of `TYPES`; they sum to one.
///
/// Machines that call the API do not sleep, and people buy in the evening.
pub(super) fn mix(hour: f64) -> [f64; 4] {
    let wave = |share: f64, swing: f64, peak: f64| {
        share * (1.0 + swing * cos(std::f64::consts::TAU * (hour - peak) / 24.0))
    };
    let weights = [
        wave(0.33, 0.08, 10.0),
        wave(0.47, 0.06, 20.0),
        wave(0.035, 0.35, 20.5),
        wave(0.165, 0.5, 4.0),
    ];
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// How strongly news drives a kind of interaction: readers look and search, few buy at once.
pub(super) fn news_pull(kind: &InteractionType) -> f64 {
    match kind {
        InteractionType::Search | InteractionType::ContentView => 1.0,
        _ => 0.5,
    }
}
