//! `fleetcast validate`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use fleetcast_document::{Document, Problems, check_together, decode, parse_any};

use super::documents;
use crate::cli::ValidateArgs;
use crate::files::BadInput;

/// Runs the command: 0 if everything is valid, 3 with all problems if not.
pub fn run(args: &ValidateArgs) -> Result<ExitCode> {
    let mut problems = 0;
    for path in &args.paths {
        let files = if path.is_dir() {
            documents_in(path)?
        } else {
            vec![path.clone()]
        };
        problems += check_files(&files)?;
    }
    match problems {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err(BadInput("1 problem".into()).into()),
        count => Err(BadInput(format!("{count} problems")).into()),
    }
}

/// The documents of a folder, or of the folders in it one level down.
fn documents_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let names = [
        documents::FLEET,
        documents::PERSONA,
        documents::EVENTS,
        documents::OVERRIDES,
    ];
    let found: Vec<PathBuf> = names
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.exists())
        .collect();
    if found.is_empty() {
        let text = format!(
            "{} holds none of {}: `fleetcast init {}` writes some to start from",
            folder.display(),
            names.join(", "),
            folder.display()
        );
        return Err(BadInput(text).into());
    }
    Ok(found)
}

/// Checks each file, and a fleet and a persona that stand beside each other together.
fn check_files(files: &[PathBuf]) -> Result<usize> {
    let (mut fleet, mut persona) = (None, None);
    let mut count = 0;
    for path in files {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let parsed =
            decode(&bytes).and_then(|text| parse_any(text).map(|document| (text, document)));
        match parsed {
            Ok((text, document)) => {
                outln!("{}: valid {}", path.display(), document.kind().name());
                match document {
                    Document::Fleet(document) => fleet = Some(document),
                    Document::Persona(document) => {
                        persona = Some((path, text.to_string(), document))
                    }
                    _ => {}
                }
            }
            Err(problems) => count += say(path, &String::from_utf8_lossy(&bytes), &problems),
        }
    }
    if let (Some(fleet), Some((path, text, persona))) = (fleet, persona) {
        let problems = check_together(&fleet, &persona);
        count += if problems.is_empty() {
            0
        } else {
            say(path, &text, &problems)
        };
    }
    Ok(count)
}

fn say(path: &Path, text: &str, problems: &Problems) -> usize {
    eprintln!(
        "{}",
        problems
            .render(&path.display().to_string(), text)
            .trim_end()
    );
    problems.0.len()
}
