//! What is wrong with a document, where, and how to mend it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use crate::source::Source;

/// The most problems that are listed; more of them help nobody.
const LISTED_MAX: usize = 200;
/// The most characters of a source line that are shown.
const LINE_SHOWN_MAX: usize = 120;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// RFC 6901 JSON pointer of what is wrong; empty for the whole document.
    pub pointer: String,
    /// The line, counted from 1; 0 while the text that the problem is in is not known.
    pub line: usize,
    /// The column in characters, counted from 1; 0 while the text is not known.
    pub column: usize,
    /// What is wrong, in words for the person who wrote the document.
    pub message: String,
    /// How to mend it, where that can be said.
    pub hint: Option<String>,
    /// How many characters the mark under the source line covers.
    pub(crate) width: usize,
    /// Which part of the member the mark is put under.
    pub(crate) mark: Mark,
}

/// Which part of a member of an object a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Its value.
    Value,
    /// Its name; the number tells repetitions of the same name apart.
    Name(usize),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// All that is wrong with a document, in the order of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{problem}")?;
        }
        Ok(())
    }
}

impl Problems {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lists the problems as a compiler does: place, message, the source line with a mark, hint.
    ///
    /// `source` is the text that was parsed. Problems that carry only a JSON pointer, as those of
    /// [`check_together`](crate::check_together) do, are looked up in it.
    pub fn render(&self, file_name: &str, source: &str) -> String {
        let mut sorted = self.clone();
        let text = match Source::parse(source) {
            Ok(source) => {
                sorted.locate(&source);
                source.text().to_string()
            }
            Err(_) => source
                .strip_prefix('\u{feff}')
                .unwrap_or(source)
                .to_string(),
        };
        sorted.sort();
        let lines: Vec<&str> = text.split('\n').collect();
        let mut out = String::new();
        for problem in &sorted.0 {
            problem.render_into(&mut out, file_name, &lines);
        }
        out
    }

    /// Adds a problem with the value at `pointer`.
    pub(crate) fn add(&mut self, pointer: &str, message: impl Into<String>) -> &mut Problem {
        self.push(Problem {
            pointer: pointer.to_string(),
            line: 0,
            column: 0,
            message: message.into(),
            hint: None,
            width: 1,
            mark: Mark::Value,
        })
    }

    pub(crate) fn push(&mut self, problem: Problem) -> &mut Problem {
        self.0.push(problem);
        self.0.last_mut().expect("one was just pushed")
    }

    /// Adds the problems of a later check, except where an earlier one has already spoken.
    pub(crate) fn append_new(&mut self, later: Problems) {
        let spoken: BTreeSet<String> = self
            .0
            .iter()
            .map(|problem| problem.pointer.clone())
            .collect();
        self.0.extend(
            later
                .0
                .into_iter()
                .filter(|problem| !spoken.contains(&problem.pointer)),
        );
    }

    /// Fills in lines and columns, sorts, and cuts a list that nobody would read to its end.
    pub(crate) fn located(mut self, source: &Source<'_>) -> Self {
        let cut = self.0.len() > LISTED_MAX;
        self.0.truncate(LISTED_MAX);
        self.locate(source);
        self.sort();
        if cut {
            let last = self
                .0
                .last()
                .map_or((1, 1), |problem| (problem.line, problem.column));
            let more = self.add("", "more problems are not listed");
            (more.line, more.column) = last;
        }
        self
    }

    fn locate(&mut self, source: &Source<'_>) {
        for problem in self.0.iter_mut().filter(|problem| problem.line == 0) {
            let span = source.locate(&problem.pointer, problem.mark);
            (problem.line, problem.column) = source.line_and_column(span.start);
            problem.width = source.text()[span]
                .split('\n')
                .next()
                .unwrap_or("")
                .chars()
                .count()
                .max(1);
        }
    }

    fn sort(&mut self) {
        self.0.sort_by_key(|problem| (problem.line, problem.column));
    }
}

impl Problem {
    /// Says how to mend it.
    pub(crate) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts the mark under the member's name.
    pub(crate) fn on_name(&mut self) -> &mut Self {
        self.mark = Mark::Name(0);
        self
    }

    fn render_into(&self, out: &mut String, file_name: &str, lines: &[&str]) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            out,
            "{file_name}:{}:{}: {}",
            self.line, self.column, self.message
        );
        if let Some(line) = self.line.checked_sub(1).and_then(|i| lines.get(i)) {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            let (shown, before) = window(line, self.column.saturating_sub(1));
            let width = self
                .width
                .clamp(1, shown.chars().count().saturating_sub(before).max(1));
            let _ = writeln!(out, "  {number} | {shown}");
            let _ = writeln!(
                out,
                "  {margin} | {}{}",
                " ".repeat(before),
                "^".repeat(width)
            );
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "  hint: {hint}");
        }
    }
}

/// The part of a line around `column` (from 0) that is shown, and how far into it the column is.
fn window(line: &str, column: usize) -> (String, usize) {
    let skipped = column.saturating_sub(LINE_SHOWN_MAX / 2);
    let skipped = if line.chars().nth(LINE_SHOWN_MAX).is_none() {
        0
    } else {
        skipped
    };
    let shown = line.chars().skip(skipped).take(LINE_SHOWN_MAX);
    let shown: String = shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    (shown.trim_end().to_string(), column - skipped)
}
