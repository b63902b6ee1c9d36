//! Standby beside running units: its tiers, and which of them, or none, costs least at an equal loss.

use super::super::shadow::{Probe, Shadow};
use super::super::standby::{Depths, Family, SPELLS, Spell, StandbyRules, idle_decisions};
use super::{
    CHANGE_FOR, DEPTH_FIRST, DEPTH_START, DEPTH_STEP, SHADOW_COUNT, Steering, shadow_depth,
};

impl Steering {
    /// Offers standby at the terms of each of these tiers: shadow fleets with it are set beside those without, and the
    /// cheapest is bought.
    #[must_use]
    pub fn with_standby(mut self, tiers: &[StandbyRules]) -> Self {
        for (tier, rules) in tiers.iter().enumerate() {
            self.add_tier(tier, *rules);
        }
        if let Some(first) = tiers.first() {
            let probe = Probe::with_standby(self.config.purchase.rules, *first);
            self.starts.probe_with(probe);
        }
        self.standby = tiers.to_vec();
        self
    }

    /// Adds the families of a tier.
    fn add_tier(&mut self, tier: usize, standby: StandbyRules) {
        let purchase = self.config.purchase;
        for steps in SPELLS {
            let spell = Spell(steps);
            let pays = |depth| Depths::split(depth, &standby, purchase.rules, spell).in_all;
            let last = shadow_depth(SHADOW_COUNT - 1);
            if pays(last).is_none() && standby.fixed.is_none() {
                continue;
            }
            self.families.push(Family {
                tier,
                spell: Some(spell),
                depth: None,
            });
            let shadow = Shadow::with_standby(purchase.rules, standby);
            self.shadows.extend(vec![shadow; SHADOW_COUNT]);
        }
    }

    /// So many units stand by from now on for spot that may be taken back together, here and with the shadows.
    pub fn set_correlated_loss(&mut self, units: u64) {
        for rules in &mut self.standby {
            rules.correlated_loss = units;
        }
        for shadow in &mut self.shadows {
            shadow.set_correlated_loss(units);
        }
        self.starts.set_correlated_loss(units);
    }

    /// Decisions that a standby unit may idle.
    pub fn standby_idle_decisions(&self, standby: &StandbyRules) -> u64 {
        idle_decisions(standby, self.config.purchase.rules)
    }

    /// Goes over to the family that would have held the goal at the least cost, if it is worth the change.
    pub(super) fn choose_family(&mut self) {
        let Some(standby) = self.standby.first() else {
            return;
        };
        let first = usize::from(standby.fixed.is_some());
        let cost = |family: usize| (self.cost_at_goal(family), family);
        let best = (first..self.families.len())
            .map(cost)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((least, family)) = best
            && (self.family < first || least < CHANGE_FOR * self.cost_at_goal(self.family))
        {
            self.family = family;
        }
        if self.families[self.family].spell.is_some() {
            self.tier = self.families[self.family].tier;
        }
    }

    /// The tier that standby is kept in, by its place among those on offer.
    pub fn standby_tier(&self) -> usize {
        self.tier
    }

    /// What the fleet would have paid of late with each tier, over what it would have paid without standby, the same
    /// demand left unserved; `None` where a tier never pays.
    pub fn tier_costs(&self) -> Vec<Option<f64>> {
        let alone = self.cost_at_goal(0);
        let cost = |tier: usize| {
            let own = (0..self.families.len()).filter(|family| {
                let family = &self.families[*family];
                family.spell.is_some() && family.tier == tier
            });
            let costs = own.map(|family| self.cost_at_goal(family) / alone);
            costs.min_by(f64::total_cmp).filter(|_| alone > 0.0)
        };
        (0..self.standby.len()).map(cost).collect()
    }

    /// What a family would have paid at its depth, between its shadows.
    pub(super) fn cost_at_goal(&self, family: usize) -> f64 {
        let depth = self.families[family].depth.unwrap_or(DEPTH_START);
        let place = ((depth - DEPTH_FIRST) / DEPTH_STEP).clamp(0.0, (SHADOW_COUNT - 1) as f64);
        let below = (place as usize).min(SHADOW_COUNT - 2);
        let paid = |index: usize| self.shadows[family * SHADOW_COUNT + index].long_paid();
        let share = place - below as f64;
        paid(below) * (1.0 - share) + paid(below + 1) * share
    }

    /// What standby a family buys.
    pub(super) fn offered(&self, family: usize) -> Option<(StandbyRules, Spell)> {
        let Family { tier, spell, .. } = self.families[family];
        self.standby.get(tier).copied().zip(spell)
    }
}
