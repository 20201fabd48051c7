//! Tests and their bodies: one by one, as JSON, as forms, as a zip.

use std::io::{Cursor, Write};

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::server::{Person, Reply, Server, send, sum};

fn zip_of(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .expect("it is in memory");
        writer
            .write_all(content.as_bytes())
            .expect("it is in memory");
    }
    writer.finish().expect("it is in memory").into_inner()
}

async fn put_zip(person: &Person, path: &str, zip: Vec<u8>) -> Reply {
    let request = person.request(Method::PUT, &format!("{path}/tests"));
    send(request.header("content-type", "application/zip").body(zip)).await
}

async fn names(person: &Person, path: &str) -> Value {
    let tests = person.get(&format!("{path}/tests")).await.json();
    let items = tests["items"].as_array().cloned().expect("a list");
    items.iter().map(|test| test["name"].clone()).collect()
}

#[tokio::test]
async fn tests_are_set_read_and_removed_one_by_one() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let place = format!("{path}/tests/extra.1");
    let made = teacher
        .put(
            &place,
            &json!({"input": "9 1\n", "output": "10\n", "group": "big", "points": 3.0}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(
        names(&teacher, &path).await,
        json!(["sample-1", "hidden-1", "extra.1"])
    );
    let read = teacher.get(&place).await;
    assert_eq!(read.tag(), made.tag());
    let test = read.json();
    assert_eq!(
        (&test["input"], &test["group"], &test["points"]),
        (&json!("9 1\n"), &json!("big"), &json!(3.0))
    );
    let replaced = teacher
        .put(&place, &json!({"name": "extra.1", "output": "ten\n"}))
        .await;
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    let test = teacher.get(&place).await.json();
    assert_eq!(
        (&test["input"], &test["output"]),
        (&json!("9 1\n"), &json!("ten\n"))
    );
    assert_eq!(
        (&test["group"], &test["points"]),
        (&json!(null), &json!(null)),
        "JSON says all of it"
    );
    let keys = test.as_object().expect("an object");
    assert!(
        keys.contains_key("group") && keys.contains_key("points"),
        "{test}"
    );
    let file = teacher.get(&format!("{place}/output")).await;
    assert_eq!(
        (file.text().as_str(), file.header("content-type")),
        ("ten\n", "application/octet-stream")
    );
    assert_eq!(file.header("content-disposition"), "attachment");

    for (body, pointer) in [
        (json!({"input": "1"}), "/output"),
        (
            json!({"name": "other", "input": "1", "output": "1"}),
            "/name",
        ),
        (json!({"input": 1, "output": "1"}), "/input"),
        (
            json!({"input": "1", "output": "1", "group": "a b"}),
            "/group",
        ),
        (
            json!({"input": "1", "output": "1", "points": -1}),
            "/points",
        ),
        (
            json!({"input": "1", "output": "1", "secret": true}),
            "/secret",
        ),
        (
            json!({"input": "x".repeat(70_000), "output": "1", "sample": true}),
            "/input",
        ),
    ] {
        let refused = teacher.put(&format!("{path}/tests/wrong"), &body).await;
        assert_eq!(refused.problem().2, [pointer], "{}", refused.text());
    }
    let badly_named = teacher
        .put(
            &format!("{path}/tests/a%20b"),
            &json!({"input": "1", "output": "1"}),
        )
        .await;
    assert_eq!(badly_named.problem().2, ["/name"]);
    assert_eq!(teacher.delete(&place).await.status, 204);
    assert_eq!(teacher.delete(&place).await.problem().0, 404);
    assert_eq!(teacher.get(&place).await.problem().0, 404);
    assert_eq!(
        names(&teacher, &path).await,
        json!(["sample-1", "hidden-1"])
    );
}

#[tokio::test]
async fn bodies_of_any_bytes_come_as_files() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let place = format!("{path}/tests/binary");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let form = Form::new()
        .part("input", Part::bytes(bytes.clone()).file_name("in"))
        .part("output", Part::bytes(vec![0xff, 0x00]))
        .text("group", "g1")
        .text("points", "1.5");
    let made = send(teacher.request(Method::PUT, &place).multipart(form)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(
        (&made.json()["input_size"], &made.json()["points"]),
        (&json!(3_000_000), &json!(1.5))
    );
    assert_eq!(teacher.get(&format!("{place}/input")).await.body, bytes);
    assert_eq!(
        teacher.get(&format!("{place}/output")).await.body,
        [0xff, 0x00]
    );
    let shown = teacher.get(&place).await.json();
    assert_eq!(
        (shown.get("input"), shown.get("output")),
        (None, None),
        "they are not text"
    );
    let draft = &teacher.get(&path).await.json()["draft"];
    assert_eq!(
        draft["tests"][0].get("input"),
        None,
        "too much to be shown in place"
    );
    assert_eq!(draft["tests"][0]["input_size"], 4);

    let form = Form::new()
        .text("sample", "true")
        .part("input", Part::bytes(b"1 1\n".to_vec()));
    let changed = send(teacher.request(Method::PUT, &place).multipart(form)).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let test = changed.json();
    assert_eq!(
        (&test["sample"], &test["group"], &test["output_size"]),
        (&json!(true), &json!("g1"), &json!(2))
    );

    for (form, status) in [
        (Form::new().text("points", "many"), 422),
        (Form::new().text("surprise", "x"), 422),
        (Form::new().text("group", "x".repeat(1_000)), 422),
        (
            Form::new().part("input", Part::bytes(vec![b'x'; (64 << 20) + 1])),
            413,
        ),
        (
            Form::new().part("input", Part::bytes(vec![b'x'; 130 << 20])),
            413,
        ),
    ] {
        let refused = send(teacher.request(Method::PUT, &place).multipart(form)).await;
        assert_eq!(refused.problem().0, status, "{}", refused.text());
    }
    let broken = teacher
        .request(Method::PUT, &place)
        .header("content-type", "multipart/form-data; boundary=b");
    assert_eq!(send(broken.body("--b\r\nnonsense")).await.problem().0, 400);
    let unbounded = teacher
        .request(Method::PUT, &place)
        .header("content-type", "multipart/form-data");
    assert_eq!(send(unbounded.body("x")).await.problem().0, 400);
    assert_eq!(
        teacher.tag(&place).await,
        changed.tag(),
        "what was refused changed nothing"
    );
    assert_eq!(staged(&server), 0);
}

#[tokio::test]
async fn a_set_is_replaced_as_json() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let set = json!({"items": [{"name": "hidden-1", "points": 5.0}, {"name": "b", "input": "", "output": ""}]});
    let replaced = teacher.put(&format!("{path}/tests"), &set).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    assert_eq!(replaced.json()["items"][0]["input_size"], 5);
    assert_eq!(names(&teacher, &path).await, json!(["hidden-1", "b"]));
    let read = teacher.get(&format!("{path}/tests")).await;
    let again = teacher.put(&format!("{path}/tests"), &read.json()).await;
    assert_eq!(again.json(), read.json(), "what was read can be sent again");
    for (items, pointer) in [
        (json!([{"name": "x", "input": "1"}]), "/items/0/output"),
        (json!([{"name": "b"}, {"name": "b"}]), "/items/1/name"),
        (json!([{"input": "1", "output": "1"}]), "/items/0/name"),
    ] {
        let refused = teacher
            .put(&format!("{path}/tests"), &json!({"items": items}))
            .await;
        assert_eq!(refused.problem().2, [pointer]);
    }
    assert_eq!(names(&teacher, &path).await, json!(["hidden-1", "b"]));
}

