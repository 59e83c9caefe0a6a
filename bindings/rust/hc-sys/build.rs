//! Finds libhc: in the folder that HC_LIB_DIR names, else where pkg-config says.

use std::{env, process::Command};

const OLDEST: &str = "libhc >= 0.1";

fn main() {
    println!("cargo:rerun-if-env-changed=HC_LIB_DIR");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo:rerun-if-changed=build.rs");
    let folder = match env::var("HC_LIB_DIR") {
        Ok(folder) if !folder.is_empty() => Some(folder),
        _ => folder_by_pkg_config(),
    };
    if let Some(folder) = folder {
        println!("cargo:rustc-link-search=native={folder}");
    }
    println!("cargo:rustc-link-lib=dylib=hc");
}

/// None: the linker finds it by itself.
fn folder_by_pkg_config() -> Option<String> {
    let folder = pkg_config("--libs-only-L").unwrap_or_else(|why| {
        panic!("cannot find libhc: {why}. Install it, or name its folder in HC_LIB_DIR")
    });
    folder.trim().strip_prefix("-L").map(str::to_owned)
}

fn pkg_config(question: &str) -> Result<String, String> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_owned());
    let ran = Command::new(&program)
        .args([question, OLDEST])
        .output()
        .map_err(|why| format!("{program}: {why}"))?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&ran.stderr).trim().replace('\n', "; "))
}
