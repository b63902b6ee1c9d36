//! What the regression sees of the past: running sums from which any feature is a few look-ups.

use serde::{Deserialize, Serialize};

/// Days in the mean of the same time on past days: one week, so that every weekday counts once.
const PROFILE_DAYS: usize = 7;

/// Weeks in the mean of the same time in past weeks, and what is left of a week's weight one week later.
const PROFILE_WEEKS: usize = 4;
const WEEK_KEEPS: f64 = 0.75;

/// Windows, in steps, where there is no season.
const PLAIN_WINDOWS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// Where the prior of a feature's weight comes from: equal trust in the last day, the days and weeks before, and
/// nothing in what corrects them until the data say so.
const YESTERDAY: f64 = 0.15;
const DAYS: f64 = 0.25;
const LAST_WEEK: f64 = 0.2;
const WEEKS: f64 = 0.4;

/// What a feature tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Level,
    Day,
    Week,
    Deviation,
}

/// The lengths of the seasons that are used, in steps. `day` is the shorter season, whatever it is
/// called; 0: there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cycle {
    pub(super) day: usize,
    pub(super) week: usize,
}

impl Cycle {
    /// A twenty-fourth of the day.
    pub(super) fn hour(self) -> usize {
        (self.day / 24).max(1)
    }

    /// The steps over which the base level is averaged.
    fn base_steps(self) -> usize {
        match (self.week, self.day) {
            (0, 0) => 64,
            (0, day) => day,
            (week, _) => week,
        }
    }

    /// The first step whose features all look at data.
    pub(super) fn first(self) -> usize {
        match (self.week, self.day) {
            (0, 0) => 4,
            (0, day) => day + day / 4,
            (week, _) => week,
        }
    }

    /// The windows, in steps, over which the present deviation is averaged.
    fn windows(self) -> Vec<usize> {
        let hour = self.hour();
        let mut windows = vec![1, hour, 3 * hour, 6 * hour, self.day];
        if hour >= 4 {
            windows.push(2);
        }
        windows.sort_unstable();
        windows.dedup();
        windows.retain(|&window| window <= self.day);
        windows
    }
}

/// How many steps before the present one it was the same time of a past day, and of a past week, as it will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    day: usize,
    week: usize,
}

/// The scaled past without gaps, with running sums. Sum arrays have one entry more than there are
/// steps; entry `i` is the sum of the first `i`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct Track {
    cycle: Cycle,
    windows: Vec<usize>,
    scaled: Vec<f64>,
    sum: Vec<f64>,
    /// Sums of the mean of the same time on the seven days up to each step.
    days_sum: Vec<f64>,
    /// The mean of the same time in the four weeks up to each step.
    weeks: Vec<f64>,
    /// Sums of how far each step was off the usual of the days, and of the weeks, before it, and off
    /// the day before itself.
    off_days: Vec<f64>,
    off_weeks: Vec<f64>,
    off_yesterday: Vec<f64>,
}

/// What all else is computed from again.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    cycle: Cycle,
    scaled: Vec<f64>,
}

impl From<Stored> for Track {
    fn from(stored: Stored) -> Self {
        let mut track = Self::new(stored.cycle);
        stored
            .scaled
            .into_iter()
            .for_each(|value| track.push(value));
        track
    }
}

impl From<Track> for Stored {
    fn from(track: Track) -> Self {
        Self {
            cycle: track.cycle,
            scaled: track.scaled,
        }
    }
}

