//! Tables, charts and HTML from results.
//!
//! Data in, `String` out: what `fleetcast backtest` and `fleetcast why` print is written here, and
//! nothing here reads a file, a clock or a terminal. A number that is not known is shown as a dash;
//! `NaN` is never printed. Logarithms only place points to a tenth of a pixel and round to three
//! digits, so the std ones do (no result flows back from here into a decision).

mod chart;
mod comparison;
mod decision;
mod escape;
mod forecast;
mod frames;
mod frontier;
mod html;
mod number;
mod result;
mod steps_csv;
mod table;
mod text_table;
mod time;
mod verdict;

#[cfg(test)]
mod example;

pub use comparison::{
    BOOTSTRAP_SEED, ComparedFigure, ComparedMetric, Comparison, DayFigures, DayPair, compare,
    comparison_text, comparison_verdict, share_interval,
};
pub use decision::*;
pub use forecast::{
    ForecastDay, ForecastParts, ForecastResult, ForecastStep, Member, forecast_html, forecast_text,
};
pub use frames::{BenchRow, bench_table};
pub use frontier::{
    FrontierPeer, FrontierPoint, FrontierResult, Knee, frontier_html, frontier_text,
};
pub use html::html_report;
pub use result::*;
pub use steps_csv::{STEPS_HEADER, StepRow, write_header, write_row};
pub use table::text_report;
pub use text_table::{Column, TextStyle, TextTable};
pub use verdict::verdict;
