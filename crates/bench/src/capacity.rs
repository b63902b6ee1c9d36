//! How well requirements are learned from observed use: the error of the cores required when a persona's profiles
//! are off, how soon a deploy is found and how often one is found that was none, and what a sample costs.
//!
//! The demand is that of the built-in (synthetic) example shop; the truth is its persona with other profiles.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use fleetcast_capacity::{CapacityModel, FALSE_ALARM_DAYS, LearnedUse, Outlook, UseSample};
use fleetcast_engine::DemandMap;
use fleetcast_model::{MilliCores, Persona};
use fleetcast_report::{Column, TextTable};
use fleetcast_sim::{Random, example};
use jiff::{SignedDuration, Timestamp};

use crate::cli::CapacityArgs;
use crate::parallel;
use crate::provisioning::STYLE;

const DAY: usize = 1_440;
/// How long a component was watched, in minutes, and in words.
const WATCHED: [(usize, &str); 3] = [(60, "1 hour"), (DAY, "1 day"), (7 * DAY, "7 days")];
/// The day over which errors are taken, from the end of the watching on.
const JUDGED: usize = DAY;
/// The truth over the profile: all types alike, or each type by its own.
const OFF: [(f64, f64); 4] = [(0.5, 0.5), (2.0, 2.0), (0.5, 2.0), (1.0, 1.0)];
/// Deploys that are looked for: use per request after over before.
const SHIFTS: [f64; 6] = [0.7, 0.9, 0.95, 1.05, 1.1, 1.3];
/// When they come, in days from the start of the watching.
const DEPLOYED: usize = 5;
const SEEDS: u64 = 12;
/// Units serve so much more than what is needed, so that use is not cut off.
const SPARE: f64 = 1.3;

/// One component's demand by the minute, and the models of it.
struct Watched {
    name: String,
    profile: CapacityModel,
    volumes: Vec<Option<Vec<f64>>>,
}

/// Runs the benchmark.
pub fn run(args: &CapacityArgs) -> Result<()> {
    let shop = example::shop();
    let map = DemandMap::new(&shop.fleet, &example::TYPES)?;
    let watched = watched(&map, &shop.persona, 1)?;
    println!(
        "synthetic shop, observed by the minute with {:.0} % of noise, half of it lasting about ten minutes\n",
        args.noise * 100.0
    );
    errors(&watched, &map, &shop.persona, args.noise)?;
    deploys(&watched, args.noise)?;
    cost(&watched);
    Ok(())
}

fn watched(map: &DemandMap, persona: &Persona, seed: u64) -> Result<Vec<Watched>> {
    let shop = example::shop();
    let mut rates: Vec<Vec<Option<f64>>> = vec![Vec::new(); example::TYPES.len()];
    for row in example::demand(seed) {
        let place = example::TYPES
            .iter()
            .position(|kind| *kind == row.interaction_type);
        if let Some(place) = place {
            rates[place].push(row.per_minute);
        }
    }
    let minutes = rates.iter().map(Vec::len).min().unwrap_or(0);
    let mut routed = map.empty_volumes();
    let mut by_component = vec![Vec::with_capacity(minutes); routed.len()];
    for minute in 0..minutes {
        let asked: Vec<Option<f64>> = rates.iter().map(|rate| rate[minute]).collect();
        map.route(&asked, &mut routed);
        for (all, now) in by_component.iter_mut().zip(&routed) {
            all.push(now.iter().copied().collect::<Option<Vec<f64>>>());
        }
    }
    let components = shop.fleet.components.iter().zip(by_component).enumerate();
    components
        .map(|(place, (component, volumes))| {
            Ok(Watched {
                name: component.name.to_string(),
                profile: CapacityModel::from_persona(component, persona, map.types_of(place))?,
                volumes,
            })
        })
        .collect()
}

/// The persona with its profiles' CPU times a factor: `even` and `odd` ones by their own.
fn times(persona: &Persona, (even, odd): (f64, f64)) -> Persona {
    let mut changed = persona.clone();
    for (place, profile) in changed.resource_profiles.iter_mut().enumerate() {
        let factor = if place % 2 == 0 { even } else { odd };
        profile.cpu = MilliCores::new((profile.cpu.as_f64() * factor).round() as u64);
    }
    changed
}

