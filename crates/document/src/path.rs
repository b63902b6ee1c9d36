//! Changes one field of a document, named by its path: `components[web].sla.objective.target`.

use serde_json::Value;

use crate::kind::DocumentKind;
use crate::near::{did_you_mean, nearest};
use crate::schema::compiled;

/// A path that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is not written as a path.
    #[error("`{path}` is not a path: {why}; write it as in `components[web].floor`")]
    NotAPath {
        /// As it was given.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A field that no document of the kind has there.
    #[error("`{path}` is not a field of {noun}: {hint}")]
    UnknownField {
        /// The path up to the field.
        path: String,
        /// What it was looked for in.
        noun: String,
        /// The nearest known path, or the fields that there are.
        hint: String,
    },
    /// An item that the list does not have.
    #[error("`{path}` is not in the list: {hint}")]
    UnknownItem {
        /// The path up to the item.
        path: String,
        /// The nearest one, or those that there are.
        hint: String,
    },
    /// The document is not JSON.
    #[error("the document cannot be changed, because it is not JSON")]
    NotJson,
}

/// Gives a document with one field changed; `null` takes it out. What the new value makes of the document
/// is for its parser to judge.
///
/// Items of lists are named by their place from 0, or by their name: `components[web]`.
pub fn set_field(
    kind: DocumentKind,
    text: &str,
    path: &str,
    value: Value,
) -> Result<String, PathError> {
    let steps = steps(path)?;
    let mut document: Value = serde_json::from_str(text).map_err(|_| PathError::NotJson)?;
    let root = &compiled(kind).schema;
    let mut walk = Walk {
        root,
        schema: root,
        path: String::new(),
    };
    let (last, before) = match steps.split_last() {
        Some((last, before)) => (last, before),
        None => return Err(not_a_path(path, "it is empty")),
    };
    let mut here = &mut document;
    for step in before {
        here = walk.enter(here, step)?;
    }
    if let (Value::Null, Step::Field(name)) = (&value, last) {
        // Entered first, so that a misspelt name is told.
        walk.enter(here, last)?;
        if let Value::Object(members) = here {
            members.remove(name);
        }
    } else {
        *walk.enter(here, last)? = value;
    }
    let mut changed = serde_json::to_string_pretty(&document).map_err(|_| PathError::NotJson)?;
    changed.push('\n');
    Ok(changed)
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Item(String),
}

fn not_a_path(path: &str, why: &'static str) -> PathError {
    PathError::NotAPath {
        path: path.to_string(),
        why,
    }
}

fn steps(path: &str) -> Result<Vec<Step>, PathError> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = inside
                .find(']')
                .ok_or_else(|| not_a_path(path, "a `]` is missing"))?;
            let item = inside[..end].trim_matches(['"', '\'']);
            if item.is_empty() {
                return Err(not_a_path(path, "there is nothing between `[` and `]`"));
            }
            steps.push(Step::Item(item.to_string()));
            rest = &inside[end + 1..];
        } else {
            let field = if steps.is_empty() {
                rest
            } else {
                rest.strip_prefix('.')
                    .ok_or_else(|| not_a_path(path, "a `.` is missing after `]`"))?
            };
            let end = field.find(['.', '[']).unwrap_or(field.len());
            if end == 0 {
                return Err(not_a_path(path, "a field has no name"));
            }
            steps.push(Step::Field(field[..end].to_string()));
            rest = &field[end..];
        }
    }
    Ok(steps)
}

/// Where a walk is, in the document and in its schema.
struct Walk<'a> {
    root: &'a Value,
    schema: &'a Value,
    path: String,
}

