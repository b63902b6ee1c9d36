//! The lead tier: a conditional distribution of demand at arrival, one boot ahead, at the native step.

use fleetcast_model::ModelForm;
use fleetcast_series::SlidingMaximum;

use super::contest::{Contender, Contest, Succession};
use super::distribution::{LEVEL_COUNT, LEVEL_DEPTHS, LeadForecast};
use super::event_features::{EVENT_FEATURES, EventVector, at_arrival, event_features};
use super::features::{
    DEVIATION_6_HOURS, FEATURE_COUNT, FeatureHistory, FeatureVector, MEAN_15_MINUTES,
    MEAN_30_MINUTES,
};
use super::fit::{Fitted, TrainingWindow};
use super::gap::Gap;
use super::near_events::NearEvents;
use super::peak_tail::PeakTail;
use super::rows::{RowStore, WINDOW_DAYS};
use crate::event_book::{EventChange, Uplift};

/// The first fit: fewer rows say less than the prior does.
const FIRST_FIT_ROWS: usize = 48;
/// A fit is due when rows have grown by this share, at least hourly-ish by count and at most daily.
const FIT_GROWTH: f64 = 0.15;
/// The challenger is fitted with each second fit of the first form: fits are most of the work of an engine.
const CHALLENGER_EVERY: u64 = 2;
/// No quantile exceeds this many times the largest demand of the window: a linear function of a burst's features
/// knows no end, and nothing in the history speaks for more.
const RECORD_FACTOR: f64 = 2.0;

/// What an announced event does is in doubt by so much before the first of its kind, as a deviation of the logarithm; after n of them,
/// older ones counted less, by √(n + 1) times less, so that a quarter of it stays. Nothing between .1 and .3 is better or worse by
/// much. It comes on top of what the record bounds: the first of a kind may be beyond it.
const UNKNOWN_EVENT: f64 = 0.2;

/// So many steps before arrival are forecast by themselves while an event is near.
pub const STEPS_BEFORE: usize = 3;

/// What the lead tier needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadConfig {
    /// Length of a step in seconds.
    pub step_seconds: u32,
    /// Steps from the newest observation to arrival: boot + 1, and those by which demand is told late.
    pub lead_steps: usize,
    /// Steps of them that an order boots.
    pub boot_steps: usize,
    /// Whether a challenger is fitted beside the champion, and may take over.
    pub challenger: bool,
}

impl LeadConfig {
    /// Steps from the newest observation to those that are forecast by themselves before arrival: the next one, and others
    /// between it and arrival.
    pub fn before_arrival(&self) -> [usize; STEPS_BEFORE] {
        let next = self.lead_steps.saturating_sub(self.boot_steps);
        std::array::from_fn(|part| next + part * self.boot_steps / STEPS_BEFORE)
    }
}

/// Forecasts demand `lead_steps` ahead from its own past alone.
#[derive(Clone, Debug)]
pub struct LeadForecaster {
    config: LeadConfig,
    history: FeatureHistory,
    /// At the level of arrival.
    current: FeatureVector,
    current_events: EventVector,
    /// What events do until the arrival of the newest step, and until steps before it.
    change: EventChange,
    least_seen: Option<f64>,
    changes_before: [EventChange; STEPS_BEFORE],
    /// What an event near the newest step may do that too few of its kind have told.
    unknown: Uplift,
    /// Forecasts of those steps while an event is near, and of arrival.
    near: [NearEvents; STEPS_BEFORE],
    near_arrival: NearEvents,
    gap: Gap,
    /// Features of the last `lead_steps` steps, and whether their step was observed.
    waiting: std::collections::VecDeque<(FeatureVector, EventVector, bool)>,
    rows: RowStore,
    /// By form.
    fitted: [Option<Fitted>; 2],
    /// By contender: what it says of the arrival of the newest step.
    said: [LeadForecast; 2],
    contest: Contest,
    /// The challenger's fit is due in the step after the champion's, so that a step has one fit.
    challenger_due: bool,
    /// Fits of the champion's first form that were asked for.
    fits: u64,
    succession: Option<Succession>,
    /// Since the first that was observed.
    steps: u64,
    observed: u64,
    next_fit: u64,
    /// The largest demand of the window.
    record: SlidingMaximum,
    peaks: PeakTail,
}

