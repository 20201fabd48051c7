//! Zips that were made to harm.

use std::{fs, io::Write, os::unix::fs::symlink};

use package::{Files, Limits, Package};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::support::{folder, refusal, unzip, zip};

/// A zip with entries of any name.
fn raw(entries: &[(&str, &[u8], Option<u32>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes, mode) in entries {
        let mut options = SimpleFileOptions::default();
        if let Some(mode) = mode {
            options = options.unix_permissions(*mode);
        }
        writer.start_file(*name, options).expect("begins");
        writer.write_all(bytes).expect("writes");
    }
    writer.finish().expect("ends").into_inner()
}

#[test]
fn names_that_lead_away_are_refused() {
    let deep = format!("{}x", "a/".repeat(100));
    for name in [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a//b",
        "./x",
        "a\\..\\b",
        deep.as_str(),
    ] {
        let (_, code) = refusal(unzip(&raw(&[(name, b"x", None)]), Limits::default()));
        assert_eq!(code, "path", "{name}");
    }
}

#[test]
fn a_link_in_a_zip_is_refused() {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer
        .add_symlink("data/1.in", "/etc/passwd", SimpleFileOptions::default())
        .expect("adds");
    let bytes = writer.finish().expect("ends").into_inner();
    assert_eq!(refusal(unzip(&bytes, Limits::default())).1, "file-type");
}

#[test]
fn a_link_out_of_a_folder_is_refused_and_one_inside_is_followed() {
    let package = folder(&[
        ("problem.yaml", "name: a"),
        ("data/secret/1.in", "1"),
        ("data/secret/1.ans", "1"),
    ]);
    symlink("1.in", package.path().join("data/secret/2.in")).expect("links");
    symlink("1.ans", package.path().join("data/secret/2.ans")).expect("links");
    let read = Package::read(Files::open(package.path(), Limits::default()).expect("opens"))
        .expect("reads");
    assert_eq!(read.tests.tests.len(), 2);
    symlink("/etc/passwd", package.path().join("data/secret/3.in")).expect("links");
    let (place, code) = refusal(Files::open(package.path(), Limits::default()));
    assert_eq!((place.as_str(), code), ("data/secret/3.in", "link"));
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let zeros = vec![0; 4 << 20];
    let bytes = raw(&[
        ("problem.yaml", b"name: a", None),
        ("data/secret/1.in", &zeros, None),
    ]);
    assert!(bytes.len() < 64 << 10);
    let limits = Limits {
        file_bytes: 1 << 20,
        ..Limits::default()
    };
    assert_eq!(
        refusal(unzip(&bytes, limits)),
        ("data/secret/1.in".to_owned(), "too-long")
    );
    let limits = Limits {
        total_bytes: 1 << 20,
        ..Limits::default()
    };
    assert_eq!(refusal(unzip(&bytes, limits)).1, "too-long");
    let limits = Limits {
        entries: 1,
        ..Limits::default()
    };
    assert_eq!(refusal(unzip(&bytes, limits)).1, "too-many");
}

#[test]
fn twins_are_refused() {
    let twins = raw(&[("data/A.in", b"1", None), ("data/a.in", b"2", None)]);
    assert_eq!(refusal(unzip(&twins, Limits::default())).1, "duplicate");
    let below = raw(&[("data/a", b"1", None), ("data/a/b", b"2", None)]);
    assert_eq!(refusal(unzip(&below, Limits::default())).1, "duplicate");
}

#[test]
fn a_zip_that_is_cut_or_changed_is_refused_wherever_it_is_cut() {
    let whole = zip(&[
        ("problem.yaml", "name: a\n"),
        ("data/secret/1.in", "12345678"),
        ("data/secret/1.ans", "1"),
    ]);
    for cut in (0..whole.len()).step_by(7) {
        assert_eq!(
            refusal(unzip(&whole[..cut], Limits::default())).1,
            "damaged",
            "cut at {cut}"
        );
    }
    // Whatever byte is turned: an error or a package, never a panic.
    for at in 0..whole.len() {
        let mut turned = whole.clone();
        turned[at] ^= 0x55;
        if let Ok(files) = unzip(&turned, Limits::default()) {
            let _ = Package::read(files);
        }
    }
}

#[test]
fn devices_are_refused() {
    let package = folder(&[("problem.yaml", "name: a")]);
    let made = std::process::Command::new("mkfifo")
        .arg(package.path().join("pipe"))
        .status();
    assert!(made.expect("runs").success());
    assert_eq!(
        refusal(Files::open(package.path(), Limits::default())).1,
        "file-type"
    );
    fs::remove_file(package.path().join("pipe")).expect("removes");
}
