//! The engine itself: one fleet with all its components.

use fleetcast_forecast::event_book::{EdgeBook, Uplift};
use fleetcast_model::{
    Action, ComponentIndex, ComponentReport, Gate, MicroUsd, Mode, ModeChange, Observation, Plan,
    PlannedOrder, StandbyReport, Units, change_set_hash,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::burn::BurnWatch;
use crate::changes;
use crate::component::{Brain, ComponentState, FitJob};
use crate::config::{ConfigError, EngineConfig, Part};
use crate::demand::DemandMap;
use crate::events::Known;
use crate::limits::Limits;
use crate::regret::RegretBook;
use crate::reservations::Reservations;
use crate::stages::forecast::{Ahead, Arrival, Expected};
use crate::stages::gate::{self, Question};
use crate::stages::observe::Seen;
use crate::stages::projection::{Deciders, Projection};
use crate::stages::{forecast, nodes, observe, plan, projection, requirement, workflow};
use crate::trials::Trialled;

/// Drills begin while demand is at most this part of what serves.
const CALM: f64 = 0.9;

/// With less weight than this the persona is not asked any more.
const PERSONA_WEIGHT_MIN: f64 = 0.02;

/// What one step decided, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub now: Timestamp,
    /// What is to be done.
    pub actions: Vec<Action>,
    /// Why, for each component in the fleet's order.
    pub components: Vec<ComponentReport>,
    /// When to step again at the latest.
    pub wake_at: Timestamp,
    /// The term of the engine that decided: a world that has seen a later one carries nothing out.
    pub term: u64,
    /// The mode was promoted or demoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModeChange>,
    /// The work behind the `Fit` actions. Not recorded: what matters of it is its result.
    #[serde(skip)]
    pub fits: Vec<FitJob>,
}

/// One fleet with all its components.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) config: EngineConfig,
    pub(crate) map: DemandMap,
    pub(crate) components: Vec<ComponentState>,
    pub(crate) demand_until: Timestamp,
    pub(crate) per_minute: Vec<Option<f64>>,
    pub(crate) volumes: Vec<Vec<Option<f64>>>,
    expectation: Option<crate::persona::Expectation>,
    pub(crate) now: Timestamp,
    /// When the next full step is due.
    due: Timestamp,
    steps: u64,
    pub(crate) mode: Mode,
    /// The later term of another engine, once this one has been told.
    pub(crate) deposed_by: Option<u64>,
    /// Of when the newest prices are, once any have been told.
    pub(crate) prices_as_of: Option<Timestamp>,
    pub(crate) regret: Option<RegretBook>,
    pub(crate) reservations: Reservations,
    /// Quotas, and what the loss of a zone has to leave; `None` where the fleet states neither.
    pub(crate) limits: Option<Box<Limits>>,
}

impl Engine {
    /// Prepares an engine for its first step.
    pub fn new(config: EngineConfig) -> Result<Self, ConfigError> {
        if config.fleet.components.is_empty() {
            return Err(ConfigError::NoComponents(config.fleet.name.to_string()));
        }
        let count = config.fleet.components.len();
        if config.step_seconds == 0
            || config.boot_steps.len() != count
            || config.policies.len() != count
        {
            return Err(ConfigError::BadSetting(
                "a step needs a length, and each component a boot time and a policy".into(),
            ));
        }
        if config
            .policies
            .iter()
            .any(|policy| policy.kind == fleetcast_policy::PolicyKind::Oracle)
        {
            return Err(ConfigError::BadSetting(
                "perfect foresight is no engine: it is worked out from the demand".into(),
            ));
        }
        let map = config.demand_map()?;
        let capacities = config.capacity_models(&map)?;
        let components = config.fleet.components.iter().zip(capacities).enumerate();
        let components = components
            .map(|(i, (component, capacity))| ComponentState::new(&config, i, component, capacity));
        let components: Vec<ComponentState> = components.collect::<Result<_, _>>()?;
        let regret = config.fleet.mode_promotion.map(|rule| {
            let terms = components.iter().zip(&config.fleet.components);
            let terms = terms.map(|(state, component)| state.terms(&config, component));
            RegretBook::new(rule, config.fleet.mode, terms.collect())
        });
        let mut engine = Self {
            components,
            volumes: map.empty_volumes(),
            map,
            demand_until: config.start,
            per_minute: Vec::new(),
            expectation: crate::persona::Expectation::new(&config)?,
            now: config.start,
            due: config.start,
            steps: 0,
            mode: config.fleet.mode,
            deposed_by: None,
            prices_as_of: None,
            regret,
            reservations: Reservations::default(),
            limits: None,
            config,
        };
        engine.state_limits();
        Ok(engine)
    }

