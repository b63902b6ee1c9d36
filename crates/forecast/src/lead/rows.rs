//! The rows that fits see: features and outcomes of the last weeks.

use fleetcast_model::ModelForm;

use super::event_features::{EVENT_FEATURES, EventVector};
use super::features::{FEATURE_COUNT, FeatureVector, LEVEL_WEEK};
use super::fit::{Fitted, TrainingWindow};

/// Rows a fit sees at most: bounds memory (1.3 MB) and the time of a fit (counted work).
const ROW_CAPACITY: usize = 8192;
/// Days a fit looks back at most: three weeks hold three of each weekday.
pub(super) const WINDOW_DAYS: f64 = 21.0;

/// Rows at a stride that doubles until the capacity spans the window; then the oldest go first.
#[derive(Clone, Debug)]
pub(super) struct RowStore {
    features: std::collections::VecDeque<[f32; FEATURE_COUNT]>,
    /// Of each row, from the first one on that an event was near.
    events: Option<std::collections::VecDeque<[f32; EVENT_FEATURES]>>,
    outcomes: std::collections::VecDeque<(u64, f32)>,
    /// The first positive demand. Rows are kept relative to it before they are rounded to 32 bits,
    /// so that scaling demand changes not a bit of a fit.
    reference: f64,
    stride: u64,
    window_steps: u64,
    pub(super) steps_per_day: f64,
}

impl RowStore {
    pub(super) fn new(steps_per_day: f64) -> Self {
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

    pub(super) fn push(
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

    /// Whether an event was near in any of its time.
    pub(super) fn knows_events(&self) -> bool {
        self.events.is_some()
    }

    pub(super) fn window(
        &self,
        now: u64,
        before: Option<Fitted>,
        form: ModelForm,
    ) -> TrainingWindow {
        TrainingWindow {
            features: self.features.iter().copied().collect(),
            events: self
                .events
                .as_ref()
                .filter(|_| form.is_linear())
                .map(|events| events.iter().copied().collect()),
            outcomes: self.outcomes.iter().map(|row| row.1).collect(),
            steps: self.outcomes.iter().map(|row| row.0).collect(),
            now,
            steps_per_day: self.steps_per_day,
            before,
            form,
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
}
