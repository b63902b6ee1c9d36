//! Incremental features of demand at arrival: every one is a demand (or a deviation), so that a linear
//! function of them scales with the trace.

use fleetcast_series::SlidingMaximum;

/// Number of features, padded to whole vector registers.
pub const FEATURE_COUNT: usize = 40;

/// The features at one step, in units of demand. Fits and forecasts see them at the level of arrival, where events
/// change it.
pub type FeatureVector = [f64; FEATURE_COUNT];

/// Index of the mean of the last seven days: the level floor.
pub const LEVEL_WEEK: usize = 0;
/// Index of the mean of the last day.
pub const LEVEL_DAY: usize = 1;
/// Index of the newest step.
pub const NEWEST: usize = 2;
/// Index of the mean of the last 5 minutes.
pub const MEAN_5_MINUTES: usize = 3;
/// Index of the mean of the last 15 minutes.
pub const MEAN_15_MINUTES: usize = 4;
/// Index of the mean of the last 30 minutes.
pub const MEAN_30_MINUTES: usize = 5;
/// Index of the mean forecast error of carrying the level forward, over 6 hours.
pub const DEVIATION_6_HOURS: usize = 22;

/// Index of the maximum of the last three hours.
pub const MAXIMUM_3_HOURS: usize = 26;
/// Index of the maximum of the last day.
pub const MAXIMUM_DAY: usize = 27;
/// Index of the mean of the peaks around arrival on the last three days.
pub const PEAK_PROFILE: usize = 20;

/// What a day or a week before was is the mean of so many minutes before and after: a single step is noise.
const AROUND_MINUTES: f64 = 10.0;
/// Seasonal ratios are kept within this factor: beyond it a ratio of two small means is noise.
const RATIO_LIMIT: f64 = 3.0;
/// Days averaged into the daily profile: a week smooths noise and still follows a changing shape.
const PROFILE_DAYS: i64 = 7;
/// Steps a moving maximum is kept over: half an hour, three hours, a day.
const MAXIMUM_MINUTES: [f64; 3] = [30.0, 180.0, 1440.0];

/// Keeps what the features of the newest step need: nine days of demand as running sums, and moving maxima.
#[derive(Clone, Debug)]
pub struct FeatureHistory {
    lead: i64,
    step_minutes: f64,
    day: i64,
    count: i64,
    values: Ring,
    sums: Ring,
    deviations: Ring,
    maxima: [SlidingMaximum; 3],
}

impl FeatureHistory {
    /// `lead_steps` is the distance from the newest step to arrival.
    pub fn new(step_seconds: u32, lead_steps: usize) -> Self {
        let step_minutes = f64::from(step_seconds.max(1)) / 60.0;
        let day = libm::round(1440.0 / step_minutes).max(1.0) as i64;
        let lead = lead_steps.max(1) as i64;
        let length = (8 * day + lead + libm::ceil(400.0 / step_minutes) as i64 + 8) as usize;
        let steps = |minutes: f64| libm::round(minutes / step_minutes).max(1.0) as u64;
        Self {
            lead,
            step_minutes,
            day,
            count: 0,
            values: Ring::new(length),
            sums: Ring::new(length),
            deviations: Ring::new(length),
            maxima: MAXIMUM_MINUTES.map(|minutes| SlidingMaximum::new(steps(minutes))),
        }
    }

    /// Adds the demand of the next step; where nobody saw it, what [`super::gap::Gap`] says.
    pub fn push(&mut self, demand: f64) {
        let carried = if self.count == 0 {
            demand
        } else {
            self.mean_before(self.count - self.lead + 1, 15.0)
        };
        let now = self.count;
        self.values.set(now, demand);
        self.sums.set(now, self.sums.get(now - 1) + demand);
        self.deviations
            .set(now, self.deviations.get(now - 1) + (demand - carried).abs());
        for maximum in &mut self.maxima {
            maximum.push(demand);
        }
        self.count += 1;
    }