    /// When to step next at the latest.
    pub fn wake_at(&self) -> Timestamp {
        self.now + self.step_length()
    }

    /// When the last step was.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What the engine was started with.
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// Takes observations in and decides. Equal inputs give equal steps.
    ///
    /// Time never goes back: an earlier `now` counts as the last one.
    pub fn step(&mut self, now: Timestamp, observations: &[Observation]) -> Step {
        let before = self.now;
        self.now = now.max(self.now);
        let now = self.now;
        let told = |observation: &Observation| match observation {
            Observation::Demand(demand) => demand.until > self.demand_until && demand.until <= now,
            _ => false,
        };
        // Woken between two steps, by an answer or a listing: what was wanted is still wanted.
        let between = self.steps > 0 && now < self.due && !observations.iter().any(told);
        if !between {
            self.due = now + self.step_length();
            for component in &mut self.components {
                component.known = false;
                component.busy_units = None;
                component.latency_ms_p95 = None;
            }
        }
        observe::take_in(self, observations);
        self.account_spending(before);
        self.begin_limits();
        let mut step = Step {
            now,
            actions: Vec::new(),
            components: Vec::with_capacity(self.components.len()),
            wake_at: self.wake_at(),
            term: self.config.term,
            mode: None,
            fits: Vec::new(),
        };
        self.step_components(now, between, &mut step);
        if !between {
            step.mode = self.judge_mode();
        }
        self.steps += u64::from(!between);
        self.keep_hands_off(&mut step.actions);
        step
    }

    /// Steps each component: where money may not suffice for all, the most important first.
    fn step_components(&mut self, now: Timestamp, between: bool, step: &mut Step) {
        if !self.is_capped() {
            for index in 0..self.components.len() {
                let report = self.step_component(index, now, between, step);
                step.components.push(report);
            }
            return;
        }
        let mut reports: Vec<Option<ComponentReport>> = vec![None; self.components.len()];
        for index in self.by_importance() {
            reports[index] = Some(self.step_component(index, now, between, step));
        }
        step.components.extend(reports.into_iter().flatten());
    }

    fn step_component(
        &mut self,
        index: usize,
        now: Timestamp,
        between: bool,
        step: &mut Step,
    ) -> ComponentReport {
        let step_length = self.step_length();
        let state = &mut self.components[index];
        let arrival_at = now + step_length * (state.lead_steps as i32 - 1);
        let mut seen = observe::look(state, now - step_length, now);
        let kept = if between { state.kept.clone() } else { None };
        let (projection, arrival, feedback) = if let Some((projection, arrival)) = kept {
            (projection, arrival, None)
        } else {
            state.remember_service(&mut seen, self.config.telemetry.delay_steps);
            let feedback = state.feedback.score(&seen, state.per_unit);
            let ahead = self.look_ahead(index, now, arrival_at);
            let (mut projection, arrival) = self.decide(index, now, arrival_at, &seen, ahead, step);
            if let Some(book) = &mut self.regret {
                let per_unit = self.components[index].per_unit;
                let need = seen.known.then(|| seen.measure / per_unit);
                book.step(index, self.steps, need, projection.wanted.get());
            }
            let state = &mut self.components[index];
            let step_seconds = self.config.step_seconds;
            plan::cover_spot(state, &mut projection, seen.known, step_seconds);
            if let Some(arrival) = &arrival {
                state.feedback.keep(arrival.p50, arrival.p95);
            }
            state.kept = Some((projection.clone(), arrival));
            (projection, arrival, feedback)
        };
        let projection = self.spread_over_zones(index, projection);
        let drill = if projection.paused {
            None
        } else {
            self.follow_standby(index, now, &seen, between, step)
        };
        let (plan, gate, withheld) = self.change(index, now, arrival_at, &seen, &projection, step);
        let limits = self.take_limits_report(index);
        let state = &mut self.components[index];
        let use_drifts = std::mem::take(&mut state.use_drifts);
        let succession = state.succession();
        ComponentReport {
            demand: seen.known.then_some(seen.volume),
            forecast: arrival.map(|arrival| forecast::in_volume(&arrival, seen.to_volume())),
            arrival: arrival_at,
            needed_now: Units::new(requirement::round_up(seen.measure / state.per_unit)),
            binding: state.binding,
            wanted: projection.wanted,
            ledger: projection.ledger,
            ready: Units::new(seen.ready),
            pending: Units::new(seen.pending),
            cancelled: plan.cancelled,
            ordered: plan.ordered(),
            drained: plan.drained,
            gate,
            withheld,
            feedback,
            anomaly: state.anomaly(),
            unknown: state.unknown(between),
            use_drifts,
            scale_out_ceiling: projection.scale_out_ceiling,
            succession,
            limits,
            standby: state.standby.map(|policy| StandbyReport {
                tier: policy.tier,
                wanted: projection.standby,
                for_losses: projection.for_losses,
                units: Units::new(seen.standby),
                coming: Units::new(seen.preparing),
                promoted: Units::new(seen.promoted.units),
                ordered: plan.standby.ordered(),
                demoted: plan.standby.demoted,
                released: plan.standby.released,
                drill,
            }),
        }
    }

