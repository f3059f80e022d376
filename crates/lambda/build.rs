//! Links the release binary without unwind tables.
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment")]

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=no-unwind-tables.ld");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|it| it == value);
    // Tests and the dev profile unwind.
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/no-unwind-tables.ld");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{script}");
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    }
}
