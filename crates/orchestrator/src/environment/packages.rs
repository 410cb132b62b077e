//! Installed distributions: whose a file is, and which version.
//!
//! Read from the `*.dist-info` and `*.egg-info` folders of the site directories: names and versions from the folders'
//! names, owners of top-level names from `top_level.txt` and `RECORD` (PEP 376, PEP 627).

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The distributions of some site directories.
#[derive(Debug, Default)]
pub struct Packages {
    versions: BTreeMap<Arc<str>, String>,
    /// Owners of a name in a site directory: of a top-level one, or of `top/second` where several share the top.
    owners: HashMap<PathBuf, Owner>,
    sites: Vec<PathBuf>,
}

#[derive(Debug, Clone)]
enum Owner {
    One(Arc<str>),
    /// Several: a namespace; see the names one level below.
    Shared,
}

impl Packages {
    /// Reads what is installed in site directories.
    pub fn read(sites: &[PathBuf]) -> Self {
        let mut packages = Self { sites: sites.to_vec(), ..Self::default() };
        for site in sites {
            let Ok(entries) = fs::read_dir(site) else { continue };
            let mut infos: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
            infos.sort();
            for info in infos {
                packages.add(site, &info);
            }
        }
        packages
    }

    fn add(&mut self, site: &Path, info: &Path) {
        let Some(stem) = info.file_name().and_then(|name| name.to_str()) else { return };
        let Some(stem) = stem.strip_suffix(".dist-info").or_else(|| stem.strip_suffix(".egg-info")) else { return };
        // An egg's folder carries the interpreter's version as well.
        let stem = stem.rsplit_once("-py").filter(|(_, rest)| rest.starts_with('3')).map_or(stem, |(stem, _)| stem);
        let Some((name, version)) = stem.rsplit_once('-') else { return };
        let name: Arc<str> = Arc::from(name);
        self.versions.insert(Arc::clone(&name), version.to_owned());
        if let Ok(record) = fs::read_to_string(info.join("RECORD")) {
            let mut last = "";
            for line in record.lines() {
                let path = line.split(',').next().unwrap_or_default();
                let top = path.split('/').next().unwrap_or_default();
                if top == ".." || top.ends_with("-info") || top.is_empty() || top == "__pycache__" {
                    continue;
                }
                if top != last {
                    self.own(site.join(top), &name);
                    last = top;
                }
                let mut parts = path.splitn(3, '/');
                if let (Some(top), Some(second)) = (parts.next(), parts.next()) {
                    self.own(site.join(top).join(second), &name);
                }
            }
        } else if let Ok(tops) = fs::read_to_string(info.join("top_level.txt")) {
            for top in tops.lines().map(str::trim).filter(|top| !top.is_empty()) {
                self.own(site.join(top), &name);
                self.own(site.join(format!("{top}.py")), &name);
            }
        }
    }

    fn own(&mut self, path: PathBuf, name: &Arc<str>) {
        match self.owners.get_mut(&path) {
            None => {
                self.owners.insert(path, Owner::One(Arc::clone(name)));
            }
            Some(Owner::One(known)) if known == name => {}
            Some(owner) => *owner = Owner::Shared,
        }
    }

    /// The distribution that a file belongs to.
    pub fn owner(&self, path: &Path) -> Option<Arc<str>> {
        let site = self.sites.iter().find(|site| path.starts_with(site))?;
        let mut parts = path.strip_prefix(site).ok()?.components();
        let top = site.join(parts.next()?);
        match self.owners.get(&top)? {
            Owner::One(name) => Some(Arc::clone(name)),
            Owner::Shared => match self.owners.get(&top.join(parts.next()?))? {
                Owner::One(name) => Some(Arc::clone(name)),
                Owner::Shared => None,
            },
        }
    }

    /// A distribution's version.
    pub fn version(&self, name: &str) -> Option<String> {
        self.versions.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_owned_by_what_installed_them() {
        let site = tempfile::tempdir().unwrap();
        let info = |name: &str, record: &str| {
            fs::create_dir(site.path().join(name)).unwrap();
            fs::write(site.path().join(name).join("RECORD"), record).unwrap();
        };
        info("Pillow-10.1.dist-info", "PIL/__init__.py,sha256=x,3\nPIL/Image.py,,\nPillow-10.1.dist-info/RECORD,,\n");
        info("google_a-1.0.dist-info", "google/a/__init__.py,,\n");
        info("google_b-2.0.dist-info", "google/b/__init__.py,,\n");
        fs::create_dir(site.path().join("six-1.16.0.egg-info")).unwrap();
        fs::write(site.path().join("six-1.16.0.egg-info/top_level.txt"), "six\n").unwrap();
        let packages = Packages::read(&[site.path().to_owned()]);
        let owner = |path: &str| packages.owner(&site.path().join(path)).map(|name| name.to_string());
        assert_eq!(owner("PIL/Image.py").as_deref(), Some("Pillow"));
        assert_eq!(owner("google/b/__init__.py").as_deref(), Some("google_b"));
        assert_eq!(owner("six.py").as_deref(), Some("six"));
        assert_eq!(owner("stranger.py"), None);
        assert_eq!(packages.version("google_a").as_deref(), Some("1.0"));
    }
}
