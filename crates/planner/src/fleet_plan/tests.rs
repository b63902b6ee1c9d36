use fleetcast_model::{
    Billing, ComponentIndex, MicroUsd, MicroUsdPerHour, OfferIndex, PurchaseKind, Units,
};
use proptest::prelude::*;

use super::*;

mod relaxation;

fn pool(offer: u16, zone: u16, price: u64, minimum: u32, granularity: u32, lead: u32) -> Pool {
    Pool {
        offer: OfferIndex(offer),
        zone,
        purchase: PurchaseKind::OnDemand,
        price: MicroUsdPerHour::new(price),
        billing: Billing {
            minimum_seconds: minimum,
            granularity_seconds: granularity,
        },
        lead_periods: lead,
    }
}

fn need(component: u16, demand: &[u64], offers: &[(u32, u32)]) -> ComponentProblem {
    ComponentProblem {
        component: ComponentIndex(component),
        demand: demand.iter().copied().map(Units::new).collect(),
        floor: Units::new(0),
        ceiling: Units::new(1_000),
        shortage_price: None,
        survives_zone_per_mille: 0,
        importance: 5,
        stateful: false,
        lifetime_periods: 0,
        start_price: MicroUsd::ZERO,
        offers: offers.iter().map(|(p, u)| (PoolIndex(*p), *u)).collect(),
        standing: vec![],
    }
}

fn problem(periods: u32, pools: Vec<Pool>, components: Vec<ComponentProblem>) -> FleetProblem {
    FleetProblem {
        period_seconds: 3_600,
        periods,
        pools,
        components,
        quotas: vec![],
        budget: None,
    }
}

/// Plans, and has the plan judged.
fn check(problem: &FleetProblem) -> FleetPlan {
    let plan = plan_fleet(problem, None, WorkLimit::default()).expect("a valid problem");
    assert_eq!(check_fleet(problem, &plan), vec![], "{plan:?}");
    plan
}

#[test]
fn a_dip_is_bridged_when_starting_again_costs_more() {
    let pools = vec![pool(0, 0, 1_000, 0, 1, 0)];
    let mut stated = problem(4, pools, vec![need(0, &[1, 0, 0, 1], &[(0, 1)])]);
    stated.components[0].start_price = MicroUsd::new(1_999);
    assert_eq!(
        check(&stated).cost.total(),
        MicroUsd::new(2_000 + 2 * 1_999)
    );
    stated.components[0].start_price = MicroUsd::new(2_001);
    assert_eq!(check(&stated).cost.total(), MicroUsd::new(4_000 + 2_001));
}

#[test]
fn a_minimum_bill_is_paid_whole() {
    let pools = vec![
        pool(0, 0, 1_000, 3 * 3_600, 1, 0),
        pool(1, 0, 1_800, 0, 1, 0),
    ];
    let stated = problem(4, pools, vec![need(0, &[1, 0, 0, 0], &[(0, 1), (1, 1)])]);
    assert_eq!(check(&stated).cost.total(), MicroUsd::new(1_800));
}

#[test]
fn what_boots_does_not_serve_yet() {
    let pools = vec![pool(0, 0, 1_000, 0, 1, 2)];
    let stated = problem(4, pools, vec![need(0, &[1, 1, 1, 1], &[(0, 1)])]);
    let plan = check(&stated);
    let unmet: Vec<_> = plan.parts[0]
        .unmet
        .iter()
        .map(|u| (u.period, u.binding))
        .collect();
    assert_eq!(unmet, [(0, Binding::Lead), (1, Binding::Lead)]);
    assert_eq!(plan.cost.total(), MicroUsd::new(4_000));
}

#[test]
fn the_loss_of_any_zone_is_survived() {
    let pools = (0..3)
        .map(|z| pool(z, z, 1_000 + u64::from(z), 0, 1, 0))
        .collect();
    let mut stated = problem(1, pools, vec![need(0, &[6], &[(0, 1), (1, 1), (2, 1)])]);
    stated.components[0].survives_zone_per_mille = 1_000;
    // Three in each zone: any two hold six.
    assert_eq!(
        check(&stated).cost.total(),
        MicroUsd::new(3 * (1_000 + 1_001 + 1_002))
    );
}

