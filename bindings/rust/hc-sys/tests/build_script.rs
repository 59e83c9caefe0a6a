//! Where build.rs finds libhc: run with a pkg-config of our own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("build_script")
}

fn built() -> PathBuf {
    static BUILD: Once = Once::new();
    let program = folder().join("build_script");
    BUILD.call_once(|| {
        fs::create_dir_all(folder()).unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ran = Command::new(rustc).args(["--edition=2021", source, "-o"]).arg(&program).status().unwrap();
        assert!(ran.success());
    });
    program
}

fn pkg_config(name: &str, script: &str) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn run(lib_dir: &str, pkg_config: &Path) -> Output {
    Command::new(built()).env("HC_LIB_DIR", lib_dir).env("PKG_CONFIG", pkg_config).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_folder_that_is_named() {
    let ran = run("/some/where", Path::new("/nonexistent"));
    assert!(ran.status.success());
    assert!(text(&ran.stdout).contains("cargo:rustc-link-search=native=/some/where\n"));
    assert!(text(&ran.stdout).contains("cargo:rustc-link-lib=dylib=hc\n"));
}

#[test]
fn the_folder_that_pkg_config_tells() {
    built();
    let asked = folder().join("asked");
    let tells =
        pkg_config("tells", &format!("echo \"$@\" > {}; echo '-L/from/pkg config '", asked.display()));
    let ran = run("", &tells);
    assert!(text(&ran.stdout).contains("cargo:rustc-link-search=native=/from/pkg config\n"), "{ran:?}");
    assert_eq!(fs::read_to_string(asked).unwrap(), "--libs-only-L libhc >= 0.1\n");
    let silent = run("", &pkg_config("silent", "echo"));
    assert!(
        !text(&silent.stdout).contains("link-search") && text(&silent.stdout).contains("link-lib=dylib=hc")
    );
}

#[test]
fn a_library_that_is_not_there_is_told() {
    built();
    let ran = run("", &pkg_config("lacks", "echo 'No package libhc found' >&2; exit 1"));
    assert!(!ran.status.success());
    let told = text(&ran.stderr);
    assert!(told.contains("No package libhc found") && told.contains("HC_LIB_DIR"), "{told}");
    let ran = run("", Path::new("/nonexistent"));
    assert!(text(&ran.stderr).contains("/nonexistent: "), "{ran:?}");
}
