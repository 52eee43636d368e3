//! The repository's rules, as tests on `cargo metadata` and on the sources.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

const MAX_PRODUCTION_LINES: usize = 600;
const FORBIDDEN_MODULES: [&str; 7] = ["common", "utils", "helpers", "misc", "manager", "executor", "handlers"];
const TOP_LEVEL: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "rust-toolchain.toml",
    "functions",
    "shared",
    "infra",
    "local",
    "samconfig.toml",
    "template.yaml",
];
/// Licences that what we ship may have; a crate that offers a choice needs one of them.
const LICENCES: [&str; 12] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "BSL-1.0",
    "Unicode-3.0",
    "Zlib",
    "0BSD",
    "CC0-1.0",
];
/// What may stand beside the tree without belonging to it: ignored by git.
const NOT_OURS: [&str; 2] = ["target", "data"];

/// The row of a crate, by its folder; a crate names only crates of a lower row.
fn row(folder: &str) -> Option<u8> {
    Some(match folder {
        "shared/model" => 0,
        "shared/schema" | "shared/storage" | "shared/http" | "shared/runtime" | "shared/syntax" => 1,
        "shared/otlp" | "shared/wal" | "shared/tables" | "shared/series" | "shared/auth" => 2,
        "shared/generator" | "shared/engine" | "shared/logql" | "shared/traceql" | "shared/promql" => 3,
        "shared/otlp-api"
        | "shared/loki-api"
        | "shared/tempo-api"
        | "shared/prometheus-api"
        | "shared/shift"
        | "shared/maintain" => 4,
        "shared/lake" | "shared/queries" => 5,
        "local" => 6,
        "functions/host" => 6,
        folder if folder.starts_with("functions/") => 7,
        "shared/testkit" => 6,
        "shared/simulation" => 7,
        _ => return None,
    })
}

struct Workspace {
    root: PathBuf,
    metadata: Metadata,
}

impl Workspace {
    fn read() -> Self {
        let metadata = MetadataCommand::new()
            .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"))
            .exec()
            .expect("cargo metadata");
        Self { root: metadata.workspace_root.clone().into_std_path_buf(), metadata }
    }

    fn members(&self) -> impl Iterator<Item = (String, &Package)> {
        self.metadata.workspace_packages().into_iter().map(|package| (self.folder(package), package))
    }

    fn folder(&self, package: &Package) -> String {
        let manifest = package.manifest_path.parent().expect("a manifest has a folder").as_std_path();
        manifest.strip_prefix(&self.root).expect("a member lies in the workspace").to_string_lossy().into_owned()
    }

    /// Everything that `id` links in production: normal dependencies, transitively.
    fn linked(&self, id: &PackageId) -> BTreeSet<String> {
        let resolve = self.metadata.resolve.as_ref().expect("a resolved graph");
        let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
        let names: BTreeMap<_, _> =
            self.metadata.packages.iter().map(|package| (&package.id, package.name.to_string())).collect();
        let (mut seen, mut open) = (BTreeSet::new(), vec![id]);
        while let Some(id) = open.pop() {
            let normal = |dep: &&cargo_metadata::NodeDep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            for dep in nodes[id].deps.iter().filter(normal) {
                if seen.insert(names[&dep.pkg].clone()) {
                    open.push(&dep.pkg);
                }
            }
        }
        seen
    }

