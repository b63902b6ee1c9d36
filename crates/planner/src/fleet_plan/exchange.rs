//! Moves what components share between them: where quotas bind, no component alone finds what another one would pay more
//! for.

use super::component::{Solved, improve};
use super::draws::Draws;
use super::fleet::{Chosen, Planner, take};

/// Each pair of components is tried so many times, and all together so many times at the most.
const TIMES_PER_PAIR: usize = 3;
const TIMES_MAX: usize = 24;
/// What one component pays for what it takes of the quotas, in percent of their prices.
const PERCENTS: [i64; 4] = [60, 120, 240, 500];
/// Each of the searches may take this part of the work limit.
const WORK_SHARE: u64 = 16;

impl Planner<'_, '_> {
    /// Lets one component give room back at a price, another one use it, and the first one again what is left; keeps
    /// what is better. `prices` are of quotas, by period.
    pub(super) fn exchange(
        &mut self,
        chosen: &mut Chosen,
        alone: &[Solved],
        touched: &[usize],
        prices: &[Vec<i64>],
    ) {
        let mut draws = Draws::new(0);
        let pairs = touched.len() * touched.len().saturating_sub(1);
        let mut rank = self.rank(chosen);
        for _ in 0..(pairs * TIMES_PER_PAIR).min(TIMES_MAX) {
            let gives = draws.below(touched.len());
            let takes = (gives + 1 + draws.below(touched.len() - 1)) % touched.len();
            let percent = PERCENTS[draws.below(PERCENTS.len())];
            let mut trial = chosen.clone();
            self.hold(touched[gives], prices, percent);
            self.again(touched[gives], &mut trial, alone);
            self.terms[touched[gives]].held.clear();
            self.again(touched[takes], &mut trial, alone);
            self.again(touched[gives], &mut trial, alone);
            let found = self.rank(&trial);
            if found < rank && trial.left.money >= 0 {
                rank = found;
                *chosen = trial;
                self.watch.see_all(&self.terms, &chosen.solutions);
            }
        }
    }

    /// Searches on from what a component has, in the room that the others leave.
    fn again(&mut self, place: usize, trial: &mut Chosen, alone: &[Solved]) {
        let terms = &self.terms[place];
        let Some(relaxed) = &alone[place].relaxed else {
            return;
        };
        let before = trial.solutions[place].clone().under(terms);
        take(terms, &before, &mut trial.left, -1);
        let room = self.room(place, &trial.left);
        let limit = self.limit.cells_per_component / WORK_SHARE;
        let after = improve(terms, &room, &before, relaxed, limit, &mut self.work);
        take(terms, &after, &mut trial.left, 1);
        trial.solutions[place] = after;
    }
}
