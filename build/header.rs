//! Writes include/rialto.h: what cbindgen makes of src/capi, in the order of [`PARTS`], object by object: of each
//! its constants, types and functions, under a line that names it. The lines are the header's contents, too, and the
//! groups of the HTML reference (docs/header.awk).

use std::{env, fmt::Write, fs, path::Path};

/// Some objects with something in common.
struct Part(&'static str, &'static [Section]);

/// An object: its type or first function; what it is; its files in src/capi; its macros in cbindgen.toml.
struct Section(&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

/// In the header's order. A type that a function needs stands before it.
const PARTS: &[Part] = &[
    Part(
        "All of it",
        &[Section(
            "rialto_strerror",
            "versions, statuses and their texts, timeouts, the clock",
            &["status"],
            &["RIALTO_MAKE_VERSION", "RIALTO_VERSION"],
        )],
    ),
    Part(
        "Embeddable: in your own structs, anywhere in shared memory",
        &[
            Section("rialto_lock_t", "robust lock", &["lock"], &["RIALTO_LOCK_INIT"]),
            Section(
                "rialto_rlock_t",
                "robust lock that its owner may acquire again",
                &["rlock"],
                &["RIALTO_RLOCK_INIT"],
            ),
            Section("rialto_event_t", "a flag to wait for", &["event"], &["RIALTO_EVENT_INIT"]),
            Section(
                "rialto_semaphore_t",
                "counting semaphore, plain or bounded",
                &["semaphore"],
                &["RIALTO_SEMAPHORE_INIT", "RIALTO_BOUNDED_SEMAPHORE_INIT"],
            ),
            Section(
                "rialto_condition_t",
                "condition variable, with either lock",
                &["condition"],
                &["RIALTO_CONDITION_INIT"],
            ),
        ],
    ),
    Part(
        "A region, and who is in it",
        &[
            Section("rialto_region_t", "memory that several processes see", &["region", "directory"], &[]),
            Section(
                "rialto_lock_create",
                "locks and other embeddable objects, by name in a region",
                &["named"],
                &[],
            ),
            Section("rialto_member_t", "explicit membership, for thread pools", &["member"], &[]),
        ],
    ),
    Part(
        "Messages: objects with a name in a region",
        &[
            Section(
                "rialto_queue_t",
                "bounded queue of byte messages, for any number of threads",
                &["queue/config", "queue/object", "queue/looks", "queue/push", "queue/pop"],
                &[],
            ),
            Section(
                "rialto_message_t",
                "several messages with one wake: push_many, pop_many",
                &["queue/batch"],
                &[],
            ),
            Section("rialto_reserved_t", "room for a message, to write it in place", &["reserved"], &[]),
            Section("rialto_peeked_t", "a message in hand, to read it in place", &["peeked"], &[]),
            Section("rialto_ticket_t", "joinable queues: task_done, join", &["queue/join"], &[]),
            Section(
                "rialto_queue_set_data_fd",
                "queues in an event loop: a descriptor to poll",
                &["queue/poll"],
                &[],
            ),
            Section(
                "rialto_spsc_t",
                "queue from one producer to one consumer",
                &["spsc/config", "spsc/object", "spsc/looks"],
                &[],
            ),
            Section(
                "rialto_producer_t",
                "its one end: push, reserve",
                &["spsc/producer", "spsc/reserved"],
                &[],
            ),
            Section("rialto_consumer_t", "its other end: pop, peek", &["spsc/consumer", "spsc/peeked"], &[]),
            Section("rialto_pipe_t", "byte messages between two ends, one way or both", &["pipe"], &[]),
            Section(
                "rialto_connection_t",
                "an end of a pipe: send, recv, poll",
                &["connection/object", "connection/messages", "connection/poll"],
                &[],
            ),
        ],
    ),
    Part(
        "Waiting for each other: objects with a name in a region",
        &[
            Section(
                "rialto_tracked_semaphore_t",
                "semaphore that gets dead holders' permits back",
                &["permits"],
                &[],
            ),
            Section("rialto_barrier_t", "parties that wait for each other", &["barrier"], &[]),
        ],
    ),
    Part(
        "State: objects with a name in a region, each with a lock of its own",
        &[
            Section("rialto_value_t", "a number, or a structure", &["value", "locking/value"], &[]),
            Section(
                "rialto_array_t",
                "elements of one type; edits of several",
                &["array", "locking/array"],
                &[],
            ),
            Section("rialto_raw_value_create", "raw values and arrays: memory with a name", &["raw"], &[]),
            Section(
                "rialto_list_t",
                "byte strings in an order",
                &["list/object", "list/items", "list/walks", "locking/list"],
                &[],
            ),
            Section(
                "rialto_dict_t",
                "byte strings by key",
                &["dict/object", "dict/items", "dict/walks", "locking/dict"],
                &[],
            ),
            Section(
                "rialto_namespace_t",
                "attributes by name, with types",
                &[
                    "namespace/object",
                    "namespace/attributes",
                    "namespace/set",
                    "namespace/get",
                    "locking/namespace",
                ],
                &[],
            ),
        ],
    ),
    Part(
        "Processes",
        &[
            Section(
                "rialto_process_t",
                "a child: started, waited for, ended",
                &["process/entry", "process/config", "process/object"],
                &[],
            ),
            Section(
                "rialto_forkserver_t",
                "a small process that forks children for you",
                &["process/server"],
                &[],
            ),
            Section("rialto_current_t", "the calling process, and its parent", &["process/relatives"], &[]),
        ],
    ),
    Part(
        "Pools: worker processes that divide tasks, by a region",
        &[
            Section(
                "rialto_pool_t",
                "the parent's side: submit, wait, map; progress",
                &["pool/config", "pool/object", "pool/tasks"],
                &[],
            ),
            Section("rialto_function_t", "the workers' side: functions, by name", &["pool/worker"], &[]),
        ],
    ),
];

const WIDTH: usize = 100;

pub fn write() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let root = Path::new(&root);
    for path in ["build/header.rs", "cbindgen.toml", "src/capi", "include/rialto.h"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let mut builder = cbindgen::Builder::new().with_config(config);
    let mut sections = Vec::new();
    for Section(_, _, files, macros) in PARTS.iter().flat_map(|part| part.1) {
        let mut names: Vec<String> = macros.iter().map(|name| name.to_string()).collect();
        for file in *files {
            let path = root.join(format!("src/capi/{file}.rs"));
            names.extend(declared(&fs::read_to_string(&path).expect("a file of PARTS")));
            builder = builder.with_src(path);
        }
        sections.push(names);
    }
    let mut header = Vec::new();
    builder.generate().expect("cbindgen").write(&mut header);
    let header = sort(&String::from_utf8(header).expect("UTF-8"), &sections);
    let path = root.join("include/rialto.h");
    if fs::read_to_string(&path).ok().as_deref() != Some(&header) {
        fs::create_dir_all(root.join("include")).expect("include/");
        fs::write(&path, header).expect("include/rialto.h");
    }
}

/// What a source file exports.
fn declared(source: &str) -> impl Iterator<Item = String> {
    let name = |line: &str| {
        let rest = line.strip_prefix("pub ")?;
        let rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
        let rest = rest.strip_prefix("extern \"C\" ").unwrap_or(rest);
        let (kind, rest) = rest.split_once(' ')?;
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        ["fn", "struct", "type", "const"].contains(&kind).then_some(name)
    };
    source.lines().filter_map(name)
}

/// In the order in which they stand in a section.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Constant,
    Type,
    Initialiser,
    Function,
}

