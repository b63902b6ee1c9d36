use fleetcast_document::{
    ChangeAction, ChangeCause, ChangeReason, CostRange, Document, Horizon, Money,
    ProvisionalChange, ProvisionalFleetState, Quantile, ResourceRequirement, ServedSla, canonical,
    events_to_json, fleet_to_json, overrides_to_json, parse_any, parse_events, parse_fleet,
    parse_overrides, parse_persona, parse_predicted, parse_provisional, persona_to_json,
    predicted_to_json, provisional_to_json,
};
use fleetcast_model::*;
use jiff::{SignedDuration, Span, Timestamp, civil::date};
use proptest::prelude::*;

use crate::{EVENTS, FLEET, OVERRIDES, PERSONA, PREDICTED, unwrap};

#[test]
fn every_document_comes_back_as_it_was() {
    let fleet = unwrap(parse_fleet(FLEET), FLEET);
    assert_eq!(parse_fleet(&fleet_to_json(&fleet)).as_ref(), Ok(&fleet));
    let persona = unwrap(parse_persona(PERSONA), PERSONA);
    assert_eq!(
        parse_persona(&persona_to_json(&persona)).as_ref(),
        Ok(&persona)
    );
    let events = unwrap(parse_events(EVENTS), EVENTS);
    assert_eq!(parse_events(&events_to_json(&events)).as_ref(), Ok(&events));
    let overrides = unwrap(parse_overrides(OVERRIDES), OVERRIDES);
    assert_eq!(
        parse_overrides(&overrides_to_json(&overrides)).as_ref(),
        Ok(&overrides)
    );
    let predicted = unwrap(parse_predicted(PREDICTED), PREDICTED);
    assert_eq!(
        parse_predicted(&predicted_to_json(&predicted)).as_ref(),
        Ok(&predicted)
    );
    let provisional = provisional();
    let text = provisional_text();
    assert_eq!(unwrap(parse_provisional(&text), &text), provisional);
}

#[test]
fn the_briefs_example_is_read_as_it_stands() {
    let state = unwrap(parse_predicted(PREDICTED), PREDICTED);
    let amounts: Vec<_> = state
        .resource_requirements
        .iter()
        .map(ResourceRequirement::in_base_units)
        .collect();
    assert_eq!(amounts, [Some(100.0), Some(200e9), Some(10e9)]);
    let brief = serde_json::from_str(PREDICTED).unwrap();
    let mut written: serde_json::Value = serde_json::from_str(&predicted_to_json(&state)).unwrap();
    written.as_object_mut().unwrap().remove("schema");
    assert_eq!(canonical(&written), canonical(&brief));
}

#[test]
fn documents_are_written_for_people() {
    let text = fleet_to_json(&parse_fleet(FLEET).unwrap());
    let start = "{\n  \"schema\": \"fleet-state/v1\",\n  \"name\": \"book-shop\",\n  \"mode\": \"auto\",\n  \"budget\": {\n    \
                 \"monthly\": {\n      \"amount\": 9000,\n";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with("}\n"), "{text}");
    assert!(text.contains("\"drain\": \"PT2M\""), "{text}");
    assert!(text.contains("\"window\": \"P28D\""), "{text}");
}

#[test]
fn what_is_left_out_has_the_stated_default() {
    let fleet = parse_fleet(FLEET).unwrap();
    let stock = &fleet.components[1];
    assert_eq!(stock.floor, Units::new(1));
    assert_eq!(
        stock.sla,
        Sla {
            latency_ms_p95: None,
            availability: None,
            importance: 5,
            objective: None,
            zone_loss: None,
        }
    );
    assert_eq!(stock.timing.drain.as_secs(), 300);
    assert_eq!(stock.placements[0].purchase_kinds, [PurchaseKind::OnDemand]);
    assert_eq!(stock.unit.memory, Bytes::new(1_250_000_000));
    assert_eq!(
        fleet.components[0].sla.objective.unwrap().target,
        Share::new(0.005).unwrap()
    );
    assert_eq!(fleet.approval_threshold, Some(MicroUsd::new(40_500_000)));
}

