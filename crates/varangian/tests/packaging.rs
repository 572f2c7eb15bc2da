//! What is packaged is what the tools that read it take.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Where there is systemd, its own checker reads the unit; elsewhere there is nobody to ask.
#[test]
fn systemd_takes_the_unit_without_a_word() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd/varangian@.service");
    let text = fs::read_to_string(unit).expect("it is packaged");
    let program = "/usr/bin/varangian";
    assert!(text.contains(&format!("ExecStart={program} node ")));
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let instance = folder.path().join("varangian@harbour.service");
    fs::write(&instance, text.replace(program, env!("CARGO_BIN_EXE_varangian"))).expect("there is room");
    match Command::new("systemd-analyze").arg("verify").arg(&instance).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            // What it says of other units is none of ours.
            assert!(output.status.success() && !said.contains("varangian@"), "{said}");
        }
        Err(_) => eprintln!("there is no systemd-analyze"),
    }
}
