//! Holds the crate graph against the table in ARCHITECTURE.md: edges go strictly down, none sideways. Called by `tidy`.

use std::collections::BTreeMap;

use super::{Finding, Package};

/// The task runner stands outside the house and may use no room of it.
const OUTSIDE: &str = "xtask";

/// What is wrong with the graph, or with the table.
pub fn check(architecture: &str, packages: &[Package]) -> Vec<Finding> {
    let floors = table(architecture);
    let mut findings = Vec::new();
    if floors.is_empty() {
        findings.push(Finding::error("ARCHITECTURE.md", "holds no table whose rows begin `| FLOOR | `crate` |`"));
    }
    for package in packages {
        let room = room(&package.name);
        let floor = floors.get(room);
        if floor.is_none() && room != OUTSIDE {
            findings.push(Finding::error(&package.name, "is not in ARCHITECTURE.md's table of floors"));
        }
        for dependency in
            package.dependencies.iter().filter(|edge| edge.source.is_none() && edge.kind.as_deref() != Some("dev"))
        {
            let Some(below) = floors.get(self::room(&dependency.name)) else { continue };
            match floor {
                None => findings.push(Finding::error(
                    &package.name,
                    format!("may use no crate of the house, and uses {}", dependency.name),
                )),
                Some(floor) if below >= floor => findings.push(Finding::error(
                    &package.name,
                    format!("on floor {floor} uses {} on floor {below}; edges go strictly down", dependency.name),
                )),
                Some(_) => {}
            }
        }
    }
    let missing = floors.keys().filter(|listed| !packages.iter().any(|package| room(&package.name) == **listed));
    findings
        .extend(missing.map(|listed| Finding::error("ARCHITECTURE.md", format!("lists {listed}, which is no crate"))));
    findings
}

/// A crate's name in the table: without the project's prefix.
fn room(package: &str) -> &str {
    package.strip_prefix("forewarm-").unwrap_or(package)
}

fn table(architecture: &str) -> BTreeMap<&str, u32> {
    architecture
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let floor = cells.next()?.parse().ok()?;
            Some((cells.next()?.strip_prefix('`')?.strip_suffix('`')?, floor))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Dependency;
    use super::*;

    const TABLE: &str =
        "| floor | crate | what |\n|---|---|---|\n| 0 | `types` | x |\n| 1 | `store` | x |\n| 1 | `sandbox` | x |\n";

    fn package(name: &str, edges: &[(&str, Option<&str>)]) -> Package {
        let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            source: None,
        };
        Package { name: name.to_owned(), dependencies: edges.iter().map(dependency).collect() }
    }

    fn house(store: &[(&str, Option<&str>)], xtask: &[(&str, Option<&str>)]) -> Vec<Package> {
        vec![
            package("forewarm-types", &[]),
            package("forewarm-sandbox", &[("forewarm-types", None)]),
            package("forewarm-store", store),
            package("xtask", xtask),
        ]
    }

    #[track_caller]
    fn check_house(table: &str, packages: &[Package], expected: &[&str]) {
        let found: Vec<_> = check(table, packages).into_iter().map(|finding| finding.message).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (message, part) in found.iter().zip(expected) {
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }

    #[test]
    fn edges_go_strictly_down() {
        check_house(TABLE, &house(&[("forewarm-types", None)], &[]), &[]);
        check_house(TABLE, &house(&[("forewarm-sandbox", None)], &[]), &["strictly down"]);
        check_house(TABLE, &house(&[("forewarm-sandbox", Some("build"))], &[]), &["strictly down"]);
        check_house(TABLE, &house(&[("forewarm-sandbox", Some("dev"))], &[]), &[]);
        check_house(TABLE, &house(&[], &[("forewarm-types", None)]), &["may use no crate"]);
    }

    #[test]
    fn table_and_workspace_name_the_same_crates() {
        check_house(&TABLE.replace("| 1 | `store` | x |\n", ""), &house(&[], &[]), &["is not in ARCHITECTURE.md"]);
        check_house(&format!("{TABLE}| 2 | `ghost` | x |\n"), &house(&[], &[]), &["lists ghost"]);
        check_house("no table", &[], &["holds no table"]);
    }
}
