//! `fleetcast init`
use std::process::ExitCode;
use anyhow::Result;
/// Runs the command.
pub fn run(_args: &crate::cli::InitArgs) -> Result<ExitCode> { Ok(ExitCode::SUCCESS) }
