//! `varangian demo` through the real binary.

use std::process::Command;

#[test]
fn the_demo_shows_a_traitor_stopped_and_a_client_served() {
    let output = Command::new(env!("CARGO_BIN_EXE_varangian")).arg("demo").output().expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.matches("alarm: ").count() >= 3, "{text}");
    assert!(text.matches("entered v").count() >= 3, "{text}");
    assert_eq!(text.matches("every promise was kept").count(), 3, "{text}");
}