#[test]
fn predictions_keep_what_goes_beyond_the_brief() {
    let mut state = parse_predicted(PREDICTED).unwrap();
    let requirement = &mut state.resource_requirements[0];
    requirement.horizon = Some(Horizon::Short);
    requirement.component = Some(ComponentName::new("web").unwrap());
    requirement.quantiles = vec![
        Quantile {
            level: 0.5,
            quantity: 80.5,
        },
        Quantile {
            level: 0.99,
            quantity: 100.0,
        },
    ];
    requirement.forecast = Some("mstl 7".into());
    state
        .resource_requirements
        .push(ResourceRequirement::storage(Bytes::new(1_500_000_000)));
    assert_eq!(
        parse_any(&predicted_to_json(&state)),
        Ok(Document::Predicted(state))
    );
}

#[test]
fn the_change_set_hash_outlives_forecasts_but_not_changes() {
    let mut state = provisional();
    let hash = state.change_set_hash();
    let change = &mut state.provisional_changes[0];
    (change.cost, change.order_by) = (None, None);
    change.reasons.clear();
    assert_eq!(state.change_set_hash(), hash);
    state.provisional_changes[0].instances += 1;
    assert_ne!(state.change_set_hash(), hash);
}

pub fn provisional_text() -> String {
    provisional_to_json(&provisional())
}

fn provisional() -> ProvisionalFleetState {
    let money = |amount: f64| Money {
        amount,
        currency: "USD".into(),
    };
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let cause = |reason, name: Option<&str>, units| ChangeCause {
        reason,
        name: name.map(Into::into),
        units,
    };
    let change = ProvisionalChange {
        component: ComponentName::new("web").unwrap(),
        action: ChangeAction::Add,
        provider: ProviderKind::Aws,
        region: Region::new("eu-central-1").unwrap(),
        zone: Some(Zone::new("eu-central-1a").unwrap()),
        offer: OfferId::new("aws/eu-central-1/m7i.large").unwrap(),
        purchase_kind: PurchaseKind::Spot,
        instances: 3,
        units: 6,
        price_per_hour_max: Some(money(0.0525)),
        ready_by: at("2026-11-27T08:00:00Z"),
        order_by: Some(at("2026-11-27T07:55:00Z")),
        expires: Some(at("2026-11-27T08:30:00Z")),
        cost: Some(CostRange {
            expected: money(1.25),
            low: money(0.9),
            high: money(2.0),
        }),
        sla: Some(ServedSla {
            importance: 9,
            latency_ms_p95: Some(250),
            target: None,
        }),
        reasons: vec![
            cause(ChangeReason::Event, Some("launch"), 5),
            cause(ChangeReason::Uncertainty, None, 1),
        ],
    };
    ProvisionalFleetState {
        fleet: parse_fleet(FLEET).unwrap(),
        provisional_changes: vec![change],
        plan: None,
    }
}

fn fleets() -> impl Strategy<Value = Fleet> {
    let amounts = (
        1..1_000_000_u64,
        1..4_000_000_000_000_000_u64,
        0..1_000_000_000_000_000_u64,
    );
    let shares = (0.0..=1.0_f64, 0.0..=1.0_f64, 1e-9..0.99_f64);
    let seconds = (0..300_000_000_i64, 1..100_000_i64, 0..90_000_i64);
    (amounts, shares, seconds, 1..1_000_u64, 0..5_u8).prop_map(
        |((cpu, memory, money), shares, seconds, floor, which)| {
            let mut fleet = parse_fleet(FLEET).unwrap();
            let share = |share| Share::new(share).unwrap();
            fleet.mode = [Mode::Observe, Mode::Recommend, Mode::Auto][usize::from(which % 3)];
            fleet.budget = (which > 1).then(|| Budget {
                monthly: MicroUsd::new(money + 1),
                hard_cap: (which > 2).then(|| MicroUsd::new(money + 2)),
            });
            fleet.approval_threshold = (which > 0).then(|| MicroUsd::new(money));
            fleet.telemetry = TelemetryTerms {
                delay: SignedDuration::from_secs(i64::from(which) * 60),
                served_only: which > 2,
            };
            let web = &mut fleet.components[0];
            web.unit.cpu = MilliCores::new(cpu);
            web.unit.memory = Bytes::new(memory);
            web.unit.storage = (which > 3).then(|| Bytes::new(memory));
            (web.floor, web.ceiling) =
                (Units::new(floor), Units::new((floor + cpu).min(1_000_000)));
            (web.desired, web.current) = (None, (which > 1).then(|| Units::new(floor)));
            web.sla.availability = Some(share(shares.0));
            web.sla.objective.as_mut().unwrap().target = share(shares.2);
            web.sla.objective.as_mut().unwrap().window = SignedDuration::from_secs(seconds.1);
            web.timing.boot = (which > 2).then(|| SignedDuration::from_secs(seconds.0));
            web.timing.drain = SignedDuration::from_millis(seconds.2);
            web.timing.hold_max = SignedDuration::from_millis(seconds.2 / 2);
            web.timing.direction_changes_per_hour = 3 + u32::from(which);
            web.timing.fallback = [
                Fallback::Hold,
                Fallback::Floor,
                Fallback::PeakOfDayBefore,
                Fallback::Ceiling,
            ][which as usize % 4];
            let standby = web.standby.as_mut().unwrap();
            standby.price_share = share(shares.1);
            let tiers = [
                StandbyTier::Running,
                StandbyTier::Hibernated,
                StandbyTier::Stopped,
            ];
            let other = tiers.into_iter().find(|tier| *tier != standby.tier);
            standby.others[0] = other.filter(|_| which > 1).map(|tier| StandbyTerms {
                tier,
                promotion: SignedDuration::from_secs(seconds.0),
                price_share: share(shares.2),
            });
            web.depends_on[0].calls_per_interaction = shares.2 * 1e3;
            fleet
        },
    )
}

