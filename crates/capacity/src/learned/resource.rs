//! One resource of one component: what each interaction of each type takes of it.
//!
//! use ≈ base + base of a unit × units + Σ (each type's use × its volume). The features are measured in what
//! the profile expects, so a coefficient of 1 means that the profile is right, and errors are shares of the
//! use. Profiles are more often wrong as a whole (another machine, another unit) than in their ratios, so the
//! prior lets all types move together more easily than apart.

use jiff::Timestamp;

use super::drift::{DriftDetector, Shift};
use super::noise::Noise;
use super::regression::{Innovation, Prior, Regression};

/// How much a profile may be off as a whole, and each type beside the others, as standard deviations: shares of the
/// profile, or of what the first use says of it if that is more.
const PROFILE_DEVIATION: (f64, f64) = (0.8, 0.4);
/// A first use of so many times what the profile says widens the prior, because a profile so far off is in another
/// unit; at most so far, because it may have been a burst.
const FIRST_RATIO: (f64, f64) = (3.0, 20.0);
/// The same for what was learned before a drift, which gives the first guess after it.
const DRIFT_DEVIATION: (f64, f64) = (0.3, 0.15);
/// How large the base may be, as a share of the first use that was seen: what grows with demand is the better guess.
const BASE_DEVIATION: f64 = 0.1;
/// A type that the profile gives nothing may take about this part of the first use that was seen.
const UNSTATED_SHARE: f64 = 0.5;
/// The noise that is assumed at first, and the samples that it counts for: one sample moves the estimate a fifth of
/// the way, half an hour of them nearly all of it. And the least noise.
const NOISE_FIRST: (f64, f64) = (0.8, 4.0);
const NOISE_MIN: f64 = 0.01;
/// Samples closer together than this tell nearly the same, and count for the part of it that they last.
const INDEPENDENT_SECONDS: f64 = 300.0;
/// Half-life of what was learned: a week holds every hour and weekday.
const HALF_LIFE_SECONDS: f64 = 7.0 * 86_400.0;
/// After a drift it begins with an hour, and grows with the time since.
const HALF_LIFE_AFTER_DRIFT: f64 = 3_600.0;
/// A gap between samples fades memory no more than this.
const FADE_SECONDS_MAX: f64 = 3_600.0;
/// From this part of what is there on, a flow (CPU, disk, bandwidth) is cut off, and so is a stock (memory, storage).
const CUT_OFF: (f64, f64) = (0.9, 0.97);
/// The time constants of the averages that a slow resource may follow, in seconds; 0 is the present volume.
const SLOW_SECONDS: [f64; 4] = [0.0, 1_800.0, 10_800.0, 43_200.0];
/// Another time constant is taken when its squared error is under this part of that in use.
const SLOW_BETTER: f64 = 0.85;
/// Half-life of the memory of those errors, in seconds.
const SLOW_HALF_LIFE: f64 = 86_400.0;
/// Independent samples before another time constant may be taken: a day of them.
const SLOW_SAMPLES: f64 = 150.0;
/// The drift test begins when so much of the prediction comes from the data.
const DRIFT_EVIDENCE: f64 = 0.8;

/// Which volumes a need is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Volumes when an order placed now would serve: what follows them slowly has not come after them yet.
    AtArrival,
    /// Volumes that last.
    Sustained,
}

/// How a resource is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    /// Whether it is a stock (memory, storage), which is filled, and not a flow, which is queued for.
    pub stock: bool,
    /// Whether it may follow a slow average of the volume.
    pub slow: bool,
    /// The step that observations of it are rounded to.
    pub resolution: f64,
}

/// What is known of one resource.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ResourceUse {
    kind: Kind,
    /// What the profile says for each interaction a minute, by type.
    profile: Vec<f64>,
    /// What one unit has of it, if that limits.
    unit: Option<f64>,
    lead_seconds: f64,
    learned: Option<Learned>,
}

/// The same after the first sample.
#[derive(Clone, Debug, PartialEq)]
struct Learned {
    /// What one step of each coefficient means, in the resource's unit: types, base, base of a unit.
    scales: Vec<f64>,
    /// One for each time constant that is tried.
    tried: Vec<Tried>,
    chosen: usize,
    mean_use: f64,
    drift: DriftDetector,
    /// Seconds since the last drift, or all that were seen; a restart means that what is prior now was learned.
    since_drift: Option<f64>,
    last: Timestamp,
    independent: f64,
    samples: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Tried {
    seconds: f64,
    averages: Vec<f64>,
    regression: Regression,
    squared_error: f64,
}

/// A sample of one resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<'a> {
    pub from: Timestamp,
    pub seconds: f64,
    pub volumes: &'a [f64],
    pub units: Option<f64>,
    pub used: f64,
    /// What the use of a fleet of this size is divided by, to be that of a typical one.
    pub relative_work: f64,
    /// Demand was cut off before it came here.
    pub cut_off: bool,
}

