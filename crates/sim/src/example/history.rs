//! The synthetic demand as the text that a telemetry file holds.

use std::convert::Infallible;
use std::fmt::Write;

use super::demand;

/// The first line of the history.
pub const HISTORY_HEADER: &str = "timestamp,value,interaction_type,region";

/// Writes the synthetic demand as CSV in long form, line by line with its line feed: the time in
/// RFC 3339 UTC, interactions in that minute, their kind and the region, whose name says that it is
/// synthetic. Missing minutes have no lines. Stops at the first error of `write`.
pub fn write_history<E>(seed: u64, mut write: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    let mut line = format!("{HISTORY_HEADER}\n");
    write(&line)?;
    for row in demand(seed) {
        let Some(per_minute) = row.per_minute else {
            continue;
        };
        line.clear();
        writeln!(
            line,
            "{},{per_minute},{},{}",
            row.at, row.interaction_type, row.region
        )
        .expect("a string takes all that is written");
        write(&line)?;
    }
    Ok(())
}

/// The whole history as one text of about 10 MB; see [`write_history`].
pub fn history_csv(seed: u64) -> String {
    let mut text = String::new();
    let written = write_history(seed, |line| {
        text.push_str(line);
        Ok::<(), Infallible>(())
    });
    match written {
        Ok(()) => text,
        Err(never) => match never {},
    }
}
