//! Made-up traffic for tests.

use crate::rng::Rng;
use crate::{History, SeasonSpec};

pub(crate) struct Traffic {
    pub(crate) values: Vec<Option<f64>>,
    pub(crate) seasons: SeasonSpec,
}

impl Traffic {
    pub(crate) fn history(&self) -> History<'_> {
        History::new(&self.values, self.seasons).expect("made-up traffic is demand")
    }

    pub(crate) fn map(&self, map: impl Fn(f64) -> f64) -> Self {
        Self {
            values: self.values.iter().map(|value| value.map(&map)).collect(),
            seasons: self.seasons,
        }
    }
}

/// Weeks of traffic around `scale`: low at step 0 of each day, quiet on days 5 and 6, growing by a
/// tenth in four weeks, noise of 5 %.
pub(crate) fn traffic(weeks: f64, day: usize, scale: f64, seed: u64) -> Traffic {
    let mut rng = Rng::new(seed, 0);
    let steps = (weeks * 7.0 * day as f64).round() as usize;
    let value = |step: usize| {
        let turn = (step % day) as f64 / day as f64;
        let day_part = 1.0 - 0.6 * libm::cos(2.0 * std::f64::consts::PI * turn);
        let week_part = if step / day % 7 >= 5 { 0.6 } else { 1.1 };
        let growth = 1.0 + 0.1 * step as f64 / (28 * day) as f64;
        let noise = 1.0 + 0.1 * (rng.uniform() + rng.uniform() - 1.0) * 1.2;
        Some(scale * day_part * week_part * growth * noise)
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

/// Monthly airline passengers in thousands, 1949-1960: Box and Jenkins, Time Series Analysis:
/// Forecasting and Control (1970), series G.
pub(crate) const AIR_PASSENGERS: [u16; 144] = [
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170,
    170, 158, 133, 114, 140, 145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166, 171, 180,
    193, 181, 183, 218, 230, 242, 209, 191, 172, 194, 196, 196, 236, 235, 229, 243, 264, 272, 237,
    211, 180, 201, 204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229, 242, 233, 267, 269,
    270, 315, 364, 347, 312, 274, 237, 278, 284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271,
    306, 315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336, 340, 318, 362, 348, 363, 435,
    491, 505, 404, 359, 310, 337, 360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417,
    391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
];

pub(crate) fn air_passengers() -> Traffic {
    Traffic {
        values: AIR_PASSENGERS
            .iter()
            .map(|&value| Some(f64::from(value)))
            .collect(),
        seasons: SeasonSpec {
            day: 12,
            week: 0,
            year: 0,
        },
    }
}
