//! Blobs kept, given back, damaged and healed.

use futures::TryStreamExt;

use super::*;

const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

fn folder() -> (tempfile::TempDir, Blobs) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let blobs = Blobs::open(folder.path()).expect("it is writable");
    (folder, blobs)
}

async fn keep(blobs: &Blobs, bytes: &[u8]) -> BlobRef {
    let staged = blobs.stage_bytes(bytes, 1 << 30).expect("there is room");
    let blob = staged.blob.clone();
    blobs.keep(vec![staged]).await.expect("there is room");
    blob
}

async fn streamed(blobs: &Blobs, sha256: &str) -> Result<Vec<u8>, BlobError> {
    let (size, stream) = blobs.stream(sha256).await?;
    let chunks: Vec<Bytes> = stream.try_collect().await?;
    assert_eq!(
        chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>(),
        size
    );
    Ok(chunks.concat())
}

#[tokio::test]
async fn keeps_by_content_and_gives_back_the_same() {
    let (_folder, blobs) = folder();
    let hello = keep(&blobs, b"hello").await;
    assert_eq!((hello.sha256.as_str(), hello.size), (HELLO, 5));
    assert_eq!(keep(&blobs, b"hello").await, hello);
    let large: Vec<u8> = (0..CHUNK_BYTES * 3 + 7)
        .map(|n| u8::try_from(n % 251).expect("it is small"))
        .collect();
    for bytes in [b"".as_slice(), &large, &large[..CHUNK_BYTES]] {
        let blob = keep(&blobs, bytes).await;
        assert_eq!(blobs.read(&blob).await.expect("it is there"), bytes);
        assert_eq!(
            streamed(&blobs, &blob.sha256).await.expect("it is there"),
            bytes
        );
    }
}

#[tokio::test]
async fn many_are_kept_together() {
    let (_folder, blobs) = folder();
    let staged: Vec<_> = (0..=SYNC_THREADS * 5)
        .map(|n| {
            blobs
                .stage_bytes(n.to_string().as_bytes(), 9)
                .expect("there is room")
        })
        .collect();
    let names: Vec<_> = staged.iter().map(|staged| staged.blob.clone()).collect();
    blobs.keep(staged).await.expect("there is room");
    for (n, blob) in names.iter().enumerate() {
        assert_eq!(blobs.read(blob).await.expect("it is there"), n.to_string());
    }
}

#[tokio::test]
async fn what_is_not_kept_leaves_nothing() {
    let (folder, blobs) = folder();
    let staged = blobs.stage_bytes(b"hello", 5).expect("there is room");
    assert!(matches!(
        blobs.stage_bytes(b"hello!", 5),
        Err(BlobError::TooLarge { limit: 5 })
    ));
    drop(staged);
    let left = fs::read_dir(folder.path().join(STAGING))
        .expect("it exists")
        .count();
    assert_eq!(left, 0);
    assert!(matches!(
        blobs
            .read(&BlobRef {
                sha256: HELLO.to_owned(),
                size: 5
            })
            .await,
        Err(BlobError::Missing { .. })
    ));
}

#[tokio::test]
async fn damage_is_an_error_and_a_new_upload_heals_it() {
    let (_folder, blobs) = folder();
    let large = vec![7; CHUNK_BYTES * 2];
    for bytes in [b"hello".as_slice(), &large] {
        let blob = keep(&blobs, bytes).await;
        let mut damaged = bytes.to_vec();
        damaged[0] ^= 1;
        fs::write(blobs.path(&blob.sha256), damaged).expect("it is writable");
        assert!(matches!(
            blobs.read(&blob).await,
            Err(BlobError::Damaged { .. })
        ));
        assert!(matches!(
            streamed(&blobs, &blob.sha256).await,
            Err(BlobError::Damaged { .. })
        ));
        keep(&blobs, bytes).await;
        assert_eq!(blobs.read(&blob).await.expect("it is healed"), bytes);
    }
}

#[test]
fn what_a_crash_left_is_removed_when_it_is_old() {
    let (folder, _blobs) = folder();
    let old = folder.path().join(STAGING).join("old");
    let young = folder.path().join(STAGING).join("young");
    for path in [&old, &young] {
        fs::write(path, "x").expect("it is writable");
    }
    let long_ago = SystemTime::now() - FORGOTTEN * 2;
    File::open(&old)
        .and_then(|file| file.set_modified(long_ago))
        .expect("it is ours");
    Blobs::open(folder.path()).expect("it is writable");
    assert!(!old.exists());
    assert!(young.exists());
}

#[test]
fn only_hashes_are_names() {
    assert!(is_sha256(HELLO));
    for name in [
        "",
        "..",
        &HELLO[1..],
        &HELLO.to_uppercase(),
        &format!("../{}", &HELLO[3..]),
    ] {
        assert!(!is_sha256(name));
    }
}

#[tokio::test]
async fn copies_all_into_another_folder_and_no_damaged_one() {
    let ((_one, from), (other, to)) = (folder(), folder());
    let large = vec![7; CHUNK_BYTES * 2 + 1];
    let kept = [keep(&from, b"hello").await, keep(&from, &large).await];
    drop(from.stage_bytes(b"half a body", 100));
    assert_eq!(from.copy_to(&to).await.expect("there is room"), 2);
    assert_eq!(to.read(&kept[1]).await.expect("it is there"), large);
    assert_eq!(from.copy_to(&to).await.expect("the same again"), 2);
    assert!(to.has(HELLO) && !to.has(&"0".repeat(64)) && !to.has("../../etc/passwd"));

    fs::write(to.path(HELLO), b"hallo").expect("it is writable");
    let (_third, third) = folder();
    let error = to.copy_to(&third).await.expect_err("it is damaged");
    assert!(matches!(error, BlobError::Damaged { .. }), "{error}");
    drop(other);
}
