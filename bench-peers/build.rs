//! Compiles the C++ shim to Boost's message_queue, if Boost's headers are here; goes without otherwise.

fn main() {
    println!("cargo:rerun-if-changed=shim/boost.cpp");
    println!("cargo:rustc-check-cfg=cfg(have_boost)");
    let built = cc::Build::new()
        .cpp(true)
        .opt_level(2)
        .file("shim/boost.cpp")
        .cargo_warnings(false)
        .try_compile("boost_shim");
    match built {
        Ok(()) => {
            println!("cargo:rustc-cfg=have_boost");
            println!("cargo:rustc-link-lib=rt");
        }
        Err(error) => {
            println!(
                "cargo:warning=Boost's message_queue is left out (Debian: apt-get install libboost-dev g++): {error}"
            );
        }
    }
}
