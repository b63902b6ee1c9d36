//! All inputs of the fuzz targets' corpus, of which some were once a find: what must hold still holds.

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;

#[test]
fn every_kept_input_holds_what_its_target_promises() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in fuzz::TARGETS {
        let mut inputs: Vec<_> = fs::read_dir(corpus.join(name))
            .expect("a folder for each target")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name} has no input");
        for input in inputs {
            // Shown with a failure alone.
            println!("{}", input.display());
            target(&fs::read(&input).expect("a file"));
        }
    }
}

#[test]
fn nothing_at_all_is_an_input_too() {
    for (name, _) in fuzz::TARGETS {
        fuzz::run(name, &[]);
    }
}
