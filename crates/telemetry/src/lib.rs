//! Demand from CSV files and Prometheus, and recorded use of resources.
//!
//! Both ways in end in the same place: a [`fleetcast_series::Demand`] on one regular grid, and an
//! [`IngestReport`] that says what was found and mended on the way. Late, repeated and shuffled
//! samples give the same series as orderly ones, and a missing sample stays missing: it is never
//! read as zero.

mod csv;
mod grid;
pub mod prometheus;
mod report;
mod rows;

pub use csv::{
    BadRow, CsvError, CsvOptions, Sample, UseRow, UseRows, UsedResource, read_csv, read_samples,
    read_usage,
};
pub use grid::GridError;
pub use report::{IngestReport, LongestGap, SkippedRows};
