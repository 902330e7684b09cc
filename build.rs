//! Nothing, unless the maintainer's feature `header` is on: then include/rialto.h is written anew.
//! Dependants never build cbindgen.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    header::write();
}

#[cfg(feature = "header")]
mod header {
    use std::{env, fs, path::Path};

    /// In the header's order.
    const FILES: &[&str] = &[
        "status",
        "lock",
        "rlock",
        "event",
        "semaphore",
        "condition",
        "region",
        "directory",
        "named",
        "member",
        "queue/config",
        "queue/object",
        "queue/looks",
        "queue/push",
        "queue/pop",
        "queue/batch",
        "reserved",
        "peeked",
        "queue/join",
        "queue/poll",
        "pipe",
        "connection/object",
        "connection/messages",
        "connection/poll",
        "spsc/config",
        "spsc/object",
        "spsc/looks",
        "spsc/producer",
        "spsc/reserved",
        "spsc/consumer",
        "spsc/peeked",
        "permits",
        "barrier",
        "value",
        "locking/value",
        "array",
        "locking/array",
        "list/object",
        "list/items",
        "list/walks",
        "locking/list",
        "dict/object",
        "dict/items",
        "dict/walks",
        "locking/dict",
        "namespace/object",
        "namespace/attributes",
        "namespace/set",
        "namespace/get",
        "locking/namespace",
        "process/entry",
        "process/config",
        "process/object",
        "process/server",
        "process/relatives",
    ];

    pub fn write() {
        let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        let root = Path::new(&root);
        println!("cargo::rerun-if-changed=cbindgen.toml");
        println!("cargo::rerun-if-changed=src/capi");
        println!("cargo::rerun-if-changed=include/rialto.h");
        let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in FILES {
            builder = builder.with_src(root.join(format!("src/capi/{file}.rs")));
        }
        let mut header = Vec::new();
        builder.generate().expect("cbindgen").write(&mut header);
        let header = polish(&String::from_utf8(header).expect("UTF-8"));
        let path = root.join("include/rialto.h");
        if fs::read_to_string(&path).ok().as_deref() != Some(&header) {
            fs::create_dir_all(root.join("include")).expect("include/");
            fs::write(&path, header).expect("include/rialto.h");
        }
    }

    /// Puts negative constants in parentheses, comments of one line on one line, and one constant right
    /// below the other.
    fn polish(header: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for line in header.lines().map(str::trim_end) {
            match &lines[..] {
                [.., opening, text] if line.trim() == "*/" && opening.trim() == "/**" => {
                    let comment = format!("{opening} {} */", text.trim_start().trim_start_matches("* "));
                    lines.truncate(lines.len() - 2);
                    let below = matches!(&lines[..], [.., constant, blank]
                        if constant.starts_with("#define RIALTO_") && blank.is_empty());
                    if below {
                        lines.pop();
                    }
                    lines.push(comment);
                }
                _ => lines.push(constant(line)),
            }
        }
        lines.join("\n") + "\n"
    }

    fn constant(line: &str) -> String {
        match line.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) {
            Some((name, "-2147483648")) => format!("#define {name} INT32_MIN"),
            Some((name, value)) if value.starts_with('-') => format!("#define {name} ({value})"),
            Some((name, "18446744073709551615ull")) => format!("#define {name} UINT64_MAX"),
            _ => line.to_owned(),
        }
    }
}
