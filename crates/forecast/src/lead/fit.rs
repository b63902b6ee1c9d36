//! Fits of the lead tier: every level of one model to a window of rows.

use fleetcast_model::ModelForm;

use super::distribution::{LEVEL_COUNT, LEVEL_DEPTHS, LEVELS};
use super::event_features::{ALL_FEATURES, EVENT_FEATURES, EVENT_STRICTNESS};
use super::features::{
    DEVIATION_6_HOURS, FEATURE_COUNT, LEVEL_DAY, LEVEL_WEEK, MAXIMUM_3_HOURS, MAXIMUM_DAY,
    MEAN_15_MINUTES, MEAN_30_MINUTES, PEAK_PROFILE,
};
use super::quantile_regression::{Coefficients, LevelFit, Preconditioner, Rows, fit_level, values};

/// Rows lose half their weight in this many days.
const ROW_HALF_LIFE_DAYS: f64 = 14.0;
/// Prior strength, in rows: the ridge is this over the number of rows.
const PRIOR_ROWS: f64 = 4.0;
/// Prior strength of the deep levels, in rows.
const DEEP_PRIOR_ROWS: f64 = 8.0;
/// Levels fitted with all features, up to .99: about eighty of 8,192 rows lie above it, two for each feature.
const DIRECT_LEVELS: usize = 8;
/// Index of the median.
const MEDIAN: usize = 1;
/// Passes over the rows for the first fit of a level, and for one that starts from the fit before (counted work).
const PASSES_FIRST: usize = 40;
const PASSES_AGAIN: usize = 18;
/// Least level of a row's day, over the mean: bounds the weight of rows from a quiet start.
const LEVEL_LEAST: f32 = 0.02;

/// Everything a fit needs: a value, so that fitting can run elsewhere.
#[derive(Clone, Debug)]
pub struct TrainingWindow {
    pub(super) features: Vec<[f32; FEATURE_COUNT]>,
    /// Of each row, once an event was near.
    pub(super) events: Option<Vec<[f32; EVENT_FEATURES]>>,
    pub(super) outcomes: Vec<f32>,
    /// Step of each row's outcome.
    pub(super) steps: Vec<u64>,
    pub(super) now: u64,
    pub(super) steps_per_day: f64,
    pub(super) before: Option<Fitted>,
    pub(super) form: ModelForm,
}

impl TrainingWindow {
    /// What is to be fitted.
    pub fn form(&self) -> ModelForm {
        self.form
    }

    /// Tells windows apart: equal windows have equal fingerprints (FNV-1a over rows and outcomes).
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut take = |bits: u64| hash = (hash ^ bits).wrapping_mul(0x0100_0000_01b3);
        take(self.now);
        take(self.form as u64);
        for ((features, outcome), step) in self.features.iter().zip(&self.outcomes).zip(&self.steps)
        {
            take(*step);
            take(u64::from(outcome.to_bits()));
            for feature in features {
                take(u64::from(feature.to_bits()));
            }
        }
        for feature in self.events.iter().flatten().flatten() {
            take(u64::from(feature.to_bits()));
        }
        let before = self.before.iter().flat_map(Fitted::to_parameters);
        for coefficient in before {
            take(coefficient.to_bits());
        }
        hash
    }
}

/// The result of a fit: one linear function of the features per level.
#[derive(Clone, Debug)]
pub struct Fitted {
    pub(crate) coefficients: Vec<[f64; FEATURE_COUNT]>,
    /// Of the features of events; empty where there were none.
    pub(crate) of_events: Vec<[f64; EVENT_FEATURES]>,
}

