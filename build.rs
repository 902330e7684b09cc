//! Nothing, unless the maintainer's feature `header` is on: then include/rialto.h is written anew.
//! Dependants never build cbindgen.

#[cfg(feature = "header")]
#[path = "build/header.rs"]
mod header;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    header::write();
}
