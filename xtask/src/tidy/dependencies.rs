//! Every dependency from outside earns a line in ARCHITECTURE.md. Called by `tidy`.

use std::collections::BTreeMap;

use super::{Finding, Package};

/// Dependencies whose name stands nowhere in backticks in ARCHITECTURE.md.
pub fn check(architecture: &str, packages: &[Package]) -> Vec<Finding> {
    let mut users: BTreeMap<&str, &str> = BTreeMap::new();
    for package in packages {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.source.is_some()) {
            users.entry(&dependency.name).or_insert(&package.name);
        }
    }
    users
        .into_iter()
        .filter(|(name, _)| !architecture.contains(&format!("`{name}`")))
        .map(|(name, user)| {
            Finding::error("ARCHITECTURE.md", format!("lacks a line on why `{name}` is a dependency (of {user})"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Dependency;
    use super::*;

    #[test]
    fn an_unlisted_dependency_is_found() {
        let dependency = |name: &str, source: Option<&str>| Dependency {
            name: name.to_owned(),
            kind: None,
            source: source.map(str::to_owned),
        };
        let packages = [Package {
            name: "forewarm-store".to_owned(),
            dependencies: vec![
                dependency("serde", Some("registry")),
                dependency("leftpad", Some("registry")),
                dependency("forewarm-types", None),
            ],
        }];
        let found = check("| `serde`, `serde_json` | JSON |", &packages);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("`leftpad`") && found[0].fails);
    }
}