fn lengths() -> impl Strategy<Value = WindowLength> {
    (0..3_i64, 0..20_i64, 1..90_000_i64).prop_map(|(months, days, seconds)| {
        WindowLength(Span::new().months(months).days(days).seconds(seconds))
    })
}

fn windows() -> impl Strategy<Value = TimeWindow> {
    let start = 0..4_000_000_000_i64;
    prop_oneof![
        lengths().prop_map(TimeWindow::Endless),
        (start, 1..1_000_000_i64).prop_map(|(start, length)| {
            let at = |second| Timestamp::from_second(second).unwrap();
            TimeWindow::Once {
                start: at(start),
                end: at(start + length),
            }
        }),
        (lengths(), 1..28_i8, 0..24_i8).prop_map(|(length, day, hour)| TimeWindow::Recurring {
            length,
            start: date(2026, 3, day).at(hour, 30, 0, 0),
            time_zone: "America/New_York".into(),
            rule: "FREQ=MONTHLY;BYDAY=1MO".into(),
        }),
    ]
}

fn personas() -> impl Strategy<Value = Persona> {
    let amounts = (
        1..1_000_000_u64,
        0..4_000_000_000_000_000_u64,
        0..1_000_000_u64,
        0..1_000_000_000_u64,
    );
    let pattern = (
        windows(),
        0.0..1e12_f64,
        1..100_000_u32,
        prop::collection::vec(0.5..9.0_f64, 0..4),
        0.0..=1.0_f64,
    );
    prop::collection::vec((pattern, amounts), 1..4).prop_map(|all| {
        let mut persona = Persona {
            name: PersonaName::new("generated").unwrap(),
            engagement_patterns: Vec::new(),
            resource_profiles: Vec::new(),
        };
        for (
            i,
            (
                (time_window, expected_volume, latency_target_ms, shape, sure),
                (cpu, memory, io, net),
            ),
        ) in all.into_iter().enumerate()
        {
            let name = PatternName::new(&format!("pattern-{i}")).unwrap();
            persona.resource_profiles.push(ResourceProfile {
                pattern_name: name.clone(),
                component: (i > 0).then(|| ComponentName::new("web").unwrap()),
                cpu: MilliCores::new(cpu),
                memory: Bytes::new(memory),
                disk_io: Iops::new(io),
                bandwidth: KilobitsPerSecond::new(net),
                storage: (i > 1).then(|| Bytes::new(memory / 2)),
                variability: Variability {
                    arrivals: i as f64 * 0.5,
                    services: 1.0,
                },
            });
            persona.engagement_patterns.push(EngagementPattern {
                name,
                time_window,
                interaction_type: InteractionType::Custom("x-read".into()),
                expected_volume,
                latency_target_ms,
                shape,
                confidence: Share::new(sure).unwrap(),
            });
        }
        persona
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_fleet_comes_back_as_it_was(fleet in fleets()) {
        let text = fleet_to_json(&fleet);
        prop_assert_eq!(unwrap(parse_fleet(&text), &text), fleet);
    }

    #[test]
    fn any_persona_comes_back_as_it_was(persona in personas()) {
        let text = persona_to_json(&persona);
        prop_assert_eq!(unwrap(parse_persona(&text), &text), persona);
    }
}
