//! `fleetcast validate`
use std::process::ExitCode;
use anyhow::Result;
/// Runs the command.
pub fn run(_args: &crate::cli::ValidateArgs) -> Result<ExitCode> { Ok(ExitCode::SUCCESS) }
