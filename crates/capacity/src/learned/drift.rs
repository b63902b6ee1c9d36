//! A sequential test on the errors of the prediction: has the use per request changed?
//!
//! Page's cumulative sums, one for each direction, over blocks of five minutes. Neighbouring blocks err alike
//! (mixes of requests and caches change slowly), so each is first cleared of what the one before it tells.
//! The threshold follows from a budget of false alarms by Siegmund's approximation of the run length.
//!
//! Sources: E. S. Page, *Biometrika* 41 (1954); D. Siegmund, *Sequential Analysis* (1985), §2.

use std::collections::VecDeque;

use jiff::Timestamp;

/// One false alarm in so many days may be expected of each resource of a component.
pub const FALSE_ALARM_DAYS: f64 = 365.0;

/// Samples are averaged over blocks of so many seconds, or stand alone where they are further apart.
const BLOCK_SECONDS: f64 = 300.0;
/// Half of the shift that is found soonest, in standard deviations of a block.
const ALLOWANCE: f64 = 0.75;
/// A block counts as at most so many standard deviations, so that no single one raises the alarm.
const BLOCK_DEVIATIONS_MAX: f64 = 4.0;
/// Blocks before the test begins: until then the spread is not known.
const BLOCKS_FIRST: f64 = 24.0;
/// Half-life of the spread's memory, in blocks of five minutes: two days hold the differences of day and night twice.
const SPREAD_HALF_LIFE: f64 = 576.0;
/// The spread that is assumed at first, and the blocks that it counts for.
const SPREAD_FIRST: (f64, f64) = (0.05, 12.0);
/// Blocks never spread less than this: half a per cent of the use is beyond what monitoring tells.
const SPREAD_MIN: f64 = 0.005;
/// Shifts of less than this part of the use are left to the ordinary forgetting.
const SHIFT_MIN: f64 = 0.03;
/// Blocks kept, to tell since when: a slow rise that began before two days is told from there.
const BLOCKS_KEPT: usize = 576;
/// Most of the last block's error that is expected again.
const CARRIED_MAX: f64 = 0.9;

/// The use per request is no longer what it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// Since when, as the sums tell it.
    pub since: Timestamp,
    /// Use now, as a multiple of what was learned before.
    pub factor: f64,
}

/// Watches the relative errors of one resource's prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftDetector {
    block: Block,
    /// The last block's error, and the memory of products from which it is known how alike neighbours are.
    before: Option<f64>,
    products: f64,
    squares: f64,
    /// Squared errors that neighbours do not explain, and their number.
    spread: f64,
    count: f64,
    rise: Sum,
    fall: Sum,
    /// The last blocks: when each began, and its error.
    lately: VecDeque<(Timestamp, f64)>,
}

/// The block that is being filled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Block {
    from: Option<Timestamp>,
    errors: f64,
    model_variances: f64,
    samples: f64,
}

/// A cumulative sum, and the blocks since it was last zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    level: f64,
    blocks: usize,
}

impl Default for DriftDetector {
    fn default() -> Self {
        Self::new()
    }
}

impl DriftDetector {
    /// Starts without history.
    pub fn new() -> Self {
        Self {
            block: Block::default(),
            before: None,
            products: 0.0,
            squares: 0.0,
            spread: 0.0,
            count: 0.0,
            rise: Sum::default(),
            fall: Sum::default(),
            lately: VecDeque::new(),
        }
    }

    /// Takes the error of a sample of an interval that began at `from` and is `seconds` long: use less prediction
    /// as a share of the prediction, and the variance of the prediction's own part of it.
    pub fn observe(
        &mut self,
        from: Timestamp,
        seconds: f64,
        error: f64,
        model_variance: f64,
    ) -> Option<Shift> {
        if !(error.is_finite() && model_variance.is_finite()) {
            return None;
        }
        let block = &mut self.block;
        let began = *block.from.get_or_insert(from);
        block.errors += error;
        block.model_variances += model_variance;
        block.samples += 1.0;
        let length = from.duration_since(began).as_secs_f64() + seconds;
        if length + 0.5 < BLOCK_SECONDS {
            return None;
        }
        let block = std::mem::take(&mut self.block);
        self.end_block(
            began,
            length,
            block.errors / block.samples,
            block.model_variances / block.samples,
        )
    }

    /// Forgets the sums and what is half seen: another prediction begins. The spread stays known.
    pub fn restart(&mut self) {
        self.block = Block::default();
        self.before = None;
        (self.rise, self.fall) = (Sum::default(), Sum::default());
        self.lately.clear();
    }