/// A need that grows with the units that serve it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Need {
    /// Of the whole component.
    pub all: f64,
    /// Of each unit, whatever it does.
    pub each_unit: f64,
}

impl ResourceUse {
    pub(super) fn new(kind: Kind, profile: Vec<f64>, unit: Option<f64>, lead_seconds: f64) -> Self {
        Self {
            kind,
            profile,
            unit,
            lead_seconds,
            learned: None,
        }
    }

    /// Learns from a sample; says when the use per request has changed.
    pub(super) fn learn(&mut self, sample: &Sample<'_>) -> Option<Shift> {
        let sound = sample.used.is_finite()
            && sample.used >= 0.0
            && sample
                .units
                .is_none_or(|units| units.is_finite() && units >= 0.0);
        if !sound || sample.volumes.len() != self.profile.len() {
            return None;
        }
        let work = self.profile_of(sample.volumes);
        if self.learned.is_none() {
            // Nothing used, or nothing asked, tells no scale.
            if sample.used <= 0.0 || sample.volumes.iter().all(|volume| *volume <= 0.0) {
                return None;
            }
            self.learned = Some(Learned::first(self.kind, &self.profile, work, sample));
        }
        let there = self
            .unit
            .zip(sample.units)
            .map(|(unit, units)| unit * units);
        let learned = self.learned.as_mut()?;
        learned.learn(self.kind, there, sample)
    }

    /// What is needed of it.
    pub(super) fn need(&self, volumes: &[f64], outlook: Outlook) -> Need {
        match &self.learned {
            None => Need {
                all: self.profile_of(volumes),
                each_unit: 0.0,
            },
            Some(learned) => learned.need(volumes, outlook, self.lead_seconds),
        }
    }

    /// What each interaction a minute of a type takes, as it is believed now.
    pub(super) fn each(&self, kind: usize) -> f64 {
        self.learned.as_ref().map_or(self.profile[kind], |learned| {
            learned.regression().coefficients()[kind] * learned.scales[kind]
        })
    }

    /// The profile's word on the same.
    pub(super) fn profile_each(&self, kind: usize) -> f64 {
        self.profile[kind]
    }

    /// The part of what is believed of a type that comes from the data, 0 to 1.
    pub(super) fn evidence_of(&self, kind: usize) -> f64 {
        let Some(learned) = &self.learned else {
            return 0.0;
        };
        let mut features = vec![0.0; learned.scales.len()];
        features[kind] = 1.0;
        learned.evidence(&features)
    }

    /// The part of what is believed of these volumes that comes from the data, 0 to 1.
    pub(super) fn evidence(&self, volumes: &[f64], units: f64) -> f64 {
        let Some(learned) = &self.learned else {
            return 0.0;
        };
        learned.evidence(&learned.features(volumes, units, 1.0))
    }

    /// The measured noise of a sample, as a share of the use.
    pub(super) fn noise(&self) -> f64 {
        self.learned
            .as_ref()
            .map_or(0.0, |learned| learned.regression().noise().measured())
    }

    /// Samples that taught something.
    pub(super) fn samples(&self) -> u64 {
        self.learned.as_ref().map_or(0, |learned| learned.samples)
    }

    /// The time constant that it follows the volume with, in seconds; 0: at once.
    pub(super) fn slow_seconds(&self) -> f64 {
        self.learned
            .as_ref()
            .map_or(0.0, |learned| learned.tried[learned.chosen].seconds)
    }

    fn profile_of(&self, volumes: &[f64]) -> f64 {
        self.profile.iter().zip(volumes).map(|(a, b)| a * b).sum()
    }
}