    /// Forecast, requirement and projection, or another policy's word for it.
    fn decide(
        &mut self,
        index: usize,
        now: Timestamp,
        arrival_at: Timestamp,
        seen: &Seen,
        ahead: Ahead,
        step: &mut Step,
    ) -> (Projection, Option<Arrival>) {
        let place = ComponentIndex(index as u16);
        let heeds_events = self.heeds_events();
        let component = &self.config.fleet.components[index];
        let deciders = Deciders {
            overrides: &self.config.overrides,
            without: None,
            now,
            arrival: arrival_at,
        };
        let state = &mut self.components[index];
        match &mut state.brain {
            Brain::Ours(ours) => {
                let events = heeds_events.then(|| {
                    let types = self.map.types_of(index);
                    Known::new(&self.config.events, component, types, &state.volumes)
                });
                let demand = seen.known.then_some(seen.measure);
                if let Some(events) = &events {
                    let usual = demand.map(|demand| demand / ahead.uplift_now);
                    let all = std::iter::once(&mut ours.edges).chain(&mut ours.edges_before);
                    all.for_each(|edges| events.teach_edges(edges, ahead.began, usual));
                    let change = |edges: &EdgeBook| events.change(edges, ahead.began);
                    let before = ours.edges_before.each_ref().map(change);
                    let least_seen = events.least_seen(&ours.edges, ahead.began);
                    ours.forecaster
                        .expect(change(&ours.edges), before, least_seen);
                }
                let forecast = forecast::forecast(ours, seen, state.per_unit, arrival_at, &ahead);
                let stated = deciders.forecast(component);
                let arrival = stated.map_or(forecast, |stated| {
                    forecast::restate(ours, &forecast, &stated, seen.to_volume())
                });
                if let Some(events) = &events {
                    events.teach(&mut ours.events, ahead.began, demand);
                }
                ours.unknown.observe(component, now, demand, state.per_unit);
                let required = requirement::require(seen.measure, &arrival, state.per_unit);
                let provisioned = projection::provisioned(component, &deciders);
                let mut holds = ours.holds(seen, &required, &arrival, state.per_unit, provisioned);
                if state.burn.as_ref().is_some_and(BurnWatch::burning) {
                    // What was promoted stays until the budget no longer burns.
                    holds.reactive = holds.reactive.max(required.now);
                }
                let most = component.timing.direction_changes_per_hour;
                holds.may_shrink &= state.turns.may_shrink(now, most);
                // Kept in the tier that would have cost least.
                let tier = ours.steering.standby_tier();
                let policy = component.standby;
                let terms = policy.and_then(|policy| policy.terms().nth(tier));
                if let (Some(kept), Some(terms)) = (&mut state.standby, terms) {
                    *kept = kept.at(terms);
                }
                holds.standby =
                    (state.standby.as_ref()).map(|policy| ours.standby(policy, &arrival));
                let room = step.fits.len() < self.config.fits_per_step as usize
                    && !self.config.without.contains(&Part::Model);
                if let Some(job) = room.then(|| ours.fit_job(place)).flatten() {
                    step.actions.push(Action::Fit(job.request()));
                    step.fits.push(job);
                }
                ours.step += 1;
                ours.observed += usize::from(seen.known);
                let learned = state.learned.as_ref().and_then(|learned| learned.ceiling());
                let most = learned.map(|ceiling| Units::new(ceiling.units as u64));
                let projection =
                    projection::project(component, &deciders, seen, &required, holds, most);
                let own = requirement::require(seen.measure, &forecast, state.per_unit);
                state.trials.step(
                    &Trialled {
                        component,
                        deciders: &deciders,
                        seen,
                        holds,
                        most,
                        projection: &projection,
                        required: &required,
                        own: &own,
                        useful: forecast.band,
                        per_unit: state.per_unit,
                    },
                    self.steps,
                );
                (projection, Some(arrival))
            }
            Brain::Peer(policy) => {
                let plain = self.config.plain_per_unit.is_some();
                let demand = if policy.reads_utilisation() && !plain {
                    // Utilisation as it is measured, where it is: what a unit carries does not come into it.
                    let by_profile = state.capacity.busy_units(&state.volumes);
                    state
                        .busy_units
                        .map_or(by_profile, |busy| busy * state.per_unit)
                } else {
                    seen.measure
                };
                if policy.scales_nodes() {
                    nodes::see(policy, &state.cohorts, &state.node_offers, now);
                }
                let wanted = policy.wanted(&fleetcast_policy::View {
                    step: self.steps,
                    demand,
                    per_unit: state.per_unit,
                    ready: seen.ready,
                    total: seen.ready + seen.pending,
                });
                (
                    projection::project_policy(component, &deciders, wanted),
                    None,
                )
            }
        }
    }