    fn sources(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for (folder, _) in self.members() {
            rust_files(&self.root.join(folder).join("src"), &mut found);
        }
        found
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_member_has_a_row_and_names_only_lower_rows() {
    let workspace = Workspace::read();
    let rows: BTreeMap<String, (String, u8)> = workspace
        .members()
        .map(|(folder, package)| {
            let row = row(&folder).unwrap_or_else(|| panic!("{folder} has no row"));
            (package.name.to_string(), (folder, row))
        })
        .collect();
    for (folder, package) in workspace.members() {
        let own = rows[package.name.as_str()].1;
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal) {
            if let Some((other, row)) = rows.get(&dependency.name) {
                assert!(*row < own, "{folder} (row {own}) names {other} (row {row})");
            }
        }
    }
}

#[test]
fn languages_know_neither_storage_nor_http() {
    let workspace = Workspace::read();
    for (folder, package) in workspace.members() {
        if ["shared/logql", "shared/traceql", "shared/promql"].contains(&folder.as_str()) {
            let linked = workspace.linked(&package.id);
            for forbidden in ["icegate-engine", "icegate-wal", "icegate-tables", "icegate-storage", "icegate-http", "axum"] {
                assert!(!linked.contains(forbidden), "{folder} links {forbidden}");
            }
        }
    }
}

#[test]
fn the_write_path_links_no_datafusion() {
    let workspace = Workspace::read();
    for (folder, package) in workspace.members() {
        let reads = matches!(row(&folder), Some(3))
            || ["shared/queries", "shared/loki-api", "shared/tempo-api", "shared/prometheus-api", "shared/simulation", "local"]
                .contains(&folder.as_str());
        let read_function =
            ["functions/loki", "functions/tempo", "functions/prometheus", "functions/maintain"].contains(&folder.as_str());
        if !reads && !read_function {
            assert!(!workspace.linked(&package.id).contains("datafusion"), "{folder} links datafusion");
        }
    }
}

#[test]
fn only_functions_know_lambda_and_only_local_serves() {
    let workspace = Workspace::read();
    for (folder, package) in workspace.members() {
        for dependency in &package.dependencies {
            assert!(
                !(dependency.name.starts_with("lambda_") || dependency.name.starts_with("aws_lambda"))
                    || folder.starts_with("functions/"),
                "{folder} names {}",
                dependency.name
            );
        }
    }
    for path in workspace.sources() {
        let text = fs::read_to_string(&path).expect("a source file");
        let local = path.starts_with(workspace.root.join("local"));
        for serving in ["axum::serve", "tonic::transport::Server"] {
            assert!(local || !text.contains(serving), "{} has {serving}", path.display());
        }
    }
}

#[test]
fn no_file_is_longer_than_it_may_be() {
    for path in Workspace::read().sources() {
        let text = fs::read_to_string(&path).expect("a source file");
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        assert!(
            lines <= MAX_PRODUCTION_LINES,
            "{} has {lines} production lines of at most {MAX_PRODUCTION_LINES}",
            path.display()
        );
    }
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    for path in Workspace::read().sources() {
        for component in path.iter().filter_map(|part| part.to_str()) {
            let name = component.strip_suffix(".rs").unwrap_or(component);
            assert!(!FORBIDDEN_MODULES.contains(&name), "{} is named {name}", path.display());
        }
    }
}

#[test]
fn nothing_unfinished_is_left_and_no_test_is_ignored() {
    for path in Workspace::read().sources() {
        let text = fs::read_to_string(&path).expect("a source file");
        for mark in ["todo!", "unimplemented!", "TODO", "FIXME", "XXX", "#[ignore"] {
            assert!(!text.contains(mark), "{} has {mark}", path.display());
        }
    }
}

#[test]
fn dependencies_have_their_version_in_the_root_manifest_only() {
    let workspace = Workspace::read();
    for (folder, _) in workspace.members() {
        let manifest = fs::read_to_string(workspace.root.join(&folder).join("Cargo.toml")).expect("a manifest");
        let mut in_dependencies = false;
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies && !line.is_empty() && !line.starts_with('#') {
                assert!(line.contains("workspace = true"), "{folder}/Cargo.toml: {line}");
            }
        }
    }
}

#[test]
fn the_visible_top_level_is_the_agreed_one() {
    let workspace = Workspace::read();
    for entry in fs::read_dir(&workspace.root).expect("the root") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let known = name.starts_with('.') || TOP_LEVEL.contains(&name.as_str()) || NOT_OURS.contains(&name.as_str());
        assert!(known, "{name} lies at the top level");
    }
}

#[test]
fn every_linked_crate_has_a_licence_that_we_can_ship() {
    let workspace = Workspace::read();
    let members: Vec<_> = workspace.members().map(|(_, package)| &package.id).collect();
    let linked: BTreeSet<String> = members.iter().flat_map(|id| workspace.linked(id)).collect();
    for package in workspace.metadata.packages.iter().filter(|package| linked.contains(package.name.as_str())) {
        let licence = package.license.as_deref().unwrap_or("");
        // `A AND (B OR C)`: every part that is joined by AND needs an alternative that is allowed.
        let allowed = licence.split(" AND ").all(|part| {
            let alternatives = part.trim_matches(['(', ')']).replace('/', " OR ");
            alternatives.split(" OR ").any(|one| LICENCES.contains(&one.trim().trim_matches(['(', ')'])))
        });
        assert!(allowed, "{} {} is under {licence:?}", package.name, package.version);
    }
}