impl LeadForecaster {
    /// Starts without history.
    pub fn new(config: LeadConfig) -> Self {
        let steps_per_day = 86_400.0 / f64::from(config.step_seconds.max(1));
        let nothing = ([0.0; FEATURE_COUNT], [0.0; EVENT_FEATURES]);
        Self {
            config,
            history: FeatureHistory::new(config.step_seconds, config.lead_steps),
            current: nothing.0,
            current_events: nothing.1,
            change: EventChange::NONE,
            least_seen: None,
            changes_before: [EventChange::NONE; STEPS_BEFORE],
            unknown: Uplift::NONE,
            near: (config.before_arrival())
                .map(|steps| NearEvents::new(config.step_seconds, steps)),
            near_arrival: NearEvents::new(config.step_seconds, config.lead_steps),
            gap: Gap::new(config.step_seconds),
            waiting: std::collections::VecDeque::new(),
            rows: RowStore::new(steps_per_day),
            fitted: [None, None],
            said: [rule_of_thumb(&nothing.0); 2],
            contest: Contest::new(config.lead_steps, steps_per_day),
            challenger_due: false,
            fits: 0,
            succession: None,
            steps: 0,
            observed: 0,
            next_fit: FIRST_FIT_ROWS as u64,
            record: SlidingMaximum::new(libm::ceil(WINDOW_DAYS * steps_per_day) as u64),
            peaks: PeakTail::new(steps_per_day),
        }
    }

    /// Says what events do until the arrival of the step that is observed next, and until each of [`LeadConfig::before_arrival`]; and
    /// how often the like of the least known one was seen of which nothing else is known (`None`: no such event is near).
    pub fn expect(
        &mut self,
        until_arrival: EventChange,
        before: [EventChange; STEPS_BEFORE],
        least_seen: Option<f64>,
    ) {
        (self.change, self.changes_before) = (until_arrival, before);
        self.least_seen = least_seen;
    }

    /// Adds the next step, of which nothing is to be learned, whether it was observed or not: what an outage told is not
    /// carried on, and the history has what is usual in its place.
    pub fn pass_over(&mut self) {
        self.gap.forget();
        self.observe(None);
    }

    /// Adds the next step; `None` where it was not observed: the history has what it probably was.
    pub fn observe(&mut self, demand: Option<f64>) {
        let seen = demand
            .filter(|value| value.is_finite())
            .map(|value| value.clamp(0.0, 1e18));
        // History begins with the first that is observed: days of nothing before it would be usual days later.
        if seen.is_none() && self.steps == 0 {
            return;
        }
        let value = match seen {
            Some(value) => {
                self.gap.end(value);
                value
            }
            None => self.gap.fill(&self.history),
        };
        if self.config.challenger && self.steps > 0 {
            // What both said at the end of the step before; an outcome is never told before its forecast.
            let both = self.fitted.iter().all(Option::is_some);
            self.contest.keep(both.then_some(self.said));
            self.contest.outcome(seen);
        }
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
        // A gap as long as the window leaves the last demand as the record, not nothing.
        self.record.push(self.gap.seen());
        if seen.is_some() {
            self.peaks.push(value);
        }
        let (features, change) = (self.history.features(), std::mem::take(&mut self.change));
        self.unknown = unknown(std::mem::take(&mut self.least_seen));
        self.current = at_arrival(&features, change);
        self.current_events = event_features(&features, change);
        let before = std::mem::take(&mut self.changes_before);
        self.near_arrival.observe(value, seen.is_some(), change);
        for (near, change) in self.near.iter_mut().zip(before) {
            near.observe(value, seen.is_some(), change);
        }
        self.waiting
            .push_back((self.current, self.current_events, seen.is_some()));
        self.steps += 1;
        self.said = self.say();
    }