/// A declaration and the comment above it.
struct Item {
    kind: Kind,
    name: String,
    text: String,
    code: String,
}

/// cbindgen's header, object by object.
fn sort(header: &str, sections: &[Vec<String>]) -> String {
    let start = header.find("\n/** ").expect("a comment") + 1;
    let mut items = items(&header[start..]);
    let mut out = header[..start].trim_end().replace(" * @CONTENTS@\n", &contents());
    out += "\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
    let mut sections = sections.iter();
    for Part(heading, of_part) in PARTS {
        let _ = write!(out, "\n/* ==== {heading} {} */\n", line('=', heading.len()));
        for Section(name, title, ..) in *of_part {
            let title = format!("{name}: {title}");
            let _ = write!(out, "\n/* ---- {title} {} */\n", line('-', title.len()));
            let names = sections.next().expect("one each");
            let (mut mine, rest): (Vec<_>, Vec<_>) = items.into_iter().partition(|i| names.contains(&i.name));
            // Types that are defined further down, and needed here.
            let (early, rest): (Vec<_>, Vec<_>) = rest
                .into_iter()
                .partition(|i| i.kind == Kind::Type && mine.iter().any(|mine| mentions(&mine.code, &i.name)));
            items = rest;
            mine.splice(0..0, early);
            mine.sort_by_key(|item| item.kind);
            put(&mut out, &mine);
        }
    }
    let left: Vec<_> = items.iter().map(|item| &item.name).collect();
    assert!(left.is_empty(), "in no section: {left:?}");
    out + "\n#ifdef __cplusplus\n} // extern \"C\"\n#endif\n\n#endif /* RIALTO_H */\n"
}

/// What fills a line that has so many bytes besides, its ends not counted.
fn line(with: char, used: usize) -> String {
    String::from(with).repeat(WIDTH - "/* ---- ".len() - used - "  */".len())
}

fn contents() -> String {
    let mut out = String::new();
    for Part(heading, sections) in PARTS {
        let _ = writeln!(out, " *   {heading}");
        for Section(name, title, ..) in *sections {
            let _ = writeln!(out, " *     {name:<27} {title}");
        }
    }
    out
}

fn mentions(code: &str, name: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

/// `first` and what follows, up to the line that ends it.
fn until<'a>(
    first: &'a str,
    lines: &mut impl Iterator<Item = &'a str>,
    ends: impl Fn(&str) -> bool,
) -> Vec<&'a str> {
    let mut taken = vec![first];
    while !ends(taken[taken.len() - 1]) {
        taken.push(lines.next().expect("its end"));
    }
    taken
}

