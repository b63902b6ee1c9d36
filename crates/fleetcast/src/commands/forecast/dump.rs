//! Every forecast of an evaluation as CSV, so that anybody can score them.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use fleetcast_forecast::evaluation::LEVELS;
use fleetcast_forecast::{Dates, QuantileForecast};

use crate::files::Whole;

/// A file of forecasts, absent until it is finished.
pub struct Dump {
    file: Whole,
    line: String,
}

impl Dump {
    /// Begins the file with its header.
    pub fn create(path: &Path) -> Result<Self> {
        let mut file = Whole::create(path)?;
        let levels = LEVELS.map(|level| format!(",q{level}"));
        writeln!(file, "series,origin,step,timestamp{}", levels.concat())
            .context("writing the dump")?;
        Ok(Self {
            file,
            line: String::new(),
        })
    }

    /// Adds a forecast: `origin` is the row of its first step, counted from 0; steps count from 1.
    pub fn write(
        &mut self,
        series: &str,
        origin: usize,
        dates: &Dates,
        forecast: &QuantileForecast,
    ) -> Result<()> {
        use std::fmt::Write as _;
        let series = quoted(series);
        for step in 0..forecast.horizon() {
            self.line.clear();
            let at = dates.at(origin + step);
            let _ = write!(self.line, "{series},{origin},{},{at}", step + 1);
            for value in forecast.step(step) {
                let _ = write!(self.line, ",{value}");
            }
            self.line.push('\n');
            self.file
                .write_all(self.line.as_bytes())
                .context("writing the dump")?;
        }
        Ok(())
    }

    /// Puts the file in its place.
    pub fn finish(self) -> Result<()> {
        self.file.finish()
    }
}

/// A name as a field of CSV.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_stay_one_field() {
        assert_eq!(quoted("a b"), "a b");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
