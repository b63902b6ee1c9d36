//! Checks a value against its schema, and puts what the validator finds into words.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::{Value, json};

use crate::mend::{Mend, leading_quantity, stand_in};
use crate::near::{did_you_mean, nearest};
use crate::problem::{Problem, Problems};
use crate::schema::Compiled;
use crate::source::escape;

/// How many of the validator's errors are looked at: some more than are ever listed, so that a large
/// document that is wrong throughout is refused quickly.
const ERRORS_MAX: usize = 1_000;

/// Finds what is wrong with the structure of `value`. The mends make of it what was probably meant,
/// so that later checks can still find what is wrong elsewhere.
pub(crate) fn check(compiled: &Compiled, value: &Value) -> (Problems, Vec<Mend>) {
    let mut findings = Findings {
        schema: &compiled.schema,
        problems: Problems::default(),
        mends: Vec::new(),
    };
    let errors: Vec<_> = compiled
        .validator
        .iter_errors(value)
        .take(ERRORS_MAX)
        .collect();
    // Unknown members first: a missing member is not reported where one with nearly its name stands.
    let (unknown, others): (Vec<_>, Vec<_>) = errors
        .iter()
        .partition(|e| matches!(e.kind(), ValidationErrorKind::AdditionalProperties { .. }));
    unknown
        .into_iter()
        .for_each(|error| findings.unknown_members(error));
    others.into_iter().for_each(|error| findings.other(error));
    (findings.problems, findings.mends)
}

struct Findings<'a> {
    schema: &'a Value,
    problems: Problems,
    mends: Vec<Mend>,
}