/// Noise of which half lasts: what is observed of an amount.
struct Observer {
    random: Random,
    noise: f64,
    lasting: f64,
}

impl Observer {
    fn new(seed: u64, noise: f64) -> Self {
        Self {
            random: Random::new(seed, "observed use of the benchmark"),
            noise,
            lasting: 0.0,
        }
    }

    fn see(&mut self, amount: f64) -> f64 {
        let kept = 0.9_f64;
        self.lasting = kept * self.lasting + (1.0 - kept * kept).sqrt() * self.random.normal();
        let half = self.noise * std::f64::consts::FRAC_1_SQRT_2;
        let noise = half * (self.random.normal() + self.lasting);
        amount * (1.0 + noise).max(0.0)
    }
}

/// Shows a component's use of one minute, where its demand is known; says whether that was taken for a deploy.
fn show(learned: &mut LearnedUse, minute: usize, volumes: &[f64], cores: f64, units: f64) -> bool {
    let drifts = learned.learn(&UseSample {
        from: example::START + SignedDuration::from_mins(minute as i64),
        seconds: 60.0,
        volumes,
        units: Some(units),
        used: [Some(cores), None, None, None, None],
        cut_off: false,
    });
    !drifts.is_empty()
}

fn busy(model: &CapacityModel, volumes: &[f64]) -> f64 {
    model.in_use(volumes).map_or(0.0, |used| used.cores)
}

/// Mean absolute error of the units required over a day, as shares of the truth.
fn error(
    watched: &Watched,
    truth: &CapacityModel,
    from: usize,
    required: impl Fn(&[f64]) -> f64,
) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for volumes in watched.volumes[from..from + JUDGED].iter().flatten() {
        let right = truth.load(volumes).units;
        if right > 0.0 {
            sum += (required(volumes) / right - 1.0).abs();
            count += 1.0;
        }
    }
    sum / f64::max(count, 1.0)
}

fn errors(all: &[Watched], map: &DemandMap, persona: &Persona, noise: f64) -> Result<()> {
    let mut columns = vec![
        Column::words("component"),
        Column::words("truth over\nprofile"),
        Column::number("error by\nthe profile"),
    ];
    columns.extend(WATCHED.map(|(_, words)| Column::number(&format!("learned,\n{words}"))));
    let mut table = TextTable::new(columns);
    for off in OFF {
        let truths = self::watched(map, &times(persona, off), 1)?;
        for (watched, truth) in all.iter().zip(&truths) {
            let truth = &truth.profile;
            let by_profile = error(watched, truth, 0, |v| watched.profile.load(v).units);
            let mut row = vec![
                watched.name.clone(),
                if off.0 == off.1 {
                    format!("×{}", off.0)
                } else {
                    format!("×{} and ×{}", off.0, off.1)
                },
                percent(by_profile),
            ];
            let mut learned = learner(watched);
            let mut observer = Observer::new(1, noise);
            let mut minute = 0;
            for (until, _) in WATCHED {
                while minute < until {
                    if let Some(volumes) = &watched.volumes[minute] {
                        let cores = observer.see(busy(truth, volumes));
                        let units = (truth.load(volumes).units * SPARE).ceil();
                        show(&mut learned, minute, volumes, cores, units);
                    }
                    minute += 1;
                }
                let by_learning = error(watched, truth, until, |v| {
                    learned.load(v, Outlook::AtArrival).units
                });
                row.push(percent(by_learning));
            }
            table.row(row);
        }
    }
    println!("mean absolute error of the units required, over the day that followed");
    println!("{}", table.render(STYLE));
    Ok(())
}

fn learner(watched: &Watched) -> LearnedUse {
    LearnedUse::new(&watched.profile, 300.0)
        .unwrap_or_else(|| panic!("{} has no profiles", watched.name))
}

