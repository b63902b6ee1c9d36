//! The lead tier: a conditional distribution of demand at arrival, one boot ahead, at the native step.

use super::event_features::{
    ALL_FEATURES, EVENT_FEATURES, EVENT_STRICTNESS, EXPECTED_CHANGE, EventVector, event_features,
};
use super::features::{
    DEVIATION_6_HOURS, FEATURE_COUNT, FeatureHistory, FeatureVector, LEVEL_DAY, LEVEL_WEEK,
    MAXIMUM_3_HOURS, MAXIMUM_DAY, MEAN_15_MINUTES, MEAN_30_MINUTES, PEAK_PROFILE,
};
use fleetcast_series::SlidingMaximum;

use crate::event_book::EventChange;

use super::distribution::{LEVEL_COUNT, LEVEL_DEPTHS, LEVELS, LeadForecast};
use super::quantile_regression::{Coefficients, LevelFit, Preconditioner, Rows, fit_level, values};

/// Rows a fit sees at most: bounds memory (1.3 MB) and the time of a fit (counted work).
const ROW_CAPACITY: usize = 8192;
/// Days a fit looks back at most: three weeks hold three of each weekday.
const WINDOW_DAYS: f64 = 21.0;
/// Rows lose half their weight in this many days.
const ROW_HALF_LIFE_DAYS: f64 = 14.0;
/// The first fit: fewer rows say less than the prior does.
const FIRST_FIT_ROWS: usize = 48;
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
/// A fit is due when rows have grown by this share, at least hourly-ish by count and at most daily.
const FIT_GROWTH: f64 = 0.15;
/// Least level of a row's day, over the mean: bounds the weight of rows from a quiet start.
const LEVEL_LEAST: f32 = 0.02;
/// No quantile exceeds this many times the largest demand of the window: a linear function of a burst's features
/// knows no end, and nothing in the history speaks for more.
const RECORD_FACTOR: f64 = 2.0;

/// What the lead tier needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadConfig {
    /// Length of a step in seconds.
    pub step_seconds: u32,
    /// Steps from the newest observation to arrival: boot + 1.
    pub lead_steps: usize,
}

/// Everything a fit needs: a value, so that fitting can run elsewhere.
#[derive(Clone, Debug)]
pub struct TrainingWindow {
    features: Vec<[f32; FEATURE_COUNT]>,
    /// Of each row, once an event was near.
    events: Option<Vec<[f32; EVENT_FEATURES]>>,
    outcomes: Vec<f32>,
    /// Step of each row's outcome.
    steps: Vec<u64>,
    now: u64,
    steps_per_day: f64,
    before: Option<Fitted>,
}

impl TrainingWindow {
    /// Tells windows apart: equal windows have equal fingerprints (FNV-1a over rows and outcomes).
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut take = |bits: u64| hash = (hash ^ bits).wrapping_mul(0x0100_0000_01b3);
        take(self.now);
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

/// Forecasts demand `lead_steps` ahead from its own past alone.
#[derive(Clone, Debug)]
pub struct LeadForecaster {
    config: LeadConfig,
    history: FeatureHistory,
    current: FeatureVector,
    current_events: EventVector,
    /// What events do until the arrival of the newest step.
    change: EventChange,
    last: f64,
    /// Features of the last `lead_steps` steps, and whether their step was observed.
    waiting: std::collections::VecDeque<(FeatureVector, EventVector, bool)>,
    rows: RowStore,
    fitted: Option<Fitted>,
    steps: u64,
    observed: u64,
    next_fit: u64,
    /// The largest demand of the window.
    record: SlidingMaximum,
}

impl LeadForecaster {
    /// Starts without history.
    pub fn new(config: LeadConfig) -> Self {
        let steps_per_day = 86_400.0 / f64::from(config.step_seconds.max(1));
        Self {
            config,
            history: FeatureHistory::new(config.step_seconds, config.lead_steps),
            current: [0.0; FEATURE_COUNT],
            current_events: [0.0; EVENT_FEATURES],
            change: EventChange::NONE,
            last: 0.0,
            waiting: std::collections::VecDeque::new(),
            rows: RowStore::new(steps_per_day),
            fitted: None,
            steps: 0,
            observed: 0,
            next_fit: FIRST_FIT_ROWS as u64,
            record: SlidingMaximum::new(libm::ceil(WINDOW_DAYS * steps_per_day) as u64),
        }
    }

    /// Says what events do until the arrival of the next step that is observed.
    pub fn expect(&mut self, change: EventChange) {
        self.change = change;
    }

    /// Adds the next step; `None` where it was not observed (carried forward, never learned from).
    pub fn observe(&mut self, demand: Option<f64>) {
        let seen = demand
            .filter(|value| value.is_finite())
            .map(|value| value.clamp(0.0, 1e18));
        let value = seen.unwrap_or(self.last);
        self.last = value;
        let lead = self.config.lead_steps.max(1);
        if self.waiting.len() >= lead
            && let Some((features, events, complete)) = self.waiting.pop_front()
            && complete
            && seen.is_some()
        {
            self.rows.push(self.steps, (&features, &events), value);
            self.observed += 1;
        }
        self.history.push(value);
        self.record.push(value);
        self.current = self.history.features();
        self.current_events = event_features(&self.current, std::mem::take(&mut self.change));
        self.waiting
            .push_back((self.current, self.current_events, seen.is_some()));
        self.steps += 1;
    }

