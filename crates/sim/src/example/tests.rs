use std::collections::BTreeMap;

use fleetcast_model::PerMinute;
use fleetcast_series::PersonaCalendar;

use super::*;
use crate::Catalogue;

/// The demand of all kinds, minute by minute.
fn totals(seed: u64) -> Vec<Option<f64>> {
    let rows: Vec<DemandRow> = demand(seed).collect();
    rows.chunks(TYPES.len())
        .map(|minute| minute.iter().map(|row| row.per_minute).sum())
        .collect()
}

fn index(at: Timestamp) -> usize {
    usize::try_from(at.duration_since(START).as_secs() / 60).expect("after the start")
}

/// The mean of the minutes `from..from + minutes` that are there.
fn mean(totals: &[Option<f64>], from: Timestamp, minutes: usize) -> f64 {
    let there: Vec<f64> = totals[index(from)..index(from) + minutes]
        .iter()
        .copied()
        .flatten()
        .collect();
    there.iter().sum::<f64>() / there.len() as f64
}

fn at(text: &str) -> Timestamp {
    text.parse::<jiff::Zoned>().expect("a moment").timestamp()
}

#[test]
fn equal_seeds_give_equal_bytes_for_ever() {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut bytes = 0;
    let hashed = write_history(1, |line| {
        bytes += line.len();
        for byte in line.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok::<(), ()>(())
    });
    assert_eq!(
        (hashed, bytes, hash),
        (Ok(()), 10_558_591, 2_995_493_958_722_014_282)
    );
}

#[test]
fn the_history_is_the_demand_in_long_form() {
    let text = history_csv(2);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(HISTORY_HEADER));
    let first = demand(2).next().expect("a row");
    let expected = format!(
        "2026-03-02T00:00:00Z,{},search,{REGION}",
        first.per_minute.expect("is there")
    );
    assert_eq!(lines.next(), Some(expected.as_str()));
    let present = demand(2).filter(|row| row.per_minute.is_some()).count();
    assert_eq!(lines.count() + 1, present);
    assert_eq!(write_history(2, |_| Err("full")), Err("full"));
}

#[test]
fn days_and_hours_are_plausible() {
    let totals = totals(3);
    assert_eq!(totals.len(), 35 * 24 * 60);
    assert_eq!(START + SignedDuration::from_hours(35 * 24), end());
    for day in 0..35 {
        let from = START + SignedDuration::from_hours(24 * day);
        let millions = mean(&totals, from, 1_440) * 1_440.0 / 1e6;
        assert!(
            (3.2..5.4).contains(&millions),
            "day {day}: {millions} million"
        );
    }
    // A usual Tuesday, before and after the clocks change: civil hours keep their demand.
    for day in ["2026-03-10", "2026-03-24", "2026-03-31"] {
        let hour = |hour: &str| mean(&totals, at(&format!("{day}T{hour}:00[Europe/Berlin]")), 60);
        assert!(
            (5_300.0..7_300.0).contains(&hour("20")),
            "{day}: {} at the peak",
            hour("20")
        );
        assert!(
            (550.0..1_100.0).contains(&hour("04")),
            "{day}: {} at night",
            hour("04")
        );
        assert!(
            hour("20") > hour("11") && hour("11") > 1.6 * hour("16"),
            "{day} has two humps"
        );
    }
    let sunday = |hour: &str| {
        mean(
            &totals,
            at(&format!("2026-03-15T{hour}:00[Europe/Berlin]")),
            60,
        )
    };
    assert!(
        sunday("14") > sunday("20") && sunday("09") < 3_000.0,
        "weekends differ"
    );
}

#[test]
fn the_mix_varies_by_hour() {
    let mut by_hour: BTreeMap<(i8, InteractionType), f64> = BTreeMap::new();
    for row in demand(4).take(5 * 1_440 * TYPES.len()) {
        let hour = row
            .at
            .to_zoned(jiff::tz::TimeZone::get(TIME_ZONE).expect("a zone"))
            .hour();
        *by_hour.entry((hour, row.interaction_type)).or_default() += row.per_minute.unwrap_or(0.0);
    }
    let share = |hour, kind: InteractionType| {
        let sum: f64 = TYPES.into_iter().map(|kind| by_hour[&(hour, kind)]).sum();
        by_hour[&(hour, kind)] / sum
    };
    assert!(share(4, InteractionType::ApiCall) > 1.6 * share(20, InteractionType::ApiCall));
    assert!(share(20, InteractionType::Transaction) > 1.4 * share(9, InteractionType::Transaction));
    assert!(share(12, InteractionType::ContentView) > share(12, InteractionType::Search));
}

