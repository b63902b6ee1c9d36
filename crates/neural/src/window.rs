//! What the network reads, and what it should answer, as of one moment of a series.

use std::f64::consts::TAU;

use crate::series::{Series, Usual};
use crate::spec::RecurrentSpec;

/// Numbers that the cell reads for each step: the residual, whether there is one, and demand.
pub(crate) const PER_STEP: usize = 3;

/// Numbers known of each lead beforehand.
pub(crate) const PER_LEAD: usize = 12 + DECAYS;

/// Speeds at which what is going on now is forgotten, in days. The last numbers of each lead.
const DECAY_DAYS: [f64; DECAYS] = [0.05, 0.15, 0.5, 2.0];
pub(crate) const DECAYS: usize = 4;

/// Steps taken for a day where a series has none.
const DAY_UNKNOWN: usize = 24;

/// Residuals further off than this many usual ones are pulled in, so that no spike drives a weight away.
const REACH: f64 = 10.0;

/// The same for what should be answered.
const TARGET_REACH: f64 = 30.0;

/// Several windows, laid out as the network takes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// How many.
    pub(crate) windows: usize,
    /// How many leads each asks for.
    pub(crate) leads: usize,
    /// By segment, window and step within the segment.
    pub(crate) segments: Vec<Vec<f32>>,
    /// By window and lead.
    pub(crate) known: Vec<f32>,
    /// By window and lead: demand less the profile, in usual residuals.
    pub(crate) target: Vec<f32>,
    /// By window and lead: how much a miss costs; 0 where nothing was observed.
    pub(crate) weight: Vec<f32>,
}

impl Batch {
    /// A batch of as many windows as are added.
    pub(crate) fn new(spec: &RecurrentSpec, leads: usize) -> Self {
        Self {
            leads,
            segments: vec![Vec::new(); spec.segments()],
            ..Self::default()
        }
    }

    /// Adds the window that ends right before the step `now`, with what came after it, as far as `end`, as
    /// the target.
    pub(crate) fn add(&mut self, spec: &RecurrentSpec, series: &Series, now: usize, end: usize) {
        self.read(spec, series, now);
        self.know(spec, series, now, 0);
        for lead in 0..self.leads {
            let step = now + lead;
            let usual = series.usual(step, now);
            let seen = (step < end).then(|| series.seen(step)).flatten();
            let (target, weight) = match usual.zip(seen) {
                Some((usual, seen)) => {
                    let off = (seen - usual.base) / series.spread;
                    (
                        off.clamp(-TARGET_REACH, TARGET_REACH),
                        Series::cost(usual.base),
                    )
                }
                None => (0.0, 0.0),
            };
            self.target.push(target as f32);
            self.weight.push(weight as f32);
        }
    }

    /// Adds what the cell reads: the steps before `now`.
    pub(crate) fn read(&mut self, spec: &RecurrentSpec, series: &Series, now: usize) {
        self.windows += 1;
        let length = spec.reads();
        for (place, segment) in self.segments.iter_mut().enumerate() {
            for within in 0..spec.segment {
                let ago = length - (place * spec.segment + within);
                let step = now.checked_sub(ago);
                let residual = step.and_then(|step| series.residual(step));
                let seen = step.and_then(|step| series.seen(step));
                let bounded = |value: Option<f64>, size: f64| {
                    value.map_or(0.0, |value| (value / size).clamp(-REACH, REACH)) as f32
                };
                segment.push(bounded(residual, series.spread));
                segment.push(if residual.is_some() { 1.0 } else { 0.0 });
                segment.push(bounded(seen, series.swing));
            }
        }
    }

