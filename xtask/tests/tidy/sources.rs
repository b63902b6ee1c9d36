//! Sizes, and words that must not stand in sources.

use super::{check, files};

/// Most lines of a file, without its tests. Past that, look for the second concept.
const LINES_MAX: usize = 600;
/// Files that may be longer, each with its reason.
const LONG: [(&str, &str); 0] = [];

#[test]
fn files_hold_one_concept() {
    let all = files::all();
    let tests_only = files::tests_only(&all);
    let mut problems = Vec::new();
    for path in &all {
        let shown = files::shown(path);
        let code = ["rs", "ts", "js", "svelte"]
            .iter()
            .any(|extension| shown.ends_with(&format!(".{extension}")));
        let tests = tests_only.contains(path) || shown.contains(".test.");
        if !code || tests || LONG.iter().any(|(long, _)| *long == shown) {
            continue;
        }
        let lines = files::without_tests(&files::text(path).unwrap_or_default()).len();
        if lines > LINES_MAX {
            problems.push(format!("{shown}: {lines} lines without tests"));
        }
    }
    check(problems, "over 600 lines: look for the second concept");
}

/// Written in parts, so that this file does not find itself.
fn banned() -> Vec<String> {
    [
        // What is left to do belongs into the tracker.
        ["TO", "DO"],
        ["FIX", "ME"],
        ["unimple", "mented!"],
        // Paths of one machine.
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        // Where packages come from is the machine's business.
        ["index.crates", ".io"],
        ["static.crates", ".io"],
        ["registry.npmjs", ".org"],
        ["pypi", ".org/simple"],
        ["files.python", "hosted.org"],
        ["proxy.golang", ".org"],
        ["deb.debian", ".org"],
    ]
    .map(|parts| parts.concat())
    .to_vec()
}

#[test]
fn sources_are_free_of_leftovers_and_machine_paths() {
    let banned = banned();
    let locks = ["Cargo.lock", "package-lock.json", "pnpm-lock.yaml"];
    let mut problems = Vec::new();
    for path in files::all() {
        let shown = files::shown(&path);
        if locks.iter().any(|lock| shown.ends_with(lock)) {
            continue;
        }
        let text = files::text(&path).unwrap_or_default();
        for (line, number) in text.lines().zip(1..) {
            for word in banned.iter().filter(|word| has_word(line, word)) {
                problems.push(format!("{shown}:{number}: `{word}`"));
            }
        }
    }
    check(problems, "these must not stand in the project");
}

/// Whether a word stands in a line, and not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let inside = in_word(line[..at].chars().next_back());
        let goes_on = in_word(line[at + word.len()..].chars().next());
        let ends_in_word = in_word(word.chars().next_back());
        !inside && (!ends_in_word || !goes_on)
    })
}

#[test]
fn locked_packages_come_from_the_public_registry() {
    let text = files::text(&files::root().join("Cargo.lock")).unwrap_or_default();
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let others: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("source = ") && *line != public)
        .map(str::to_string)
        .collect();
    check(
        others,
        "everybody must be able to fetch what Cargo.lock names",
    );
}