#[test]
fn the_least_important_gives_way() {
    let pools = vec![pool(0, 0, 1_000, 0, 1, 0)];
    let mut low = need(0, &[4, 4], &[(0, 1)]);
    low.importance = 2;
    let high = need(1, &[4, 4], &[(0, 1)]);
    let mut stated = problem(2, pools, vec![low, high]);
    stated.quotas.push(Quota {
        name: "instances".into(),
        limit: 5,
        uses: vec![(PoolIndex(0), 1)],
    });
    let plan = check(&stated);
    assert!(plan.parts[1].unmet.is_empty());
    assert_eq!(plan.parts[0].unmet_unit_periods(Missing::Demand), 6);
    assert_eq!(plan.parts[0].unmet[0].binding, Binding::Quota(0));
    assert_eq!(plan.parts[0].lifts[0].unit_periods, 6);
    assert_eq!(plan.parts[0].lifts[0].price, MicroUsd::new(6_000));
    stated.quotas.clear();
    stated.budget = Some(MicroUsd::new(11_500));
    let plan = check(&stated);
    assert!(plan.parts[1].unmet.is_empty());
    assert_eq!(plan.parts[0].unmet_unit_periods(Missing::Demand), 5);
    assert_eq!(plan.parts[0].unmet[0].binding, Binding::Budget);
}

#[test]
fn floors_come_before_the_demand_of_what_is_more_important() {
    let pools = vec![pool(0, 0, 1_000, 0, 1, 0), pool(1, 0, 5_000, 0, 1, 0)];
    let mut high = need(0, &[10, 10], &[(0, 1)]);
    let mut low = need(1, &[4, 4], &[(0, 1)]);
    (high.importance, low.importance) = (9, 1);
    (high.floor, low.floor) = (Units::new(3), Units::new(2));
    let mut stated = problem(2, pools, vec![high, low]);
    stated.quotas.push(Quota {
        name: "instances".into(),
        limit: 6,
        uses: vec![(PoolIndex(0), 1)],
    });
    let missing = |plan: &FleetPlan| {
        let of = |part: &Part| part.unmet_unit_periods(Missing::Demand);
        plan.parts.iter().map(of).collect::<Vec<u64>>()
    };
    let plan = check(&stated);
    assert_eq!(missing(&plan), [12, 4]);
    // Of what is there nothing could be cheaper, though much is missing.
    assert_eq!(plan.lower_bound, plan.cost.total());
    // A floor that can be had elsewhere takes nothing from what is more important.
    stated.components[1].offers.push((PoolIndex(1), 1));
    assert_eq!(missing(&check(&stated)), [8, 0]);
    // What money has to suffice for comes in the same order.
    stated.components[1].offers.pop();
    stated.quotas.clear();
    stated.budget = Some(MicroUsd::new(12_000));
    assert_eq!(missing(&check(&stated)), [12, 4]);
}

#[test]
fn lifting_a_limit_may_save_money() {
    let pools = vec![pool(0, 0, 1_000, 0, 1, 0), pool(1, 0, 5_000, 0, 1, 0)];
    let mut high = need(0, &[2], &[(0, 1)]);
    high.importance = 9;
    let low = need(1, &[4], &[(0, 1), (1, 1)]);
    let mut stated = problem(1, pools, vec![high, low]);
    let quota = |pool, limit| Quota {
        name: format!("of pool {pool}"),
        limit,
        uses: vec![(PoolIndex(pool), 1)],
    };
    stated.quotas = vec![quota(0, 4), quota(1, 1)];
    let lift = check(&stated).parts[1].lifts[0];
    assert_eq!(lift.unit_periods, 1);
    assert_eq!(
        (lift.price, lift.saving),
        (MicroUsd::ZERO, MicroUsd::new(3_000))
    );
}

#[test]
fn a_shortage_with_a_price_is_weighed_against_it() {
    let pools = vec![pool(0, 0, 1_000, 0, 1, 0)];
    let mut stated = problem(1, pools, vec![need(0, &[4], &[(0, 3)])]);
    stated.components[0].shortage_price = Some(MicroUsd::new(600));
    let plan = check(&stated);
    assert_eq!(plan.cost.total(), MicroUsd::new(1_600));
    assert_eq!(plan.parts[0].unmet[0].binding, Binding::Price);
}

