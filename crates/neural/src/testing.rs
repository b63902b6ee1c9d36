//! Made-up traffic for tests.

use fleetcast_forecast::{History, SeasonSpec};

use fleetcast_forecast::Rng;

pub(crate) struct Traffic {
    pub(crate) values: Vec<Option<f64>>,
    pub(crate) seasons: SeasonSpec,
}

impl Traffic {
    pub(crate) fn history(&self) -> History<'_> {
        History::new(&self.values, self.seasons).expect("made-up traffic is demand")
    }
}

/// Weeks of traffic around `scale`: a sine over the day, quiet on days 5 and 6, and a level that wanders by
/// some 15 %, half of it forgotten within 34 steps, which a seasonal profile cannot know.
pub(crate) fn traffic(weeks: f64, day: usize, scale: f64, seed: u64) -> Traffic {
    let mut rng = Rng::new(seed, 0);
    let steps = (weeks * 7.0 * day as f64).round() as usize;
    let mut lasting = 0.0;
    let value = |step: usize| {
        let turn = (step % day) as f64 / day as f64;
        let day_part = 1.0 - 0.6 * libm::cos(std::f64::consts::TAU * turn);
        let week_part = if step / day % 7 >= 5 { 0.6 } else { 1.1 };
        lasting = 0.98 * lasting + 0.03 * rng.normal();
        Some((scale * day_part * week_part * (1.0 + lasting)).max(0.0))
    };
    Traffic {
        values: (0..steps).map(value).collect(),
        seasons: SeasonSpec {
            day,
            week: 7 * day,
            year: 0,
        },
    }
}
