//! `fleetcast schemas`

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::SchemasArgs;
use crate::files;

/// Runs the command.
pub fn run(args: &SchemasArgs) -> Result<ExitCode> {
    for (name, schema) in fleetcast_document::schemas() {
        files::write(&args.folder.join(name), &schema)?;
    }
    Ok(ExitCode::SUCCESS)
}
