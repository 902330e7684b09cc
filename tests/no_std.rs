//! Without features Rialto needs no std, no libc and no heap: a program that has none of them links, runs,
//! and holds no undefined symbol that somebody else would have to bring.
#![cfg(all(target_arch = "x86_64", target_os = "linux", not(rialto_loom)))]

use std::{fs, path::PathBuf, process::Command};

fn cargo(dir: &str, arguments: &[&str]) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    // Flags of the run that we are part of (a sanitizer, say) are not for this program.
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root.join(dir))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env("CARGO_TARGET_DIR", root.join("target/nostd"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo {arguments:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The names of an ELF64 file's symbols: (defined, undefined).
fn symbols(elf: &[u8]) -> (Vec<String>, Vec<String>) {
    let (sections, size, count) = (number(elf, 0x28, 8), number(elf, 0x3a, 2), number(elf, 0x3c, 2));
    let section = |i: u64| &elf[(sections + i * size) as usize..];
    let (mut defined, mut undefined) = (Vec::new(), Vec::new());
    for i in 0..count {
        const SYMTAB: u64 = 2;
        if number(section(i), 4, 4) != SYMTAB {
            continue;
        }
        let (at, bytes, names) =
            (number(section(i), 24, 8), number(section(i), 32, 8), number(section(i), 40, 4));
        let names = &elf[number(section(names), 24, 8) as usize..];
        for symbol in elf[at as usize..(at + bytes) as usize].chunks(24).skip(1) {
            let name = &names[number(symbol, 0, 4) as usize..];
            let name = name.split(|byte| *byte == 0).next().unwrap();
            let list = if number(symbol, 6, 2) == 0 { &mut undefined } else { &mut defined };
            list.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    (defined, undefined)
}

#[test]
fn a_program_without_std_libc_and_heap_links_and_runs() {
    cargo("nostd-check", &["build", "--release"]);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("target/nostd/x86_64-unknown-linux-gnu/release/nostd-check");
    let output = Command::new(&path).output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    assert_eq!(output.stdout, b"no std, no libc, no heap: ok\n");

    let elf = fs::read(&path).unwrap();
    assert_eq!((&elf[..4], elf[4]), (&b"\x7fELF"[..], 2));
    let (programs, size, count) = (number(&elf, 0x20, 8), number(&elf, 0x36, 2), number(&elf, 0x38, 2));
    for i in 0..count {
        const DYNAMIC: u64 = 2;
        const INTERPRETER: u64 = 3;
        let kind = number(&elf, (programs + i * size) as usize, 4);
        assert!(kind != DYNAMIC && kind != INTERPRETER, "it would load a library");
    }
    let (defined, undefined) = symbols(&elf);
    assert!(defined.iter().any(|name| name == "_start"), "the symbol table was not found");
    assert!(undefined.iter().all(String::is_empty), "undefined: {undefined:?}");
    for foreign in
        ["malloc", "__rust_alloc", "__rust_alloc_error_handler", "__libc_start_main", "__errno_location"]
    {
        assert!(!defined.iter().any(|name| name == foreign), "{foreign} is in it");
    }
    // Both ways in which rustc spells the crates' names.
    let others = ["_ZN3std", "_ZN5alloc", "_3std", "_5alloc"];
    let std = defined.iter().find(|name| others.iter().any(|other| name.contains(other)));
    assert_eq!(std, None);
}

#[test]
fn each_smaller_set_of_features_builds() {
    for features in ["", "os", "std"] {
        cargo("", &["build", "--lib", "--no-default-features", "--features", features]);
    }
}