impl Learned {
    fn first(kind: Kind, profile: &[f64], work: f64, sample: &Sample<'_>) -> Self {
        let volume: f64 = sample.volumes.iter().sum();
        let used = sample.used / sample.relative_work;
        let ratio = used / work.max(f64::MIN_POSITIVE) / FIRST_RATIO.0;
        let ratio = ratio.clamp(1.0, FIRST_RATIO.1);
        let stated = |one: f64| one > 0.0;
        let scale = |one: &f64| {
            if stated(*one) {
                one * ratio
            } else {
                UNSTATED_SHARE * used / volume
            }
        };
        let mut scales: Vec<f64> = profile.iter().map(scale).collect();
        let mean = profile.iter().zip(&scales).map(|(one, scale)| one / scale);
        let mut mean: Vec<f64> = mean.collect();
        let together = profile.iter().map(|one| f64::from(u8::from(stated(*one))));
        let together: Vec<f64> = together.collect();
        let apart = vec![1.0; profile.len()];
        mean.extend([0.0, 0.0]);
        scales.extend([used, used / sample.units.unwrap_or(1.0).max(1.0)]);
        let covariance = covariance((&together, &apart), PROFILE_DEVIATION, BASE_DEVIATION);
        let prior = Prior { mean, covariance };
        let constants = if kind.slow {
            &SLOW_SECONDS[..]
        } else {
            &SLOW_SECONDS[..1]
        };
        let noise = Noise::new(NOISE_FIRST.0, NOISE_FIRST.1, NOISE_MIN);
        let tried = |seconds: &f64| Tried {
            seconds: *seconds,
            averages: sample.volumes.to_vec(),
            regression: Regression::new(prior.clone(), noise.clone()),
            squared_error: 0.0,
        };
        Self {
            scales,
            tried: constants.iter().map(tried).collect(),
            chosen: 0,
            mean_use: used,
            drift: DriftDetector::new(),
            since_drift: None,
            last: sample.from,
            independent: 0.0,
            samples: 0,
        }
    }

    fn learn(&mut self, kind: Kind, there: Option<f64>, sample: &Sample<'_>) -> Option<Shift> {
        let passed = sample.from.duration_since(self.last).as_secs_f64();
        let passed = passed.clamp(0.0, 1e9) + sample.seconds;
        self.last = sample.from;
        for tried in &mut self.tried {
            tried.follow(sample.volumes, passed);
        }
        let limit = if kind.stock { CUT_OFF.1 } else { CUT_OFF.0 };
        let full = there.is_some_and(|there| sample.used >= limit * there);
        let used = sample.used / sample.relative_work;
        // Where units are not known, what they use by themselves cannot be told apart.
        let units = sample.units.unwrap_or(0.0);
        let (innovation, scale) = self.compare(self.chosen, units, used);
        if (full || sample.cut_off) && innovation.residual <= 0.0 {
            // Demand was cut off: more would have been used, so this says nothing that is not believed already.
            return None;
        }
        let half_life = self.since_drift.map_or(HALF_LIFE_SECONDS, |since| {
            since.clamp(HALF_LIFE_AFTER_DRIFT, HALF_LIFE_SECONDS)
        });
        let fade = passed.min(FADE_SECONDS_MAX);
        let keep = libm::exp2(-fade / half_life);
        let weight = (sample.seconds / INDEPENDENT_SECONDS).clamp(0.01, 1.0);
        let trusted = {
            let features = self.features(&self.tried[self.chosen].averages, units, scale);
            self.evidence(&features) >= DRIFT_EVIDENCE
        };
        for place in 0..self.tried.len() {
            let (innovation, scale) = self.compare(place, units, used);
            let features = self.features(&self.tried[place].averages, units, scale);
            let tried = &mut self.tried[place];
            let forget = libm::exp2(-fade / SLOW_HALF_LIFE);
            let error = innovation.residual.clamp(-1.0, 1.0);
            tried.squared_error = tried.squared_error * forget + weight * error * error;
            tried
                .regression
                .learn(&features, used / scale, weight, keep);
        }
        self.mean_use += (used - self.mean_use) * (1.0 - libm::exp2(-fade / 86_400.0));
        self.samples += 1;
        self.independent = self.independent * keep + weight;
        self.since_drift = self.since_drift.map(|since| since + fade);
        let shift = trusted.then(|| {
            self.drift.observe(
                sample.from,
                sample.seconds,
                innovation.residual,
                // Rounding errs alike as long as the use is alike, so it counts in full.
                innovation.model_variance + (0.5 * kind.resolution / scale).powi(2),
            )
        });
        let shift = shift.flatten();
        match shift {
            Some(shift) => self.after(shift),
            None => self.choose(),
        }
        shift
    }