fn items(header: &str) -> Vec<Item> {
    let mut lines = header.lines().map(str::trim_end);
    let mut items = Vec::new();
    while let Some(line) = lines.next() {
        if !line.starts_with("/**") {
            let between = ["", "#ifdef __cplusplus", "extern \"C\" {", "}", "#endif"];
            let code = line.split("//").next().unwrap_or(line).split("/*").next().unwrap_or(line);
            assert!(between.contains(&code.trim()), "no comment above {line:?}");
            continue;
        }
        let text = until(line, &mut lines, |line| line.ends_with("*/"));
        let first = lines.next().expect("a declaration");
        let code = until(first, &mut lines, |line| match first {
            _ if first.starts_with('#') => !line.ends_with('\\'),
            _ if first.ends_with('{') => line.starts_with('}'),
            _ => line.ends_with(';'),
        });
        items.push(item(&short(&text, ""), &code));
    }
    items
}

fn item(text: &str, code: &[&str]) -> Item {
    let word =
        |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let last = code[code.len() - 1];
    let (kind, name, code) = if let Some(rest) = code[0].strip_prefix("#define ") {
        let name = word(rest);
        let kind = if name.ends_with("_INIT") { Kind::Initialiser } else { Kind::Constant };
        (kind, name, constant(code))
    } else if code[0].starts_with("typedef ") {
        let name = last.rsplit(' ').next().unwrap_or(last);
        (Kind::Type, word(name), fields(code))
    } else {
        let joined = code.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        let joined = joined.replace("( ", "(").replace("struct rialto_", "rialto_");
        let before = joined.split('(').next().unwrap_or("");
        (Kind::Function, word(before.rsplit([' ', '*']).next().unwrap_or("")), prototype("", &joined))
    };
    Item { kind, name, text: text.to_owned(), code }
}

/// A comment, on one line if it fits there.
fn short(text: &[&str], indent: &str) -> String {
    if let [_, line, _] = text {
        let one = format!("{indent}/** {} */", line.trim_start().trim_start_matches("* "));
        if one.len() <= WIDTH {
            return one;
        }
    }
    text.join("\n")
}

/// Negative numbers in parentheses.
fn constant(code: &[&str]) -> String {
    let code = code.join("\n");
    match code.strip_prefix("#define ").and_then(|rest| rest.split_once(' ')) {
        Some((name, value)) if value.starts_with('-') => format!("#define {name} ({value})"),
        Some((name, "18446744073709551615ull")) => format!("#define {name} UINT64_MAX"),
        _ => code,
    }
}

/// A structure, with short comments on one line.
fn fields(code: &[&str]) -> String {
    let mut out = Vec::new();
    let mut lines = code.iter().copied();
    while let Some(line) = lines.next() {
        if line.trim() == "/**" {
            let text = until(line, &mut lines, |line| line.trim() == "*/");
            out.push(short(&text, "    "));
        } else if line.starts_with(' ') {
            out.push(line.replace("struct rialto_", "rialto_"));
        } else {
            out.push(line.to_owned());
        }
    }
    out.join("\n")
}

/// A prototype, or from its `so_far`th column on a function pointer, in as few lines as it takes.
fn prototype(so_far: &str, code: &str) -> String {
    if so_far.len() + code.len() <= WIDTH {
        return format!("{so_far}{code}");
    }
    // The last opening parenthesis on the outermost level is that of the parameters.
    let mut depth = 0;
    let mut open = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' => {
                if depth == 0 {
                    open = at;
                }
                depth += 1;
            }
            ')' => depth -= 1,
            _ => {}
        }
    }
    let (name, parameters) = code.split_at(open + 1);
    let indent = " ".repeat(so_far.len() + name.len());
    let mut out = format!("{so_far}{name}");
    let (mut column, mut depth, mut begin) = (indent.len(), 0, 0);
    for (at, c) in parameters.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        let is_last = at + 1 == parameters.len();
        if !is_last && (c != ',' || depth != 0) {
            continue;
        }
        let parameter = parameters[begin..=at].trim();
        begin = at + 1;
        if column > indent.len() && column + 1 + parameter.len() <= WIDTH {
            let _ = write!(out, " {parameter}");
            column += 1 + parameter.len();
            continue;
        }
        if column > indent.len() {
            let _ = write!(out, "\n{indent}");
        }
        let parameter = prototype(&indent, parameter);
        column = parameter.lines().last().map_or(0, str::len);
        out += parameter.trim_start();
    }
    out
}

/// Constants with short comments right below each other, all else apart.
fn put(out: &mut String, items: &[Item]) {
    let mut was_short = false;
    for Item { kind, text, code, .. } in items {
        let is_short = *kind == Kind::Constant && !text.contains('\n') && !code.contains('\n');
        if !(is_short && was_short) {
            out.push('\n');
        }
        was_short = is_short;
        let _ = write!(out, "{text}\n{code}\n");
    }
}
