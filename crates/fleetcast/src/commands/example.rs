//! `fleetcast example`

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};
use fleetcast_sim::example::write_history;

use crate::cli::ExampleArgs;
use crate::files::Whole;

/// Runs the command.
pub fn run(args: &ExampleArgs) -> Result<ExitCode> {
    if args.file == Path::new("-") {
        let mut out = io::BufWriter::new(io::stdout().lock());
        write_history(args.seed, |line| out.write_all(line.as_bytes()))?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut file = Whole::create(&args.file)?;
    if args
        .file
        .extension()
        .is_some_and(|extension| extension == "gz")
    {
        let mut gzip = GzEncoder::new(file, Compression::default());
        write_history(args.seed, |line| gzip.write_all(line.as_bytes()))?;
        file = gzip.finish()?;
    } else {
        write_history(args.seed, |line| file.write_all(line.as_bytes()))?;
    }
    file.finish()?;
    errln!(
        "wrote {} (synthetic: five weeks of the built-in example shop, by minute)",
        args.file.display()
    );
    Ok(ExitCode::SUCCESS)
}
