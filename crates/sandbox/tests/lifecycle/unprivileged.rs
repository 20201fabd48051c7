//! The sandbox of a plain user: user namespaces and delegated cgroups, no root anywhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{Stage, hierarchies};

/// A user id that owns nothing on this machine.
const NOBODY: u32 = 61_999;

/// Runs `sandbox-run` as a plain user to whom a cgroup of each hierarchy was handed over.
fn run_as_user(stage: &Stage, delegate: bool, extra: &[&str], command: &[&str]) -> Output {
    let place = stage.place.path();
    let exe = place.join("sandbox-run");
    fs::copy(env!("CARGO_BIN_EXE_sandbox-run"), &exe).expect("copies the binary");
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).expect("opens the place");
    fs::create_dir(stage.work_dir()).expect("makes the work directory");
    chown(stage.work_dir(), Some(NOBODY), Some(NOBODY)).expect("hands it over");
    let groups: Vec<PathBuf> = if delegate {
        hierarchies()
            .into_iter()
            .filter_map(|hierarchy| {
                delegate_alone(&hierarchy, &stage.name)
                    .or_else(|| hand_over(&hierarchy, &stage.name))
            })
            .collect()
    } else {
        Vec::new()
    };
    let enter = groups.iter().fold(String::new(), |script, group| {
        script + &format!("echo $$ > {}/owner/cgroup.procs; ", group.display())
    });
    let script = format!(
        "{enter}exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --no-new-privs \"$@\""
    );
    let output = Command::new("/bin/sh")
        .args(["-c", &script, "sh"])
        .arg(&exe)
        .arg(stage.work_dir())
        .arg(&stage.name)
        .args(extra)
        .arg("--")
        .args(command)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("runs");
    assert_eq!(stage.left_in_work_dir(), 0, "files are left: {output:?}");
    for group in groups {
        let left: Vec<_> = fs::read_dir(&group)
            .expect("lists")
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(left, ["owner"], "only what was there before: {output:?}");
        remove(&group);
    }
    output
}

/// Makes `<hierarchy>/<name>/owner` and gives both to the user.
fn hand_over(hierarchy: &Path, name: &str) -> Option<PathBuf> {
    let wanted = ["memory", "pids", "unified"];
    wanted.iter().any(|end| hierarchy.ends_with(end)).then(|| {
        let group = hierarchy.join(name);
        give(&group);
        give(&group.join("owner"));
        group
    })
}

/// Where version 2 is alone: makes `<hierarchy>/<name>/owner` with controllers, and gives that to the user.
fn delegate_alone(hierarchy: &Path, name: &str) -> Option<PathBuf> {
    let offered = fs::read_to_string(hierarchy.join("cgroup.controllers")).ok()?;
    offered.contains("memory").then(|| {
        let group = hierarchy.join(name);
        fs::create_dir(&group).expect("makes a group");
        for parent in [hierarchy, &group] {
            fs::write(parent.join("cgroup.subtree_control"), "+memory +pids")
                .expect("enables controllers");
        }
        give(&group.join("owner"));
        group
    })
}

/// Makes a group that belongs to the user.
fn give(group: &Path) {
    fs::create_dir(group).expect("makes a group");
    chown(group, Some(NOBODY), Some(NOBODY)).expect("hands it over");
    for file in [
        "cgroup.procs",
        "tasks",
        "cgroup.threads",
        "cgroup.subtree_control",
    ] {
        if group.join(file).exists() {
            chown(group.join(file), Some(NOBODY), Some(NOBODY)).expect("hands it over");
        }
    }
}

/// Removes a group and those below it.
fn remove(group: &Path) {
    for entry in fs::read_dir(group).expect("lists").flatten() {
        if entry.path().is_dir() {
            remove(&entry.path());
        }
    }
    fs::remove_dir(group).expect("removes");
}

const LOOK: &str = "import os\n\
    for path in ['/x', '/usr/x', '/box/x', '/.store/x', '/etc/passwd', '/proc/1/mem']:\n\
    \x20   try: open(path, 'a'); print('wrote', path)\n\
    \x20   except OSError: pass\n\
    for path in ['/root', '/.store', '/.store/trees', '/proc/1/root', '/proc/1/fd', '/home']:\n\
    \x20   try: os.listdir(path); print('listed', path)\n\
    \x20   except OSError: pass\n\
    open('/tmp/x', 'w').write('x')\n\
    print([l.split()[1] for l in open('/proc/self/status') if l[:6] in ('CapEff', 'CapPrm', 'CapBnd')])";

#[test]
fn a_plain_user_has_the_same_cage() {
    let stage = Stage::new("user");
    let output = run_as_user(
        &stage,
        true,
        &[],
        &["/usr/bin/python3", "-I", "-S", "-B", "-c", LOOK],
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(
        said.contains("\"privilege\":\"user_namespace\"") && !said.contains("\"backend\":\"none\""),
        "{said}"
    );
    assert!(
        said.ends_with("['0000000000000000', '0000000000000000', '0000000000000000']\n")
            && !said.contains("wrote")
            && !said.contains("listed"),
        "{said}"
    );
}

#[test]
fn without_cgroups_it_refuses_to_start() {
    let stage = Stage::new("refuse");
    let output = run_as_user(&stage, false, &[], &["/bin/true"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("no usable cgroups"),
        "{output:?}"
    );
    assert!(said.contains("run this as root"), "{said}");
}

#[test]
fn a_folder_of_another_user_is_named_with_the_way_out() {
    let stage = Stage::new("foreign-group");
    let roots: Vec<PathBuf> = hierarchies()
        .into_iter()
        .filter(|hierarchy| {
            ["memory", "pids", "unified", "cgroup"]
                .iter()
                .any(|end| hierarchy.ends_with(end))
        })
        .map(|hierarchy| hierarchy.join(&stage.name))
        .collect();
    for root in &roots {
        // As a root's runner that was killed left it.
        fs::create_dir_all(root.join("4194305-5-0")).expect("makes a group");
    }
    let output = run_as_user(&stage, false, &[], &["/bin/true"]);
    for root in roots {
        fs::remove_dir(root.join("4194305-5-0")).expect("it is still there");
        fs::remove_dir(root).expect("removes");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("no usable cgroups"),
        "{output:?}"
    );
    assert!(
        said.contains("belongs to user 0") || said.contains("enable controllers"),
        "{said}"
    );
}

#[test]
fn a_process_outside_of_its_groups_is_told_to_be_moved() {
    let stage = Stage::new("outside");
    let groups: Vec<PathBuf> = hierarchies()
        .into_iter()
        .filter_map(|hierarchy| hand_over(&hierarchy, &stage.name))
        .collect();
    let output = run_as_user(&stage, false, &[], &["/bin/true"]);
    for group in &groups {
        remove(group);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    // With version 2 alone its own group is the one to be delegated, so nothing was handed over.
    assert!(
        groups.is_empty() || said.contains("move it below"),
        "{said}"
    );
}

#[test]
fn without_cgroups_it_starts_when_told_to() {
    let stage = Stage::new("degraded");
    let output = run_as_user(&stage, false, &["--degraded"], &["/bin/echo", "works"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("\"backend\":\"none\"") && said.contains("works"),
        "{output:?}"
    );
}
