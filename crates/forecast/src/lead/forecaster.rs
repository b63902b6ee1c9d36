//! The lead tier: a conditional distribution of demand at arrival, one boot ahead, at the native step.

use super::features::{
    DEVIATION_6_HOURS, FEATURE_COUNT, FeatureHistory, FeatureVector, LEVEL_WEEK, MEAN_15_MINUTES,
    MEAN_30_MINUTES,
};
use super::quantile_regression::{Coefficients, Preconditioner, Rows, fit_level};

/// Number of quantile levels.
pub const LEVEL_COUNT: usize = 12;
/// The levels of every forecast. Dense where buying lands: from .3 (smooth demand, loose objective) to .999.
pub const LEVELS: [f64; LEVEL_COUNT] = [
    0.3, 0.5, 0.65, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.998, 0.999, 0.9995,
];

/// Rows a fit sees at most: bounds memory (1 MB) and the time of a fit (counted work).
const ROW_CAPACITY: usize = 8192;
/// Days a fit looks back at most: three weeks hold three of each weekday.
const WINDOW_DAYS: f64 = 21.0;
/// Rows lose half their weight in this many days.
const ROW_HALF_LIFE_DAYS: f64 = 14.0;
/// The first fit: fewer rows say less than the prior does.
const FIRST_FIT_ROWS: usize = 48;
/// Prior strength, in rows: the ridge is this over the number of rows.
const PRIOR_ROWS: f64 = 4.0;
/// Passes over the rows per level: the first fit of a level, and one that starts from yesterday's.
const PASSES: [usize; 2] = [40, 24];

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
    outcomes: Vec<f32>,
    /// Step of each row's outcome.
    steps: Vec<u64>,
    now: u64,
    steps_per_day: f64,
    before: Option<Fitted>,
}

/// The result of a fit: one linear function of the features per level.
#[derive(Clone, Debug)]
pub struct Fitted {
    pub(crate) coefficients: Vec<[f64; FEATURE_COUNT]>,
}

/// A conditional distribution of demand at arrival, in units of demand.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeadForecast {
    /// One value per level of [`LEVELS`], not decreasing.
    pub quantiles: [f64; LEVEL_COUNT],
}

/// Forecasts demand `lead_steps` ahead from its own past alone.
#[derive(Clone, Debug)]
pub struct LeadForecaster {
    config: LeadConfig,
    history: FeatureHistory,
    current: FeatureVector,
    last: f64,
    /// Features of the last `lead_steps` steps, and whether their step was observed.
    waiting: std::collections::VecDeque<(FeatureVector, bool)>,
    rows: RowStore,
    fitted: Option<Fitted>,
    steps: u64,
    observed: u64,
    next_fit: u64,
}

impl LeadForecaster {
    /// Starts without history.
    pub fn new(config: LeadConfig) -> Self {
        let steps_per_day = 86_400.0 / f64::from(config.step_seconds.max(1));
        Self {
            config,
            history: FeatureHistory::new(config.step_seconds, config.lead_steps),
            current: [0.0; FEATURE_COUNT],
            last: 0.0,
            waiting: std::collections::VecDeque::new(),
            rows: RowStore::new(steps_per_day),
            fitted: None,
            steps: 0,
            observed: 0,
            next_fit: FIRST_FIT_ROWS as u64,
        }
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
            && let Some((features, complete)) = self.waiting.pop_front()
            && complete
            && seen.is_some()
        {
            self.rows.push(self.steps, &features, value);
            self.observed += 1;
        }
        self.history.push(value);
        self.current = self.history.features();
        self.waiting.push_back((self.current, seen.is_some()));
        self.steps += 1;
    }

    /// What to fit now, if a fit is due. Due dates depend on counts alone: after each 15 % more rows, at most daily.
    pub fn fit_due(&mut self) -> Option<TrainingWindow> {
        if self.observed < self.next_fit {
            return None;
        }
        let day = self.rows.steps_per_day;
        let growth = (self.observed as f64 * 0.15).clamp(8.0_f64.min(day), day);
        self.next_fit = self.observed + libm::ceil(growth) as u64;
        Some(self.rows.window(self.steps, self.fitted.clone()))
    }

