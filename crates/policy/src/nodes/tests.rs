use fleetcast_model::{
    Cohort, ComponentIndex, InstanceRange, InstanceState, MicroUsdPerHour, OfferIndex, Token,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{PolicyKind, PolicySpec};

const SURROUNDINGS: Surroundings = Surroundings {
    step_seconds: 60,
    boot_steps: 3,
    delay_steps: 0,
};

fn offer(index: u16, room: u32, price: u64) -> NodeOffer {
    NodeOffer {
        offer: OfferIndex(index),
        room,
        price: MicroUsdPerHour::new(price),
        pod_shares: [1.0 / f64::from(room), 0.8 / f64::from(room)],
    }
}

/// A cluster that boots what is ordered and drops what is given back, minute by minute.
struct Cluster {
    layer: NodeLayer,
    offers: Vec<NodeOffer>,
    cohorts: Vec<Cohort>,
    boot: SignedDuration,
    now: Timestamp,
    orders: u64,
    log: Vec<NodeChange>,
}

impl Cluster {
    fn new(layer: NodeLayer, offers: Vec<NodeOffer>, nodes: &[(u16, u32)]) -> Self {
        let mut cluster = Self {
            layer,
            offers,
            cohorts: Vec::new(),
            boot: SignedDuration::from_mins(3),
            now: Timestamp::UNIX_EPOCH,
            orders: 0,
            log: Vec::new(),
        };
        for (offer, count) in nodes {
            cluster.add(OfferIndex(*offer), *count, InstanceState::InService);
        }
        cluster
    }

    fn add(&mut self, offer: OfferIndex, count: u32, state: InstanceState) {
        self.orders += 1;
        self.cohorts.push(Cohort {
            token: Token(self.orders),
            first: 0,
            count,
            component: ComponentIndex(0),
            offer,
            state,
            since: self.now,
        });
    }

    /// One minute in which so many pods are wanted.
    fn minute(&mut self, wanted: u64) -> NodeChange {
        self.now += SignedDuration::from_mins(1);
        for cohort in &mut self.cohorts {
            if cohort.state == InstanceState::Booting
                && self.now.duration_since(cohort.since) >= self.boot
            {
                cohort.state = InstanceState::InService;
            }
        }
        let limits = NodeLimits {
            wanted,
            ceiling: 1_000,
            may_drain: true,
        };
        let (cohorts, offers) = (self.cohorts.clone(), self.offers.clone());
        let view = NodeView {
            now: self.now,
            cohorts: &cohorts,
            offers: &offers,
        };
        self.layer.see(&view);
        let change = self.layer.change(&view, limits);
        assert!(
            change.orders.is_empty() || change.releases.is_empty(),
            "{change:?}"
        );
        for range in &change.releases {
            self.drop_range(range);
        }
        for (offer, count) in &change.orders {
            self.add(*offer, *count, InstanceState::Booting);
        }
        self.log.push(change.clone());
        change
    }

    fn drop_range(&mut self, range: &InstanceRange) {
        let inside = |cohort: &Cohort| {
            cohort.token == range.token
                && cohort.first <= range.first
                && range.first + range.count <= cohort.first + cohort.count
        };
        let index = self
            .cohorts
            .iter()
            .position(inside)
            .expect("what is given back is listed");
        let cohort = self.cohorts.remove(index);
        let end = cohort.first + cohort.count;
        for (first, until) in [
            (cohort.first, range.first),
            (range.first + range.count, end),
        ] {
            if until > first {
                self.cohorts.insert(
                    index,
                    Cohort {
                        first,
                        count: until - first,
                        ..cohort
                    },
                );
            }
        }
    }

    fn serving_room(&self) -> u64 {
        let room = |cohort: &Cohort| {
            u64::from(self.offers[usize::from(cohort.offer.0)].room) * u64::from(cohort.count)
        };
        self.cohorts
            .iter()
            .filter(|one| one.state == InstanceState::InService)
            .map(room)
            .sum()
    }

    fn nodes(&self) -> u32 {
        self.cohorts.iter().map(|one| one.count).sum()
    }
}

fn cluster_autoscaler(expander: Expander) -> NodeLayer {
    NodeLayer::cluster_autoscaler(0.6, 1, expander, &SURROUNDINGS)
}

fn karpenter() -> NodeLayer {
    NodeLayer::karpenter(0.6, 1, &SURROUNDINGS)
}

#[test]
fn expanders_choose_as_documented() {
    // Six pods more: two nodes of 4 leave two places idle but cost least, one of 6 fits exactly.
    let offers = vec![offer(0, 4, 100), offer(1, 6, 300)];
    let order = |expander| {
        let mut cluster = Cluster::new(cluster_autoscaler(expander), offers.clone(), &[(0, 1)]);
        cluster.minute(10).orders
    };
    assert_eq!(order(Expander::Price), [(OfferIndex(0), 2)]);
    assert_eq!(order(Expander::LeastWaste), [(OfferIndex(1), 1)]);
}

#[test]
fn nothing_is_ordered_twice_while_nodes_come() {
    let mut cluster = Cluster::new(
        cluster_autoscaler(Expander::Price),
        vec![offer(0, 4, 100)],
        &[(0, 1)],
    );
    assert_eq!(cluster.minute(12).orders, [(OfferIndex(0), 2)]);
    assert_eq!(cluster.minute(12), NodeChange::default());
    assert_eq!(
        cluster.minute(14).orders,
        [(OfferIndex(0), 1)],
        "only what is short beyond them"
    );
}

#[test]
fn an_idle_node_goes_after_ten_minutes_and_not_soon_after_an_addition() {
    let mut cluster = Cluster::new(
        cluster_autoscaler(Expander::Price),
        vec![offer(0, 4, 100)],
        &[(0, 4)],
    );
    for minute in 0..10 {
        assert_eq!(cluster.minute(4), NodeChange::default(), "minute {minute}");
    }
    // Each of the four has one pod, under half: two go, and the pods of the others fill them half.
    assert!(!cluster.minute(4).releases.is_empty());
    assert_eq!(cluster.nodes(), 2);
    cluster.minute(9);
    assert_eq!(cluster.nodes(), 3);
    for minute in 0..9 {
        assert!(
            cluster.minute(4).releases.is_empty(),
            "minute {minute} after an addition"
        );
    }
}

#[test]
fn a_node_that_does_not_come_is_given_up_and_another_group_tried() {
    let offers = vec![offer(0, 4, 100), offer(1, 4, 200)];
    let mut cluster = Cluster::new(cluster_autoscaler(Expander::Price), offers, &[(0, 1)]);
    cluster.boot = SignedDuration::from_hours(24);
    assert_eq!(cluster.minute(8).orders, [(OfferIndex(0), 1)]);
    for _ in 0..14 {
        assert_eq!(cluster.minute(8), NodeChange::default());
    }
    assert_eq!(cluster.minute(8).releases.len(), 1);
    assert_eq!(cluster.minute(8).orders, [(OfferIndex(1), 1)]);
}

#[test]
fn karpenter_rents_the_cheapest_that_fits_all_waiting_pods() {
    let offers = vec![offer(0, 2, 100), offer(1, 8, 300), offer(2, 4, 190)];
    let mut cluster = Cluster::new(karpenter(), offers, &[(1, 1)]);
    let orders = cluster.minute(8 + 8 + 8 + 3).orders;
    assert_eq!(
        orders,
        [(OfferIndex(1), 2), (OfferIndex(2), 1)],
        "two full ones, and one for the rest"
    );
}

#[test]
fn karpenter_gives_empty_nodes_up_at_once_and_within_its_budget() {
    let mut cluster = Cluster::new(karpenter(), vec![offer(0, 1, 100)], &[(0, 40)]);
    let change = cluster.minute(20);
    let gone: u32 = change.releases.iter().map(|range| range.count).sum();
    assert_eq!(gone, 8, "two rounds of a tenth");
    for _ in 0..10 {
        cluster.minute(20);
    }
    assert_eq!(cluster.nodes(), 20);
}

#[test]
fn karpenter_replaces_a_node_by_a_cheaper_one_before_it_goes() {
    let offers = vec![offer(0, 8, 400), offer(1, 2, 100)];
    let mut cluster = Cluster::new(karpenter(), offers, &[(0, 1)]);
    assert_eq!(cluster.minute(2).orders, [(OfferIndex(1), 1)]);
    for _ in 0..2 {
        assert_eq!(
            cluster.minute(2),
            NodeChange::default(),
            "the old one stays until the new one serves"
        );
    }
    assert_eq!(cluster.minute(2).releases.len(), 1);
    assert_eq!((cluster.nodes(), cluster.serving_room()), (1, 2));
}

#[test]
fn balanced_leaves_what_saves_little_and_disrupts_much() {
    // 9 of 10 places are taken; a node that costs a little less would move all of it.
    let offers = vec![offer(0, 10, 400), offer(1, 9, 390)];
    let mut cluster = Cluster::new(karpenter(), offers, &[(0, 1)]);
    for _ in 0..5 {
        assert_eq!(cluster.minute(9), NodeChange::default());
    }
}

#[test]
fn both_are_policies_by_name() {
    for text in [
        "cluster-autoscaler:0.6",
        "cluster-autoscaler-price:0.6",
        "karpenter:0.5,min=3",
    ] {
        let spec: PolicySpec = text.parse().expect("a policy");
        assert_eq!(spec.to_string(), text);
        assert!(
            spec.build(&SURROUNDINGS)
                .is_some_and(|policy| policy.scales_nodes())
        );
    }
    let hpa = PolicySpec::new(PolicyKind::KubernetesHpa, 0.6).build(&SURROUNDINGS);
    assert!(hpa.is_some_and(|policy| !policy.scales_nodes()));
}

proptest! {
    #[test]
    fn pods_keep_their_room(
        wanted in proptest::collection::vec(1_u64..60, 60..120),
        which in 0_usize..3,
    ) {
        let layer = match which {
            0 => cluster_autoscaler(Expander::Price),
            1 => cluster_autoscaler(Expander::LeastWaste),
            _ => karpenter(),
        };
        let offers = vec![offer(0, 1, 100), offer(1, 4, 350), offer(2, 16, 1_200)];
        let mut cluster = Cluster::new(layer, offers, &[(1, 3)]);
        for pods in wanted {
            let before = cluster.serving_room();
            let change = cluster.minute(pods);
            if !change.releases.is_empty() {
                prop_assert!(cluster.serving_room() >= pods.min(before), "{change:?}");
            }
        }
        // Left alone for two hours, all pods have room.
        for _ in 0..120 {
            cluster.minute(30);
        }
        prop_assert!(cluster.serving_room() >= 30);
        prop_assert!(cluster.serving_room() <= 64, "{} places for 30 pods", cluster.serving_room());
    }
}
