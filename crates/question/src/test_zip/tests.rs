//! Zips as they should be, and as attackers make them.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

type Entry<'a> = (&'a str, &'a [u8]);

fn zip_of(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .expect("it is in memory");
        writer.write_all(content).expect("it is in memory");
    }
    writer.finish().expect("it is in memory").into_inner()
}

/// Names and samples of the tests, or code and place of the first fault; nothing may stay in the folder.
fn read(zip: &[u8]) -> Result<Vec<(String, bool)>, (&'static str, String)> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("tests.zip");
    std::fs::write(&path, zip).expect("it is writable");
    let blobs = Blobs::open(&folder.path().join("blobs")).expect("it is writable");
    let answer = match read_tests(&path, &blobs) {
        Ok(tests) => Ok(tests
            .iter()
            .map(|test| (test.name.clone(), test.sample))
            .collect()),
        Err(TestZipError::Faults(mut faults)) => {
            let fault = faults.remove(0);
            Err((fault.code, fault.pointer))
        }
        Err(TestZipError::Blob(error)) => panic!("the disk failed: {error}"),
    };
    let left = std::fs::read_dir(folder.path().join("blobs/staging"))
        .expect("it exists")
        .count();
    assert_eq!(left, 0, "nothing is left behind");
    answer
}

fn code(zip: &[u8]) -> &'static str {
    read(zip).expect_err("it must be refused").0
}

fn pair_of<'a>(input: &'a str, output: &'a str) -> [Entry<'a>; 2] {
    [(input, b"1\n"), (output, b"2\n")]
}

#[test]
fn reads_pairs_in_natural_order_samples_first() {
    let mut entries = Vec::new();
    for name in ["10", "9", "sample-2", "sample-1"] {
        entries.push((format!("{name}.in"), format!("{name}.ans")));
    }
    let entries: Vec<_> = entries
        .iter()
        .flat_map(|(input, output)| pair_of(input, output))
        .collect();
    let names = read(&zip_of(&entries)).expect("it is right");
    let expected = [
        ("sample-1", true),
        ("sample-2", true),
        ("9", false),
        ("10", false),
    ];
    assert_eq!(
        names,
        expected.map(|(name, sample)| (name.to_owned(), sample))
    );
}

#[test]
fn folders_are_part_of_names_unless_all_share_them() {
    let entries = [
        pair_of("data/secret/1.in", "data/secret/1.ans"),
        pair_of("data/sample/1.in", "data/sample/1.out"),
    ]
    .concat();
    let names = read(&zip_of(&entries)).expect("it is right");
    let expected = [("sample-1", true), ("secret-1", false)];
    assert_eq!(
        names,
        expected.map(|(name, sample)| (name.to_owned(), sample))
    );

    let names = read(&zip_of(&pair_of("my tests/a/1.in", "my tests/a/1.out")));
    assert_eq!(names, Ok(vec![("1".to_owned(), false)]));
    let names = read(&zip_of(&pair_of("sample/1.in", "sample/1.out")));
    assert_eq!(names, Ok(vec![("sample-1".to_owned(), true)]));
}

#[test]
fn litter_of_file_managers_is_ignored() {
    let mut entries = pair_of("1.in", "1.out").to_vec();
    entries.extend([(".DS_Store", b"x".as_slice()), ("__MACOSX/._1.in", b"x")]);
    assert_eq!(read(&zip_of(&entries)), Ok(vec![("1".to_owned(), false)]));
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for name in [
        "../1.in",
        "a/../../1.in",
        "/etc/1.in",
        "a\\..\\1.in",
        "C:1.in",
        "./1.in",
        "a//1.in",
    ] {
        assert_eq!(code(&zip_of(&[(name, b"1")])), "path", "{name}");
    }
}

