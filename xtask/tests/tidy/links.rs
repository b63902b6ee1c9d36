//! Relative links in Markdown lead somewhere.

use super::{check, files};

#[test]
fn relative_links_point_to_files_that_exist() {
    let mut problems = Vec::new();
    for path in files::all() {
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let folder = path.parent().expect("a file lies in a folder");
        let text = files::text(&path).unwrap_or_default();
        for link in links(&text) {
            if !folder.join(&link).exists() {
                problems.push(format!("{}: {link}", files::shown(&path)));
            }
        }
    }
    check(problems, "these links lead nowhere");
}

/// The files that a text links to: no other sites, no places within the text, nothing in code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (at, _) in prose.match_indices("](") {
            let rest = &prose[at + 2..];
            let target = rest.split([')', ' ', '#']).next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !target.is_empty() && !elsewhere {
                found.push(target.trim_matches(['<', '>']).to_string());
            }
        }
    }
    found
}

#[test]
fn links_are_told_from_code_and_addresses() {
    let text = "See [a](docs/a.md#part) and [b](https://b.example) and `[c](c.md)`, [d](#d).\n```\n[e](e.md)\n```\n";
    assert_eq!(links(text), ["docs/a.md"]);
}