    /// Passes over a step that nothing is to be learned from, such as an outage: the history has what was expected
    /// in its place.
    pub fn pass_over(&mut self) {
        let expected = self.forecast().at(0.5);
        self.last = expected;
        self.observe(None);
    }

    /// What to fit now, if a fit is due. Due dates depend on counts alone: after each 15 % more rows, at most daily.
    pub fn fit_due(&mut self) -> Option<TrainingWindow> {
        if self.observed < self.next_fit {
            return None;
        }
        let day = self.rows.steps_per_day;
        let growth = (self.observed as f64 * FIT_GROWTH).clamp(8.0_f64.min(day), day);
        self.next_fit = self.observed + libm::ceil(growth) as u64;
        Some(self.rows.window(self.steps, self.fitted.clone()))
    }

    /// Makes a fit due with the next row: demand has changed.
    pub fn hasten_fit(&mut self) {
        self.next_fit = self.next_fit.min(self.observed.max(FIRST_FIT_ROWS as u64));
    }

    /// Uses a fit from now on.
    pub fn install(&mut self, fitted: Fitted) {
        self.fitted = Some(fitted);
    }

    /// Whether a fit has been installed.
    pub fn is_fitted(&self) -> bool {
        self.fitted.is_some()
    }

    /// The distribution of demand `lead_steps` after the newest step.
    pub fn forecast(&self) -> LeadForecast {
        let Some(fitted) = &self.fitted else {
            return rule_of_thumb(&self.current, &self.current_events);
        };
        let mut quantiles = [0.0; LEVEL_COUNT];
        for (level, (quantile, coefficients)) in
            quantiles.iter_mut().zip(&fitted.coefficients).enumerate()
        {
            let value: f64 = coefficients
                .iter()
                .zip(&self.current)
                .map(|(a, b)| a * b)
                .sum();
            let by_events: f64 = fitted
                .of_events
                .get(level)
                .iter()
                .flat_map(|coefficients| coefficients.iter().zip(&self.current_events))
                .map(|(a, b)| a * b)
                .sum();
            let value = value + by_events;
            *quantile = if value.is_finite() {
                value.clamp(0.0, RECORD_FACTOR * self.record.get())
            } else {
                self.last
            };
        }
        quantiles.sort_unstable_by(f64::total_cmp);
        LeadForecast { quantiles }
    }
}

/// Before the first fit: the recent level, spread by its own recent deviations.
fn rule_of_thumb(features: &FeatureVector, events: &EventVector) -> LeadForecast {
    let level = features[MEAN_15_MINUTES].max(features[MEAN_30_MINUTES]) + events[0];
    let spread = features[DEVIATION_6_HOURS].max(0.05 * level);
    LeadForecast {
        quantiles: LEVEL_DEPTHS.map(|depth| (level + spread * (depth - 0.7)).max(0.0)),
    }
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
                let mut all: [f64; ALL_FEATURES] = prior(depth);
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
        let prior = shared.inward(&prior(LEVEL_DEPTHS[index]));
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
    let scale = window.outcomes.iter().map(|&y| f64::from(y)).sum::<f64>()
        / window.outcomes.len().max(1) as f64;
    let inverse = if scale > 0.0 {
        (1.0 / scale) as f32
    } else {
        1.0
    };
    let features: Vec<[f32; N]> = features
        .into_iter()
        .map(|row| row.map(|x| x * inverse))
        .collect();
    // Errors grow with the level; rows count alike relative to the level of their day.
    let weights = features
        .iter()
        .zip(&window.steps)
        .map(|(row, &step)| age_weight(window, step) / row[LEVEL_DAY].max(LEVEL_LEAST))
        .collect();
    Rows {
        features,
        outcomes: window.outcomes.iter().map(|y| y * inverse).collect(),
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

/// The rule of thumb as coefficients.
fn prior<const N: usize>(depth: f64) -> [f64; N] {
    let mut raw = [0.0; N];
    raw[MEAN_15_MINUTES] = 0.5;
    raw[MEAN_30_MINUTES] = 0.5;
    raw[DEVIATION_6_HOURS] = depth - 0.7;
    raw[LEVEL_WEEK] = 0.0;
    if let Some(change) = raw.get_mut(EXPECTED_CHANGE) {
        *change = 1.0;
    }
    raw
}

fn age_weight(window: &TrainingWindow, step: u64) -> f32 {
    let days = (window.now - step.min(window.now)) as f64 / window.steps_per_day;
    libm::exp2(-days / ROW_HALF_LIFE_DAYS) as f32
}

/// Rows at a stride that doubles until the capacity spans the window; then the oldest go first.
#[derive(Clone, Debug)]
struct RowStore {
    features: std::collections::VecDeque<[f32; FEATURE_COUNT]>,
    /// Of each row, from the first one on that an event was near.
    events: Option<std::collections::VecDeque<[f32; EVENT_FEATURES]>>,
    outcomes: std::collections::VecDeque<(u64, f32)>,
    /// The first positive demand. Rows are kept relative to it before they are rounded to 32 bits,
    /// so that scaling demand changes not a bit of a fit.
    reference: f64,
    stride: u64,
    window_steps: u64,
    steps_per_day: f64,
}

impl RowStore {
    fn new(steps_per_day: f64) -> Self {
        let window_steps = libm::ceil(WINDOW_DAYS * steps_per_day) as u64;
        Self {
            features: Default::default(),
            events: None,
            outcomes: Default::default(),
            reference: 0.0,
            stride: 1,
            window_steps,
            steps_per_day,
        }
    }

    fn push(
        &mut self,
        step: u64,
        (features, events): (&FeatureVector, &EventVector),
        outcome: f64,
    ) {
        if self.reference <= 0.0 {
            self.reference = features[LEVEL_WEEK].max(outcome);
        }
        let inverse = if self.reference > 0.0 {
            1.0 / self.reference
        } else {
            0.0
        };
        if !step.is_multiple_of(self.stride) {
            return;
        }
        if self.events.is_none() && events.iter().any(|x| *x != 0.0) {
            let before = self.features.iter().map(|_| [0.0; EVENT_FEATURES]);
            self.events = Some(before.collect());
        }
        self.features
            .push_back(features.map(|x| (x * inverse) as f32));
        if let Some(all) = &mut self.events {
            all.push_back(events.map(|x| (x * inverse) as f32));
        }
        self.outcomes.push_back((step, (outcome * inverse) as f32));
        while self
            .outcomes
            .front()
            .is_some_and(|row| row.0 + self.window_steps < step)
        {
            self.features.pop_front();
            self.outcomes.pop_front();
            if let Some(events) = &mut self.events {
                events.pop_front();
            }
        }
        if self.outcomes.len() > ROW_CAPACITY {
            self.thin();
        }
    }

    fn thin(&mut self) {
        self.stride *= 2;
        let stride = self.stride;
        let kept: Vec<bool> = self
            .outcomes
            .iter()
            .map(|row| row.0.is_multiple_of(stride))
            .collect();
        keep(&mut self.features, &kept);
        if let Some(events) = &mut self.events {
            keep(events, &kept);
        }
        self.outcomes.retain(|row| row.0.is_multiple_of(stride));
    }

    fn window(&self, now: u64, before: Option<Fitted>) -> TrainingWindow {
        TrainingWindow {
            features: self.features.iter().copied().collect(),
            events: self
                .events
                .as_ref()
                .map(|events| events.iter().copied().collect()),
            outcomes: self.outcomes.iter().map(|row| row.1).collect(),
            steps: self.outcomes.iter().map(|row| row.0).collect(),
            now,
            steps_per_day: self.steps_per_day,
            before,
        }
    }
}

fn keep<T>(rows: &mut std::collections::VecDeque<T>, kept: &[bool]) {
    let mut index = 0;
    rows.retain(|_| {
        index += 1;
        kept[index - 1]
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_thin_out_but_span_the_window() {
        let mut store = RowStore::new(1440.0);
        for step in 0..60 * 1440 {
            let features = (&[1.0; FEATURE_COUNT], &[0.0; EVENT_FEATURES]);
            store.push(step, features, step as f64);
        }
        assert!(store.outcomes.len() <= ROW_CAPACITY);
        let (first, last) = (
            store.outcomes[0].0,
            store.outcomes[store.outcomes.len() - 1].0,
        );
        assert!((last - first) as f64 >= 0.95 * WINDOW_DAYS * 1440.0);
    }

    #[test]
    fn a_fit_learns_the_day_and_covers_what_it_says() {
        let mut forecaster = LeadForecaster::new(LeadConfig {
            step_seconds: 300,
            lead_steps: 2,
        });
        let mut state = 1u64;
        let (mut waiting, mut above, mut count) = (std::collections::VecDeque::new(), 0, 0);
        for t in 0..12 * 288 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let noise = (state >> 40) as f64 / (1u64 << 24) as f64;
            let demand = (100.0 + 60.0 * libm::sin(t as f64 / 288.0 * std::f64::consts::TAU))
                * (0.9 + 0.2 * noise);
            if waiting.len() == 2 {
                let p90: f64 = waiting.pop_front().unwrap_or(0.0);
                if t > 4 * 288 {
                    count += 1;
                    above += usize::from(demand > p90);
                }
            }
            forecaster.observe(Some(demand));
            if let Some(window) = forecaster.fit_due() {
                forecaster.install(fit(&window));
            }
            waiting.push_back(forecaster.forecast().at(0.9));
        }
        let share = above as f64 / count as f64;
        assert!((0.08..0.12).contains(&share), "{share}");
    }
}
