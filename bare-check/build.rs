//! Each chip has a linker script of its own.

fn main() {
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo::rustc-link-arg=-T{root}/{arch}.ld");
    println!("cargo::rerun-if-changed={arch}.ld");
    println!("cargo::rerun-if-changed=build.rs");
}
