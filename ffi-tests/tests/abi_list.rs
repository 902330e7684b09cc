//! What a program that was compiled against the header relies on, as a list under version control:
//! `abi/rialto-VERSION.txt`. Each function with its prototype, each constant, each type that is a number, each struct
//! with its fields, sizes and offsets as this compiler has them (on 64-bit).
//!
//! If this test fails, the ABI has changed. Raise the version in Cargo.toml: the patch number if something was
//! added, more if something was changed or is gone (the soname follows). Then `RIALTO_ABI=write cargo test
//! --test abi_list` writes the new list. Those of released versions stay as they are (`.ci/run header`).

use ffi_tests::{WARNINGS, compiler, header, root, succeed, target};
use std::{collections::BTreeSet, fmt::Write, fs, process::Command};

/// The header without comments.
fn code() -> String {
    let header = header();
    let mut code = String::new();
    let mut rest = header.as_str();
    while let Some((before, comment)) = rest.split_once("/*") {
        code += before;
        rest = comment.split_once("*/").expect("a comment ends").1;
    }
    code + rest
}

/// In one line, words apart by one blank.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" )", ")").replace("( ", "(")
}

fn functions(code: &str, list: &mut String) {
    let declarations = code.split("\n\n").map(str::trim).filter(|part| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && !part.starts_with("typedef")
            && part.ends_with(");")
    });
    let mut lines: Vec<_> = declarations.map(squeeze).collect();
    lines
        .sort_by_key(|line| line[line.find("rialto_").expect("ours")..].split('(').next().map(str::to_owned));
    for line in lines {
        writeln!(list, "{line}").unwrap();
    }
}

fn constants(code: &str, list: &mut String) {
    for line in code.replace("\\\n", " ").lines().filter(|line| line.starts_with("#define RIALTO_")) {
        let words = squeeze(line);
        // The guard, and what depends on the compiler.
        if words.split(' ').count() > 2
            && !words.contains("RIALTO_ALIGNED")
            && !words.contains("RIALTO_VERSION_")
        {
            writeln!(list, "{words}").unwrap();
        }
    }
}

/// What is no struct.
fn numbers_by_name(code: &str, list: &mut String) {
    for part in code.split("\n\n").map(str::trim).filter(|part| part.starts_with("typedef ")) {
        if !part.contains('{') {
            writeln!(list, "{}", squeeze(part)).unwrap();
        }
    }
}

/// Every struct's name, and its fields: name and declaration.
fn structs(code: &str) -> Vec<(String, Vec<(String, String)>)> {
    let bodies = code.split("typedef struct ").skip(1).map(|part| part.split_once('{').expect("a body"));
    let field = |line: &str| {
        let declared = line.trim().trim_end_matches(';');
        let name = declared.split(['[', ')']).next()?.rsplit([' ', '*']).next()?;
        (!name.is_empty()).then(|| (name.to_owned(), squeeze(declared)))
    };
    bodies
        .map(|(head, rest)| {
            let name = head.split_whitespace().last().expect("a name").to_owned();
            (name, rest.split('}').next().expect("its end").lines().filter_map(field).collect())
        })
        .collect()
}

/// Asks the compiler.
fn layouts(code: &str, list: &mut String) {
    let mut program = String::from("#include <rialto.h>\n#include <stdio.h>\nint main(void)\n{\n");
    for (name, fields) in structs(code) {
        writeln!(program, "printf(\"{name} %zu align %zu\\n\", sizeof({name}), _Alignof({name}));").unwrap();
        for (field, declared) in fields {
            writeln!(
                program,
                "printf(\"{name}.{field} at %zu, %zu: {declared}\\n\", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));"
            )
            .unwrap();
        }
    }
    program += "return 0;\n}\n";
    let folder = target().join("abi");
    fs::create_dir_all(&folder).expect("the target folder is writable");
    let (source, binary) = (folder.join("sizes.c"), folder.join("sizes"));
    fs::write(&source, program).unwrap();
    let mut cc = compiler("CC", "cc");
    cc.arg("-std=c11")
        .args(WARNINGS)
        .arg("-I")
        .arg(root().join("include"))
        .arg(source)
        .arg("-o")
        .arg(&binary);
    succeed(&mut cc, "cannot compile the sizes");
    let printed = succeed(&mut Command::new(binary), "the sizes do not run").stdout;
    *list += &String::from_utf8(printed).unwrap();
}

/// What is listed today.
fn today() -> String {
    let code = code();
    let mut list = String::from("# Functions\n");
    functions(&code, &mut list);
    list += "# Constants\n";
    constants(&code, &mut list);
    list += "# Numbers\n";
    numbers_by_name(&code, &mut list);
    list += "# Structs: bytes, alignment; fields: offset, bytes, declaration\n";
    layouts(&code, &mut list);
    list
}

/// {major, minor, patch} of a version.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().expect("a version")).collect()
}

/// What two versions must agree in for their shared libraries to have one soname.
fn soname(version: &str) -> Vec<u32> {
    let numbers = numbers(version);
    if numbers[0] == 0 { numbers[..2].to_vec() } else { numbers[..1].to_vec() }
}

#[test]
fn the_abi_changes_with_the_version_only() {
    let version = include_str!("../../Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("version = \""))
        .expect("a version")
        .trim_end_matches('"');
    let folder = root().join("abi");
    let path = folder.join(format!("rialto-{version}.txt"));
    let today = today();
    if std::env::var("RIALTO_ABI").is_ok_and(|word| word == "write") {
        fs::write(&path, &today).unwrap();
    }
    let listed = fs::read_to_string(&path).unwrap_or_default();
    let (was, is): (BTreeSet<_>, BTreeSet<_>) = (listed.lines().collect(), today.lines().collect());
    let gone: Vec<_> = was.difference(&is).collect();
    let new: Vec<_> = is.difference(&was).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "{path:?}: see above in this file\ngone: {gone:#?}\nnew: {new:#?}"
    );

    for older in fs::read_dir(folder).unwrap() {
        let older = older.unwrap().path();
        let name = older.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some(of) = name.strip_prefix("rialto-").filter(|of| numbers(of) < numbers(version)) else {
            continue;
        };
        if soname(of) == soname(version) {
            let text = fs::read_to_string(&older).unwrap();
            let gone: Vec<_> = text.lines().filter(|line| !is.contains(line)).collect();
            assert!(gone.is_empty(), "{name} has the same soname, and had what is gone now: {gone:#?}");
        }
    }
}