#[test]
fn what_is_no_whole_test_is_refused_by_name() {
    let refused = |entries: &[Entry<'_>]| read(&zip_of(entries)).expect_err("it must be refused");
    assert_eq!(refused(&[("1.in", b"1")]), ("incomplete", "/1".to_owned()));
    assert_eq!(refused(&[("1.ans", b"1")]), ("incomplete", "/1".to_owned()));
    assert_eq!(
        refused(&[("README.md", b"1")]),
        ("file-name", "/README.md".to_owned())
    );
    assert_eq!(refused(&[(".in", b"1")]), ("format", "/.in".to_owned()));
    assert_eq!(
        refused(&[("a b.in", b"1")]),
        ("format", "/a b.in".to_owned())
    );
    assert_eq!(refused(&[]), ("empty", String::new()));
}

#[test]
fn twins_are_refused() {
    let mut three = pair_of("1.in", "1.out").to_vec();
    three.push(("1.ans", b"3"));
    assert_eq!(code(&zip_of(&three)), "duplicate");
    assert_eq!(
        code(&zip_of(
            &[pair_of("a.in", "a.out"), pair_of("A.in", "A.out")].concat()
        )),
        "duplicate"
    );
    assert_eq!(
        code(&zip_of(
            &[
                pair_of("x/a-1.in", "x/a-1.out"),
                pair_of("x-a/1.in", "x-a/1.out")
            ]
            .concat()
        )),
        "duplicate"
    );
    // The writer refuses two of one name, so one is renamed in the finished bytes.
    let mut zip = zip_of(&[pair_of("11.in", "1.out"), pair_of("22.in", "2.out")].concat());
    for at in 0..zip.len() - 5 {
        if &zip[at..at + 5] == b"22.in" {
            zip[at..at + 2].copy_from_slice(b"11");
        }
    }
    assert_eq!(code(&zip), "duplicate");
}

#[test]
fn links_devices_and_encrypted_files_are_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink("1.in", "/etc/passwd", SimpleFileOptions::default())
        .expect("it is in memory");
    let zip = writer.finish().expect("it is in memory").into_inner();
    assert_eq!(code(&zip), "file-type");

    let mut zip = zip_of(&pair_of("1.in", "1.out"));
    // The attributes of the first entry in the directory: a character device.
    let entry = find(&zip, b"PK\x01\x02");
    zip[entry + 38..entry + 42].copy_from_slice(&(0o020_666_u32 << 16).to_le_bytes());
    zip[entry + 5] = 3;
    assert_eq!(code(&zip), "file-type");

    let mut zip = zip_of(&pair_of("1.in", "1.out"));
    for (signature, flags) in [(b"PK\x01\x02", 8), (b"PK\x03\x04", 6)] {
        let at = find(&zip, signature);
        zip[at + flags] |= 1;
    }
    assert_eq!(code(&zip), "encrypted");
}

#[test]
fn bombs_go_off_in_no_memory_and_leave_no_file() {
    let zeros = vec![0; 1 << 20];
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("1.in", SimpleFileOptions::default())
        .expect("it is in memory");
    for _ in 0..65 {
        writer.write_all(&zeros).expect("it is in memory");
    }
    let zip = writer.finish().expect("it is in memory").into_inner();
    assert!(zip.len() < 1 << 20);
    assert_eq!(code(&zip), "incomplete");
    let mut writer = ZipWriter::new_append(Cursor::new(zip)).expect("it is a zip");
    writer
        .start_file("1.out", SimpleFileOptions::default())
        .expect("it is in memory");
    let mut zip = writer.finish().expect("it is in memory").into_inner();
    assert_eq!(code(&zip), "too-long");
    // The same with a directory that lies about the size.
    for (signature, size) in [(b"PK\x01\x02", 24), (b"PK\x03\x04", 22)] {
        let at = find(&zip, signature);
        zip[at + size..at + size + 4].copy_from_slice(&7_u32.to_le_bytes());
    }
    assert!(matches!(code(&zip), "too-long" | "damaged"));
}

#[test]
fn ten_thousand_nested_folders_are_a_path_too_long() {
    let deep = "a/".repeat(10_000) + "1.in";
    assert_eq!(code(&zip_of(&[(&deep, b"1")])), "path");
}

#[test]
fn too_many_entries_are_refused_before_they_are_read() {
    let names: Vec<_> = (0..=MAX_ENTRIES).map(|n| format!("{n}.in")).collect();
    let entries: Vec<Entry<'_>> = names
        .iter()
        .map(|name| (name.as_str(), b"".as_slice()))
        .collect();
    assert_eq!(code(&zip_of(&entries)), "too-many");
    let names: Vec<_> = (0..=MAX_SAMPLES)
        .map(|n| (format!("sample{n}.in"), format!("sample{n}.out")))
        .collect();
    let entries: Vec<_> = names
        .iter()
        .flat_map(|(input, output)| pair_of(input, output))
        .collect();
    assert_eq!(code(&zip_of(&entries)), "too-many");
}

#[test]
fn damage_is_told_and_never_a_panic() {
    let whole = zip_of(&[pair_of("1.in", "1.out"), pair_of("2.in", "2.out")].concat());
    assert_eq!(code(b"not a zip"), "damaged");
    assert_eq!(code(b""), "damaged");
    for length in 0..whole.len() {
        assert_eq!(code(&whole[..length]), "damaged", "cut at {length}");
    }
    let stored = {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for name in ["1.in", "1.out"] {
            writer.start_file(name, options).expect("it is in memory");
            writer.write_all(b"the content").expect("it is in memory");
        }
        writer.finish().expect("it is in memory").into_inner()
    };
    let mut wrong = stored.clone();
    let at = find(&wrong, b"the content");
    wrong[at] = b'T';
    assert_eq!(code(&wrong), "damaged", "the checksum is wrong");
    // Any single changed byte: taken or refused, but in order.
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        let _ = read(&changed);
    }
}

#[test]
fn numbers_in_names_sort_as_numbers() {
    let mut names = ["b", "a10", "a9", "a", "10", "9", "09", "a9b"];
    names.sort_by_cached_key(|name| natural_key(name));
    assert_eq!(names, ["9", "09", "10", "a", "a9", "a9b", "a10", "b"]);
}

fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
        .expect("it is in there")
}