    /// Uses a fit from now on.
    pub fn install(&mut self, fitted: Fitted) {
        self.fitted = Some(fitted);
    }

    /// Whether a fit has been installed.
    pub fn is_fitted(&self) -> bool {
        self.fitted.is_some()
    }

    /// Steps seen.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The distribution of demand `lead_steps` after the newest step.
    pub fn forecast(&self) -> LeadForecast {
        let Some(fitted) = &self.fitted else {
            return rule_of_thumb(&self.current);
        };
        let mut quantiles = [0.0; LEVEL_COUNT];
        for (quantile, coefficients) in quantiles.iter_mut().zip(&fitted.coefficients) {
            let value: f64 = coefficients
                .iter()
                .zip(&self.current)
                .map(|(a, b)| a * b)
                .sum();
            *quantile = if value.is_finite() {
                value.clamp(0.0, 1e18)
            } else {
                self.last
            };
        }
        quantiles.sort_unstable_by(f64::total_cmp);
        LeadForecast { quantiles }
    }
}

impl LeadForecast {
    /// The quantile at any level: linear in −ln(1 − level) between the fixed ones, and beyond the last
    /// with its slope (an exponential tail).
    pub fn at(&self, level: f64) -> f64 {
        self.at_depth(depth(level))
    }

    /// The quantile at depth −ln(1 − level).
    pub fn at_depth(&self, wanted: f64) -> f64 {
        let mut i = 0;
        while i + 2 < LEVEL_COUNT && LEVEL_DEPTHS_END[i + 1] < wanted {
            i += 1;
        }
        let (low, high) = (LEVEL_DEPTHS_END[i], LEVEL_DEPTHS_END[i + 1]);
        let slope = (self.quantiles[i + 1] - self.quantiles[i]) / (high - low);
        (self.quantiles[i] + slope * (wanted - low)).max(0.0)
    }
}

/// −ln(1 − level): how deep in the tail a level lies.
pub fn depth(level: f64) -> f64 {
    -libm::log((1.0 - level).clamp(1e-9, 1.0))
}

/// `depth` of each of [`LEVELS`].
const LEVEL_DEPTHS_END: [f64; LEVEL_COUNT] = [
    0.356_674_943_938_732_4,
    0.693_147_180_559_945_3,
    1.049_822_124_498_677_8,
    1.609_437_912_434_100_5,
    2.302_585_092_994_046,
    2.995_732_273_553_991,
    3.688_879_454_113_936,
    4.605_170_185_988_091,
    5.298_317_366_548_036,
    6.214_608_098_422_191,
    6.907_755_278_982_137,
    7.600_902_459_542_082,
];

/// Before the first fit: the recent level, spread by its own recent deviations.
fn rule_of_thumb(features: &FeatureVector) -> LeadForecast {
    let level = features[MEAN_15_MINUTES].max(features[MEAN_30_MINUTES]);
    let spread = features[DEVIATION_6_HOURS].max(0.05 * level);
    LeadForecast {
        quantiles: LEVEL_DEPTHS_END.map(|depth| (level + spread * (depth - 0.7)).max(0.0)),
    }
}

