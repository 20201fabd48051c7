//! The committed `openapi.json` says what the routes say: `make openapi` writes it anew.

use std::process::Command;

#[test]
fn the_committed_document_is_what_the_routes_say() {
    let output = Command::new(e2e::product::program())
        .arg("openapi")
        .output()
        .expect("codementor was built");
    assert!(output.status.success());
    let committed = include_str!("../../../../openapi.json");
    assert!(
        output.stdout == committed.as_bytes(),
        "openapi.json is stale: run `make openapi`"
    );
}
