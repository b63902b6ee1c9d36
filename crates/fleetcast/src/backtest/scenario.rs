//! What is to be run: an engine's configuration and a simulation, from documents or the plain setting.

use std::path::Path;

use anyhow::Result;
use fleetcast_engine::{EngineConfig, Telemetry};
use fleetcast_model::{
    Component, Event, Fleet, InteractionType, Mode, Objective, Offer, Override, Persona,
    StandbyPolicy, TelemetryTerms, TimeWindow,
};
use fleetcast_policy::{PolicyKind, PolicySpec};
use fleetcast_series::Series;
use fleetcast_sim::{
    BootTime, Catalogue, Lifecycle, MarketSettings, PlainSetting, PriceSettings, Rentable,
    Simulation, SpotMarket, SpotPrices, StandbyLife, Telling, example,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::change::Change;
use super::demand::{self, History};
use super::{usage, worst_price};
use crate::cli::BacktestArgs;
use crate::commands::documents;
use crate::files::BadInput;

/// What is to be run.
pub struct Scenario {
    pub title: String,
    pub config: EngineConfig,
    pub simulation: Simulation,
    pub components: Vec<String>,
    /// Capacity of a unit in the plain setting.
    pub per_unit: Option<f64>,
    pub boot: SignedDuration,
    pub drain: SignedDuration,
    pub warm_up_steps: usize,
    /// Price of the cheapest unit of each component, in micro-dollars an hour.
    pub cheapest: Vec<u64>,
    pub missing_steps: usize,
    /// Where people live.
    pub zone: TimeZone,
    pub notes: Vec<String>,
}

/// The documents of a folder.
pub struct Documents {
    pub fleet: Fleet,
    pub persona: Persona,
    pub events: Vec<Event>,
    pub overrides: Vec<Override>,
    /// What there is to rent: the built-in catalogue with the user's own offers over it.
    pub catalogue: Catalogue,
}

/// Configuration and health check of a new unit, after its boot.
const CONFIGURE: SignedDuration = SignedDuration::from_secs(15);
/// What a call to a cloud takes.
pub const API_DELAY: SignedDuration = SignedDuration::from_secs(2);
/// How long a person takes to approve what needs it.
const APPROVAL_DELAY: SignedDuration = SignedDuration::from_mins(10);
/// Of promotions so many fail, and so many take five times as long: assumptions, so that drills find something.
const STANDBY_FAILS_PPM: u32 = 5_000;
const STANDBY_SLOW_PPM: u32 = 20_000;
const DEFAULT_BOOT: SignedDuration = SignedDuration::from_mins(5);
const DEFAULT_DRAIN: SignedDuration = SignedDuration::from_mins(5);
/// Of a history that is shorter, a quarter is warm-up. The plain setting keeps its week as long as a day is left
/// to judge, so that its figures compare with others'.
const SHORT_HISTORY: SignedDuration = SignedDuration::from_hours(28 * 24);
const SHORT_HISTORY_PLAIN: SignedDuration = SignedDuration::from_hours(8 * 24);
const DEFAULT_WARM_UP: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Boots are planned with as long as all but this share of them take.
const BOOT_QUANTILE: f64 = 0.95;

impl Scenario {
    /// Reads what the command line names.
    pub fn new(args: &BacktestArgs, history: &History) -> Result<Self> {
        Self::with(args, history, &args.set, None)
    }

    /// Reads what the command line names, without its changes and with them, both on the same demand.
    pub fn versions(args: &BacktestArgs, history: &History) -> Result<[Self; 2]> {
        let base = Self::with(args, history, &[], None)?;
        // What types a history does not tell apart, the documents as they are divide for both.
        let persona = base.config.persona.clone();
        let changed = Self::with(args, history, &args.set, persona.as_ref())?;
        Ok([base, changed])
    }

    fn with(
        args: &BacktestArgs,
        history: &History,
        changes: &[Change],
        divided_by: Option<&Persona>,
    ) -> Result<Self> {
        if let Some(per_unit) = args.capacity_per_unit {
            return Self::plain(args, history, per_unit)?.tell(args);
        }
        let (documents, title) = match &args.folder {
            Some(folder) => (
                documents::read_changed(folder, args.offers.as_deref(), changes)?,
                folder_name(folder),
            ),
            None if args.demand.example => (
                example_documents(args, changes)?,
                "Example shop".to_string(),
            ),
            None => {
                let hint = "give the folder with your documents (`fleetcast init shop/` writes one), or --capacity-per-unit C for the plain setting";
                return Err(BadInput(hint.into()).into());
            }
        };
        Self::from_documents(args, history, documents, title, divided_by)?.tell(args)
    }

    fn plain(args: &BacktestArgs, history: &History, per_unit: f64) -> Result<Self> {
        let total = history.demand.total();
        let warm_up = warm_up(args, &total)?;
        let setting = PlainSetting {
            per_unit,
            boot: args.boot.unwrap_or(DEFAULT_BOOT),
            drain: args.drain.unwrap_or(DEFAULT_DRAIN),
            warm_up,
            objective: args.objective,
            standby: args.standby,
        };
        setting
            .check()
            .map_err(|error| BadInput(error.to_string()))?;
        check_volumes(&[&total], per_unit)?;
        let mut config = setting.engine_config(&total, PolicySpec::new(PolicyKind::Fleetcast, 0.0));
        if let Some(path) = &args.demand.events {
            config.events = documents::read_events(path)?;
        }
        let mut notes = vec![
            "plain setting: a unit costs $1 an hour from the order to the end of its drain"
                .to_string(),
        ];
        if args.standby.is_some() {
            notes.push("standby: what a step is short of promotes by itself and is paid for in full from this step on; a new standby unit boots at the full price, a removed unit drains at it".into());
        }
        if args.objective.is_none() {
            notes.push("no objective was stated: 0.5 % of demand may go unserved, and the fleet never falls under the highest demand of the last boot time".into());
        }
        Ok(Self {
            title: "Plain setting".into(),
            simulation: setting.simulation(&total),
            components: vec!["plain".into()],
            per_unit: Some(per_unit),
            boot: setting.boot,
            drain: setting.drain,
            warm_up_steps: config.warm_up_steps as usize,
            cheapest: vec![config.offers[0].price.get()],
            missing_steps: total.count_missing(),
            zone: zone(args, None),
            notes,
            config,
        })
    }

    fn from_documents(
        args: &BacktestArgs,
        history: &History,
        documents: Documents,
        title: String,
        divided_by: Option<&Persona>,
    ) -> Result<Self> {
        let Documents {
            mut fleet,
            persona,
            mut events,
            overrides,
            catalogue,
        } = documents;
        if let Some(path) = &args.demand.events {
            events = documents::read_events(path)?;
        }
        let types = user_types(&fleet);
        let (series, mut notes) =
            demand::by_type(&history.demand, &types, divided_by.unwrap_or(&persona))?;
        check_volumes(&series.iter().collect::<Vec<_>>(), 1e-3)?;
        let first = series
            .first()
            .ok_or_else(|| BadInput("the fleet serves no interaction type".into()))?;
        let (mut usage, account) = usage::usage(args, &fleet, first)?;
        notes.extend(account);
        let step_seconds = first.step().seconds();
        let warm_up_steps = (warm_up(args, first)?.as_secs() / i64::from(step_seconds)) as usize;
        if fleet.mode_promotion.is_some() && fleet.mode != Mode::Auto {
            notes.push(format!(
                "the fleet starts in mode `{}` and is promoted by its rule; approvals are given after 10 minutes",
                mode_name(fleet.mode)
            ));
        } else if fleet.mode != Mode::Auto {
            notes.push("the fleet's mode leaves changes to people; the backtest runs as `auto`, with each approval given after 10 minutes".into());
            fleet.mode = Mode::Auto;
        }
        notes.push(
            "the autoscalers on utilisation see CPU alone, as they do; unserved is what the units in service cannot carry within the latency target"
                .into(),
        );
        let Rentable {
            offers,
            notes: of_prices,
        } = catalogue.rentable_by(&fleet, last_day(first));
        notes.extend(of_prices);
        let mut prices_at_worst = Vec::new();
        if fleet.budget.is_some_and(|budget| budget.hard_cap.is_some()) {
            let (worst, said) = worst_price::prices_at_worst(&offers);
            prices_at_worst = worst;
            notes.extend(said);
        }
        let lifecycles: Vec<Lifecycle> = fleet
            .components
            .iter()
            .map(|component| lifecycle(component, &offers, args.boot, args.drain))
            .collect();
        let planned: Vec<SignedDuration> = lifecycles.iter().map(planned_boot).collect();
        let boot_steps = planned
            .iter()
            .map(|boot| {
                boot.as_secs()
                    .max(0)
                    .unsigned_abs()
                    .div_ceil(u64::from(step_seconds)) as u32
            })
            .collect();
        let cheapest = fleet
            .components
            .iter()
            .map(|component| cheapest_unit(component, &offers).map_or(0, |(_, price)| price))
            .collect();
        let drain = lifecycles
            .iter()
            .map(|lifecycle| lifecycle.drain)
            .max()
            .unwrap_or_default();
        let zone = zone(args, Some(&persona));
        let config = EngineConfig {
            interaction_types: types,
            start: first.start(),
            step_seconds,
            boot_steps,
            warm_up_steps: warm_up_steps as u64,
            policies: vec![PolicySpec::new(PolicyKind::Fleetcast, 0.0); fleet.components.len()],
            plain_per_unit: None,
            objective: args.objective,
            persona: Some(persona),
            events,
            overrides,
            prices_at_worst,
            offers,
            fleet,
            without: Vec::new(),
            fits_per_step: EngineConfig::FITS_PER_STEP,
            term: EngineConfig::FIRST_TERM,
            telemetry: Telemetry::default(),
        };
        // Refused here, where the documents are at hand, and not in the middle of a run.
        fleetcast_engine::Engine::new(config.clone())
            .map_err(|error| BadInput(error.to_string()))?;
        for (_, persona) in usage.iter().flat_map(|usage| &usage.truths) {
            let truth = EngineConfig {
                persona: Some(persona.clone()),
                ..config.clone()
            };
            fleetcast_engine::Engine::new(truth)
                .map_err(|error| BadInput(format!("--true-persona: {error}")))?;
        }
        if let Some(usage) = &mut usage {
            usage.look_back(&config, &series)?;
        }
        let missing_steps = (0..first.len())
            .filter(|i| series.iter().any(|series| series.get(*i).is_none()))
            .count();
        let length = first.end().duration_since(first.start());
        let spot = SpotMarket::of_offers(
            &MarketSettings::CPU,
            &config.offers,
            config.start,
            length,
            args.seed,
        );
        let spot = spot.map(|market| {
            market.priced(SpotPrices::generate(
                &PriceSettings::GRADUAL,
                &config.offers,
                &config.prices_at_worst,
                config.start,
                length,
                args.seed,
            ))
        });
        if spot.is_some() {
            notes.push(
                "spot pools are taken back as public availability traces of CPU instances have it, and their prices wander around the listed ones; `--seed` draws another market"
                    .into(),
            );
        }
        Ok(Self {
            title,
            components: config
                .fleet
                .components
                .iter()
                .map(|component| component.name.to_string())
                .collect(),
            per_unit: None,
            boot: planned.into_iter().max().unwrap_or_default(),
            drain,
            warm_up_steps,
            cheapest,
            missing_steps,
            zone,
            notes,
            simulation: Simulation {
                demand: series,
                lifecycles,
                api_delay: API_DELAY,
                approval_delay: Some(APPROVAL_DELAY),
                spot,
                seed: args.seed,
                usage,
                telling: Telling::default(),
            },
            config,
        })
    }

    /// Lets demand become known as the documents say, or the command line where it says something else.
    fn tell(mut self, args: &BacktestArgs) -> Result<Self> {
        let mut terms = self.config.fleet.telemetry;
        terms.delay = args.telemetry_delay.unwrap_or(terms.delay);
        terms.served_only |= args.served_only;
        if !(SignedDuration::ZERO..=TelemetryTerms::DELAY_MAX).contains(&terms.delay) {
            let told = format!("--telemetry-delay: {:#}: from 0s to 1h", terms.delay);
            return Err(BadInput(told).into());
        }
        if terms.delay > SignedDuration::ZERO {
            self.notes
                .push(format!("demand becomes known {:#} late", terms.delay));
        }
        if terms.served_only {
            self.notes.push("only what was served becomes known; of what was turned away a third is asked for again in the next step, and counts as unserved each time".into());
        }
        let step = u64::from(self.config.step_seconds);
        let delay_steps = terms.delay.as_secs().unsigned_abs().div_ceil(step) as u32;
        self.config.fleet.telemetry = terms;
        self.config.telemetry = Telemetry {
            delay_steps,
            served_only: terms.served_only,
        };
        self.simulation.telling = Telling {
            delay_steps,
            retried: terms.served_only.then_some(Telling::RETRIED),
        };
        Ok(self)
    }

    /// Steps of the history.
    pub fn steps(&self) -> usize {
        self.simulation
            .demand
            .iter()
            .map(Series::len)
            .min()
            .unwrap_or(0)
    }

    /// Steps from a decision to the first step that its order serves, for each component.
    pub fn leads(&self) -> Vec<usize> {
        self.config
            .boot_steps
            .iter()
            .map(|steps| *steps as usize + 1)
            .collect()
    }

    /// Whether any component may have standby.
    pub fn has_standby(&self) -> bool {
        let mut components = self.config.fleet.components.iter();
        components.any(|component| component.standby.is_some())
    }

    /// Most units of each component.
    pub fn ceilings(&self) -> Vec<u64> {
        let components = self.config.fleet.components.iter();
        components
            .map(|component| component.ceiling.get())
            .collect()
    }

    /// The objective that the run is judged by as a whole; `None` if its components have different ones.
    pub fn objective(&self) -> Option<Objective> {
        let mut all = self.config.fleet.components.iter();
        let first = all
            .next()
            .and_then(|component| self.config.objective_of(component));
        first.filter(|first| {
            all.all(|component| self.config.objective_of(component) == Some(*first))
        })
    }
}

/// Where people live: as the command line says, else as most of the persona's windows do.
fn zone(args: &BacktestArgs, persona: Option<&Persona>) -> TimeZone {
    let of = |name: &str| TimeZone::get(name).ok();
    let stated = of(&args.demand.time_zone).filter(|zone| *zone != TimeZone::UTC);
    let mut names: Vec<&str> = persona
        .iter()
        .flat_map(|persona| &persona.engagement_patterns)
        .filter_map(|pattern| match &pattern.time_window {
            TimeWindow::Recurring { time_zone, .. } => Some(time_zone.as_str()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    let most = names
        .chunk_by(|one, other| one == other)
        .rev()
        .max_by_key(|same| same.len())
        .and_then(|same| of(same.first()?));
    stated.or(most).unwrap_or(TimeZone::UTC)
}

fn folder_name(folder: &Path) -> String {
    let whole = folder
        .canonicalize()
        .unwrap_or_else(|_| folder.to_path_buf());
    whole.file_name().map_or_else(
        || "Fleet".into(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn example_documents(args: &BacktestArgs, changes: &[Change]) -> Result<Documents> {
    if !changes.is_empty() {
        let text =
            "--set changes documents of a folder: `fleetcast init shop/` writes the example's";
        return Err(BadInput(text.into()).into());
    }
    let shop = example::shop();
    Ok(Documents {
        fleet: shop.fleet,
        persona: shop.persona,
        events: shop.events,
        overrides: Vec::new(),
        catalogue: documents::catalogue(args.offers.as_deref())?,
    })
}

/// Seven days, or a quarter of a history that is short.
fn warm_up(args: &BacktestArgs, series: &Series) -> Result<SignedDuration> {
    let length =
        SignedDuration::from_secs(i64::from(series.step().seconds()) * series.len() as i64);
    let week = DEFAULT_WARM_UP;
    let short = if args.capacity_per_unit.is_some() {
        SHORT_HISTORY_PLAIN
    } else {
        SHORT_HISTORY
    };
    let warm_up = args
        .warm_up
        .unwrap_or_else(|| if length < short { length / 4 } else { week });
    if warm_up >= length {
        let text = format!(
            "the history is {length:#} long and the warm-up takes {warm_up:#}: nothing is left to judge; give more history, or a shorter --warm-up"
        );
        return Err(BadInput(text).into());
    }
    Ok(warm_up)
}

/// Refuses a history that nobody observed, and volumes that no fleet could serve.
fn check_volumes(series: &[&Series], per_unit: f64) -> Result<()> {
    let highest = series
        .iter()
        .flat_map(|series| series.values().flatten())
        .reduce(f64::max);
    let Some(highest) = highest else {
        let text = "no step of the history was observed: is --step shorter than the file's own?";
        return Err(BadInput(text.into()).into());
    };
    if highest / per_unit.max(f64::MIN_POSITIVE) > UNITS_MAX {
        let text = format!(
            "a demand of {highest:e} needs more than {UNITS_MAX:e} units: is it in the unit that the capacity is in?"
        );
        return Err(BadInput(text).into());
    }
    Ok(())
}

/// More units than any fleet has: beyond this a number is a mistake.
const UNITS_MAX: f64 = 1e9;

/// A mode as documents write it.
pub fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Recommend => "recommend",
        Mode::Auto => "auto",
    }
}

/// The interaction types that users ask the fleet for, each once.
fn user_types(fleet: &Fleet) -> Vec<InteractionType> {
    let mut types: Vec<InteractionType> = Vec::new();
    for kind in fleet
        .components
        .iter()
        .flat_map(|component| &component.serves)
    {
        if !types.contains(kind) {
            types.push(kind.clone());
        }
    }
    types
}

/// The day on which a history ends: prices are as old as they are then, whenever the backtest is run.
fn last_day(series: &Series) -> jiff::civil::Date {
    let steps = i64::try_from(series.len()).unwrap_or(i64::MAX);
    let length =
        SignedDuration::from_secs(i64::from(series.step().seconds()).saturating_mul(steps));
    let end = series.start().checked_add(length);
    let end = end.unwrap_or(jiff::Timestamp::MAX);
    end.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// How a component's instances come and go; what is stated on the command line wins.
pub fn lifecycle(
    component: &Component,
    offers: &[Offer],
    boot: Option<SignedDuration>,
    drain: Option<SignedDuration>,
) -> Lifecycle {
    let timing = &component.timing;
    let stated = boot.or(timing.boot);
    let provider = cheapest_unit(component, offers).map(|(offer, _)| offer.provider);
    Lifecycle {
        // A stated boot includes configuration and health check.
        configure: if stated.is_some() {
            SignedDuration::ZERO
        } else {
            CONFIGURE
        },
        boot: match (stated, provider) {
            (Some(boot), _) => BootTime::Fixed(boot),
            (None, Some(provider)) => BootTime::of(provider),
            (None, None) => BootTime::Fixed(DEFAULT_BOOT),
        },
        drain: drain.unwrap_or(timing.drain),
        warm_up: timing.warm_up,
        standby: (component.standby.iter())
            .flat_map(StandbyPolicy::terms)
            .map(|terms| StandbyLife {
                tier: terms.tier,
                promotion: terms.promotion,
                price_ppm: terms.price_share.parts_per_million(),
                failures_ppm: STANDBY_FAILS_PPM,
                slow_ppm: STANDBY_SLOW_PPM,
            })
            .collect(),
    }
}

/// What a boot is planned with: nearly the longest, and half the warm-up, in which a unit is worth less.
fn planned_boot(lifecycle: &Lifecycle) -> SignedDuration {
    let boot = lifecycle.boot.quantile(BOOT_QUANTILE) + lifecycle.configure + lifecycle.warm_up / 2;
    match lifecycle.boot {
        BootTime::Fixed(_) => boot,
        _ => boot + API_DELAY,
    }
}

/// The offer whose unit is the cheapest, with its price in micro-dollars an hour: what is rented as a rule, and
/// what perfect foresight pays.
fn cheapest_unit<'a>(component: &Component, offers: &'a [Offer]) -> Option<(&'a Offer, u64)> {
    let each = |offer: &'a Offer| {
        let price = offer.price.get() / offer.units_of(&component.unit).max(1);
        (offer, price)
    };
    let allowed = offers.iter().filter(|offer| component.allows(offer));
    allowed.map(each).min_by_key(|(_, price)| *price)
}