    /// What to fit now, if a fit is due. Due dates depend on counts alone: after each 15 % more rows, at most daily.
    pub fn fit_due(&mut self) -> Option<TrainingWindow> {
        if std::mem::take(&mut self.challenger_due) {
            return Some(self.window(ModelForm::Root));
        }
        if self.observed < self.next_fit {
            return None;
        }
        if let Some(change) = self.contest.judge() {
            self.succession = Some(change);
        }
        let day = self.rows.steps_per_day;
        let growth = (self.observed as f64 * FIT_GROWTH).clamp(8.0_f64.min(day), day);
        self.next_fit = self.observed + libm::ceil(growth) as u64;
        self.fits += 1;
        // What events do is told in units of demand, which the challenger's roots do not add up with.
        let able = self.config.challenger && !self.rows.knows_events();
        self.challenger_due = able && self.fits.is_multiple_of(CHALLENGER_EVERY);
        Some(self.window(ModelForm::Linear))
    }

    fn window(&self, form: ModelForm) -> TrainingWindow {
        self.rows
            .window(self.steps, self.fitted[form as usize].clone(), form)
    }

    /// Makes a fit due with the next row: demand has changed.
    pub fn hasten_fit(&mut self) {
        self.next_fit = self.next_fit.min(self.observed.max(FIRST_FIT_ROWS as u64));
    }

    /// Uses a fit of a form from now on.
    pub fn install(&mut self, form: ModelForm, fitted: Fitted) {
        self.fitted[form as usize] = Some(fitted);
        self.said = self.say();
    }

    /// Whether a fit has been installed.
    pub fn is_fitted(&self) -> bool {
        self.fitted[0].is_some()
    }

    /// Who forecasts, and the check loss of the challenger over its own on held-out time.
    pub fn champion(&self) -> (Contender, f64) {
        let champion = self.contest.champion();
        (champion, self.contest.loss_ratio(champion.rival()))
    }

    /// The change of champion since this was last asked.
    pub fn take_succession(&mut self) -> Option<Succession> {
        self.succession.take()
    }

    /// The distribution of demand `lead_steps` after the newest step; near events whose like are known the mean of what the champion
    /// and the model of such steps say: that one is nearer to what comes, and less steady from one minute to the next.
    pub fn forecast(&self) -> LeadForecast {
        let mut said = self.said[self.contest.champion() as usize];
        if let Some(mut near) = self.near_arrival.forecast() {
            near.quantiles = near.quantiles.map(|value| value.min(self.most()));
            said = said.mean_with(&near);
        }
        said.lift(self.unknown);
        said
    }

    /// Before arrival, where an event is near and such events are known: the highest quantiles of the steps that are
    /// forecast by themselves. So it is seen in time that what an event needed is not needed any more.
    pub fn before_arrival(&self) -> Option<LeadForecast> {
        let most = self.most();
        let mut highest: Option<LeadForecast> = None;
        for near in &self.near {
            let said = near.forecast()?;
            let all = highest.get_or_insert_default();
            for (highest, said) in all.quantiles.iter_mut().zip(said.quantiles) {
                *highest = highest.max(said).min(most);
            }
        }
        highest
    }

    /// What no quantile exceeds.
    fn most(&self) -> f64 {
        RECORD_FACTOR * self.record.get()
    }

    /// What both contenders say.
    fn say(&self) -> [LeadForecast; 2] {
        let Some(linear) = &self.fitted[ModelForm::Linear as usize] else {
            return [rule_of_thumb(&self.current); 2];
        };
        let own = self.evaluate(linear, &self.current, |value| value);
        let mut blend = own;
        let root = &self.fitted[ModelForm::Root as usize];
        if let (Some(root), true) = (root, linear.of_events.is_empty()) {
            let roots = self.current.map(libm::sqrt);
            let other = self.evaluate(root, &roots, |value| value.max(0.0) * value);
            blend = own.mean_with(&other);
        }
        let mut both = [own, blend];
        // What an event does is expected, and no surge.
        if self.current_events == [0.0; EVENT_FEATURES] {
            both.iter_mut().for_each(|said| self.peaks.bound(said));
        }
        both
    }

