//! The header compiles alone and twice, as C99, C11, C++17 and C++20, with all warnings as errors; and links.

use ffi_tests::{
    STATIC_FLAGS, WARNINGS, compiler,
    documented::{PARTS, comment, names, parts, statuses},
    functions, header, libraries, root, succeed, target,
};
use std::{collections::HashSet, fs, process::Command};

#[test]
fn compiles_alone_and_twice_in_four_languages() {
    let folder = target().join("header");
    fs::create_dir_all(&folder).unwrap();
    for standard in ["c99", "c11", "c++17", "c++20"] {
        let (language, cc) =
            if standard.contains('+') { ("c++", ("CXX", "c++")) } else { ("c", ("CC", "cc")) };
        for twice in [false, true] {
            let program = folder.join(format!("{standard}-{twice}"));
            let mut command = compiler(cc.0, cc.1);
            command.arg(format!("-std={standard}")).args(WARNINGS).args(["-x", language]);
            if twice {
                command.arg("-DTWICE");
            }
            command.arg("-I").arg(root().join("include")).arg(root().join("ffi-tests/c/twice.c"));
            command.args(["-x", "none"]).arg(libraries().join("librialto.a")).args(STATIC_FLAGS);
            succeed(command.arg("-o").arg(&program), "the header does not compile");
            succeed(&mut Command::new(&program), "the program does not run");
        }
    }
}

/// Ends of the names of functions that need not say what their caller's death leaves: they only look, or change
/// what is private to the process. A new one that is neither belongs not here.
const LEAVE_NOTHING: &[&str] = &[
    "_attach",
    "_attempt",
    "_base",
    "_bound",
    "_bytes",
    "_capacity",
    "_config",
    "_contains",
    "_copy_items",
    "_copy_keys",
    "_copy_names",
    "_copy_range",
    "_count",
    "_deaths",
    "_default",
    "_current",
    "_dropped",
    "_duplex",
    "_exit_code",
    "_fd",
    "_get",
    "_get_bool",
    "_get_f64",
    "_get_i64",
    "_get_or",
    "_get_str",
    "_get_u64",
    "_id",
    "_index",
    "_index_in",
    "_is_alive",
    "_is_broken",
    "_is_closed",
    "_is_empty",
    "_is_full",
    "_is_locked",
    "_is_mine",
    "_is_peer_closed",
    "_is_set",
    "_layout",
    "_layout_version",
    "_len",
    "_load",
    "_main",
    "_member",
    "_n_waiting",
    "_next_object",
    "_ns",
    "_open",
    "_open_as",
    "_parent_join",
    "_parent_join_timeout",
    "_parties",
    "_pid",
    "_poisoned",
    "_pool_progress",
    "_read",
    "_recursion",
    "_sentinel",
    "_set_timeout",
    "_size",
    "_space",
    "_strerror",
    "_type_of",
    "_unfinished",
    "_value",
    "_version",
];

#[test]
fn every_function_is_documented_in_full() {
    let header = header();
    // "as rialto_..." says what is said there.
    fn blocks(header: &str, name: &str, depth: usize) -> bool {
        let parts = parts(header, name);
        let Some((_, text)) = parts.iter().find(|part| part.0 == "Concurrency") else { return false };
        let other = text.strip_prefix("as ").map(|text| text.trim_end_matches('.'));
        text.contains("Blocks: ") || other.is_some_and(|other| depth > 0 && blocks(header, other, depth - 1))
    }
    for name in functions() {
        assert!(comment(&header, &name).first().is_some_and(|line| line.len() > 3), "{name}: says nothing");
        let parts = parts(&header, &name);
        let found: Vec<_> =
            parts.iter().map(|part| part.0.as_str()).filter(|part| PARTS.contains(part)).collect();
        let is_quiet = |end: &&str| name.ends_with(*end);
        let leaves_nothing = LEAVE_NOTHING.iter().any(is_quiet);
        let optional = if found.contains(&"If we die") || !leaves_nothing { "" } else { "If we die" };
        let wanted: Vec<_> = PARTS.into_iter().filter(|part| *part != optional).collect();
        assert_eq!(found, wanted, "{name}: its parts");
        assert!(parts.iter().all(|part| !part.1.is_empty()), "{name}: a part without text");
        assert!(blocks(&header, &name, 3), "{name}: Concurrency says whether it blocks");
    }
}