/// Fits every level to the window. Pure: equal windows give equal fits.
pub fn fit(window: &TrainingWindow) -> Fitted {
    let before = window.before.as_ref();
    let Some(events) = &window.events else {
        let before = before.map(|fitted| fitted.coefficients.clone());
        return Fitted {
            coefficients: fit_all(window, window.features.clone(), before),
            of_events: Vec::new(),
        };
    };
    let joined = |(demand, events): (&[f32; FEATURE_COUNT], &[f32; EVENT_FEATURES])| {
        std::array::from_fn(|place| match place.checked_sub(FEATURE_COUNT) {
            None => demand[place],
            Some(place) => events[place],
        })
    };
    let features: Vec<[f32; ALL_FEATURES]> =
        window.features.iter().zip(events).map(joined).collect();
    let before = before.map(|fitted| {
        let of_events = |level: usize| fitted.of_events.get(level).copied();
        let levels = fitted.coefficients.iter().zip(LEVEL_DEPTHS).enumerate();
        levels
            .map(|(level, (of_demand, depth))| {
                // Without any yet, events start from what is thought before.
                let mut all: [f64; ALL_FEATURES] = prior(depth, window.form);
                all[..FEATURE_COUNT].copy_from_slice(of_demand);
                if let Some(of_events) = of_events(level) {
                    all[FEATURE_COUNT..].copy_from_slice(&of_events);
                }
                all
            })
            .collect()
    });
    let all = fit_all(window, features, before);
    let levels = all.iter();
    Fitted {
        coefficients: levels
            .clone()
            .map(|level| std::array::from_fn(|place| level[place]))
            .collect(),
        of_events: levels
            .map(|level| std::array::from_fn(|place| level[FEATURE_COUNT + place]))
            .collect(),
    }
}

/// Fits every level, with the features of events or without.
fn fit_all<const N: usize>(
    window: &TrainingWindow,
    features: Vec<[f32; N]>,
    before: Option<Vec<[f64; N]>>,
) -> Vec<[f64; N]> {
    let mut rows = scaled_rows(window, features);
    let ridge = PRIOR_ROWS / rows.len().max(1) as f64;
    let strict = (FEATURE_COUNT, libm::sqrt(EVENT_STRICTNESS));
    let shared = Preconditioner::prepare_with(&mut rows, ridge, strict);
    let mut fits: Vec<Coefficients<N>> = Vec::with_capacity(DIRECT_LEVELS);
    let mut coefficients = Vec::with_capacity(LEVEL_COUNT);
    for (index, &level) in LEVELS.iter().enumerate().take(DIRECT_LEVELS) {
        let prior = shared.inward(&prior(LEVEL_DEPTHS[index], window.form));
        let (start, passes) = match &before {
            Some(before) => (shared.inward(&before[index]), PASSES_AGAIN),
            None => (fits.last().copied().unwrap_or(prior), PASSES_FIRST),
        };
        let fitted = fit_level(
            &rows,
            &shared,
            &LevelFit {
                level,
                start,
                prior,
                ridge,
                passes,
            },
        );
        coefficients.push(shared.outward(&fitted));
        fits.push(fitted);
    }
    deepen(&mut coefficients, &rows, &fits, &shared);
    for value in coefficients
        .iter_mut()
        .flatten()
        .filter(|value| !value.is_finite())
    {
        *value = 0.0;
    }
    coefficients
}

/// Rows with features and outcomes divided by the mean outcome, weighted by age and by level.
fn scaled_rows<const N: usize>(window: &TrainingWindow, features: Vec<[f32; N]>) -> Rows<N> {
    let form = |x: f32| match window.form {
        ModelForm::Linear => x,
        // Linear in roots, so the forecast scales with demand all the same; large values weigh less.
        ModelForm::Root => libm::sqrtf(x.max(0.0)),
    };
    let scale = window
        .outcomes
        .iter()
        .map(|&y| f64::from(form(y)))
        .sum::<f64>()
        / window.outcomes.len().max(1) as f64;
    let inverse = if scale > 0.0 {
        (1.0 / scale) as f32
    } else {
        1.0
    };
    let features: Vec<[f32; N]> = features
        .into_iter()
        .map(|row| row.map(|x| form(x) * inverse))
        .collect();
    // Errors grow with the level; rows count alike relative to the level of their day, as events have changed it.
    let weights = features
        .iter()
        .zip(&window.steps)
        .map(|(row, &step)| age_weight(window, step) / row[LEVEL_DAY].max(LEVEL_LEAST))
        .collect();
    Rows {
        features,
        outcomes: window.outcomes.iter().map(|&y| form(y) * inverse).collect(),
        weights,
    }
}

