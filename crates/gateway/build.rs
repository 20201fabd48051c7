//! Lays the built page into the program where there is one: `web/dist`, made by `scripts/page.sh`. Without it the program
//! builds all the same and shows how to build the page. It never runs Node. The API's description goes with it.

use std::{
    collections::hash_map::DefaultHasher,
    env,
    error::Error,
    fmt::Write,
    fs,
    hash::Hasher,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let web = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../web");
    let dist = web.join("dist");
    println!("cargo::rerun-if-changed=build.rs");
    // A path that is not there would run this at every build.
    if let Some(watched) = [&dist, &web].into_iter().find(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    let description = web.join("../openapi.json");
    println!("cargo::rerun-if-changed={}", description.display());
    println!("cargo::rustc-env=OPENAPI_HASH={}", hash_of(&description)?);
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &mut files)?;
    }
    files.sort();
    let mut source = String::from("static FILES: &[File] = &[\n");
    for file in &files {
        if file
            .extension()
            .is_some_and(|extension| extension == "gz" || extension == "br")
        {
            continue;
        }
        let path = file
            .strip_prefix(&dist)?
            .to_str()
            .ok_or("a file's name is not UTF-8")?;
        writeln!(
            source,
            "    File {{ path: {path:?}, etag: \"\\\"{}\\\"\", plain: include_bytes!({:?}), gzip: {}, brotli: {} }},",
            hash_of(file)?,
            file.canonicalize()?.to_string_lossy(),
            included(file, "gz")?,
            included(file, "br")?,
        )?;
    }
    source.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("page.rs"), source)?;
    Ok(())
}

fn hash_of(file: &Path) -> Result<String, Box<dyn Error>> {
    let mut hash = DefaultHasher::new();
    hash.write(&fs::read(file)?);
    Ok(format!("{:016x}", hash.finish()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The compressed file beside `file`, as Rust source.
fn included(file: &Path, extension: &str) -> Result<String, Box<dyn Error>> {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    let compressed = PathBuf::from(name);
    Ok(if compressed.is_file() {
        format!(
            "Some(include_bytes!({:?}))",
            compressed.canonicalize()?.to_string_lossy()
        )
    } else {
        "None".to_owned()
    })
}