    /// The features of the newest step. All zero before the first.
    pub fn features(&self) -> FeatureVector {
        let mut x = [0.0; FEATURE_COUNT];
        if self.count == 0 {
            return x;
        }
        let now = self.count;
        let recent = |minutes: f64| self.mean_before(now, minutes);
        let arrival = now - 1 + self.lead;
        let level_day = recent(1440.0);
        x[LEVEL_WEEK] = recent(7.0 * 1440.0);
        x[LEVEL_DAY] = level_day;
        x[2] = self.values.get(now - 1);
        x[3] = recent(5.0);
        x[MEAN_15_MINUTES] = recent(15.0);
        x[MEAN_30_MINUTES] = recent(30.0);
        x[6] = recent(60.0);
        x[7] = recent(180.0);
        let season = self.season(arrival, level_day, x[6]);
        x[8] = x[3] * season.ratio_yesterday;
        x[9] = x[MEAN_30_MINUTES] * season.ratio_yesterday;
        x[10] = x[7] * season.ratio_yesterday;
        x[11] = x[3] * season.ratio_profile;
        x[12] = x[MEAN_30_MINUTES] * season.ratio_profile;
        x[13] = x[7] * season.ratio_profile;
        x[14] = x[MEAN_30_MINUTES] * season.ratio_week;
        x[15] = x[7] * season.ratio_week;
        x[16] = season.yesterday;
        x[17] = season.profile;
        x[18] = season.week;
        x[19] = season.peak_yesterday;
        x[20] = season.peak_profile;
        x[21] = self.deviation(now - self.steps(60.0), now);
        x[DEVIATION_6_HOURS] = self.deviation(now - self.steps(360.0), now);
        x[23] = self.deviation(now - self.day, now);
        x[24] = season.deviation;
        x[25] = self.maxima[0].get();
        x[26] = self.maxima[1].get();
        x[27] = self.maxima[2].get();
        x[28] = (x[3] - x[MEAN_30_MINUTES]).max(0.0);
        x[29] = self.same_minute_of_hours(arrival, x[7]);
        x[30] = libm::sqrt(x[MEAN_15_MINUTES] * level_day);
        x[31] = (x[2] - x[MEAN_15_MINUTES]).max(0.0);
        x[32] = season.slot_mean;
        x[33] = season.slot_yesterday;
        x[34] = x[MEAN_30_MINUTES] * season.ratio_slot;
        x[35] = season.slot_peak;
        x[36] = season.slot_week;
        x[37] = season.profile_now;
        x[38] = season.yesterday_now;
        x[39] = x[3] * season.ratio_slot;
        x
    }

    /// What is usual in the next step: what was there a week before, in the first eight days what was there a day
    /// before; `None` on the first day.
    pub fn usual(&self) -> Option<f64> {
        let before = if self.has_week() {
            7 * self.day
        } else {
            self.day
        };
        (self.count >= before).then(|| self.around(self.count - before))
    }

    /// The level of the last day over that of a week before; 1 in the first eight days.
    pub fn change_of_level(&self) -> f64 {
        let now = self.count;
        let level = |end: i64| self.mean(end - self.day, end);
        if self.has_week() {
            soft_ratio(level(now), level(now - 7 * self.day), level(now))
        } else {
            1.0
        }
    }

    /// Whether there is a day of a week before.
    pub fn has_week(&self) -> bool {
        self.count >= 8 * self.day
    }

    fn steps(&self, minutes: f64) -> i64 {
        libm::round(minutes / self.step_minutes).max(1.0) as i64
    }

    /// Mean over the last `minutes` before step `end` (exclusive); at least one step.
    fn mean_before(&self, end: i64, minutes: f64) -> f64 {
        self.mean(end - self.steps(minutes), end)
    }

    /// Mean over those of the steps `from..to` that are past.
    fn mean(&self, from: i64, to: i64) -> f64 {
        mean_of(&self.sums, from, to, self.count)
    }

    /// Mean over the minutes before and after the beginning of a step.
    fn around(&self, step: i64) -> f64 {
        let half = self.steps(AROUND_MINUTES);
        self.mean(step - half, step + half + 1)
    }

    fn deviation(&self, from: i64, to: i64) -> f64 {
        mean_of(&self.deviations, from, to, self.count)
    }