    /// Adds what is known beforehand of the leads from `first` on.
    pub(crate) fn know(&mut self, spec: &RecurrentSpec, series: &Series, now: usize, first: usize) {
        let day = match series.day_steps() {
            0 => DAY_UNKNOWN,
            steps => steps,
        } as f64;
        for lead in first..first + self.leads {
            let step = now + lead;
            let usual = series.usual(step, now).unwrap_or_default();
            self.known
                .extend(profile(series, &usual).map(|value| value as f32));
            self.known
                .extend(clock(series.clock(step)).map(|value| value as f32));
            // Leads that were never learned are answered as the last one that was.
            let ahead = lead.min(spec.chunk - 1) as f64;
            self.known.push((ahead / spec.chunk as f64) as f32);
            let decay = |days: f64| libm::exp(-ahead / (days * day).max(1.0)) as f32;
            self.known.extend(DECAY_DAYS.map(decay));
        }
    }
}

/// The parts of the profile that differ from it, and where it lies.
fn profile(series: &Series, usual: &Usual) -> [f64; 5] {
    let part = |part: Option<f64>| {
        part.map_or(0.0, |part| {
            ((part - usual.base) / series.spread).clamp(-REACH, REACH)
        })
    };
    let [yesterday, days, last_week, weeks] = usual.parts.map(part);
    let place = ((usual.base - usual.level) / series.swing).clamp(-REACH, REACH);
    [yesterday, days, last_week, weeks, place]
}

/// Two harmonics of the day and one of the week.
fn clock([day, week]: [Option<f64>; 2]) -> [f64; 6] {
    let turn = |share: Option<f64>, times: f64| match share {
        Some(share) => [
            libm::sin(TAU * times * share),
            libm::cos(TAU * times * share),
        ],
        None => [0.0, 0.0],
    };
    let ([a, b], [c, d], [e, f]) = (turn(day, 1.0), turn(day, 2.0), turn(week, 1.0));
    [a, b, c, d, e, f]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::traffic;

    #[test]
    fn nothing_after_the_moment_is_read() {
        let traffic = traffic(5.0, 24, 100.0, 1);
        let spec = RecurrentSpec::default();
        let series = Series::new(&traffic.history()).unwrap();
        let mut cut = series.clone();
        cut.truncate(600);
        let read = |series: &Series| {
            let mut batch = Batch::new(&spec, 48);
            batch.read(&spec, series, 600);
            batch.know(&spec, series, 600, 0);
            batch
        };
        let (whole, cut) = (read(&series), read(&cut));
        assert_eq!(whole.segments, cut.segments);
        assert_eq!(whole.known, cut.known);
        assert_eq!(whole.known.len(), 48 * PER_LEAD);
        assert!(
            whole
                .segments
                .iter()
                .all(|segment| segment.len() == spec.segment * PER_STEP)
        );
    }

    #[test]
    fn missing_steps_are_masked_and_cost_nothing() {
        let mut traffic = traffic(5.0, 24, 100.0, 1);
        traffic.values[595..600].fill(None);
        traffic.values[600..604].fill(None);
        let series = Series::new(&traffic.history()).unwrap();
        let spec = RecurrentSpec {
            context: 6,
            segment: 6,
            chunk: 8,
            ..RecurrentSpec::default()
        };
        let mut batch = Batch::new(&spec, 8);
        batch.add(&spec, &series, 600, 607);
        let masks: Vec<f32> = batch.segments[0]
            .iter()
            .skip(1)
            .step_by(3)
            .copied()
            .collect();
        assert_eq!(masks, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(batch.weight[..4], [0.0; 4]);
        assert_eq!(batch.weight[7], 0.0);
        assert!(batch.weight[4..7].iter().all(|&weight| weight > 0.0));
    }

    #[test]
    fn leads_beyond_the_chunk_count_as_its_last() {
        let traffic = traffic(5.0, 24, 100.0, 1);
        let series = Series::new(&traffic.history()).unwrap();
        let spec = RecurrentSpec {
            chunk: 24,
            ..RecurrentSpec::default()
        };
        let mut batch = Batch::new(&spec, 169);
        batch.know(&spec, &series, series.len(), 23);
        let (first, last) = (&batch.known[..PER_LEAD], &batch.known[168 * PER_LEAD..]);
        assert_eq!(
            first[PER_LEAD - DECAYS - 1..],
            last[PER_LEAD - DECAYS - 1..]
        );
    }
}
