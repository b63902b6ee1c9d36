//! Recordings: a header with the engine's configuration, then a line for each step, and the world that
//! feeds one back and must get the same steps, byte for byte.

use std::io::{self, BufRead, Write};

use fleetcast_engine::{Engine, EngineConfig, Step, World};
use fleetcast_model::Observation;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The format that this version writes and reads.
pub const FORMAT: &str = "fleetcast-recording/v1";

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    /// The version of the program that recorded; another one may decide otherwise.
    version: String,
    config: EngineConfig,
}

#[derive(Serialize)]
struct LineOut<'a> {
    now: Timestamp,
    seen: &'a [Observation],
    step: &'a Step,
}

#[derive(Deserialize)]
struct LineIn {
    now: Timestamp,
    seen: Vec<Observation>,
    step: Box<RawValue>,
}

/// The last line: without it the recording was cut off.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    steps: u64,
}

/// Writes a recording, line by line.
pub struct Recorder<W> {
    out: W,
    steps: u64,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording with its header.
    pub fn new(mut out: W, config: &EngineConfig) -> io::Result<Self> {
        let header = Header {
            format: FORMAT.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config: config.clone(),
        };
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        Ok(Self { out, steps: 0 })
    }

    /// Records what was seen and what was decided.
    pub fn step(&mut self, seen: &[Observation], step: &Step) -> io::Result<()> {
        self.steps += 1;
        serde_json::to_writer(
            &mut self.out,
            &LineOut {
                now: step.now,
                seen,
                step,
            },
        )?;
        self.out.write_all(b"\n")
    }

    /// Ends the recording and gives its writer back.
    pub fn finish(mut self) -> io::Result<W> {
        serde_json::to_writer(&mut self.out, &Closing { steps: self.steps })?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// A recording cannot be replayed, or was not reproduced.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file ends early, is damaged, or is none of ours.
    #[error("line {line} of the recording is damaged or cut off")]
    Damaged {
        /// Its number, from 1.
        line: u64,
        /// What was wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The recording is of a format that this version does not read.
    #[error("the recording has format `{0}`; this version reads `{FORMAT}`")]
    Format(String),
    /// The configuration in its header is refused.
    #[error("the recording's configuration is refused")]
    Config(#[from] fleetcast_engine::ConfigError),
    /// A step came out otherwise.
    #[error(
        "step {step} at {now} differs from the recording at `{pointer}`: recorded {recorded}, now {found}"
    )]
    Differs {
        /// Its number, from 0.
        step: u64,
        /// When.
        now: Timestamp,
        /// The first member that differs, as a JSON pointer.
        pointer: String,
        /// What the recording says.
        recorded: String,
        /// What this engine says.
        found: String,
    },
}

/// The replay world: tells what was recorded and compares what is decided.
pub struct Replay<R, F> {
    lines: io::Lines<R>,
    line: u64,
    recorded: Option<Box<RawValue>>,
    /// Steps reproduced so far.
    pub steps: u64,
    /// Called with each step that was reproduced; `false` stops the replay.
    on_step: F,
    stopped: bool,
}

impl<R: BufRead, F: FnMut(&Step, &[Observation]) -> bool> Replay<R, F> {
    /// Opens a recording: its engine, as it was before the first step, and the world to drive it in.
    pub fn open(input: R, on_step: F) -> Result<(Engine, Self), ReplayError> {
        let mut lines = input.lines();
        let damaged = |source: Box<dyn std::error::Error + Send + Sync>| ReplayError::Damaged {
            line: 1,
            source,
        };
        let header = lines
            .next()
            .ok_or_else(|| damaged("the file is empty".into()))?
            .map_err(|e| damaged(e.into()))?;
        let format: serde_json::Value =
            serde_json::from_str(&header).map_err(|e| damaged(e.into()))?;
        let format = format
            .get("format")
            .and_then(|format| format.as_str())
            .unwrap_or("unknown")
            .to_string();
        if format != FORMAT {
            return Err(ReplayError::Format(format));
        }
        let header: Header = serde_json::from_str(&header).map_err(|e| damaged(e.into()))?;
        let engine = Engine::new(header.config)?;
        Ok((
            engine,
            Self {
                lines,
                line: 1,
                recorded: None,
                steps: 0,
                on_step,
                stopped: false,
            },
        ))
    }
}

impl<R: BufRead, F: FnMut(&Step, &[Observation]) -> bool> World for Replay<R, F> {
    type Error = ReplayError;

    async fn observe(
        &mut self,
        _wake_at: Timestamp,
        seen: &mut Vec<Observation>,
    ) -> Result<Option<Timestamp>, ReplayError> {
        if self.stopped {
            return Ok(None);
        }
        self.line += 1;
        let number = self.line;
        let damaged = |source| ReplayError::Damaged {
            line: number,
            source,
        };
        let Some(line) = self.lines.next() else {
            return Err(damaged("its closing line is missing".into()));
        };
        let line = line.map_err(|e| damaged(e.into()))?;
        if let Ok(closing) = serde_json::from_str::<Closing>(&line) {
            let whole = closing.steps == self.steps;
            let text = format!(
                "it closes with {} steps and holds {}",
                closing.steps, self.steps
            );
            return if whole {
                Ok(None)
            } else {
                Err(damaged(text.into()))
            };
        }
        let line: LineIn = serde_json::from_str(&line).map_err(|e| damaged(e.into()))?;
        seen.extend(line.seen);
        self.recorded = Some(line.step);
        Ok(Some(line.now))
    }

    async fn record(&mut self, seen: &[Observation], step: &Step) -> Result<(), ReplayError> {
        let number = self.line;
        let damaged = |source| ReplayError::Damaged {
            line: number,
            source,
        };
        let found = serde_json::to_string(step).map_err(|e| damaged(e.into()))?;
        let recorded = self
            .recorded
            .take()
            .map(|recorded| recorded.get().to_string())
            .unwrap_or_default();
        if found != recorded {
            let old = serde_json::from_str(&recorded).map_err(|e| damaged(e.into()))?;
            let new = serde_json::from_str(&found).map_err(|e| damaged(e.into()))?;
            let (pointer, recorded, found) = first_difference(&old, &new, String::new());
            return Err(ReplayError::Differs {
                step: self.steps,
                now: step.now,
                pointer,
                recorded,
                found,
            });
        }
        self.steps += 1;
        self.stopped = !(self.on_step)(step, seen);
        Ok(())
    }

    async fn start(&mut self, _step: Step) -> Result<(), ReplayError> {
        Ok(()) // What comes of the actions is in the recording.
    }
}

/// The first member in which two values differ: its pointer and both its texts.
fn first_difference(
    old: &serde_json::Value,
    new: &serde_json::Value,
    at: String,
) -> (String, String, String) {
    use serde_json::Value::{Array, Object};
    match (old, new) {
        (Object(a), Object(b)) => {
            for key in a.keys().chain(b.keys()) {
                let (x, y) = (
                    a.get(key).unwrap_or(&serde_json::Value::Null),
                    b.get(key).unwrap_or(&serde_json::Value::Null),
                );
                if x != y {
                    return first_difference(x, y, format!("{at}/{key}"));
                }
            }
        }
        (Array(a), Array(b)) if a.len() == b.len() => {
            for (i, (x, y)) in a.iter().zip(b).enumerate() {
                if x != y {
                    return first_difference(x, y, format!("{at}/{i}"));
                }
            }
        }
        _ => {}
    }
    (at, old.to_string(), new.to_string())
}