impl Track {
    pub(super) fn new(cycle: Cycle) -> Self {
        Self {
            cycle,
            windows: cycle.windows(),
            scaled: Vec::new(),
            sum: vec![0.0],
            days_sum: vec![0.0],
            weeks: Vec::new(),
            off_days: vec![0.0],
            off_weeks: vec![0.0],
            off_yesterday: vec![0.0],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.scaled.len()
    }

    pub(super) fn cycle(&self) -> Cycle {
        self.cycle
    }

    pub(super) fn at(&self, step: usize) -> f64 {
        self.scaled[step]
    }

    /// Forgets all but the newest steps.
    pub(super) fn keep(&mut self, steps: usize) {
        if self.len() > steps {
            *self = Self::from(Stored {
                cycle: self.cycle,
                scaled: self.scaled.split_off(self.len() - steps),
            });
        }
    }

    /// Adds a step.
    pub(super) fn push(&mut self, value: f64) {
        let Cycle { day, week } = self.cycle;
        let step = self.len();
        grow(&mut self.scaled, value);
        append(&mut self.sum, value);
        if day == 0 {
            return;
        }
        let same =
            |season: usize, back: usize| step.checked_sub(season * back).map(|at| self.scaled[at]);
        let days = (0..PROFILE_DAYS).map_while(|back| same(day, back));
        let (total, count) = days.fold((0.0, 0.0), |(total, count), value| {
            (total + value, count + 1.0)
        });
        append(&mut self.days_sum, total / count);
        let off = step
            .checked_sub(day)
            .map_or(0.0, |before| value - self.around(before, step - 1));
        append(&mut self.off_days, off);
        let off = same(day, 1).map_or(0.0, |yesterday| value - yesterday);
        append(&mut self.off_yesterday, off);
        if week == 0 {
            return;
        }
        let (mut total, mut weights, mut weight) = (0.0, 0.0, 1.0);
        for value in (0..PROFILE_WEEKS).map_while(|back| same(week, back)) {
            (total, weights) = (total + weight * value, weights + weight);
            weight *= WEEK_KEEPS;
        }
        grow(&mut self.weeks, total / weights);
        let off = step
            .checked_sub(week)
            .map_or(0.0, |before| value - self.weeks[before]);
        append(&mut self.off_weeks, off);
    }

    /// Adds a step that was not observed: what was usual at its time, with the present deviation.
    pub(super) fn push_missing(&mut self) {
        let Cycle { day, week } = self.cycle;
        let Some(last) = self.len().checked_sub(1) else {
            return self.push(0.0);
        };
        let next = last + 1;
        let usual = if week > 0 && next >= week {
            self.weeks[next - week] + mean(&self.off_weeks, last, day)
        } else if day > 0 && next >= day {
            self.around(next - day, last) + mean(&self.off_days, last, day)
        } else {
            self.scaled[last]
        };
        self.push(usual);
    }

    /// The usual of the days up to `step`, smoothed over an hour as far as it was known at `now`.
    fn around(&self, step: usize, now: usize) -> f64 {
        let half = self.cycle.hour() / 2;
        let from = step.saturating_sub(half);
        let to = (step + half)
            .min(now)
            .min(self.days_sum.len() - 2)
            .max(step);
        (self.days_sum[to + 1] - self.days_sum[from]) / (to + 1 - from) as f64
    }

    /// The prior weight of each feature and what it is about.
    pub(super) fn features(&self) -> Vec<(f64, About)> {
        let Cycle { day, week } = self.cycle;
        if day == 0 {
            return PLAIN_WINDOWS.map(|_| (1.0 / 6.0, About::Level)).to_vec();
        }
        let smoothed = self.cycle.hour() > 1;
        // Without a week, the days take its trust.
        let share = if week > 0 { 1.0 } else { 2.0 };
        let mut features = vec![(share * YESTERDAY, About::Day)];
        if smoothed {
            features.push((share * 0.4 * DAYS, About::Day));
            features.push((share * 0.6 * DAYS, About::Day));
        } else {
            features.push((share * DAYS, About::Day));
        }
        features.push((0.0, About::Level));
        if week > 0 {
            features.push((0.0, About::Level));
            features.extend([(LAST_WEEK, About::Week), (WEEKS, About::Week)]);
        }
        for _ in &self.windows {
            features.push((0.0, About::Deviation));
            if week > 0 {
                features.push((0.0, About::Deviation));
            }
        }
        features.push((0.0, About::Deviation));
        features
    }

    /// The level that features and targets are relative to, as known after the step `now`.
    pub(super) fn base(&self, now: usize) -> f64 {
        mean(&self.sum, now, self.cycle.base_steps())
    }

    /// The features, as known after the step `now`, of the step `lead` (from 1) steps later.
    pub(super) fn fill(&self, now: usize, lead: usize, out: &mut [f64]) {
        let (seasonal, present) = out.split_at_mut(out.len() - self.present());
        self.fill_seasonal(now, self.behind(lead), seasonal);
        self.fill_present(now, present);
    }

    /// How many of the features, the last ones, are the same whatever the lead.
    pub(super) fn present(&self) -> usize {
        let Cycle { day, week } = self.cycle;
        match (day, week) {
            (0, _) => PLAIN_WINDOWS.len(),
            (_, 0) => self.windows.len() + 1,
            _ => 2 * self.windows.len() + 1,
        }
    }

    /// Where the features of a lead from 1 look.
    pub(super) fn behind(&self, lead: usize) -> Behind {
        let behind = |season: usize| (season - lead % season.max(1)) % season.max(1);
        Behind {
            day: behind(self.cycle.day),
            week: behind(self.cycle.week),
        }
    }

    /// The features before those: what was there at the same time, and the level.
    pub(super) fn fill_seasonal(&self, now: usize, behind: Behind, out: &mut [f64]) {
        let Cycle { day, week } = self.cycle;
        if day == 0 {
            return;
        }
        let base = self.base(now);
        let mut put = putting(out);
        let same_time = now - behind.day;
        put(self.scaled[same_time] - base);
        put(self.days_sum[same_time + 1] - self.days_sum[same_time] - base);
        if self.cycle.hour() > 1 {
            put(self.around(same_time, now) - base);
        }
        let today = mean(&self.sum, now, day);
        put(if week > 0 {
            today - base
        } else {
            self.scaled[now] - base
        });
        if week > 0 {
            put(self.scaled[now] - base);
            let same_week = now - behind.week;
            put(self.scaled[same_week] - base);
            put(self.weeks[same_week] - base);
        }
    }

    /// The last features: how far the last steps are off what is usual.
    pub(super) fn fill_present(&self, now: usize, out: &mut [f64]) {
        let Cycle { day, week } = self.cycle;
        let mut put = putting(out);
        if day == 0 {
            let base = self.base(now);
            for window in PLAIN_WINDOWS {
                put(mean(&self.sum, now, window) - base);
            }
            return;
        }
        for &window in &self.windows {
            put(mean(&self.off_days, now, window));
            if week > 0 {
                put(mean(&self.off_weeks, now, window));
            }
        }
        put(mean(&self.off_yesterday, now, self.cycle.hour()));
    }
}

/// Puts one value after the other.
fn putting(out: &mut [f64]) -> impl FnMut(f64) {
    let mut out = out.iter_mut();
    move |value| {
        if let Some(place) = out.next() {
            *place = value;
        }
    }
}

fn append(sums: &mut Vec<f64>, value: f64) {
    grow(sums, sums[sums.len() - 1] + value);
}

/// Adds a value. Room is made by eighths and not by doubling: thousands of these stay in memory.
fn grow(values: &mut Vec<f64>, value: f64) {
    if values.len() == values.capacity() {
        values.reserve_exact(values.len() / 8 + 16);
    }
    values.push(value);
}

/// The mean of the `window` entries up to `last`, or of as many as there are.
fn mean(sums: &[f64], last: usize, window: usize) -> f64 {
    let from = (last + 1).saturating_sub(window);
    (sums[last + 1] - sums[from]) / (last + 1 - from) as f64
}