/// Minutes from a deploy until it was found, and alarms before it, in one history.
fn look_for(watched: &Watched, seed: u64, noise: f64, shift: f64) -> (Option<usize>, usize, usize) {
    let mut learned = learner(watched);
    let mut observer = Observer::new(seed, noise);
    let deployed = if shift == 1.0 {
        watched.volumes.len()
    } else {
        // Deploys come at any time of the day.
        DEPLOYED * DAY + (seed as usize * 127) % DAY
    };
    let until = (deployed + DAY).min(watched.volumes.len());
    let (mut found, mut alarms) = (None, 0);
    for (minute, volumes) in watched.volumes[..until].iter().enumerate() {
        let Some(volumes) = volumes else { continue };
        let factor = if minute < deployed { 1.0 } else { shift };
        let cores = observer.see(busy(&watched.profile, volumes) * factor);
        let units = (watched.profile.load(volumes).units * SPARE).ceil();
        if show(&mut learned, minute, volumes, cores, units) {
            if minute < deployed {
                alarms += 1;
            } else {
                found.get_or_insert(minute - deployed + 1);
            }
        }
    }
    (found, alarms, until.min(deployed))
}

fn deploys(all: &[Watched], noise: f64) -> Result<()> {
    let mut table = TextTable::new(vec![
        Column::number("use per request\nafter a deploy"),
        Column::number("found within\na day"),
        Column::number("after minutes,\nmedian"),
        Column::number("after minutes,\nlongest"),
    ]);
    let mut quiet_minutes = 0;
    let mut alarms = 0;
    for shift in SHIFTS.into_iter().chain([1.0]) {
        let jobs: Vec<(usize, u64)> = (0..all.len())
            .flat_map(|place| (0..SEEDS).map(move |seed| (place, seed)))
            .collect();
        let found = parallel::run_all(&jobs, |(place, seed)| {
            Ok(look_for(&all[*place], *seed, noise, shift))
        })?;
        if shift == 1.0 {
            quiet_minutes = found.iter().map(|(_, _, minutes)| minutes).sum();
            alarms = found.iter().map(|(_, alarms, _)| alarms).sum();
            continue;
        }
        let mut delays: Vec<usize> = found.iter().filter_map(|(delay, ..)| *delay).collect();
        delays.sort_unstable();
        let at = |part: usize| {
            let place = (delays.len() * part / 100).min(delays.len().saturating_sub(1));
            delays
                .get(place)
                .map_or_else(|| "–".into(), ToString::to_string)
        };
        table.row(vec![
            format!("×{shift}"),
            format!("{} of {}", delays.len(), found.len()),
            at(50),
            at(100),
        ]);
    }
    println!("{}", table.render(STYLE));
    let years = quiet_minutes as f64 / DAY as f64 / 365.0;
    println!(
        "false alarms: {alarms} in {years:.1} years of components without a deploy; the budget is {:.1}\n",
        years * 365.0 / FALSE_ALARM_DAYS
    );
    Ok(())
}

/// What a sample of all five resources costs.
fn cost(all: &[Watched]) {
    for watched in all {
        let mut learned = learner(watched);
        let mut samples = 0_u32;
        let mut observer = Observer::new(3, 0.03);
        let begun = Instant::now();
        for (minute, volumes) in watched.volumes.iter().enumerate() {
            let Some(volumes) = volumes else { continue };
            let Some(used) = watched.profile.in_use(volumes) else {
                continue;
            };
            let amounts = [
                used.cores,
                used.memory_bytes,
                used.iops,
                used.kilobits_per_second,
                used.storage_bytes,
            ];
            let from: Timestamp = example::START + SignedDuration::from_mins(minute as i64);
            black_box(learned.learn(&UseSample {
                from,
                seconds: 60.0,
                volumes,
                units: Some(40.0),
                used: amounts.map(|amount| Some(observer.see(amount))),
                cut_off: false,
            }));
            samples += 1;
        }
        println!(
            "{}: {:.1} µs a sample of five resources and {} types, staffing curves included",
            watched.name,
            begun.elapsed().as_secs_f64() * 1e6 / f64::from(samples.max(1)),
            watched.volumes.iter().flatten().next().map_or(0, Vec::len),
        );
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
