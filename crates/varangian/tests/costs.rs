//! `varangian costs` through the real binary: the tables in `docs/costs.md` are what it prints.

use std::path::Path;
use std::process::Command;

#[test]
fn the_tables_in_the_docs_are_what_the_command_prints() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_varangian")).arg("costs").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/costs.md");
    let document = std::fs::read_to_string(&path).expect("docs/costs.md is there");
    let tables: Vec<&str> = printed.trim_end().split("\n\n").collect();
    assert_eq!(tables.len(), 2);
    for table in tables {
        assert!(
            document.contains(table),
            "docs/costs.md does not hold this table of `varangian costs`:\n{table}"
        );
    }
}
