//! Finding out which cgroups this process may use.
//!
//! Read from `/proc/self/mountinfo` and `/proc/self/cgroup`, then tried: a hierarchy counts when a directory could be
//! made in it. What was tried and why it failed goes into the error, for the operator must act on it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::make;
use nix::unistd::{AccessFlags, access, geteuid};

use crate::report::Backend;

/// A usable backend and its directories named after us.
pub(super) struct Found {
    pub(super) backend: Backend,
    pub(super) parents: Vec<PathBuf>,
}

/// Version 2 if it has memory and pids for us, else hybrid, else why not.
pub(super) fn find(name: &str) -> Result<Found, String> {
    let mounts =
        fs::read_to_string("/proc/self/mountinfo").map_err(|e| format!("mountinfo: {e}"))?;
    let own = fs::read_to_string("/proc/self/cgroup").map_err(|e| format!("own cgroup: {e}"))?;
    let hierarchies = parse_mounts(&mounts);
    let unified = hierarchies
        .iter()
        .find(|mount| mount.controllers.is_none())
        .ok_or("no cgroup2 is mounted")?;
    let own_path = own
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .unwrap_or("/");
    let pure = version_2(&unified.at(own_path), name);
    let why_not_pure = match pure {
        Ok(parent) => {
            return Ok(Found {
                backend: Backend::CgroupV2,
                parents: vec![parent],
            });
        }
        Err(reason) => reason,
    };
    hybrid(&hierarchies, unified, own_path, name)
        .map_err(|why_not_hybrid| format!("version 2: {why_not_pure}; hybrid: {why_not_hybrid}"))
}

/// A cgroup mount; `controllers` is `None` for version 2.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    root: String,
    point: PathBuf,
    controllers: Option<Vec<String>>,
}

impl Mount {
    /// Where a path of `/proc/self/cgroup` is found below this mount.
    fn at(&self, path: &str) -> PathBuf {
        let below = path
            .strip_prefix(self.root.trim_end_matches('/'))
            .unwrap_or("");
        self.point.join(below.trim_start_matches('/'))
    }
}

fn parse_mounts(mountinfo: &str) -> Vec<Mount> {
    let parse = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let (mut left, mut right) = (left.split(' ').skip(3), right.split(' '));
        let (root, point) = (left.next()?.to_owned(), PathBuf::from(left.next()?));
        let controllers = match right.next()? {
            "cgroup2" => None,
            "cgroup" => Some(right.nth(1)?.split(',').map(str::to_owned).collect()),
            _ => return None,
        };
        Some(Mount {
            root,
            point,
            controllers,
        })
    };
    mountinfo.lines().filter_map(parse).collect()
}

/// Makes `<own group>/<name>` with memory and pids enabled for the groups below it.
///
/// A group with processes may not hand out controllers (except the root), so when the kernel says busy, the processes
/// of our own group, which was delegated to us, move into a leaf beside `<name>`.
fn version_2(own: &Path, name: &str) -> Result<PathBuf, String> {
    let supervisor = format!("{name}-supervisor");
    // A former sandbox of this process has moved it into the leaf already.
    let base = if own.ends_with(&supervisor) {
        own.parent().unwrap_or(own)
    } else {
        own
    };
    let offered = read(&base.join("cgroup.controllers"))?;
    for controller in ["memory", "pids"] {
        if !offered.split_whitespace().any(|word| word == controller) {
            return Err(format!(
                "{} does not offer the {controller} controller",
                base.display()
            ));
        }
    }
    match enable(base) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            let leaf = base.join(&supervisor);
            make(&leaf).map_err(|e| format!("make {}: {e}", leaf.display()))?;
            for pid in read(&base.join("cgroup.procs"))?.lines() {
                match fs::write(leaf.join("cgroup.procs"), pid) {
                    // It ended meanwhile.
                    Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                    other => other
                        .map_err(|e| format!("move process {pid} into {}: {e}", leaf.display()))?,
                }
            }
            enable(base).map_err(|e| format!("enable controllers in {}: {e}", base.display()))?;
        }
        other => other.map_err(|e| format!("enable controllers in {}: {e}", base.display()))?,
    }
    let parent = base.join(name);
    make(&parent).map_err(|e| format!("make {}: {e}", parent.display()))?;
    enable(&parent).map_err(|e| format!("enable controllers in {}: {e}", parent.display()))?;
    Ok(parent)
}