    fn season(&self, arrival: i64, level_day: f64, fallback: f64) -> Season {
        let now = self.count;
        let half = self.steps(AROUND_MINUTES);
        let then = |lag: i64| self.around(arrival - lag);
        let before = |lag: i64| self.mean(now - lag - 2 * half, now - lag + 1);
        let ratio = |then: f64, before: f64| soft_ratio(then, before, level_day);
        let days = ((now - 2 * half) / self.day).min(PROFILE_DAYS);
        if days < 1 {
            let deviation = self.deviation(now - self.steps(360.0), now);
            return Season {
                ratio_yesterday: 1.0,
                ratio_profile: 1.0,
                ratio_week: 1.0,
                yesterday: fallback,
                profile: fallback,
                week: fallback,
                peak_yesterday: fallback,
                peak_profile: fallback,
                deviation,
                slot_mean: fallback,
                slot_yesterday: fallback,
                slot_week: fallback,
                slot_peak: fallback,
                ratio_slot: 1.0,
                profile_now: fallback,
                yesterday_now: fallback,
            };
        }
        let (mut sum_then, mut sum_before) = (0.0, 0.0);
        let (mut sum_slot, mut slot_peak) = (0.0, 0.0f64);
        let slot = |lag: i64| self.values.get((arrival - lag).min(now - 1));
        for k in 1..=days {
            sum_slot += slot(k * self.day);
            for offset in -1..=1 {
                slot_peak = slot_peak.max(slot(k * self.day + offset));
            }
            sum_then += then(k * self.day);
            sum_before += before(k * self.day);
        }
        let (yesterday, profile) = (then(self.day), sum_then / days as f64);
        let ratio_profile = ratio(profile, sum_before / days as f64);
        let week_lag = 7 * self.day;
        let has_week = now > 2 * week_lag;
        let (week, ratio_week) = if has_week {
            (then(week_lag), ratio(then(week_lag), before(week_lag)))
        } else {
            (profile, ratio_profile)
        };
        let reach = self.steps(15.0);
        let peak = |lag: i64| {
            (-reach..=reach)
                .map(|offset| arrival - lag + offset)
                .filter(|&i| i >= 0 && i < now)
                .map(|i| self.values.get(i))
                .fold(0.0, f64::max)
        };
        let peak_days = days.min(3);
        let peak_profile =
            (1..=peak_days).map(|k| peak(k * self.day)).sum::<f64>() / peak_days as f64;
        let slot_mean = sum_slot / days as f64;
        let profile_now = sum_before / days as f64;
        let wide = self.steps(30.0);
        Season {
            ratio_yesterday: ratio(yesterday, before(self.day)),
            ratio_profile,
            ratio_week,
            yesterday,
            profile,
            week,
            peak_yesterday: peak(self.day),
            peak_profile,
            deviation: self.deviation(arrival - self.day - wide, arrival - self.day + wide + 1),
            slot_mean,
            slot_yesterday: slot(self.day),
            slot_week: if has_week { slot(week_lag) } else { slot_mean },
            slot_peak,
            ratio_slot: ratio(slot_mean, profile_now),
            profile_now,
            yesterday_now: before(self.day),
        }
    }

    /// Mean demand at the same minute of the last five hours: scheduled jobs repeat hourly.
    fn same_minute_of_hours(&self, arrival: i64, fallback: f64) -> f64 {
        let hour = self.steps(60.0);
        let seen = (1..=5)
            .map(|k| arrival - k * hour)
            .filter(|&i| i >= 0 && i < self.count);
        let (sum, count) = seen.fold((0.0, 0.0), |(sum, count), i| {
            (sum + self.values.get(i), count + 1.0)
        });
        if count > 0.0 { sum / count } else { fallback }
    }
}

struct Season {
    ratio_yesterday: f64,
    ratio_profile: f64,
    ratio_week: f64,
    yesterday: f64,
    profile: f64,
    week: f64,
    peak_yesterday: f64,
    peak_profile: f64,
    deviation: f64,
    slot_mean: f64,
    slot_yesterday: f64,
    slot_week: f64,
    slot_peak: f64,
    ratio_slot: f64,
    profile_now: f64,
    yesterday_now: f64,
}

/// One mean over another, where both are softened by a tenth of the level: there a ratio of two small means is noise.
fn soft_ratio(then: f64, before: f64, level: f64) -> f64 {
    let softening = 0.1 * level + 1e-12;
    ((then + softening) / (before + softening)).clamp(1.0 / RATIO_LIMIT, RATIO_LIMIT)
}

fn mean_of(sums: &Ring, from: i64, to: i64, count: i64) -> f64 {
    let to = to.clamp(1, count.max(1));
    let from = from.clamp(0, to - 1);
    ((sums.get(to - 1) - sums.get(from - 1)) / (to - from) as f64).max(0.0)
}

/// The newest values of an endless series, by absolute index; zero before its start.
#[derive(Clone, Debug)]
struct Ring {
    values: Vec<f64>,
}

impl Ring {
    fn new(length: usize) -> Self {
        Self {
            values: vec![0.0; length.max(1).next_power_of_two()],
        }
    }

    fn set(&mut self, index: i64, value: f64) {
        let mask = self.values.len() - 1;
        self.values[index as usize & mask] = value;
    }

    fn get(&self, index: i64) -> f64 {
        if index < 0 {
            0.0
        } else {
            self.values[index as usize & (self.values.len() - 1)]
        }
    }
}
