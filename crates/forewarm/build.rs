//! Has the linker lay the functions that a short run goes through side by side, where the linker can.
//!
//! The list is made by `cargo xtask order`. On a run of a known program it saves a quarter of the process's CPU time:
//! fewer pages of code are mapped when it begins and unmapped when it ends (docs/performance.md).
//!
//! The binary is linked to a fixed address: a tenth of a short run's time went into the fifty thousand addresses that the
//! dynamic linker had to adjust in it. `FOREWARM_PIE=1` at build time has it placed at random (SECURITY.md).

use std::path::Path;
use std::process::Command;

fn main() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let lists = Path::new(&variable("CARGO_MANIFEST_DIR")).join("order");
    println!("cargo:rerun-if-changed=build.rs");
    // By its whole path, which the linker is given: a checkout that was moved asks for another.
    println!("cargo:rerun-if-changed={}", lists.display());
    println!("cargo:rerun-if-env-changed=FOREWARM_PIE");
    let target = variable("TARGET");
    if target.ends_with("-linux-gnu") && variable("FOREWARM_PIE").is_empty() {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    let list = lists.join(format!("{target}.txt"));
    if list.exists() && links_with_lld(&target, &variable) {
        println!("cargo:rustc-link-arg-bins=-Wl,--symbol-ordering-file={}", list.display());
        println!("cargo:rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
}

/// Whether the compiler will call the linker that comes with it, LLVM's; others do not know the option.
fn links_with_lld(target: &str, variable: &dyn Fn(&str) -> String) -> bool {
    if !variable("RUSTC_LINKER").is_empty() || variable("CARGO_ENCODED_RUSTFLAGS").contains("link") {
        return false;
    }
    let sysroot = Command::new(variable("RUSTC")).args(["--print", "sysroot"]).output();
    sysroot.is_ok_and(|output| {
        let sysroot = String::from_utf8_lossy(&output.stdout);
        Path::new(sysroot.trim()).join("lib/rustlib").join(target).join("bin/gcc-ld/ld.lld").exists()
    })
}