#[test]
fn what_stands_is_released_as_soon_as_it_may_be() {
    let pools = vec![pool(0, 0, 1_000, 0, 1, 0)];
    let mut stated = problem(2, pools, vec![need(0, &[1, 1], &[(0, 1)])]);
    let standing = |bound_until| Standing {
        pool: PoolIndex(0),
        count: 2,
        serves_from: 0,
        bound_until,
    };
    stated.components[0].standing = vec![standing(0), standing(1)];
    let plan = check(&stated);
    assert_eq!(plan.cost.total(), MicroUsd::new(1_000));
    assert_eq!(plan.parts[0].releases_now().collect::<Vec<_>>(), [(0, 2)]);
    stated.components[0].stateful = true;
    let plan = check(&stated);
    assert_eq!(plan.cost.total(), MicroUsd::new(6_000));
}

fn problems() -> impl Strategy<Value = FleetProblem> {
    let pools = proptest::collection::vec(
        (0_u16..3, 500_u64..4_000, 0_u32..4, 1_u32..4, 0_u32..2),
        1..5,
    );
    let demands = proptest::collection::vec(proptest::collection::vec(0_u64..12, 6), 1..4);
    let knobs = (0_u32..4, 0_u64..30, 0_u32..2, 0_u64..3_000, any::<u64>());
    (pools, demands, knobs).prop_map(|(pools, demands, (spare, quota, life, start, bits))| {
        let pools: Vec<Pool> = pools
            .into_iter()
            .zip(0..)
            .map(|((zone, price, minimum, granularity, lead), i)| {
                pool(i, zone, price, minimum * 3_600, granularity * 3_600, lead)
            })
            .collect();
        let offers: Vec<(u32, u32)> = (0..pools.len() as u32)
            .map(|k| (k, 1 + (k * 7 + 3) % 5))
            .collect();
        let components = demands.iter().zip(0..).map(|(demand, i)| {
            let bit = |n: u32| (bits >> (n + 8 * u32::from(i))) & 1 == 1;
            ComponentProblem {
                survives_zone_per_mille: spare * 250,
                importance: 1 + (i as u8 * 3) % 10,
                lifetime_periods: life * 2,
                start_price: MicroUsd::new(start),
                shortage_price: bit(0).then_some(MicroUsd::new(700)),
                stateful: bit(1) && bit(2),
                ceiling: Units::new(if bit(3) { 9 } else { 500 }),
                floor: Units::new(u64::from(bit(4))),
                standing: if bit(5) {
                    vec![Standing {
                        pool: PoolIndex(0),
                        count: 2,
                        serves_from: 0,
                        bound_until: u32::from(bit(6)) * 2,
                    }]
                } else {
                    vec![]
                },
                ..need(i, demand, &offers)
            }
        });
        let mut stated = problem(6, pools, components.collect());
        stated.quotas.push(Quota {
            name: "instances".into(),
            limit: quota,
            uses: vec![(PoolIndex(0), 1)],
        });
        stated.budget = (bits >> 60 > 8).then_some(MicroUsd::new(quota * 4_000));
        stated
    })
}

#[test]
fn absurd_bills_and_boots_are_priced_and_not_run() {
    let pools = vec![
        pool(0, 0, 1_000, u32::MAX, u32::MAX, 0),
        pool(1, 0, 1, 0, 1, u32::MAX),
        pool(2, 0, 9_000, 0, 1, 0),
    ];
    let mut stated = problem(
        3,
        pools,
        vec![need(0, &[1, 1, 1], &[(0, 1), (1, 1), (2, 1)])],
    );
    stated.components[0].standing = vec![Standing {
        pool: PoolIndex(1),
        count: 1,
        serves_from: 1,
        bound_until: 2,
    }];
    // It stands and goes on for a period; before that, the one that is billed by the hour.
    assert_eq!(check(&stated).cost.total(), MicroUsd::new(9_000 + 1));
}

#[test]
fn problems_that_make_no_sense_are_refused_in_words() {
    let good = problem(
        1,
        vec![pool(0, 0, 1, 0, 1, 0)],
        vec![need(0, &[1], &[(0, 1)])],
    );
    let refused = |change: &dyn Fn(&mut FleetProblem)| {
        let mut bad = good.clone();
        change(&mut bad);
        plan_fleet(&bad, None, WorkLimit::default())
            .expect_err("no good")
            .to_string()
    };
    assert!(refused(&|p| p.pools[0].price = MicroUsdPerHour::ZERO).contains("no price"));
    assert!(refused(&|p| p.periods = 2).contains("1 of 2 periods"));
    assert!(refused(&|p| p.components[0].offers[0].1 = 0).contains("holds no unit"));
    assert!(refused(&|p| p.components[0].offers[0].0 = PoolIndex(7)).contains("pool 7"));
    assert!(refused(&|p| p.components[0].demand[0] = Units::new(u64::MAX)).contains("too large"));
}