    fn evaluate(
        &self,
        fitted: &Fitted,
        features: &FeatureVector,
        back: impl Fn(f64) -> f64,
    ) -> LeadForecast {
        let mut quantiles = [0.0; LEVEL_COUNT];
        for (level, (quantile, coefficients)) in
            quantiles.iter_mut().zip(&fitted.coefficients).enumerate()
        {
            let value: f64 = coefficients.iter().zip(features).map(|(a, b)| a * b).sum();
            let by_events: f64 = fitted
                .of_events
                .get(level)
                .iter()
                .flat_map(|coefficients| coefficients.iter().zip(&self.current_events))
                .map(|(a, b)| a * b)
                .sum();
            let value = back(value) + by_events;
            *quantile = if value.is_finite() {
                value.clamp(0.0, self.most())
            } else {
                self.gap.seen()
            };
        }
        quantiles.sort_unstable_by(f64::total_cmp);
        LeadForecast { quantiles }
    }
}

/// What is not known of an event whose like was seen so often.
fn unknown(least_seen: Option<f64>) -> Uplift {
    let doubt = |occurrences: f64| UNKNOWN_EVENT / (1.0 + occurrences).sqrt();
    Uplift {
        deviation: least_seen.map_or(0.0, doubt),
        ..Uplift::NONE
    }
}