#[test]
fn noise_is_wider_than_chance() {
    let rows: Vec<f64> = demand(5)
        .filter(|row| row.interaction_type == InteractionType::ContentView)
        .filter_map(|row| row.per_minute)
        .collect();
    // Second differences take the smooth course out; their variance is six times the noise's.
    let evening = &rows[18 * 60..20 * 60];
    let differences: Vec<f64> = evening
        .windows(3)
        .map(|w| w[0] - 2.0 * w[1] + w[2])
        .collect();
    let variance = differences.iter().map(|d| d * d).sum::<f64>() / differences.len() as f64 / 6.0;
    let mean = evening.iter().sum::<f64>() / evening.len() as f64;
    assert!(
        (1.5..8.0).contains(&(variance / mean)),
        "{} times that of chance",
        variance / mean
    );
}

#[test]
fn events_are_where_they_should_be() {
    let totals = totals(6);
    let week = SignedDuration::from_hours(7 * 24);
    // The same hours of the week before: one hour off in UTC, since the clocks changed between.
    let before = |at: Timestamp| at - week + SignedDuration::from_hours(1);
    let ratio =
        |at: Timestamp, minutes| mean(&totals, at, minutes) / mean(&totals, before(at), minutes);
    let inside = ratio(CAMPAIGN.0 + SignedDuration::from_mins(15), 200);
    assert!((1.55..2.1).contains(&inside), "sale: {inside}");
    let after = ratio(CAMPAIGN.1, 45);
    assert!((0.8..1.25).contains(&after), "after the sale: {after}");
    let quiet = ratio(NEWS - SignedDuration::from_mins(20), 20);
    let rush = ratio(NEWS + SignedDuration::from_mins(4), 3) / quiet;
    assert!((2.3..3.1).contains(&rush), "news: {rush}");
    let hour_later = ratio(NEWS + SignedDuration::from_mins(60), 10) / quiet;
    assert!(
        (0.9..1.25).contains(&hour_later),
        "an hour after the news: {hour_later}"
    );
    let maintenance = ratio(MAINTENANCE.0, 5);
    assert!(
        (0.15..0.4).contains(&maintenance),
        "maintenance: {maintenance}"
    );
    let missing: Vec<usize> = (0..totals.len())
        .filter(|minute| totals[*minute].is_none())
        .collect();
    let blackout = index(BLACKOUT.0)..index(BLACKOUT.1);
    assert_eq!((blackout.len(), missing.len()), (20, 26));
    assert!(blackout.clone().all(|minute| missing.contains(&minute)));
    let known: Vec<EventKind> = shop().events.iter().map(|event| event.kind).collect();
    assert_eq!(known, [EventKind::Maintenance, EventKind::Campaign]);
}

#[test]
fn the_persona_is_roughly_right() {
    let mut calendar = PersonaCalendar::new(&shop().persona).expect("a calendar");
    let totals = totals(7);
    for day in 0..28 {
        let from = START + SignedDuration::from_hours(24 * day);
        let to = from + SignedDuration::from_hours(24);
        let expected: f64 = calendar.expected_rate_by_type(from, to).values().sum();
        let ratio = expected / mean(&totals, from, 1_440);
        assert!((0.75..1.25).contains(&ratio), "day {day}: {ratio}");
    }
    let peak = at("2026-03-10T20:00[Europe/Berlin]");
    let expected: f64 = calendar
        .expected_rate_by_type(peak, peak + SignedDuration::from_hours(1))
        .values()
        .sum();
    let ratio = expected / mean(&totals, peak, 60);
    assert!((0.8..1.3).contains(&ratio), "peak: {ratio}");
}

#[test]
fn the_shop_says_that_it_is_synthetic_and_fits_the_catalogue() {
    let shop = shop();
    assert!(
        shop.fleet.name.as_str().contains("synthetic")
            && shop.persona.name.as_str().contains("synthetic")
    );
    assert!(
        shop.events
            .iter()
            .all(|event| event.name.contains("synthetic"))
    );
    assert!(
        demand(1)
            .next()
            .expect("a row")
            .region
            .contains("synthetic")
    );
    let catalogue = Catalogue::built_in();
    for component in &shop.fleet.components {
        assert_eq!(component.configuration.tags["synthetic"], "true");
        for placement in &component.placements {
            assert_eq!(
                catalogue.allowed_in(placement).count(),
                placement.offers.len(),
                "{}",
                placement.region
            );
            let (offer, units) = catalogue
                .cheapest_for(&component.unit, placement)
                .expect("an offer");
            assert!(units >= 1, "{}", offer.id);
        }
        for dependency in &component.depends_on {
            assert!(
                shop.fleet
                    .components
                    .iter()
                    .any(|other| other.name == dependency.component)
            );
        }
    }
    // The brief's figure: 2,400 searches a minute on 16 cores.
    let persona = &shop.persona;
    for (pattern, profile) in persona
        .engagement_patterns
        .iter()
        .zip(&persona.resource_profiles)
    {
        assert_eq!(pattern.name, profile.pattern_name);
        assert!(PerMinute::new(pattern.expected_volume).is_some());
    }
    let search = persona
        .resource_profiles
        .iter()
        .find(|profile| profile.pattern_name.as_str() == "base-search");
    assert_eq!(search.expect("is there").cpu.get(), 1_800); // 270 a minute.
}