/// The least cost of covering all demand of one component without standing instances, by trying everything.
fn by_trying(stated: &FleetProblem) -> Option<u64> {
    let terms = terms::Terms::new(stated, &stated.components[0]);
    let mut spans = Vec::new();
    for (place, pool) in terms.pools.iter().enumerate() {
        for from in 0..terms.periods {
            let mut until = (from + pool.first).min(terms.periods);
            loop {
                spans.push(loads::Span {
                    from: from as u32,
                    until: until as u32,
                    pool: place as u32,
                    standing: None,
                });
                if until == terms.periods {
                    break;
                }
                until = (until + pool.again).min(terms.periods);
            }
        }
    }
    fn go(
        terms: &terms::Terms,
        left: &[loads::Span],
        loads: &mut loads::Loads,
        paid: i64,
        best: &mut i64,
    ) {
        if paid >= *best {
            return;
        }
        if loads.penalty(terms) == 0 {
            *best = paid;
            return;
        }
        let Some((span, left)) = left.split_first() else {
            return;
        };
        let each = span.bill(terms) + span.start(terms);
        for count in 0..4 {
            loads.add(terms, span, count);
            go(terms, left, loads, paid + count * each, best);
            loads.add(terms, span, -count);
        }
    }
    let mut best = i64::MAX;
    go(
        &terms,
        &spans,
        &mut loads::Loads::empty(&terms),
        0,
        &mut best,
    );
    (best < i64::MAX).then_some(best.unsigned_abs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn tiny_problems_are_solved_to_the_optimum(
        pools in proptest::collection::vec((0_u16..2, 500_u64..2_000, 1_u32..3), 1..3),
        demand in proptest::collection::vec(0_u64..4, 3),
        (spare, start, sizes) in (0_u32..2, 0_u64..2_000, any::<u32>()),
    ) {
        let pools: Vec<Pool> = pools.into_iter().zip(0..)
            .map(|((zone, price, minimum), i)| pool(i, zone, price, minimum * 3_600, 1, 0)).collect();
        let offers: Vec<(u32, u32)> = (0..pools.len() as u32).map(|k| (k, 1 + (sizes >> (4 * k)) % 4)).collect();
        let mut stated = problem(3, pools, vec![need(0, &demand, &offers)]);
        stated.components[0].survives_zone_per_mille = spare * 500;
        stated.components[0].start_price = MicroUsd::new(start);
        if let Some(least) = by_trying(&stated) {
            let plan = check(&stated);
            prop_assert_eq!(plan.cost.total().get(), least);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_told_falls_to_what_the_plan_costs_and_changes_no_plan(stated in problems()) {
        let limit = WorkLimit { cells_per_component: 60_000 };
        let mut told = Vec::new();
        let mut tell = |cost: MicroUsd| told.push(cost);
        let plan = plan_fleet_telling(&stated, None, limit, Some(&mut tell)).expect("a valid problem");
        prop_assert!(told.is_sorted_by(|a, b| a > b), "{told:?}");
        prop_assert!(told.last().is_none_or(|last| *last >= plan.cost.total()), "{told:?} to {:?}", plan.cost);
        if plan.parts.iter().all(|part| part.unmet.is_empty()) {
            prop_assert_eq!(told.last().copied(), Some(plan.cost.total()));
        }
        prop_assert_eq!(plan_fleet(&stated, None, limit).expect("a valid problem"), plan);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_plan_passes_its_checker_and_planning_twice_changes_nothing(stated in problems()) {
        let limit = WorkLimit { cells_per_component: 60_000 };
        let plan = plan_fleet(&stated, None, limit).expect("a valid problem");
        prop_assert_eq!(check_fleet(&stated, &plan), vec![]);
        prop_assert!(plan.lower_bound <= plan.cost.total(), "{:?} over {:?}", plan.lower_bound, plan.cost);
        prop_assert_eq!(&plan_fleet(&stated, None, limit).expect("a valid problem"), &plan);
        prop_assert_eq!(&plan_fleet(&stated, Some(&plan), limit).expect("a valid problem"), &plan);
    }
}

/// What a component costs whose chains, from empty or from what stands first, are rebuilt together by the table, or one
/// after the other without it.
fn rebuilt(
    stated: &FleetProblem,
    place: usize,
    entries: &[chain::Entry],
    by_table: bool,
) -> Option<i64> {
    let terms = terms::Terms::new(stated, &stated.components[place]);
    let room = loads::Room::open(&terms);
    let mut solution = loads::Solution::bound_only(&terms);
    let standing = |entries: &[chain::Entry]| -> Vec<loads::Span> {
        let places = entries.iter().filter_map(|entry| entry.standing);
        places
            .map(|place| loads::bound_span(&terms, place))
            .collect()
    };
    for bound in standing(entries) {
        // One of them goes on as the chain has it; its bound part stays among the loads.
        solution.put(&terms, bound, -1);
        solution.loads.add(&terms, &bound, 1);
    }
    let demand = vec![700; terms.periods];
    let spare = vec![vec![300; terms.periods]; terms.zones];
    let prices = chain::Prices {
        demand: &demand,
        spare: &spare,
        under_floor: 10,
    };
    let pools: Vec<usize> = (0..terms.pools.len()).collect();
    let at_once = if by_table { entries.len() } else { 1 };
    for entries in entries.chunks(at_once) {
        let rebuild = chain::Rebuild {
            terms: &terms,
            beside: &solution.loads.clone(),
            room: &room,
            prices,
            noise: &[],
        };
        let spans = if by_table {
            rebuild.by_table(&pools, entries, &mut 0)
        } else {
            rebuild.solve(&pools, entries, &mut 0)
        };
        for bound in standing(entries) {
            solution.loads.add(&terms, &bound, -1);
        }
        for span in spans? {
            solution.put(&terms, span, 1);
        }
    }
    let cheap = terms::Terms {
        short: 700,
        under_floor: 10,
        no_spare: 300,
        ..terms
    };
    Some(solution.under(&cheap).objective())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn one_chain_is_as_cheap_as_by_the_table(stated in problems()) {
        for (place, component) in stated.components.iter().enumerate() {
            let standing = (!component.standing.is_empty()).then_some(0);
            for standing in [None, standing] {
                let entry = [chain::Entry { standing }];
                prop_assert_eq!(rebuilt(&stated, place, &entry, false), rebuilt(&stated, place, &entry, true));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn two_chains_together_are_as_cheap_as_one_after_the_other_or_cheaper(stated in problems()) {
        for (place, component) in stated.components.iter().enumerate() {
            let standing = (!component.standing.is_empty()).then_some(0);
            let entries = [chain::Entry { standing }, chain::Entry { standing: None }];
            let apart = rebuilt(&stated, place, &entries, false);
            let together = rebuilt(&stated, place, &entries, true);
            prop_assert!(together.is_some() || apart.is_none());
            prop_assert!(apart.is_none() || together <= apart, "{together:?} over {apart:?}");
            // The last chain has no rows: in the other order the chains change places in the table.
            if standing.is_some() {
                let [first, second] = entries;
                prop_assert_eq!(together, rebuilt(&stated, place, &[second, first], true));
            }
        }
    }

    #[test]
    fn three_chains_cost_the_same_in_any_order_and_no_more_than_one_after_the_other(stated in problems()) {
        for (place, component) in stated.components.iter().enumerate() {
            if component.offers.len() > 2 {
                continue;
            }
            let standing = (!component.standing.is_empty()).then_some(0);
            let (with, empty) = (chain::Entry { standing }, chain::Entry { standing: None });
            let together = rebuilt(&stated, place, &[with, empty, empty], true);
            if standing.is_some() {
                prop_assert_eq!(together, rebuilt(&stated, place, &[empty, with, empty], true));
                prop_assert_eq!(together, rebuilt(&stated, place, &[empty, empty, with], true));
            }
            let apart = rebuilt(&stated, place, &[with, empty, empty], false);
            prop_assert!(together.is_some() || apart.is_none());
            prop_assert!(apart.is_none() || together <= apart, "{together:?} over {apart:?}");
        }
    }
}