/// Before the first fit: the recent level, spread by its own recent deviations.
fn rule_of_thumb(features: &FeatureVector) -> LeadForecast {
    let level = features[MEAN_15_MINUTES].max(features[MEAN_30_MINUTES]);
    let spread = features[DEVIATION_6_HOURS].max(0.05 * level);
    LeadForecast {
        quantiles: LEVEL_DEPTHS.map(|depth| (level + spread * (depth - 0.7)).max(0.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fit::fit;
    use super::*;

    #[test]
    fn a_fit_learns_the_day_and_covers_what_it_says() {
        let mut forecaster = LeadForecaster::new(LeadConfig {
            step_seconds: 300,
            lead_steps: 2,
            boot_steps: 1,
            challenger: true,
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
                forecaster.install(window.form(), fit(&window));
            }
            waiting.push_back(forecaster.forecast().at(0.9));
        }
        let share = above as f64 / count as f64;
        assert!((0.08..0.12).contains(&share), "{share}");
    }

    fn five_minutes() -> LeadForecaster {
        LeadForecaster::new(LeadConfig {
            step_seconds: 300,
            lead_steps: 2,
            boot_steps: 1,
            challenger: false,
        })
    }

    /// Has seen noise about 110 for days, and was fitted to it.
    fn fitted() -> LeadForecaster {
        let mut forecaster = five_minutes();
        for t in 0..1000u64 {
            forecaster.observe(Some(100.0 + ((t * 7_919) % 23) as f64));
            if t == 600 {
                let window = forecaster.fit_due().expect("enough rows");
                forecaster.install(window.form(), fit(&window));
            }
        }
        forecaster
    }

    #[test]
    fn what_an_outage_told_is_not_carried_on_and_time_before_the_first_is_no_history() {
        for days in [1, 3, 5, 9] {
            let mut forecaster = five_minutes();
            (0..1000).for_each(|_| forecaster.observe(None));
            (0..days * 288).for_each(|_| forecaster.observe(Some(100.0)));
            // It is not recognised at once.
            forecaster.observe(Some(0.0));
            (0..12).for_each(|_| forecaster.pass_over());
            let recent = forecaster.current[MEAN_15_MINUTES];
            assert!((recent - 100.0).abs() < 1.0, "day {days}: {recent}");
            (0..300).for_each(|_| forecaster.observe(None));
            let recent = forecaster.current[MEAN_15_MINUTES];
            assert!((recent - 100.0).abs() < 10.0, "day {days}: {recent}");
        }
    }

    #[test]
    fn what_events_change_until_arrival_scales_the_middle_and_the_spread() {
        let mut forecaster = fitted();
        let mut near = forecaster.clone();
        let change = EventChange {
            log_change: libm::log(1.5),
            ..EventChange::NONE
        };
        near.expect(change, [change; STEPS_BEFORE], None);
        for after in [&mut forecaster, &mut near] {
            after.observe(Some(110.0));
        }
        for level in [0.5, 0.9, 0.99] {
            let ratio = near.forecast().at(level) / forecaster.forecast().at(level);
            assert!((ratio - 1.5).abs() < 1e-6, "{level}: {ratio}");
        }
    }

    #[test]
    fn an_announced_event_of_which_nothing_is_known_widens_the_forecast() {
        let known = fitted();
        let after = |least_seen| {
            let mut forecaster = known.clone();
            let none = [EventChange::NONE; STEPS_BEFORE];
            forecaster.expect(EventChange::NONE, none, least_seen);
            forecaster.observe(Some(110.0));
            let said = forecaster.forecast();
            // It is told of the step that is observed next alone.
            forecaster.observe(Some(110.0));
            assert_eq!(forecaster.unknown, Uplift::NONE);
            let from_middle = |value: f64| libm::log(value / said.at(0.5));
            [said.quantiles[0], said.at(0.99)].map(from_middle)
        };
        let (usual, first, fourth) = (after(None), after(Some(0.0)), after(Some(3.0)));
        assert!(first[0] < fourth[0] && fourth[0] < usual[0] && usual[0] < 0.0);
        // Deviations add as squares: 2.33 of them, of which the fourth time has half of the first time's.
        let added = |spread: [f64; 2]| (spread[1] * spread[1] - usual[1] * usual[1]).sqrt();
        assert!((added(first) - 2.326 * UNKNOWN_EVENT).abs() < 1e-3);
        assert!((added(first) / added(fourth) - 2.0).abs() < 1e-3);
    }

    #[test]
    fn near_events_whose_like_are_known_both_models_speak_of_arrival() {
        let mut forecaster = fitted();
        let near = |occurrences: f64| EventChange {
            occurrences: Some(occurrences),
            ..EventChange::NONE
        };
        let step = |forecaster: &mut LeadForecaster, t: u64, change: EventChange| {
            forecaster.expect(change, [change; STEPS_BEFORE], None);
            forecaster.observe(Some(100.0 + ((t * 7_919) % 23) as f64));
            let own = forecaster.said[forecaster.contest.champion() as usize];
            (forecaster.forecast().quantiles, own.quantiles)
        };
        // A first day near an event is not known well enough.
        for t in 1000..1200 {
            let (said, own) = step(&mut forecaster, t, near(1.0));
            assert_eq!(said, own);
        }
        for t in 1200..1400 {
            step(&mut forecaster, t, near(2.0));
        }
        let (said, own) = step(&mut forecaster, 1400, near(3.0));
        let near_arrival = forecaster.near_arrival.forecast();
        let other = near_arrival.expect("400 steps near").quantiles;
        for place in 0..LEVEL_COUNT {
            let mean = 0.5 * (own[place] + other[place]);
            assert!((said[place] - mean).abs() < 1e-9);
        }
        assert_ne!(own, other);
        // Nothing of the kind away from events, or for the first of another kind.
        for change in [EventChange::NONE, near(0.0)] {
            let (said, own) = step(&mut forecaster.clone(), 1401, change);
            assert_eq!(said, own);
        }
    }

    #[test]
    fn the_steps_that_are_forecast_before_arrival_lie_evenly_in_the_boot() {
        let before = |lead_steps, boot_steps| {
            let config = LeadConfig {
                step_seconds: 60,
                lead_steps,
                boot_steps,
                challenger: false,
            };
            config.before_arrival()
        };
        assert_eq!(before(6, 5), [1, 2, 4]);
        assert_eq!(before(23, 20), [3, 9, 16]);
        assert_eq!(before(1, 0), [1, 1, 1]);
        // Nothing is said of them without an event.
        assert!(five_minutes().before_arrival().is_none());
    }

    #[test]
    fn days_that_nobody_saw_are_forecast_as_days_and_spoil_nothing_after_them() {
        let daily = |t: u64| {
            100.0 + 60.0 * libm::sin(t as f64 / 288.0 * std::f64::consts::TAU) + (t % 7) as f64
        };
        let mut forecaster = five_minutes();
        let gap = 12 * 288..15 * 288;
        for t in 0..16 * 288 {
            forecaster.observe((!gap.contains(&t)).then(|| daily(t)));
            if let Some(window) = forecaster.fit_due() {
                forecaster.install(window.form(), fit(&window));
            }
            if t >= gap.start + 72 {
                let (said, comes) = (forecaster.forecast().at(0.5), daily(t + 2));
                assert!((said - comes).abs() < 12.0, "{t}: {said} for {comes}");
            }
        }
    }
}