    /// Plan, gate and workflow: what is changed in this step.
    fn change(
        &mut self,
        index: usize,
        now: Timestamp,
        ready_by: Timestamp,
        seen: &Seen,
        projection: &Projection,
        step: &mut Step,
    ) -> (Plan, Gate, Option<Plan>) {
        let place = ComponentIndex(index as u16);
        let mode = self.mode();
        let acts = mode == Mode::Auto && !gate::frozen(&self.config.fleet, now);
        let state = &mut self.components[index];
        // Nothing is at stake: a drill may begin.
        let calm = acts
            && !projection.paused
            && seen.known
            && seen.measure <= CALM * seen.effective * state.per_unit;
        state.scale_in.observe(now, Units::new(seen.ready));
        let in_flight = state.workflow.in_flight();
        let have = Units::new(seen.ready + seen.pending) + in_flight;
        let standby = Units::new(seen.standby + seen.preparing);
        let mut plan = if in_flight > Units::ZERO || state.workflow.standby_in_flight() {
            // An order is under way that the listing does not show: look again before changing anything.
            Plan::keep(place, projection.wanted)
        } else if let Some(plan) = nodes::plan(place, state, projection, now, ready_by) {
            plan
        } else {
            let limits = self.limits.as_deref_mut();
            plan::plan(place, state, projection, now, ready_by, limits)
        };
        if let Some(limits) = &self.limits {
            limits.cut(index, &mut plan);
        }
        let most = self.config.fleet.components[index]
            .timing
            .direction_changes_per_hour;
        let state = &self.components[index];
        let may_shrink = state.may_turn(projection.compelled, now, most);
        if !may_shrink {
            plan.give_nothing_back();
        }
        let committed = self.committed();
        let state = &mut self.components[index];
        let component = &self.config.fleet.components[index];
        let config = &self.config;
        let change_set = || {
            let bounds = changes::bounds(component, &config.offers, &state.cohorts, &plan, now);
            change_set_hash(&bounds)
        };
        let passed = state.gate.judge(&Question {
            config,
            mode,
            plan: &plan,
            have,
            committed,
            now,
            change_set: &change_set,
        });
        step.actions
            .extend(passed.request(&plan).map(Action::RequestApproval));
        let mut withheld = None;
        let passes = matches!(passed.gate, Gate::Go | Gate::Nothing);
        if !passes {
            withheld = Some(plan);
            plan = if mode == Mode::Observe {
                Plan::keep(place, projection.wanted)
            } else {
                let limits = self.limits.as_deref_mut();
                plan::only_the_floor(
                    place, state, have, standby, projection, now, ready_by, limits,
                )
            };
        }
        if let Some(limits) = &mut self.limits {
            limits.take(index, &plan, withheld.as_ref());
        }
        if let Some(policy) = &state.standby {
            state.workflow.arm(place, policy, &mut step.actions);
        }
        let reserve = |order: &PlannedOrder| gate::worst_cost(config, order);
        let reserved = plan.all_orders().map(reserve).sum();
        let lease = workflow::lease(i64::from(config.step_seconds));
        let workflow = &mut state.workflow;
        workflow.carry_out(&plan, now, lease, reserve, &mut step.actions);
        workflow.renew(&state.cohorts, &plan, now, lease, &mut step.actions);
        if let Some(policy) = state.standby.filter(|_| calm && plan.standby.is_empty()) {
            state
                .drills
                .begin_if_due(&policy, &state.cohorts, now, &mut step.actions);
        }
        state.scale_in.drained(now, plan.drained);
        let given_back = plan.cancelled + plan.drained > Units::ZERO;
        assert!(
            !given_back || may_shrink,
            "{} turns too often: {plan:?}",
            component.name
        );
        state
            .turns
            .changed(now, !plan.orders.is_empty(), given_back);
        if let Some(hedge) = &mut state.hedge {
            hedge.released(&plan.releases);
            hedge.ordered(&state.offers, &plan.orders, now);
        }
        state
            .workflow
            .register(&state.cohorts, &plan.releases, &mut step.actions);
        let ready = Units::new(seen.ready);
        state
            .workflow
            .publish(place, ready, projection.wanted, &mut step.actions);
        let prices = plan.all_orders();
        let price = prices.map(|order| order.price * u64::from(order.instances));
        self.reservations.order(price.sum(), reserved);
        // What the floor needs goes ahead whatever it costs: it is a promise already made.
        if passes && reserved > MicroUsd::ZERO {
            self.assert_under_cap();
        }
        (plan, passed.gate, withheld)
    }

