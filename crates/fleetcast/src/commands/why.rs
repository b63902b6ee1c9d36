//! `fleetcast why`
use std::process::ExitCode;
use anyhow::Result;
/// Runs the command.
pub fn run(_args: &crate::cli::WhyArgs) -> Result<ExitCode> { Ok(ExitCode::SUCCESS) }
