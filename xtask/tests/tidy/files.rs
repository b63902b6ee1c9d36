//! The files of the project, and which of their lines are tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that holds the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("xtask lies in the root").to_path_buf()
}

/// All files that git tracks or would track; without git, all but what builds leave behind.
pub fn all() -> Vec<PathBuf> {
    let root = root();
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&root)
        .output();
    let mut files: Vec<PathBuf> = match listed {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            String::from_utf8_lossy(&output.stdout)
                .split_terminator('\0')
                .map(|name| root.join(name))
                .collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(&root, &mut found);
            found
        }
    };
    // What was deleted and not committed is still listed.
    files.retain(|path| path.is_file());
    files.sort();
    files.dedup();
    files
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let left_behind = ["target", "node_modules", ".git", ".cache"];
    for entry in fs::read_dir(folder)
        .expect("a folder that was listed")
        .flatten()
    {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if !left_behind.iter().any(|left| name == *left) {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

/// The text of a file; `None` if it is none.
pub fn text(path: &Path) -> Option<String> {
    String::from_utf8(fs::read(path).ok()?).ok()
}

/// A path from the root on.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Rust sources that are compiled into tests only: whole test folders, and modules under `#[cfg(test)]`.
pub fn tests_only(files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for path in files.iter().filter(|path| is_rust(path)) {
        if path.components().any(|part| part.as_os_str() == "tests") {
            found.insert(path.clone());
        }
        let lines: Vec<String> = text(path)
            .unwrap_or_default()
            .lines()
            .map(|line| line.trim().to_string())
            .collect();
        for (at, _) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| *line == "#[cfg(test)]")
        {
            found.extend(module_file(path, &lines[at + 1..]));
        }
    }
    found
}

/// The file of a module that is declared in the first lines: `mod tests;`, maybe with its path.
fn module_file(declared_in: &Path, lines: &[String]) -> Option<PathBuf> {
    let folder = declared_in.parent()?;
    let declaration = lines.iter().find(|line| !line.starts_with("#["))?;
    let name = declaration.strip_suffix(';')?.rsplit_once("mod ")?.1;
    let stated = lines
        .iter()
        .take_while(|line| line.starts_with("#["))
        .find_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"));
    if let Some(stated) = stated {
        return Some(folder.join(stated));
    }
    let stem = declared_in.file_stem()?.to_str()?;
    let inside = match stem {
        "lib" | "main" | "mod" => folder.to_path_buf(),
        _ => folder.join(stem),
    };
    Some(inside.join(format!("{name}.rs")))
}

/// The lines of a source before its tests, which stand last.
pub fn without_tests(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = (1..lines.len()).find(|at| {
        lines[*at].trim_start().starts_with("mod ")
            && lines[*at].trim_end().ends_with('{')
            && lines[*at - 1].trim() == "#[cfg(test)]"
    });
    lines[..tests.map_or(lines.len(), |at| at - 1)].to_vec()
}

pub fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

#[test]
fn tests_are_told_apart() {
    let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
    assert_eq!(without_tests(text), ["fn a() {}", ""]);
    let lines = ["#[path = \"a_tests.rs\"]", "mod tests;"].map(String::from);
    let found = module_file(Path::new("src/a.rs"), &lines);
    assert_eq!(found, Some("src/a_tests.rs".into()));
    let found = module_file(Path::new("src/a.rs"), &lines[1..]);
    assert_eq!(found, Some("src/a/tests.rs".into()));
}
