//! The rules of the house, held over `cargo metadata` and the files themselves.
//!
//! A rule that no test holds is a wish. Each failure names the place and the rule.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

const SERVICES: [&str; 5] = ["gateway", "execute", "question", "evaluation", "runner"];

/// Longer than this and a file is two things.
const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo describes the workspace")
}

/// What `name` depends on when it runs, tests apart.
fn dependencies(metadata: &Metadata, name: &str) -> Vec<String> {
    let packages = metadata.workspace_packages();
    let package = packages
        .iter()
        .find(|package| package.name.as_str() == name)
        .unwrap_or_else(|| panic!("there is no crate {name}"));
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.clone())
        .collect()
}

/// Every file of ours below `folder` whose name ends so, with its text; what was generated or installed left out.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = root().canonicalize().expect("the root is there");
    let mut open = vec![root.join(folder)];
    let mut found = vec![];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name else { continue };
            if path.is_dir() {
                if !["target", "node_modules", "dist", ".git"].contains(&name) {
                    open.push(path);
                }
            } else if name.ends_with(ending) {
                let place = path.strip_prefix(&root).expect("it is below the root");
                let text = fs::read_to_string(&path).expect("source is text");
                found.push((place.display().to_string(), text));
            }
        }
    }
    assert!(!found.is_empty(), "no {ending} below {folder}");
    found
}

fn sources() -> Vec<(String, String)> {
    files("crates", ".rs")
}

/// Code that ships: no tests, no examples.
fn shipped() -> Vec<(String, String)> {
    let mut sources = sources();
    sources.retain(|(place, _)| place.contains("/src/") && !place.starts_with("crates/e2e"));
    sources
}

/// Fails with every place at once, so that one run shows them all.
fn refuse(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn services_do_not_depend_on_each_other() {
    let metadata = metadata();
    for service in SERVICES {
        let dependencies = dependencies(&metadata, service);
        assert!(
            dependencies.iter().any(|name| name == "contract"),
            "{service} does not depend on contract"
        );
        for other in SERVICES {
            assert!(
                !dependencies.iter().any(|name| name == other),
                "{service} depends on {other}: they talk over HTTP and Kafka only"
            );
        }
    }
}

#[test]
fn contract_does_no_input_or_output() {
    let allowed = ["serde", "serde_json", "uuid", "time", "utoipa", "thiserror"];
    for name in dependencies(&metadata(), "contract") {
        assert!(
            allowed.contains(&name.as_str()),
            "contract depends on {name}"
        );
    }
}

#[test]
fn only_queue_knows_kafka_and_only_sandbox_the_kernel() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let dependencies = dependencies(&metadata, name);
        for (library, owner) in [
            ("rdkafka", "queue"),
            ("seccompiler", "sandbox"),
            ("landlock", "sandbox"),
        ] {
            assert!(
                name == owner || !dependencies.iter().any(|name| name == library),
                "{name} depends on {library}, which only {owner} may"
            );
        }
    }
}

#[test]
fn the_runner_knows_neither_database_nor_kafka() {
    let dependencies = dependencies(&metadata(), "runner");
    for secret in ["sqlx", "queue", "rdkafka", "ed25519-dalek"] {
        assert!(
            !dependencies.iter().any(|name| name == secret),
            "the runner depends on {secret}"
        );
    }
}

#[test]
fn unsafe_stands_in_sandbox_only() {
    let word = ["uns", "afe"].concat();
    let broken: Vec<String> = sources()
        .into_iter()
        .filter(|(place, _)| !place.starts_with("crates/sandbox/"))
        .filter(|(_, text)| {
            [" {", " fn", " impl", " extern", "("]
                .iter()
                .any(|next| text.contains(&format!("{word}{next}")))
        })
        .map(|(place, _)| place)
        .collect();
    refuse("unsafe code outside of sandbox", &broken);
}

#[test]
fn sql_stands_in_store_modules_only() {
    let queries = [
        "sqlx::query",
        "query_as(",
        "query_scalar(",
        "QueryBuilder::",
    ];
    let broken: Vec<String> = shipped()
        .into_iter()
        .filter(|(place, _)| !place.contains("/store") && place != "crates/service/src/database.rs")
        .filter(|(_, text)| queries.iter().any(|query| text.contains(query)))
        .map(|(place, _)| place)
        .collect();
    refuse("SQL outside of a store module", &broken);
}

#[test]
fn the_environment_is_read_in_config_only() {
    let broken: Vec<String> = shipped()
        .into_iter()
        .filter(|(place, text)| {
            let reads = ["env::var(", "env::var_os(", "env::vars("];
            let reads = reads.iter().any(|call| text.contains(call)) || text.contains("env = \"");
            // The command line of the one binary is its configuration.
            reads && !place.contains("config") && !place.starts_with("crates/codementor/src/cli")
        })
        .map(|(place, _)| place)
        .collect();
    refuse("the environment is read outside of config", &broken);
}

#[test]
fn every_file_says_what_it_is_and_fits_in_a_head() {
    let mut broken = vec![];
    for (place, text) in sources() {
        if !text.starts_with("//!") {
            broken.push(format!("{place} does not begin with //!"));
        }
        if text.lines().count() > LONGEST_FILE {
            broken.push(format!("{place} has over {LONGEST_FILE} lines"));
        }
        if place.ends_with("/mod.rs") {
            broken.push(format!("{place}: foo.rs beside foo/, never mod.rs"));
        }
    }
    refuse("files", &broken);
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["#[ig", "nore"].concat(),
        ["FIX", "ME"].concat(),
    ];
    let broken: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| marks.iter().any(|mark| text.contains(mark)))
        .map(|(place, _)| place)
        .collect();
    refuse("left undone, by its own words", &broken);
}

#[test]
fn tables_belong_to_one_service() {
    for service in ["gateway", "execute", "question", "evaluation"] {
        for (place, text) in files(&format!("crates/{service}/src"), ".rs") {
            for other in ["gateway", "execute", "question", "evaluation"] {
                let foreign = ["from", "into", "update", "join"]
                    .iter()
                    .any(|verb| text.to_lowercase().contains(&format!("{verb} {other}.")));
                assert!(
                    other == service || !foreign,
                    "{place} touches a table of {other}"
                );
            }
        }
    }
}
