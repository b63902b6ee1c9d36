//! From where forecasts start, and how much they see.

/// When a model is fitted, to what, and how far it forecasts. All counts are steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Protocol {
    /// How far ahead each forecast reaches.
    pub horizon: usize,
    /// The most history that a model is fitted to.
    pub window: usize,
    /// No origin comes before this step …
    pub first: usize,
    /// … nor before this share of the series.
    pub first_share: f64,
    /// Which steps from there on are origins.
    pub origins: Origins,
}

/// Which steps are origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origins {
    /// So many, spread evenly from the first to the last that leaves a whole horizon.
    Spread(usize),
    /// The first, and each that comes a multiple of so many steps later.
    Every(usize),
}

/// A series does not reach from the first origin to the end of one forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{steps} steps are too few: the first origin at step {first} and a horizon of {horizon} need {needed}",
    needed = first + horizon
)]
pub struct TooFewSteps {
    /// Steps of the series.
    pub steps: usize,
    /// The first origin.
    pub first: usize,
    /// The horizon.
    pub horizon: usize,
}

impl Protocol {
    /// The origins within a series of so many steps, rising: each is the number of the first step
    /// that is forecast, counted from 0. Spread ones are rounded half up; those that fall together
    /// count once.
    pub fn origins(&self, steps: usize) -> Result<Vec<usize>, TooFewSteps> {
        let share = (self.first_share * steps as f64) as usize;
        // Something must come before an origin.
        let first = self.first.max(share).max(1);
        let horizon = self.horizon;
        let too_few = TooFewSteps {
            steps,
            first,
            horizon,
        };
        let last = steps
            .checked_sub(horizon)
            .filter(|&last| last >= first && horizon > 0)
            .ok_or(too_few)?;
        let mut origins: Vec<usize> = match self.origins {
            Origins::Every(apart) => (first..=last).step_by(apart.max(1)).collect(),
            Origins::Spread(count @ 2..) => (0..count)
                .map(|k| {
                    let on = (k * (last - first)) as f64 / (count - 1) as f64;
                    (first as f64 + on + 0.5) as usize
                })
                .collect(),
            Origins::Spread(_) => vec![first],
        };
        origins.dedup();
        Ok(origins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURLY: Protocol = Protocol {
        horizon: 48,
        window: 1344,
        first: 336,
        first_share: 0.4,
        origins: Origins::Spread(12),
    };

    #[test]
    fn origins_are_spread_evenly_and_rounded_half_up() {
        // floor(268.8) is less than 336; (700 − 48 − 336) / 11 = 28.727….
        let origins = HOURLY.origins(700).unwrap();
        assert_eq!(
            origins,
            [336, 365, 393, 422, 451, 480, 508, 537, 566, 595, 623, 652]
        );
        // The share counts where it is later: 0.4 · 2088 = 835.2.
        assert_eq!(HOURLY.origins(2088).unwrap()[0], 835);
        let halves = Protocol {
            origins: Origins::Spread(3),
            ..HOURLY
        };
        assert_eq!(halves.origins(336 + 48 + 1).unwrap(), [336, 337]);
    }

    #[test]
    fn forecasts_that_do_not_overlap_start_a_horizon_apart() {
        let apart = Protocol {
            origins: Origins::Every(48),
            ..HOURLY
        };
        assert_eq!(apart.origins(480).unwrap(), [336, 384, 432]);
        assert_eq!(apart.origins(479).unwrap(), [336, 384]);
    }

    #[test]
    fn too_short_a_series_is_refused_with_its_length() {
        assert_eq!(HOURLY.origins(384).unwrap().len(), 1);
        let error = HOURLY.origins(383).unwrap_err();
        assert_eq!(
            error.to_string(),
            "383 steps are too few: the first origin at step 336 and a horizon of 48 need 384"
        );
        assert!(HOURLY.origins(0).is_err());
    }
}