    /// A deploy: what was learned, times the shift, is the prior of what is to be learned now, and fast.
    fn after(&mut self, shift: Shift) {
        let types = self.scales.len() - 2;
        for tried in &mut self.tried {
            let mut mean = tried.regression.coefficients().to_vec();
            for one in &mut mean[..types] {
                *one *= shift.factor;
            }
            let sizes: Vec<f64> = mean[..types].iter().map(|one| one.max(0.05)).collect();
            let spread = covariance((&sizes, &sizes), DRIFT_DEVIATION, 0.3 * BASE_DEVIATION);
            tried.regression.restart(Prior {
                mean,
                covariance: spread,
            });
            tried.squared_error = 0.0;
        }
        self.since_drift = Some(0.0);
        self.independent = 0.0;
    }

    /// Takes another time constant if it errs clearly less.
    fn choose(&mut self) {
        if self.tried.len() < 2 || self.independent < SLOW_SAMPLES {
            return;
        }
        let best = (0..self.tried.len())
            .min_by(|a, b| {
                let error = |i: usize| self.tried[i].squared_error;
                error(*a).total_cmp(&error(*b))
            })
            .unwrap_or(self.chosen);
        let in_use = self.tried[self.chosen].squared_error;
        if self.tried[best].squared_error < SLOW_BETTER * in_use {
            self.chosen = best;
            self.drift.restart();
        }
    }

    /// How a use compares with what one of the tried believes, as shares of the scale that is given with it.
    fn compare(&self, place: usize, units: f64, used: f64) -> (Innovation, f64) {
        let tried = &self.tried[place];
        let whole = self.features(&tried.averages, units, 1.0);
        let scale = tried
            .regression
            .predict(&whole)
            .max(0.2 * self.mean_use)
            .max(f64::MIN_POSITIVE);
        let features = self.features(&tried.averages, units, scale);
        (tried.regression.compare(&features, used / scale), scale)
    }

    fn features(&self, volumes: &[f64], units: f64, scale: f64) -> Vec<f64> {
        let types = self.scales.len() - 2;
        let mut features: Vec<f64> = volumes
            .iter()
            .zip(&self.scales)
            .map(|(volume, each)| volume * each / scale)
            .collect();
        features.push(self.scales[types] / scale);
        features.push(self.scales[types + 1] * units / scale);
        features
    }

    fn evidence(&self, features: &[f64]) -> f64 {
        if self.since_drift.is_some() {
            return 1.0; // What is prior now was learned.
        }
        let regression = self.regression();
        let before = regression.prior_variance(features);
        if before <= 0.0 {
            return 0.0;
        }
        // In standard deviations, so that half means half as far.
        1.0 - libm::sqrt((regression.variance(features) / before).clamp(0.0, 1.0))
    }

    fn need(&self, volumes: &[f64], outlook: Outlook, lead_seconds: f64) -> Need {
        let tried = &self.tried[self.chosen];
        let types = self.scales.len() - 2;
        let coefficients = tried.regression.coefficients();
        let come = match outlook {
            Outlook::AtArrival if tried.seconds > 0.0 => {
                1.0 - libm::exp(-lead_seconds / tried.seconds)
            }
            _ => 1.0,
        };
        let each = coefficients.iter().zip(&self.scales);
        let by_type = each.zip(volumes.iter().zip(&tried.averages)).map(
            |((one, scale), (volume, average))| one * scale * (average + (volume - average) * come),
        );
        Need {
            all: by_type.sum::<f64>() + coefficients[types] * self.scales[types],
            each_unit: coefficients[types + 1] * self.scales[types + 1],
        }
    }

    fn regression(&self) -> &Regression {
        &self.tried[self.chosen].regression
    }
}

impl Tried {
    fn follow(&mut self, volumes: &[f64], passed: f64) {
        let part = if self.seconds > 0.0 {
            1.0 - libm::exp(-passed / self.seconds)
        } else {
            1.0
        };
        for (average, volume) in self.averages.iter_mut().zip(volumes) {
            *average += (volume - *average) * part;
        }
    }
}

/// All types may be off together, and each a little beside, by these sizes; the two bases by themselves.
fn covariance(
    (with_others, alone): (&[f64], &[f64]),
    (together, apart): (f64, f64),
    base: f64,
) -> Vec<f64> {
    let types = with_others.len();
    let n = types + 2;
    let mut covariance = vec![0.0; n * n];
    for (i, (one, own)) in with_others.iter().zip(alone).enumerate() {
        for (j, other) in with_others.iter().enumerate() {
            covariance[i * n + j] = together * together * one * other;
        }
        covariance[i * n + i] += apart * apart * own * own;
    }
    for i in types..n {
        covariance[i * n + i] = base * base;
    }
    covariance
}
