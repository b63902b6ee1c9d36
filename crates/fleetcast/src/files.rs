//! Files that are complete or absent, and errors that say which file is meant.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The input is invalid: the message says what, where and how to mend it.
#[derive(Debug)]
pub struct BadInput(pub String);

impl std::fmt::Display for BadInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// The input is good, and what it asks for may not be done.
#[derive(Debug)]
pub enum Refused {
    /// By the state of the fleet, its mode, a freeze window or the hard cap.
    Denied(String),
    /// It costs more than the threshold, and nobody has approved it.
    OverThreshold(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Denied(words) | Self::OverThreshold(words)) = self;
        f.write_str(words)
    }
}

impl std::error::Error for Refused {}

/// A file that stands under another name until it is complete.
pub struct Whole {
    out: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
    finished: bool,
    /// A folder that was made for it, and that goes with it if it never becomes whole.
    made: Option<PathBuf>,
}

impl Whole {
    /// Begins a file; nothing stands at `path` before [`Self::finish`].
    pub fn create(path: &Path) -> Result<Self> {
        let mut name = path
            .file_name()
            .map(|name| name.to_os_string())
            .unwrap_or_default();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let made = folder
            .filter(|folder| !folder.exists())
            .map(Path::to_path_buf);
        if let Some(folder) = folder {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let file =
            File::create(&partial).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 16, file),
            partial,
            path: path.to_path_buf(),
            finished: false,
            made,
        })
    }

    /// Puts the complete file in its place.
    pub fn finish(mut self) -> Result<()> {
        let done = self
            .out
            .flush()
            .and_then(|()| fs::rename(&self.partial, &self.path));
        self.finished = done.is_ok();
        done.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.partial); // It was never whole.
            if let Some(folder) = &self.made {
                let _ = fs::remove_dir(folder); // Only if nothing else came to lie in it.
            }
        }
    }
}

/// Writes a whole file.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let mut file = Whole::create(path)?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.finish()
}

/// Reads a text file.
pub fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        BadInput(format!("{}: byte {at} is not UTF-8 text", path.display())).into()
    })
}