#[tokio::test]
async fn a_set_is_replaced_by_a_zip() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    teacher
        .put(
            &format!("{path}/tests/2"),
            &json!({"input": "x", "output": "y", "group": "g", "points": 4.0}),
        )
        .await;
    let zip = zip_of(&[
        ("10.in", "10"),
        ("10.out", "ten"),
        ("2.in", "2"),
        ("2.ans", "two"),
        ("sample/1.in", "1"),
        ("sample/1.out", "one"),
    ]);
    let replaced = put_zip(&teacher, &path, zip).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    let items = &replaced.json()["items"];
    assert_eq!(names(&teacher, &path).await, json!(["sample-1", "2", "10"]));
    assert_eq!(
        (&items[0]["sample"], &items[1]["group"], &items[1]["points"]),
        (&json!(true), &json!("g"), &json!(4.0))
    );
    assert_eq!(
        teacher.get(&format!("{path}/tests/10")).await.json()["output"],
        "ten"
    );
    assert_eq!(
        teacher.get(&path).await.json()["samples"],
        json!([{"name": "sample-1", "input": "1", "output": "one"}])
    );
    let history = teacher.get(&format!("{path}/history?limit=1")).await.json();
    assert_eq!(history["items"][0]["detail"], json!({"tests": 3}));

    for (zip, pointer) in [
        (zip_of(&[("../1.in", "1"), ("../1.out", "1")]), "/..~11.in"),
        (zip_of(&[("1.in", "1")]), "/1"),
        (zip_of(&[("notes.txt", "1")]), "/notes.txt"),
        (b"PK\x03\x04 not really".to_vec(), ""),
        (Vec::new(), ""),
    ] {
        let refused = put_zip(&teacher, &path, zip).await;
        let (status, _, pointers) = refused.problem();
        assert_eq!(
            (status, pointers[0].as_str()),
            (422, pointer),
            "{}",
            refused.text()
        );
    }
    assert_eq!(
        names(&teacher, &path).await,
        json!(["sample-1", "2", "10"]),
        "what was refused changed nothing"
    );
    assert_eq!(staged(&server), 0);
}

#[tokio::test]
async fn three_hundred_tests_pass_as_one_zip() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let names_of: Vec<_> = (0..300)
        .map(|n| (format!("t/{n}.in"), format!("t/{n}.out")))
        .collect();
    let entries: Vec<(&str, &str)> = names_of
        .iter()
        .flat_map(|(input, output)| {
            [
                (input.as_str(), input.as_str()),
                (output.as_str(), output.as_str()),
            ]
        })
        .collect();
    let replaced = put_zip(&teacher, &path, zip_of(&entries)).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    teacher.publish(&path).await;
    assert_eq!(
        teacher.get(&format!("{path}/tests/299")).await.json()["output"],
        "t/299.out"
    );
    assert_eq!(staged(&server), 0);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let server = Server::start().await;
    let teacher = server.teacher();
    let path = teacher.make(&sum("sum")).await;
    let before = teacher.tag(&path).await;
    let cut = futures::stream::iter([
        Ok(vec![b'x'; 1 << 20]),
        Err(std::io::Error::other("the cable")),
    ]);
    let request = teacher.request(Method::PUT, &format!("{path}/tests"));
    let request = request.header("content-type", "application/zip");
    let sent = request.body(reqwest::Body::wrap_stream(cut)).send().await;
    assert!(sent.is_err());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while staged(&server) > 0 {
        assert!(
            std::time::Instant::now() < deadline,
            "the staged file stays"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(teacher.tag(&path).await, before);
}

/// Files that are being written, or were left behind.
fn staged(server: &Server) -> usize {
    let folder = server.folder.path().join("blobs/staging");
    std::fs::read_dir(folder)
        .expect("the folder exists")
        .count()
}