impl<'a> Walk<'a> {
    /// Goes one step further; what is not there yet and may be is made.
    fn enter<'d>(&mut self, here: &'d mut Value, step: &Step) -> Result<&'d mut Value, PathError> {
        let schema = self.resolved(self.schema);
        match step {
            Step::Field(name) => {
                let inside = self
                    .field(schema, name)
                    .ok_or_else(|| self.unknown_field(schema, name))?;
                if !self.path.is_empty() {
                    self.path.push('.');
                }
                self.path.push_str(name);
                self.schema = inside;
                if !here.is_object() {
                    *here = Value::Object(serde_json::Map::new());
                }
                let empty = match self.resolved(inside)["type"].as_str() {
                    Some("array") => Value::Array(Vec::new()),
                    Some("object") => Value::Object(serde_json::Map::new()),
                    _ => Value::Null,
                };
                let members = here.as_object_mut().ok_or(PathError::NotJson)?;
                Ok(members.entry(name.clone()).or_insert(empty))
            }
            Step::Item(name) => {
                let items = here.as_array_mut().filter(|_| schema["items"].is_object());
                let Some(items) = items else {
                    return Err(PathError::UnknownItem {
                        path: format!("{}[{name}]", self.path),
                        hint: format!("`{}` is not a list", self.path),
                    });
                };
                let place = place_of(items, name).ok_or_else(|| PathError::UnknownItem {
                    path: format!("{}[{name}]", self.path),
                    hint: item_hint(items, name),
                })?;
                self.path.push_str(&format!("[{name}]"));
                self.schema = &schema["items"];
                items.get_mut(place).ok_or(PathError::NotJson)
            }
        }
    }

    /// The schema itself, if it only points to another one.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let target = schema["$ref"].as_str().and_then(|at| at.strip_prefix('#'));
        target
            .and_then(|pointer| self.root.pointer(pointer))
            .unwrap_or(schema)
    }

    fn field(&self, schema: &'a Value, name: &str) -> Option<&'a Value> {
        let own = schema["properties"].get(name);
        let any = &schema["additionalProperties"];
        own.or(any.is_object().then_some(any))
    }

    fn unknown_field(&self, schema: &'a Value, name: &str) -> PathError {
        let full = |field: &str| match self.path.as_str() {
            "" => field.to_string(),
            path => format!("{path}.{field}"),
        };
        let mut known = Vec::new();
        self.fields_below(schema, String::new(), 4, &mut known);
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_string();
        let direct: Vec<&str> = known
            .iter()
            .map(String::as_str)
            .filter(|path| !path.contains(['.', '[']))
            .collect();
        // A slip in the name itself; then the same name deeper down, whose way people forget.
        let deeper = known.iter().find(|path| last(path) == name);
        let alike = || nearest(name, direct.iter().copied()).map(str::to_string);
        let deeper_alike = || {
            let names: Vec<String> = known.iter().map(|path| last(path)).collect();
            let near = nearest(name, names.iter().map(String::as_str))?;
            known.iter().find(|path| last(path) == near).cloned()
        };
        let meant = alike().or_else(|| deeper.cloned()).or_else(deeper_alike);
        let hint = match meant {
            Some(path) => format!("did you mean `{}`?", full(&path)),
            None => did_you_mean(name, direct.iter().copied(), "its fields are"),
        };
        PathError::UnknownField {
            path: full(name),
            noun: schema["x-noun"]
                .as_str()
                .unwrap_or("what stands there")
                .to_string(),
            hint,
        }
    }

    /// All fields under a schema, as paths from it; nearer ones first.
    fn fields_below(&self, schema: &'a Value, before: String, depth: u8, known: &mut Vec<String>) {
        let schema = self.resolved(schema);
        let fields = schema["properties"].as_object().into_iter().flatten();
        let mut deeper = Vec::new();
        for (name, inside) in fields {
            let path = if before.is_empty() {
                name.clone()
            } else {
                format!("{before}.{name}")
            };
            let inside = self.resolved(inside);
            known.push(path.clone());
            if inside["properties"].is_object() {
                deeper.push((path, inside));
            } else if inside["items"].is_object() {
                deeper.push((format!("{path}[0]"), &inside["items"]));
            }
        }
        if depth > 0 {
            for (path, inside) in deeper {
                self.fields_below(inside, path, depth - 1, known);
            }
        }
    }
}

/// The members by which an item of a list is known.
const NAMES: [&str; 5] = ["name", "id", "pattern_name", "component", "currency"];

fn name_of(item: &Value) -> Option<&str> {
    NAMES.iter().find_map(|name| item[*name].as_str())
}

fn place_of(items: &[Value], name: &str) -> Option<usize> {
    match name.parse::<usize>() {
        Ok(place) => (place < items.len()).then_some(place),
        Err(_) => items.iter().position(|item| name_of(item) == Some(name)),
    }
}

fn item_hint(items: &[Value], name: &str) -> String {
    if name.parse::<usize>().is_ok() {
        return match items.len() {
            0 => "it is empty".to_string(),
            count => format!("it has {count}, from [0] to [{}]", count - 1),
        };
    }
    let known: Vec<&str> = items.iter().filter_map(name_of).collect();
    if known.is_empty() {
        return "its items have no names; say which by its place, from [0]".to_string();
    }
    did_you_mean(name, known, "there are")
}