    /// What documents say of the time ahead: the persona's expectation, while its word still counts, and events.
    fn look_ahead(&mut self, index: usize, now: Timestamp, arrival: Timestamp) -> Ahead {
        let step = self.step_length();
        let began = now - step * (1 + self.config.telemetry.delay_steps as i32);
        let component = &self.config.fleet.components[index];
        let state = &self.components[index];
        let (uplift_now, uplift_then, ignored) = match &state.brain {
            Brain::Ours(ours) if self.heeds_events() => {
                let types = self.map.types_of(index);
                let known = Known::new(&self.config.events, component, types, &state.volumes);
                (
                    known.factor(&ours.events, began),
                    known.uplift(&ours.events, began, arrival),
                    known.ignored(began),
                )
            }
            _ => (1.0, Uplift::NONE, false),
        };
        let asked = match &state.brain {
            Brain::Ours(ours) => ours.persona_weight() > PERSONA_WEIGHT_MIN,
            Brain::Peer(_) => false,
        };
        let expected = self
            .expectation
            .as_mut()
            .filter(|_| asked)
            .map(|expectation| {
                let mut measure = |from: Timestamp| {
                    let volumes = expectation.volumes(&self.map, index, from, from + step);
                    state.capacity.load(volumes).units
                };
                Expected {
                    now: measure(began) * uplift_now,
                    at_arrival: measure(arrival) * uplift_then.factor,
                }
            });
        Ahead {
            expected,
            uplift_now,
            uplift: uplift_then,
            began,
            ignored,
        }
    }

    fn heeds_events(&self) -> bool {
        !self.config.events.is_empty() && !self.config.without.contains(&Part::Events)
    }

    /// Length of a step in seconds.
    pub(crate) fn step_seconds(&self) -> f64 {
        f64::from(self.config.step_seconds)
    }

    pub(crate) fn step_length(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.config.step_seconds))
    }
}
