//! Relaxations: what needs no row, and what is paid and proved.

use super::*;

/// A component by itself, without limits of quotas.
struct Compiled {
    terms: terms::Terms,
    needs: bound::Residual,
    pools: Vec<usize>,
}

impl Compiled {
    fn new(stated: &FleetProblem, need: &ComponentProblem) -> Self {
        let terms = terms::Terms::new(stated, need);
        Self {
            needs: bound::Residual::new(&terms, &loads::Room::open(&terms)),
            pools: (0..terms.pools.len()).collect(),
            terms,
        }
    }

    fn block(&self) -> relax::Block<'_> {
        relax::Block {
            terms: &self.terms,
            needs: &self.needs,
            pools: &self.pools,
            quotas: (0..self.terms.quotas.len()).collect(),
            standing: relax::all_standing(&self.terms),
            known: &[],
        }
    }

    /// Whether the demand of each period needs no row.
    fn implied(&self) -> Vec<bool> {
        let block = self.block();
        let (alike, _) = block.alike();
        let periods = 0..self.terms.periods;
        periods.map(|t| block.spare_suffices(&alike, t)).collect()
    }
}

/// Whether the demand of each of two periods needs no row, with offers of two units in these zones, each booting for so
/// many periods and under a quota or not.
fn demand_is_implied(per_mille: u32, offers: &[(u16, u32, bool)]) -> Vec<bool> {
    let pools = offers.iter().zip(0..);
    let pools = pools.map(|((zone, lead, _), i)| pool(i, *zone, 1_000, 0, 3_600, *lead));
    let each: Vec<(u32, u32)> = (0..offers.len() as u32).map(|k| (k, 2)).collect();
    let need = ComponentProblem {
        survives_zone_per_mille: per_mille,
        ..need(0, &[10, 10], &each)
    };
    let mut stated = problem(2, pools.collect(), vec![need]);
    let limited = offers
        .iter()
        .zip(0..)
        .filter(|((_, _, limited), _)| *limited);
    stated.quotas.push(Quota {
        name: "instances".into(),
        limit: 100,
        uses: limited.map(|(_, k)| (PoolIndex(k), 1)).collect(),
    });
    Compiled::new(&stated, &stated.components[0]).implied()
}

#[test]
fn demand_needs_no_row_only_where_spare_asks_for_as_much_and_can_be_met() {
    let free = |zone| (zone, 0, false);
    assert_eq!(demand_is_implied(0, &[free(0), free(1)]), [false, false]);
    assert_eq!(demand_is_implied(500, &[free(0), free(1)]), [true, true]);
    assert_eq!(demand_is_implied(400, &[free(0), free(1)]), [false, false]);
    let three = [free(0), free(1), free(2)];
    assert_eq!(demand_is_implied(500, &three), [false, false]);
    assert_eq!(demand_is_implied(700, &three), [true, true]);
    // Nothing outlives the only zone; one zone boots longer; one is limited.
    assert_eq!(demand_is_implied(700, &[free(0)]), [false, false]);
    let boots = [free(0), (1, 1, false)];
    assert_eq!(demand_is_implied(500, &boots), [false, true]);
    let limited = [free(0), (1, 0, true)];
    assert_eq!(demand_is_implied(500, &limited), [false, false]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_relaxation_costs_what_its_prices_prove_and_needs_no_row_that_others_imply(stated in problems()) {
        let stated = FleetProblem { quotas: vec![], ..stated };
        for need in &stated.components {
            // What stands is paid for beside the runs.
            let need = &ComponentProblem { standing: vec![], ..need.clone() };
            let compiled = Compiled::new(&stated, need);
            let implied = compiled.implied();
            let Compiled { terms, needs, pools } = &compiled;
            let found = relax::relax(&[compiled.block()], &[], &needs.quota, relax::CLOSE, &mut 0);
            let found = &found[0];
            let covered = |needed: &[i64], zone: Option<usize>, t: usize| -> bool {
                let serves = found.runs.iter().filter(|(span, _)| {
                    let there = span.serves_from(terms)..span.until as usize;
                    let pool = &terms.pools[span.pool as usize];
                    there.contains(&t) && zone.is_none_or(|zone| zone != pool.zone)
                });
                let units = serves.map(|(span, count)| {
                    count * terms.pools[span.pool as usize].units.min(needed[t]) as f64
                });
                units.sum::<f64>() >= needed[t] as f64 * 0.999 - 1e-6
            };
            let mut whole = true;
            for (t, implied) in implied.iter().enumerate() {
                let zones = needs.spare.iter().enumerate();
                let spare = zones.map(|(zone, units)| covered(units, Some(zone), t));
                let (spare, demand) = (spare.collect::<Vec<_>>(), covered(&needs.demand, None, t));
                let spared = spare.iter().all(|covered| *covered);
                prop_assert!(!(*implied && spared) || demand, "period {t}");
                whole &= spared && demand;
            }
            let costs = found.runs.iter().map(|(span, count)| {
                count * (span.bill(terms) + span.start(terms)) as f64
            });
            let costs: f64 = costs.sum();
            let proved = bound::certify(terms, needs, pools, found.prices.clone());
            if whole {
                prop_assert!((proved as f64) < costs * 1.001 + 10.0, "{proved} of {costs}");
                prop_assert!(proved as f64 > costs * 0.998 - 10.0, "{proved} of {costs}");
            }
        }
    }
}