/// Features a deep level adds to the deepest direct level and the spread below it.
const DEEP_FEATURES: [usize; 6] = [
    LEVEL_WEEK,
    LEVEL_DAY,
    MEAN_15_MINUTES,
    MAXIMUM_3_HOURS,
    MAXIMUM_DAY,
    PEAK_PROFILE,
];

/// Fits the levels too deep for a fit of all features: few rows lie above them, so they move
/// along few directions, those of the shallower levels and of the floors.
fn deepen<const N: usize>(
    coefficients: &mut Vec<[f64; N]>,
    rows: &Rows<N>,
    fits: &[Coefficients<N>],
    shared: &Preconditioner<N>,
) {
    let (deepest, shallow) = (
        values(rows, &fits[DIRECT_LEVELS - 1]),
        values(rows, &fits[MEDIAN]),
    );
    let reduce = |((row, &deepest), &shallow): ((&[f32; N], &f32), &f32)| {
        let mut reduced = [0.0; 8];
        for (slot, &feature) in reduced.iter_mut().zip(&DEEP_FEATURES) {
            *slot = row[feature];
        }
        (reduced[6], reduced[7]) = (deepest, (deepest - shallow).max(0.0));
        reduced
    };
    let features = rows
        .features
        .iter()
        .zip(&deepest)
        .zip(&shallow)
        .map(reduce)
        .collect();
    let mut rows = Rows::<8> {
        features,
        outcomes: rows.outcomes.clone(),
        weights: rows.weights.clone(),
    };
    let ridge = DEEP_PRIOR_ROWS / rows.len().max(1) as f64;
    let inner = Preconditioner::prepare(&mut rows, ridge);
    let (raw_deepest, raw_shallow) = (coefficients[DIRECT_LEVELS - 1], coefficients[MEDIAN]);
    let span = LEVEL_DEPTHS[DIRECT_LEVELS - 1] - LEVEL_DEPTHS[MEDIAN];
    let mut start = None;
    for index in DIRECT_LEVELS..LEVEL_COUNT {
        // An exponential tail goes on with the spread between the median and the deepest direct level.
        let mut prior = [0.0; 8];
        (prior[6], prior[7]) = (
            1.0,
            (LEVEL_DEPTHS[index] - LEVEL_DEPTHS[DIRECT_LEVELS - 1]) / span,
        );
        let prior = inner.inward(&prior);
        let fitted = fit_level(
            &rows,
            &inner,
            &LevelFit {
                level: LEVELS[index],
                start: start.unwrap_or(prior),
                prior,
                ridge,
                passes: PASSES_FIRST,
            },
        );
        start = Some(fitted);
        let small = inner.outward(&fitted);
        let mut raw: [f64; N] = std::array::from_fn(|j| {
            small[6] * raw_deepest[j] + small[7] * (raw_deepest[j] - raw_shallow[j])
        });
        for (&factor, &feature) in small.iter().zip(&DEEP_FEATURES) {
            raw[feature] += factor / shared.scale(feature);
        }
        coefficients.push(raw);
    }
}

/// The rule of thumb as coefficients; a root varies half as much as what it is of.
fn prior<const N: usize>(depth: f64, form: ModelForm) -> [f64; N] {
    let spread = match form {
        ModelForm::Linear => 1.0,
        ModelForm::Root => 0.5,
    };
    let mut raw = [0.0; N];
    raw[MEAN_15_MINUTES] = 0.5;
    raw[MEAN_30_MINUTES] = 0.5;
    raw[DEVIATION_6_HOURS] = spread * (depth - 0.7);
    raw
}

fn age_weight(window: &TrainingWindow, step: u64) -> f32 {
    let days = (window.now - step.min(window.now)) as f64 / window.steps_per_day;
    libm::exp2(-days / ROW_HALF_LIFE_DAYS) as f32
}