/// Names that are in `text` and not in the header. One that ends with `_` stands for all that begin so.
fn unknown<'a>(text: &'a str, header: &str) -> Vec<&'a str> {
    let code = header.lines().filter(|line| !line.trim_start().starts_with(['*', '/']));
    let code: Vec<_> = code.map(|line| line.split("/*").next().unwrap_or(line)).collect();
    let known: HashSet<_> = code.iter().flat_map(|line| names(line)).collect();
    let is_known = |name: &str| {
        known.contains(name) || name.ends_with('_') && known.iter().any(|known| known.starts_with(name))
    };
    names(text).filter(|name| !is_known(name)).collect()
}

#[test]
fn every_name_in_a_comment_or_table_is_in_the_header() {
    let header = header();
    assert_eq!(unknown(&header, &header), [""; 0], "include/rialto.h");
    for file in ["docs/NAMES.md", "README.md"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let ours = |name: &&str| !NOT_OF_C.contains(name);
        let unknown: Vec<_> = unknown(&text, &header).into_iter().filter(ours).collect();
        assert_eq!(unknown, [""; 0], "{file}");
    }
}

/// Configuration flags and the like.
const NOT_OF_C: [&str; 1] = ["rialto_loom"];

#[test]
fn every_function_says_what_it_returns() {
    let header = header();
    for name in functions().iter().filter(|name| header.contains(&format!("\nint {name}("))) {
        let said = statuses(&header, name);
        assert!(
            said.any || said.named.contains("RIALTO_OK") && said.named.len() > 1,
            "{name}: {:?}",
            said.named
        );
    }
    // What stands elsewhere counts, what is taken away does not.
    let said = |name| statuses(&header, name).named.into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(
        said("rialto_spsc_open_or_create"),
        "RIALTO_EBADREGION RIALTO_EBUSY RIALTO_EINVAL RIALTO_EMFILE RIALTO_ENFILE RIALTO_ENOMEM RIALTO_ENOSPC \
         RIALTO_ENOTRECOVERABLE RIALTO_EVERSION RIALTO_EWRONGKIND RIALTO_OK"
    );
    assert_eq!(
        said("rialto_list_open_or_create"),
        "RIALTO_EBADREGION RIALTO_EBUSY RIALTO_EINVAL RIALTO_EMFILE RIALTO_ENFILE RIALTO_ENOMEM RIALTO_ENOSPC \
         RIALTO_ENOTRECOVERABLE RIALTO_EWRONGKIND RIALTO_OK"
    );
    assert!(
        statuses(&header, "rialto_region_attach_named").errno && statuses(&header, "rialto_array_edit").any
    );
}

#[test]
fn no_line_is_longer_than_a_terminal() {
    let header = header();
    let long: Vec<_> = header.lines().filter(|line| line.chars().count() > 100).collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn the_contents_are_the_sections() {
    let header = header();
    let (_, rest) = header.split_once(" * CONTENTS\n").unwrap();
    let (contents, rest) = rest.split_once(" *\n").unwrap();
    let listed = contents.lines().map(|line| line.trim_start_matches([' ', '*']));
    let listed: Vec<_> = listed.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let banner = |line: &str| {
        let line = line.strip_prefix("/* ==== ").or_else(|| line.strip_prefix("/* ---- "))?;
        Some(line.trim_end_matches(['=', '-', ' ', '*', '/']).replacen(
            ": ",
            " ",
            usize::from(line.starts_with("rialto")),
        ))
    };
    assert_eq!(rest.lines().filter_map(banner).collect::<Vec<_>>(), listed);
}

#[test]
fn no_dependant_builds_cbindgen() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let tree = |features: &str| {
        let mut command = Command::new(&cargo);
        command.current_dir(root()).args([
            "tree",
            "-p",
            "rialto",
            "-e",
            "normal,build",
            "--features",
            features,
        ]);
        String::from_utf8(succeed(&mut command, "cargo tree failed").stdout).unwrap()
    };
    assert!(!tree("capi").contains("cbindgen"));
    assert!(tree("capi,header").contains("cbindgen"), "the test cannot see it");
}
