//! The text of a document: strict JSON within limits, with the place of each value.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

use crate::problem::{Mark, Problems};

/// The largest document in bytes: far above any real one, far below what hurts.
pub(crate) const SIZE_MAX: usize = 16 << 20;
/// The deepest nesting; our documents need seven levels, and parsers recurse.
pub(crate) const DEPTH_MAX: usize = 64;

/// Checks that the bytes of a file are UTF-8 text, which JSON always is.
pub fn decode(bytes: &[u8]) -> Result<&str, Problems> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let start = before
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |i| i + 1);
        let message = format!("byte {} is not UTF-8 text", before.len() + 1);
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count();
        placed(
            line,
            column,
            message,
            Some("save the file in the UTF-8 encoding".into()),
        )
    })
}

fn placed(line: usize, column: usize, message: String, hint: Option<String>) -> Problems {
    let mut problems = Problems::default();
    let problem = problems.add("", message);
    (problem.line, problem.column, problem.hint) = (line, column, hint);
    problems
}

/// A text that has been found to be one JSON value.
pub(crate) struct Source<'a> {
    text: &'a str,
    /// The byte at which each line starts.
    lines: Vec<usize>,
    root: ast::Value<'a>,
    value: Value,
}

impl<'a> Source<'a> {
    /// Reads strict JSON. A byte order mark is skipped, as RFC 8259 §8.1 allows.
    pub fn parse(text: &'a str) -> Result<Self, Problems> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.len() > SIZE_MAX {
            let size = format!(
                "the document has {} bytes; at most {SIZE_MAX} are read",
                text.len()
            );
            return Err(placed(1, 1, size, None));
        }
        let lines = line_starts(text);
        let at = |offset: usize| line_and_column(text, &lines, offset);
        if let Some(offset) = too_deep(text) {
            let (line, column) = at(offset);
            let message = format!("values are nested more than {DEPTH_MAX} deep");
            return Err(placed(line, column, message, None));
        }
        let strict = ParseOptions {
            allow_comments: false,
            allow_loose_object_property_names: false,
            allow_trailing_commas: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let parsed = parse_to_ast(text, &CollectOptions::default(), &strict).map_err(|error| {
            let (line, column) = at(error.range().start);
            let (message, hint) =
                explain(&error, &text[floor_boundary(text, error.range().start)..]);
            placed(line, column, message, hint)
        })?;
        let Some(root) = parsed.value else {
            return Err(placed(1, 1, "the document is empty".into(), None));
        };
        // The reader above is lenient in places (control characters, numbers out of range), so what
        // is taken over is what a strict one reads.
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let full = error.to_string();
            let message = full.split(" at line ").next().unwrap_or(&full).to_string();
            let start = lines
                .get(error.line().saturating_sub(1))
                .copied()
                .unwrap_or(0);
            let (line, column) = at(start + error.column().saturating_sub(1));
            placed(line, column, format!("this is not JSON: {message}"), None)
        })?;
        Ok(Self {
            text,
            lines,
            root,
            value,
        })
    }

    /// The text, without a byte order mark.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The value that the text stands for.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Line and column of a byte, both counted from 1.
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        line_and_column(self.text, &self.lines, offset)
    }

    /// Where the value at `pointer` stands, or the nearest value around it that exists.
    pub fn locate(&self, pointer: &str, mark: Mark) -> Range<usize> {
        let mut here = &self.root;
        let mut found = span_of(here);
        let mut steps = pointer.split('/').skip(1).peekable();
        while let Some(step) = steps.next() {
            let name = step.replace("~1", "/").replace("~0", "~");
            match here {
                ast::Value::Object(object) => {
                    let mut same = object.properties.iter().filter(|p| p.name.as_str() == name);
                    // Of members with the same name the last one counts, as it does for serde_json.
                    let member = match (mark, steps.peek()) {
                        (Mark::Name(nth), None) => same.nth(nth),
                        _ => same.next_back(),
                    };
                    let Some(member) = member else { break };
                    here = &member.value;
                    found = match (mark, steps.peek()) {
                        (Mark::Name(_), None) => to_range(member.name.range()),
                        _ => span_of(here),
                    };
                }
                ast::Value::Array(array) => {
                    let Some(item) = name.parse().ok().and_then(|i: usize| array.elements.get(i))
                    else {
                        break;
                    };
                    here = item;
                    found = span_of(here);
                }
                _ => break,
            }
        }
        found
    }

    /// Names that stand more than once in one object.
    pub fn duplicates(&self) -> Problems {
        let mut problems = Problems::default();
        self.collect_duplicates(&self.root, &mut String::new(), &mut problems);
        problems
    }

    fn collect_duplicates(
        &self,
        value: &ast::Value<'_>,
        pointer: &mut String,
        problems: &mut Problems,
    ) {
        let length = pointer.len();
        match value {
            ast::Value::Object(object) => {
                let mut seen = std::collections::BTreeMap::<&str, (usize, usize)>::new();
                for member in &object.properties {
                    let name = member.name.as_str();
                    pointer.push('/');
                    pointer.push_str(&escape(name));
                    let (times, first) = *seen
                        .entry(name)
                        .and_modify(|s| s.0 += 1)
                        .or_insert((0, member.name.range().start));
                    if times > 0 {
                        let line = self.line_and_column(first).0;
                        let message = format!(
                            "`{name}` stands twice in the same object, first on line {line}"
                        );
                        let problem = problems.add(pointer, message);
                        problem.hint("leave one of them out").mark = Mark::Name(times);
                    }
                    self.collect_duplicates(&member.value, pointer, problems);
                    pointer.truncate(length);
                }
            }
            ast::Value::Array(array) => {
                for (i, item) in array.elements.iter().enumerate() {
                    pointer.push_str(&format!("/{i}"));
                    self.collect_duplicates(item, pointer, problems);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }
}

/// Writes a member's name as a step of a JSON pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn to_range(range: jsonc_parser::common::Range) -> Range<usize> {
    range.start..range.end
}

fn span_of(value: &ast::Value<'_>) -> Range<usize> {
    let range = to_range(value.range());
    match value {
        // A mark under a whole object says less than one under its first brace.
        ast::Value::Object(_) | ast::Value::Array(_) => range.start..range.start + 1,
        _ => range,
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0).chain(ends.map(|(i, _)| i + 1)).collect()
}

fn line_and_column(text: &str, lines: &[usize], offset: usize) -> (usize, usize) {
    let offset = floor_boundary(text, offset);
    let line = lines.partition_point(|start| *start <= offset);
    let start = lines[line - 1];
    (line, 1 + text[start..offset].chars().count())
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The byte at which the text nests too deep. Counted before any parser recurses over it.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Some(i);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Says what is wrong with the JSON, and how to mend what people often bring from other formats.
fn explain(error: &ParseError, found: &str) -> (String, Option<String>) {
    use ParseErrorKind as Kind;
    let not_finite = ["NaN", "Infinity", "-Infinity", "-NaN"]
        .iter()
        .any(|word| found.starts_with(word));
    let (message, hint) = match error.kind() {
        _ if not_finite => (
            "NaN and Infinity are not numbers in JSON",
            "leave the member out if its value is not known",
        ),
        Kind::CommentsNotAllowed => (
            "a comment; documents are strict JSON",
            "take the comment out",
        ),
        Kind::TrailingCommasNotAllowed => ("a comma after the last item", "take the comma out"),
        Kind::ExpectedComma => ("a comma is missing here", "put a `,` between the items"),
        Kind::SingleQuotedStringsNotAllowed => ("text in single quotes", "use double quotes"),
        Kind::HexadecimalNumbersNotAllowed => ("a hexadecimal number", "write it in decimal"),
        Kind::UnaryPlusNumbersNotAllowed => ("a number that starts with `+`", "take the `+` out"),
        Kind::BareDecimalPointNumbersNotAllowed => (
            "a number that starts or ends with its decimal point",
            "write a digit on both sides, such as 0.5",
        ),
        Kind::ExpectedStringObjectProperty | Kind::UnexpectedWord => {
            ("a word without quotes", "put it in double quotes")
        }
        Kind::UnterminatedObject => (
            "the object that opens here is not closed",
            "add the missing `}`",
        ),
        Kind::UnterminatedArray => (
            "the list that opens here is not closed",
            "add the missing `]`",
        ),
        Kind::MultipleRootJsonValues => (
            "more text after the end of the document",
            "a file holds one document; take the rest out",
        ),
        other => {
            let text = other.to_string();
            return (format!("this is not JSON: {}", lower_first(&text)), None);
        }
    };
    (message.to_string(), Some(hint.to_string()))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
