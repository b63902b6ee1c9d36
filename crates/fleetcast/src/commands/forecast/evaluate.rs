//! `fleetcast forecast evaluate`

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use fleetcast_forecast::evaluation::{
    ConditionalCoverage, OriginScore, Origins, Protocol, Rolling, Scores,
};
use fleetcast_forecast::{KnownEvent, LocalTime, WithEvents};

use super::dump::Dump;
use super::events;
use super::kept_scores::{Entry, KeptScores};
use super::models::AnyModel;
use super::scores::{Evaluation, ModelScores, SeriesScores};
use super::source::{self, Recorded};
use super::state;
use crate::cli::{EvaluateArgs, Format};
use crate::cpu::cpu_seconds;
use crate::files::BadInput;

/// A series with its file, for messages.
struct Series {
    file: String,
    recorded: Recorded,
    origins: Vec<usize>,
}

/// Runs the command.
pub fn run(args: &EvaluateArgs) -> Result<ExitCode> {
    let models = models(args)?;
    let protocol = Protocol {
        horizon: args.horizon,
        window: args.window,
        first: args.first,
        first_share: args.first_share,
        origins: if args.non_overlapping {
            Origins::Every(args.horizon)
        } else {
            args.every
                .map_or(Origins::Spread(args.origins), Origins::Every)
        },
    };
    let series = read(args, protocol)?;
    let whole = [(Default::default(), 1.0)];
    let stated: Vec<KnownEvent> = events::read(args.events.as_deref(), &whole)?;
    let mut kept = args
        .save_scores
        .as_deref()
        .map(KeptScores::read)
        .transpose()?;
    let mut evaluation = Evaluation::new(protocol, &series[0].recorded.seasons);
    let mut dumps = Vec::new();
    for (name, model) in &models {
        let mut dump = match &args.dump {
            Some(path) => Some(Dump::create(&dump_path(path, name, models.len()))?),
            None => None,
        };
        let mut scores = Vec::new();
        for one in &series {
            let mut known = stated.clone();
            let (country, dates) = (args.country.as_deref(), &one.recorded.dates);
            let model = events::with_holidays(model.clone(), country, dates, &mut known)?;
            let model = WithEvents {
                model: LocalTime { model },
                events: known,
            };
            let (found, entry) = judge(one, name, &model, protocol, dump.as_mut())?;
            scores.push(found);
            if let Some(kept) = &mut kept {
                kept.add(entry);
            }
        }
        evaluation.models.push(ModelScores::new(name, scores));
        dumps.extend(dump);
    }
    // All are there, or none.
    for dump in dumps {
        dump.finish()?;
    }
    if let Some((kept, path)) = kept.as_ref().zip(args.save_scores.as_deref()) {
        kept.write(path)?;
    }
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&evaluation)?)?,
        Format::Text => {
            let style = super::text_style();
            let history = kept.map(|kept| kept.text(style)).unwrap_or_default();
            write!(out, "{}{history}", evaluation.text(style))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn models(args: &EvaluateArgs) -> Result<Vec<(String, AnyModel)>> {
    let names = if args.model.is_empty() {
        vec![state::default_name().to_string()]
    } else {
        args.model.clone()
    };
    let named = |name: String| -> Result<(String, AnyModel)> {
        let model = name
            .parse()
            .map_err(|error| BadInput(format!("--model: {error}")))?;
        Ok((name, model))
    };
    names.into_iter().map(named).collect()
}

/// Reads all files before anything is fitted, so that a bad one is told at once.
fn read(args: &EvaluateArgs, protocol: Protocol) -> Result<Vec<Series>> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for path in &args.files {
        let mut recorded = source::read_recorded(path, &args.time_zone)?;
        let file = path.display().to_string();
        let mut again = 1;
        while !names.insert(recorded.name.clone()) {
            again += 1;
            recorded.name = format!("{}-{again}", recorded.name);
        }
        let origins = protocol
            .origins(recorded.values.len())
            .map_err(|error| BadInput(format!("{file}: {error}")))?;
        if recorded.observed.iter().all(Option::is_none) {
            return Err(BadInput(format!("{file}: no value was observed")).into());
        }
        all.push(Series {
            file,
            recorded,
            origins,
        });
    }
    Ok(all)
}

/// With several models each gets a file of its own: `dump.csv` becomes `dump-theta.csv`.
fn dump_path(path: &Path, model: &str, models: usize) -> PathBuf {
    if models == 1 {
        return path.to_path_buf();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map_or_else(String::new, |ending| {
        format!(".{}", ending.to_string_lossy())
    });
    path.with_file_name(format!("{stem}-{model}{ending}"))
}

/// Forecasts a series from all its origins.
fn judge(
    series: &Series,
    name: &str,
    model: &WithEvents<LocalTime<AnyModel>>,
    protocol: Protocol,
    mut dump: Option<&mut Dump>,
) -> Result<(SeriesScores, Entry)> {
    let recorded = &series.recorded;
    let rolling = Rolling {
        values: &recorded.values,
        observed: &recorded.observed,
        dates: Some(&recorded.dates),
        seasons: recorded.seasons,
        protocol,
    };
    let (mut scores, mut yardstick): (Vec<OriginScore>, Vec<OriginScore>) = Default::default();
    let (mut fits, mut seconds) = (0, 0.0);
    let mut refusals: Vec<String> = Vec::new();
    let mut conditional = ConditionalCoverage::default();
    let mut entry = Entry::new(&recorded.name, name, &recorded.dates);
    for &origin in &series.origins {
        crate::stop::check()?;
        let began = cpu_seconds();
        let forecast = match rolling.forecast(model, origin) {
            Ok(forecast) => forecast,
            Err(error) => {
                refusals.push(format!("{}: {name} at row {origin}: {error}", series.file));
                continue;
            }
        };
        seconds += cpu_seconds() - began;
        fits += 1;
        if let Some(dump) = dump.as_deref_mut() {
            dump.write(&recorded.name, origin, &recorded.dates, &forecast)?;
        }
        scores.extend(rolling.score(origin, &forecast, protocol.horizon));
        conditional.add(&rolling, origin, &forecast);
        entry.add(
            &recorded.dates,
            origin,
            &forecast,
            &recorded.observed[origin..],
        );
        let usual = rolling.yardstick_forecast(origin);
        yardstick.extend(rolling.score(origin, &usual, protocol.horizon));
    }
    if let Some(first) = refusals.first() {
        if fits == 0 {
            return Err(BadInput(first.clone()).into());
        }
        errln!(
            "warning: {first} ({} of {} origins were refused)",
            refusals.len(),
            series.origins.len()
        );
    }
    let (scores, yardstick) = (Scores::of(&scores), Scores::of(&yardstick));
    let ratio =
        |ours: Option<f64>, usual: Option<f64>| Some(ours? / usual.filter(|usual| *usual > 0.0)?);
    let found = SeriesScores {
        series: recorded.name.clone(),
        scores,
        relative_wql: ratio(scores.wql, yardstick.wql),
        relative_ql95: ratio(scores.ql95, yardstick.ql95),
        cpu_seconds_per_fit: seconds / f64::from(fits),
        refused: refusals.len(),
        conditional,
    };
    Ok((found, entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_models_have_a_dump_each() {
        let path = Path::new("out/dump.csv");
        assert_eq!(dump_path(path, "theta", 1), path);
        assert_eq!(dump_path(path, "theta", 2), Path::new("out/dump-theta.csv"));
        assert_eq!(
            dump_path(Path::new("dump"), "ets", 2),
            Path::new("dump-ets")
        );
    }
}