impl Findings<'_> {
    /// The schema that holds the keyword which failed.
    fn schema_of(&self, error: &ValidationError<'_>) -> &Value {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.schema.pointer(parent).unwrap_or(self.schema)
    }

    fn add(&mut self, pointer: &str, message: String, hint: Option<String>) -> &mut Problem {
        let problem = self.problems.add(pointer, message);
        problem.hint = hint;
        problem
    }

    fn unknown_members(&mut self, error: &ValidationError<'_>) {
        let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() else {
            return;
        };
        let at = error.instance_path().as_str();
        let schema = self.schema_of(error);
        let noun = word(schema, "x-noun").unwrap_or("this object").to_string();
        // Sorted, because the order of serde_json's objects depends on features of other crates.
        let known: std::collections::BTreeSet<String> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        for name in unexpected {
            let pointer = format!("{at}/{}", escape(name));
            let known = known.iter().map(String::as_str);
            let hint = did_you_mean(name, known.clone(), "its fields are");
            let message = format!("`{}` is not a field of {noun}", short(name));
            self.add(&pointer, message, Some(hint)).on_name();
            let free = nearest(name, known).filter(|near| error.instance().get(near).is_none());
            self.mends.push(match free {
                Some(near) => Mend::Rename {
                    object: at.to_string(),
                    from: name.clone(),
                    to: near.to_string(),
                },
                None => Mend::Remove {
                    object: at.to_string(),
                    name: name.clone(),
                },
            });
        }
    }

    fn other(&mut self, error: &ValidationError<'_>) {
        use ValidationErrorKind as Kind;
        let at = error.instance_path().as_str();
        let schema = self.schema_of(error).clone();
        let field = &field_name(at);
        let noun = word(&schema, "x-noun").unwrap_or("it");
        let hint = word(&schema, "x-hint").map(str::to_string);
        let value = show(error.instance());
        let (message, hint, mended) = match error.kind() {
            Kind::Required { property } => {
                return self.missing(error, property.as_str().unwrap_or_default());
            }
            Kind::Type { kind } => return self.wrong_type(error, kind, field, &schema),
            Kind::Minimum { limit } if limit.as_f64() == Some(0.0) => (
                format!("{field} is {value}; {noun} cannot be negative"),
                None,
                Some(limit.clone()),
            ),
            Kind::Minimum { limit } => (
                format!("{field} is {value}; {noun} is at least {limit}"),
                None,
                Some(limit.clone()),
            ),
            Kind::ExclusiveMinimum { limit } => (
                format!("{field} is {value}; {noun} is more than {limit}"),
                hint,
                Some(json!(1)),
            ),
            Kind::Maximum { limit } => (
                format!("{field} is {value}; {noun} is at most {limit}"),
                hint,
                Some(limit.clone()),
            ),
            Kind::ExclusiveMaximum { limit } => (
                format!("{field} is {value}; {noun} is less than {limit}"),
                None,
                Some(json!(0.5)),
            ),
            Kind::Enum { options } => choice(error.instance(), options, field, noun),
            Kind::Pattern { .. }
                if error
                    .instance()
                    .as_str()
                    .is_some_and(|text| text.trim().is_empty()) =>
            {
                (format!("{field} is empty"), hint, None)
            }
            Kind::Pattern { .. } | Kind::Format { .. } => {
                let text = error.instance().as_str().unwrap_or_default();
                let near = nearest(
                    text,
                    schema["examples"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str),
                );
                let near = near.filter(|_| noun == "an interaction type");
                let hint = near.map(|near| format!("did you mean `{near}`?")).or(hint);
                let mended = near
                    .map(|near| json!(near))
                    .or_else(|| stand_in(noun, field, text));
                (format!("{value} is not {noun}"), hint, mended)
            }
            Kind::MinItems { .. } => (
                format!("{field} is empty; it needs at least one item"),
                None,
                None,
            ),
            Kind::MaxItems { limit } => {
                let items = error.instance().as_array().into_iter().flatten();
                let some: Vec<Value> = items
                    .take(usize::try_from(*limit).unwrap_or(0))
                    .cloned()
                    .collect();
                (
                    format!("{field} has more than {limit} items"),
                    None,
                    Some(Value::Array(some)),
                )
            }
            Kind::MaxLength { limit } => (
                format!("{field} is longer than {limit} characters"),
                None,
                None,
            ),
            _ => (error.masked().to_string(), None, None),
        };
        if let Some(value) = mended {
            self.mends.push(Mend::Replace {
                pointer: at.to_string(),
                value,
            });
        }
        self.add(at, message, hint);
    }

    fn missing(&mut self, error: &ValidationError<'_>, name: &str) {
        let at = error.instance_path().as_str();
        let meant = |mend: &Mend| matches!(mend, Mend::Rename { object, to, .. } if object == at && to == name);
        if self.mends.iter().any(meant) {
            return;
        }
        let schema = self.schema_of(error);
        let noun = word(schema, "x-noun").unwrap_or("this object");
        let message = format!("`{name}` is missing from {noun}");
        let about = word(&schema["properties"][name], "description").unwrap_or_default();
        let about = about
            .split_inclusive(['.', ':'])
            .next()
            .unwrap_or_default()
            .trim_end_matches(['.', ':']);
        let hint = (!about.is_empty()).then(|| format!("add it: {about}"));
        self.add(at, message, hint);
    }

    fn wrong_type(
        &mut self,
        error: &ValidationError<'_>,
        kind: &TypeKind,
        field: &str,
        schema: &Value,
    ) {
        let at = error.instance_path().as_str();
        let value = show(error.instance());
        let wanted = match kind {
            TypeKind::Single(JsonType::Object) => "an object in `{ }`",
            TypeKind::Single(JsonType::Array) => "a list in `[ ]`",
            TypeKind::Single(JsonType::String) => "text in quotes",
            TypeKind::Single(JsonType::Number) => "a number",
            TypeKind::Single(JsonType::Integer) => "a whole number",
            TypeKind::Single(JsonType::Boolean) => "true or false",
            TypeKind::Single(JsonType::Null) => "null",
            TypeKind::Multiple(_) => {
                word(schema, "x-type").unwrap_or("a number, or text in percent")
            }
        };
        let number = matches!(kind, TypeKind::Single(JsonType::Number | JsonType::Integer));
        let unit = word(schema, "x-unit").filter(|_| number);
        let message = match unit {
            Some(unit) => format!("{field} is {value}; it is {wanted} in {unit}"),
            None => format!("{field} is {value}; it is {wanted}"),
        };
        let mut hint = word(schema, "x-hint").map(str::to_string);
        let mut mended = None;
        match &**error.instance() {
            Value::Null => hint = Some("leave it out if it is not known".into()),
            Value::String(text) if number => match leading_quantity(text, unit) {
                Some(quantity) => {
                    hint = Some(format!("write {quantity}"));
                    mended = Some(json!(quantity));
                }
                None => {
                    hint = unit.map(|unit| format!("write the number of {unit}, without quotes"))
                }
            },
            Value::Number(number) if matches!(kind, TypeKind::Single(JsonType::Integer)) => {
                let rounded = number.as_f64().map_or(0.0, f64::ceil);
                mended = Some(json!(rounded as i64));
            }
            one if matches!(kind, TypeKind::Single(JsonType::Array))
                && (one.is_string() || one.is_object()) =>
            {
                hint = Some("put it in `[ ]`, even if it is the only one".into());
                mended = Some(json!([one]));
            }
            _ => {}
        }
        if let (None, Some(example)) = (&hint, schema["examples"].get(0)) {
            hint = Some(format!("such as {example}"));
        }
        if let Some(value) = mended {
            self.mends.push(Mend::Replace {
                pointer: at.to_string(),
                value,
            });
        }
        self.add(at, message, hint);
    }
}

/// Words for a value that is none of those there are.
fn choice(
    value: &Value,
    options: &Value,
    field: &str,
    noun: &str,
) -> (String, Option<String>, Option<Value>) {
    let text = value.as_str().unwrap_or_default();
    let options: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mended = nearest(text, options.iter().copied())
        .or(options.first().copied())
        .map(|near| json!(near));
    let value = show(value);
    match options.as_slice() {
        [only] => (
            format!("{field} is {value}; only `{only}` is supported"),
            None,
            mended,
        ),
        _ => {
            let hint = did_you_mean(text, options.iter().copied(), "write one of");
            (
                format!("{field} is {value}, which is not {noun}"),
                Some(hint),
                mended,
            )
        }
    }
}

/// What messages call the value at a pointer.
fn field_name(pointer: &str) -> String {
    let mut steps = pointer.rsplit('/');
    let last = steps.next().unwrap_or_default();
    match last.parse::<usize>() {
        Ok(i) => format!("item {} of {}", i + 1, steps.next().unwrap_or_default()),
        Err(_) if pointer.is_empty() => "the document".to_string(),
        Err(_) => last.to_string(),
    }
}

fn word<'a>(schema: &'a Value, keyword: &str) -> Option<&'a str> {
    schema.get(keyword).and_then(Value::as_str)
}

/// A value in a message: short, so that the message stays a sentence.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) => format!("\"{}\"", short(text)),
        other => other.to_string(),
    }
}

/// Text from a document in a message: one line, and not too much of it.
pub(crate) fn short(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(60).map(clean).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}