fn enable(group: &Path) -> io::Result<()> {
    let enabled = fs::read_to_string(group.join("cgroup.subtree_control"))?;
    if ["memory", "pids"]
        .iter()
        .all(|wanted| enabled.split_whitespace().any(|word| word == *wanted))
    {
        return Ok(());
    }
    fs::write(group.join("cgroup.subtree_control"), "+memory +pids")
}

/// `<v1 memory>/<name>`, `<v1 pids>/<name>` and `<v2>/<name>`.
fn hybrid(mounts: &[Mount], unified: &Mount, own_path: &str, name: &str) -> Result<Found, String> {
    let version_1 = |controller: &str| {
        mounts
            .iter()
            .find(|mount| {
                mount
                    .controllers
                    .as_ref()
                    .is_some_and(|all| all.iter().any(|one| one == controller))
            })
            .ok_or(format!("no version 1 hierarchy with {controller}"))
    };
    let mut parents = Vec::new();
    for mount in [version_1("memory")?, version_1("pids")?, unified] {
        let parent = mount.point.join(name);
        make(&parent).map_err(|e| format!("make {}: {e}", parent.display()))?;
        if access(&parent, AccessFlags::W_OK).is_err() {
            let error = io::Error::from(io::ErrorKind::PermissionDenied);
            return Err(refused(&parent, &error));
        }
        parents.push(parent);
    }
    may_enter(&unified.at(own_path), &unified.point.join(name))?;
    Ok(Found {
        backend: Backend::Hybrid,
        parents,
    })
}

/// A program is born in its version 2 group, for which the kernel asks for a writable `cgroup.procs` in the nearest
/// group above both its parent and the new one.
fn may_enter(own: &Path, target: &Path) -> Result<(), String> {
    let common: PathBuf = own
        .components()
        .zip(target.components())
        .take_while(|(left, right)| left == right)
        .map(|(part, _)| part)
        .collect();
    access(&common.join("cgroup.procs"), AccessFlags::W_OK).map_err(|errno| {
        format!(
            "this process is in {} and may not start others in {} ({errno}): root has to move it below {} before it \
             gives up its rights",
            own.display(),
            target.display(),
            target.display(),
        )
    })
}

/// Why no group could be made in `parent`, and what to do about it.
pub(super) fn refused(parent: &Path, error: &io::Error) -> String {
    let path = parent.display();
    let user = geteuid();
    match fs::metadata(parent) {
        Ok(meta) if meta.uid() != user.as_raw() && !user.is_root() => format!(
            "{path} belongs to user {} and this process runs as {user}: root has to hand it over (chown {user} {path} \
             {path}/cgroup.procs) or remove it (rmdir), or choose another name with CODEMENTOR_CGROUP_NAME",
            meta.uid()
        ),
        _ => format!("make a group in {path}: {error}"),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mountinfo_of_both_versions() {
        let text = "25 30 0:23 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n\
                    26 30 0:24 /a/b /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n\
                    27 30 0:25 / /proc rw - proc proc rw\n";
        let mounts = parse_mounts(text);
        assert_eq!(mounts.len(), 2);
        assert_eq!(
            mounts[0].controllers.as_deref(),
            Some(["rw".to_owned(), "memory".to_owned()].as_slice())
        );
        assert_eq!(mounts[1].controllers, None);
        assert_eq!(mounts[1].at("/a/b/c"), Path::new("/sys/fs/cgroup/c"));
        assert_eq!(mounts[1].at("/a/b"), Path::new("/sys/fs/cgroup/"));
        assert_eq!(mounts[0].at("/x"), Path::new("/sys/fs/cgroup/memory/x"));
    }

    #[test]
    fn says_where_the_process_would_have_to_be() {
        let place = tempfile::tempdir().expect("makes a directory");
        let (own, target) = (place.path().join("a/b"), place.path().join("c"));
        let reason = may_enter(&own, &target).expect_err("there is no cgroup.procs");
        assert!(reason.contains("move it below"), "{reason}");
        fs::write(place.path().join("cgroup.procs"), "").expect("writes");
        assert_eq!(may_enter(&own, &target), Ok(()));
    }

    #[test]
    fn says_why_version_2_is_not_usable() {
        let directory = tempfile::tempdir().expect("makes a directory");
        fs::write(
            directory.path().join("cgroup.controllers"),
            "hugetlb pids\n",
        )
        .expect("writes");
        let reason = version_2(directory.path(), "x").expect_err("memory is missing");
        assert!(reason.contains("memory controller"), "{reason}");
    }
}
