//! The scores of an evaluation: as JSON, and as tables.

use fleetcast_forecast::SeasonSpec;
use fleetcast_forecast::evaluation::{
    ConditionalCoverage, Origins, Protocol, Scores, geometric_mean,
};
use fleetcast_report::{Column, TextStyle, TextTable};
use serde::Serialize;

/// All models on all series.
#[derive(Serialize)]
#[serde(tag = "schema", rename = "forecast-evaluation/v1")]
pub struct Evaluation {
    horizon_steps: usize,
    window_steps: usize,
    first_row: usize,
    first_share: f64,
    /// Spread evenly.
    origins: Option<usize>,
    /// Or an origin each so many rows.
    every: Option<usize>,
    seasons: SeasonSpec,
    pub models: Vec<ModelScores>,
}

/// One model on all series.
#[derive(Serialize)]
pub struct ModelScores {
    model: String,
    /// The arithmetic means over the series; of relative scores the geometric ones.
    overall: SeriesScores,
    series: Vec<SeriesScores>,
}

/// One model on one series.
#[derive(Serialize)]
pub struct SeriesScores {
    pub series: String,
    #[serde(flatten)]
    pub scores: Scores,
    /// By that of a seasonal naive forecast with normal errors.
    pub relative_wql: Option<f64>,
    pub relative_ql95: Option<f64>,
    /// Of the fit and its forecast.
    pub cpu_seconds_per_fit: f64,
    /// Origins from which the model refused to forecast.
    pub refused: usize,
    /// How often intervals held by hour of day and by regime.
    pub conditional: ConditionalCoverage,
}

impl Evaluation {
    pub fn new(protocol: Protocol, seasons: &SeasonSpec) -> Self {
        let (origins, every) = match protocol.origins {
            Origins::Spread(count) => (Some(count), None),
            Origins::Every(apart) => (None, Some(apart)),
        };
        Self {
            horizon_steps: protocol.horizon,
            window_steps: protocol.window,
            first_row: protocol.first,
            first_share: protocol.first_share,
            origins,
            every,
            seasons: *seasons,
            models: Vec::new(),
        }
    }

    /// A table for each model, and one of all models if there are several.
    pub fn text(&self, style: TextStyle) -> String {
        let which = match (self.origins, self.every) {
            (Some(count), _) => format!("{count} origins"),
            (None, every) => format!("an origin each {} rows", every.unwrap_or_default()),
        };
        let mut out = format!(
            "{} steps ahead, {which} from row max({}, {} of all), fitted to the last {} steps\n\
             relWQL: by a seasonal naive forecast with normal errors; overall: means, of relWQL the geometric one\n",
            self.horizon_steps, self.first_row, self.first_share, self.window_steps
        );
        for model in &self.models {
            let mut table = TextTable::new(columns("series"));
            for one in &model.series {
                table.row(cells(&one.series, one));
            }
            if model.series.len() > 1 {
                table.rule();
                table.row(cells("overall", &model.overall));
            }
            out += &format!("\n{}\n{}", model.model, table.render(style));
            out += &format!(
                "\nhow often its intervals held, by local hour of day and by regime (known when it forecast)\n{}",
                conditional(&model.overall.conditional, style)
            );
        }
        if self.models.len() > 1 {
            let mut table = TextTable::new(columns("model"));
            for model in &self.models {
                table.row(cells(&model.model, &model.overall));
            }
            out += &format!("\nall models, overall\n{}", table.render(style));
        }
        out
    }
}

impl ModelScores {
    pub fn new(model: &str, series: Vec<SeriesScores>) -> Self {
        let scores: Vec<Scores> = series.iter().map(|one| one.scores).collect();
        let mean =
            |part: fn(&SeriesScores) -> Option<f64>| geometric_mean(series.iter().filter_map(part));
        let seconds: f64 = series.iter().map(|one| one.cpu_seconds_per_fit).sum();
        let mut conditional = ConditionalCoverage::default();
        series
            .iter()
            .for_each(|one| conditional.merge(&one.conditional));
        Self {
            model: model.to_string(),
            overall: SeriesScores {
                series: "overall".into(),
                scores: Scores::mean(&scores),
                relative_wql: mean(|one| one.relative_wql),
                relative_ql95: mean(|one| one.relative_ql95),
                cpu_seconds_per_fit: seconds / series.len().max(1) as f64,
                refused: series.iter().map(|one| one.refused).sum(),
                conditional,
            },
            series,
        }
    }
}

/// Coverage in each kind of time that there was.
fn conditional(coverage: &ConditionalCoverage, style: TextStyle) -> String {
    let mut table = TextTable::new(vec![
        Column::words("when"),
        Column::number("steps"),
        Column::number("cov80"),
        Column::number("cov95"),
        Column::number("at or under\nthe 95 % level"),
    ]);
    for (name, held) in coverage.rows() {
        if let Some(shares) = held.shares() {
            let mut cells = vec![name, held.steps.to_string()];
            cells.extend(shares.map(|share| format!("{share:.3}")));
            table.row(cells);
        }
    }
    table.render(style)
}

fn columns(first: &str) -> Vec<Column> {
    let mut columns = vec![Column::words(first)];
    columns.extend(
        [
            "WQL",
            "relWQL",
            "QL95",
            "cov80",
            "cov95",
            "MASE",
            "MSIS",
            "CPU s\na fit",
        ]
        .map(Column::number),
    );
    columns
}

fn cells(name: &str, one: &SeriesScores) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
    let scores = &one.scores;
    vec![
        name.to_string(),
        number(scores.wql),
        number(one.relative_wql),
        number(scores.ql95),
        number(scores.cov80),
        number(scores.cov95),
        number(scores.mase),
        number(scores.msis),
        format!("{:.4}", one.cpu_seconds_per_fit),
    ]
}
