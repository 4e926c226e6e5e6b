//! What the documents say is true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn the_readme_lists_every_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let listed: BTreeSet<String> = readme
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `systems/")?
                .split('`')
                .next()
                .map(str::to_owned)
        })
        .collect();
    let there: BTreeSet<String> = fs::read_dir(root.join("systems"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(listed, there);
}
