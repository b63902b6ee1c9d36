//! The simulated cloud does what it was asked for once, and not a step later than it would.

use fleetcast_model::{
    ComponentIndex, InstanceRange, InstanceState, MicroUsdPerHour, OfferIndex, Order, Token,
};
use fleetcast_sim::{BootTime, Lifecycle, Random, Serving, SimCloud};
use jiff::{SignedDuration, Timestamp};

use crate::support::{START, minutes, usual_choice};

/// A cloud whose step is a minute, where a call takes 2 s and configuration 15 s.
fn cloud(boot: BootTime) -> SimCloud {
    let lifecycle = Lifecycle {
        boot,
        configure: SignedDuration::from_secs(15),
        drain: SignedDuration::ZERO,
        warm_up: SignedDuration::ZERO,
        standby: Vec::new(),
    };
    let offers = usual_choice().site(1).config.offers;
    let units_each = vec![vec![1; offers.len()]];
    SimCloud::new(
        offers,
        units_each,
        vec![lifecycle],
        SignedDuration::from_secs(2),
        minutes(1),
        Random::new(1, "boots"),
    )
}

fn order(instances: u32) -> Order {
    Order {
        token: Token(7),
        component: ComponentIndex(0),
        offer: OfferIndex(0),
        instances,
        ready_by: START + minutes(5),
        price: MicroUsdPerHour::new(100_000),
        standby: false,
        lease_until: START + minutes(120),
    }
}

fn paid(cloud: &SimCloud, now: Timestamp) -> u64 {
    let mut serving: Vec<Serving> = Vec::new();
    cloud.serving(now, &mut serving);
    serving[0].paid
}

/// In which minute three instances that boot for so long are healthy.
#[track_caller]
fn check(boot: BootTime, minute: i64) {
    let mut cloud = cloud(boot.clone());
    cloud.order(&order(3), START);
    for passed in 0..60 {
        let now = START + minutes(passed);
        cloud.advance(now);
        let cohorts = cloud.list(now).cohorts;
        let healthy = cohorts
            .iter()
            .filter(|cohort| cohort.state == InstanceState::Healthy);
        let healthy: u32 = healthy.map(|cohort| cohort.count).sum();
        let expected = if passed < minute { 0 } else { 3 };
        assert_eq!(healthy, expected, "{boot:?} after {passed} min");
    }
}

#[test]
fn what_is_healthy_is_seen_at_the_end_of_that_minute() {
    // Healthy 15 s after the boot, and 2 s later where the boot is drawn and not the whole time from the order.
    for (seconds, fixed, minute) in [
        (30, 1, 1),
        (43, 1, 1),
        (45, 1, 2),
        (46, 2, 2),
        (103, 2, 2),
        (106, 3, 3),
    ] {
        let boot = SignedDuration::from_secs(seconds);
        check(BootTime::Fixed(boot), fixed);
        // Drawn, and nearly always the same.
        let drawn = BootTime::LogNormal {
            median: boot,
            sigma: 1e-9,
        };
        check(drawn, minute);
    }
}

#[test]
fn an_order_repeated_with_its_token_starts_nothing_new() {
    let order = order(3);
    let mut cloud = cloud(BootTime::Fixed(minutes(5)));
    cloud.order(&order, START);
    cloud.order(&order, START + minutes(1));
    assert_eq!(paid(&cloud, START + minutes(1)), 3);
    let all = InstanceRange {
        token: order.token,
        first: 0,
        count: 3,
    };
    cloud.release(&all, START + minutes(2));
    assert_eq!(paid(&cloud, START + minutes(2)), 0);
    // A repetition that arrives late, when all of them have come and gone.
    cloud.order(&order, START + minutes(3));
    assert_eq!(paid(&cloud, START + minutes(3)), 0);
}

#[test]
fn what_is_given_back_twice_is_given_back_once() {
    let mut cloud = cloud(BootTime::Fixed(minutes(5)));
    cloud.order(&order(3), START);
    let newest = InstanceRange {
        token: Token(7),
        first: 2,
        count: 1,
    };
    for _ in 0..2 {
        cloud.release(&newest, START + minutes(1));
        assert_eq!(paid(&cloud, START + minutes(1)), 2);
    }
}