/// Fits every level to the window. Pure: equal windows give equal fits.
pub fn fit(window: &TrainingWindow) -> Fitted {
    let half_life = super::knob("HALF", ROW_HALF_LIFE_DAYS);
    let scale = window.outcomes.iter().map(|&y| f64::from(y)).sum::<f64>()
        / window.outcomes.len().max(1) as f64;
    let inverse = if scale > 0.0 {
        (1.0 / scale) as f32
    } else {
        1.0
    };
    let mut rows = Rows {
        features: window
            .features
            .iter()
            .map(|row| row.map(|x| x * inverse))
            .collect(),
        outcomes: window.outcomes.iter().map(|y| y * inverse).collect(),
        weights: window
            .steps
            .iter()
            .map(|&step| age_weight(window, step, half_life))
            .collect(),
    };
    let power = super::knob("LEVELW", 1.0);
    if power > 0.0 {
        for (weight, row) in rows.weights.iter_mut().zip(&rows.features) {
            *weight *= libm::pow(
                {
                    let k = super::knob("WMIX", 0.0);
                    let dv = super::knob("WDEV", 0.0);
                    ((1.0 - k - dv) * f64::from(row[1])
                        + k * f64::from(row[7])
                        + dv * f64::from(row[23]))
                    .max(0.02 * (1.0 - 0.9 * dv))
                },
                -power,
            ) as f32;
        }
    }
    let ridge = super::knob("PRIOR", PRIOR_ROWS) / rows.len().max(1) as f64;
    let shared = Preconditioner::prepare(&mut rows, ridge);
    let mut coefficients = Vec::with_capacity(LEVEL_COUNT);
    let mut neighbour: Option<Coefficients> = None;
    let average = super::knob("AVG", 0.0) as f32;
    for (index, &level) in LEVELS.iter().enumerate() {
        let prior = shared.from_raw(&prior(LEVEL_DEPTHS_END[index]));
        let (start, passes) = match &window.before {
            Some(before) => (
                shared.from_raw(&before.coefficients[index]),
                super::knob("PASS", PASSES[1] as f64) as usize,
            ),
            None => (neighbour.unwrap_or(prior), PASSES[0]),
        };
        let mut beta = fit_level(&rows, &shared, level, &start, &prior, passes);
        if window.before.is_some() && rows.len() > 500 {
            for (b, s) in beta.iter_mut().zip(&start) {
                *b = *b * (1.0 - average) + *s * average;
            }
        }
        neighbour = Some(beta);
        coefficients.push(
            shared
                .to_raw(&beta)
                .map(|value| if value.is_finite() { value } else { 0.0 }),
        );
    }
    Fitted { coefficients }
}

/// The rule of thumb as coefficients.
fn prior(depth: f64) -> [f64; FEATURE_COUNT] {
    let mut raw = [0.0; FEATURE_COUNT];
    raw[MEAN_15_MINUTES] = 0.5;
    raw[MEAN_30_MINUTES] = 0.5;
    raw[DEVIATION_6_HOURS] = depth - 0.7;
    raw[LEVEL_WEEK] = 0.0;
    raw
}

fn age_weight(window: &TrainingWindow, step: u64, half_life: f64) -> f32 {
    let days = (window.now - step.min(window.now)) as f64 / window.steps_per_day;
    libm::exp2(-days / half_life) as f32
}

/// Rows at a stride that doubles until the capacity spans the window; then the oldest go first.
#[derive(Clone, Debug)]
struct RowStore {
    features: std::collections::VecDeque<[f32; FEATURE_COUNT]>,
    outcomes: std::collections::VecDeque<(u64, f32)>,
    stride: u64,
    window_steps: u64,
    capacity: usize,
    steps_per_day: f64,
}

impl RowStore {
    fn new(steps_per_day: f64) -> Self {
        let window_steps = libm::ceil(super::knob("WINDOW", WINDOW_DAYS) * steps_per_day) as u64;
        Self {
            features: Default::default(),
            outcomes: Default::default(),
            stride: 1,
            capacity: super::knob("ROWS", ROW_CAPACITY as f64) as usize,
            window_steps,
            steps_per_day,
        }
    }

    fn push(&mut self, step: u64, features: &FeatureVector, outcome: f64) {
        if !step.is_multiple_of(self.stride) {
            return;
        }
        self.features.push_back(features.map(|x| x as f32));
        self.outcomes.push_back((step, outcome as f32));
        while self
            .outcomes
            .front()
            .is_some_and(|row| row.0 + self.window_steps < step)
        {
            self.features.pop_front();
            self.outcomes.pop_front();
        }
        if self.outcomes.len() > self.capacity {
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
        let mut index = 0;
        self.features.retain(|_| {
            index += 1;
            kept[index - 1]
        });
        self.outcomes.retain(|row| row.0.is_multiple_of(stride));
    }

    fn window(&self, now: u64, before: Option<Fitted>) -> TrainingWindow {
        TrainingWindow {
            features: self.features.iter().copied().collect(),
            outcomes: self.outcomes.iter().map(|row| row.1).collect(),
            steps: self.outcomes.iter().map(|row| row.0).collect(),
            now,
            steps_per_day: self.steps_per_day,
            before,
        }
    }
}
