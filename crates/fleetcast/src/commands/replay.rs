//! `fleetcast replay`

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use fleetcast_engine::{Engine, Step, drive};
use fleetcast_model::Observation;
use fleetcast_sim::{Replay, run_to_end};

use super::backtest::RECORDING;
use crate::cli::ReplayArgs;

/// Runs the command: 0 if every step came out the same, 1 with the first difference if not.
pub fn run(args: &ReplayArgs) -> Result<ExitCode> {
    crate::stop::listen();
    let (_, steps) = replay(&args.folder, |_, _| !crate::stop::asked())?;
    crate::stop::check()?;
    outln!("{steps} steps reproduced byte for byte");
    Ok(ExitCode::SUCCESS)
}

/// Replays a folder's recording; `on_step` returns whether to go on.
pub fn replay(
    folder: &Path,
    on_step: impl FnMut(&Step, &[Observation]) -> bool,
) -> Result<(Engine, u64)> {
    let inside = folder.join(RECORDING);
    let path = if folder.is_dir() {
        inside
    } else {
        folder.to_path_buf()
    };
    let hint = || {
        format!(
            "cannot read {}: `fleetcast backtest … --record {}` writes it",
            path.display(),
            folder.display()
        )
    };
    let file = File::open(&path).with_context(hint)?;
    let lines = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(BufReader::new(file)));
    let (mut engine, mut world) = Replay::open(lines, on_step)?;
    run_to_end(drive(&mut engine, &mut world))?;
    Ok((engine, world.steps))
}