    fn end_block(
        &mut self,
        from: Timestamp,
        seconds: f64,
        error: f64,
        model_variance: f64,
    ) -> Option<Shift> {
        let alike = (self.products / self.squares.max(1e-12)).clamp(0.0, CARRIED_MAX);
        let fresh = error - alike * self.before.unwrap_or(0.0);
        let (first, counts_for) = SPREAD_FIRST;
        let spread = (first * first * counts_for + self.spread) / (counts_for + self.count);
        let deviation = libm::sqrt(spread.max(SPREAD_MIN * SPREAD_MIN) + model_variance);
        let deviations = (fresh / deviation).clamp(-BLOCK_DEVIATIONS_MAX, BLOCK_DEVIATIONS_MAX);
        // An outlier tells little of the spread, and of how alike neighbours are.
        let cut = |value: f64| value.clamp(-3.0 * deviation, 3.0 * deviation);
        let keep = libm::exp2(-(seconds / BLOCK_SECONDS).min(12.0) / SPREAD_HALF_LIFE);
        self.products = self.products * keep + cut(error) * cut(self.before.unwrap_or(0.0));
        self.squares = self.squares * keep + cut(error) * cut(error);
        self.spread = self.spread * keep + cut(fresh) * cut(fresh);
        self.count = self.count * keep + 1.0;
        self.before = Some(error);
        if self.count < BLOCKS_FIRST {
            return None;
        }
        if self.lately.len() == BLOCKS_KEPT {
            self.lately.pop_front();
        }
        self.lately.push_back((from, error));
        let threshold = threshold(86_400.0 / seconds.max(1.0) * FALSE_ALARM_DAYS);
        self.rise.add(deviations - ALLOWANCE);
        self.fall.add(-deviations - ALLOWANCE);
        let sum = if self.rise.level > threshold {
            self.rise
        } else if self.fall.level > threshold {
            self.fall
        } else {
            return None;
        };
        let (since, shift) = self.change_point(sum.blocks);
        self.restart();
        (shift.abs() >= SHIFT_MIN).then(|| Shift {
            since: since.unwrap_or(from),
            factor: (1.0 + shift).max(0.01),
        })
    }

    /// The most likely beginning within the last blocks, and the mean error since: the split that explains most.
    fn change_point(&self, blocks: usize) -> (Option<Timestamp>, f64) {
        let (mut best, mut sum) = ((None, 0.0), 0.0);
        let mut most = 0.0;
        let newest_first = self.lately.iter().rev().take(blocks.max(1));
        for ((from, error), count) in newest_first.zip(1_u32..) {
            sum += error;
            let explained = sum * sum / f64::from(count);
            if explained > most {
                (most, best) = (explained, (Some(*from), sum / f64::from(count)));
            }
        }
        best
    }
}

impl Sum {
    fn add(&mut self, by: f64) {
        self.level += by;
        self.blocks += 1;
        if self.level <= 0.0 {
            *self = Self::default();
        }
    }
}

/// The threshold at which a sum of independent standard normals, less the allowance, passes once in `2 · run` blocks
/// in each direction, so once in `run` in either.
fn threshold(run: f64) -> f64 {
    let goal = 2.0 * run.max(2.0);
    // Siegmund: run = (exp(2k(h + 1.166)) − 1 − 2k(h + 1.166)) ÷ 2k²; the fixed point is reached in a few turns.
    let twice = 2.0 * ALLOWANCE;
    let mut far = 0.0;
    for _ in 0..8 {
        far = libm::log(goal * twice * ALLOWANCE + 1.0 + far);
    }
    (far / twice - 1.166).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::tests::Draws;

    /// Blocks until the first alarm, if there is one.
    fn first_alarm(
        seed: u64,
        blocks: usize,
        alike: f64,
        shift: impl Fn(usize) -> f64,
    ) -> Option<(usize, Shift)> {
        let mut draws = Draws::new(seed);
        let mut detector = DriftDetector::new();
        let mut slow = 0.0;
        for block in 0..blocks {
            slow = alike * slow + (1.0 - alike * alike).sqrt() * draws.normal();
            let at = Timestamp::from_second(block as i64 * 300).unwrap();
            let error = 0.03 * slow + shift(block);
            if let Some(shift) = detector.observe(at, 300.0, error, 0.0) {
                return Some((block, shift));
            }
        }
        None
    }

    #[test]
    fn the_threshold_follows_the_budget_of_false_alarms() {
        // Siegmund's formula, turned round by hand: k = 0.75, h = 5.
        let run = (libm::exp(1.5 * 6.166) - 1.0 - 1.5 * 6.166) / (2.0 * 0.75 * 0.75);
        assert!((threshold(run / 2.0) - 5.0).abs() < 0.02);
        assert!(threshold(1e6) > threshold(1e4));
    }

    #[test]
    fn quiet_months_raise_no_alarm() {
        // 24 × 30 days: two years at one false alarm a year. Three would be too many.
        for alike in [0.0, 0.8] {
            let alarms = (0..24).filter_map(|seed| first_alarm(seed, 30 * 288, alike, |_| 0.0));
            assert!(alarms.count() <= 4);
        }
    }

    #[test]
    fn a_deploy_is_found_within_the_hour_with_its_moment_and_size() {
        for (size, blocks_max) in [(0.3, 4), (-0.3, 4), (0.1, 12)] {
            for seed in 0..10 {
                let found = first_alarm(
                    seed,
                    1_000,
                    0.5,
                    |block| {
                        if block < 600 { 0.0 } else { size }
                    },
                );
                let (block, shift) = found.expect("an alarm");
                assert!(
                    (600..600 + blocks_max).contains(&block),
                    "{size}: at block {block}"
                );
                assert!((shift.factor - 1.0 - size).abs() < 0.08, "{shift:?}");
                let since = shift.since.as_second() / 300;
                assert!((597..=603).contains(&since), "since {since}");
            }
        }
    }

    #[test]
    fn one_wild_block_is_no_drift() {
        let found = first_alarm(3, 1_000, 0.0, |block| if block == 500 { 50.0 } else { 0.0 });
        assert_eq!(found, None);
    }
}
