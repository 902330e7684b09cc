//! Which statuses the header says that a function returns; and a C header that every test program begins with, by
//! which any other one ends it.

use crate::{functions, header, target};
use std::{collections::BTreeSet, fmt::Write, fs, path::PathBuf, sync::OnceLock};

/// The comment above a function, without its stars; empty lines between its paragraphs.
pub fn comment(header: &str, name: &str) -> Vec<String> {
    let declares = |line: &&str| {
        line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(&format!("{name}("))
    };
    let before: Vec<_> = header.lines().take_while(|line| !declares(line)).collect();
    let above = before.iter().rev().take_while(|line| !line.is_empty());
    let text = above.filter_map(|line| line.strip_prefix(" *").filter(|text| *text != "/"));
    let mut lines: Vec<_> = text.map(|line| line.trim().to_owned()).collect();
    lines.reverse();
    lines
}

/// What a function's comment says after its parameters, in this order. "Blocks:" stands within "Concurrency".
pub const PARTS: [&str; 5] = ["Returns", "Concurrency", "Signals", "If we die", "Since"];

/// Its parts, in order, each with all its text: the parameters, then those of [`PARTS`].
pub fn parts(header: &str, name: &str) -> Vec<(String, String)> {
    let lines = comment(header, name);
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in lines.rsplit(|line| line.is_empty()).next().unwrap_or_default() {
        let part = PARTS.iter().find(|part| line.starts_with(&format!("{part} ")));
        match (part, parts.last_mut()) {
            (Some(part), _) => parts.push((part.to_string(), line[part.len()..].trim().to_owned())),
            (None, Some((_, text))) => *text += &format!(" {line}"),
            (None, None) => parts.push(("parameters".into(), line.clone())),
        }
    }
    parts
}

/// Whole words that begin with `rialto_` or `RIALTO_`.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("rialto_") || word.starts_with("RIALTO_"))
}

/// A function's parameters.
fn parameters<'a>(header: &'a str, name: &str) -> &'a str {
    let (_, rest) = header.split_once(&format!("\nint {name}(")).unwrap_or_default();
    rest.split(");").next().unwrap_or_default()
}

const POSITIVE: [&str; 3] = ["RIALTO_OK", "RIALTO_OWNER_DIED", "RIALTO_REDELIVERED"];

/// What a function may return.
#[derive(Clone, Default)]
pub struct Statuses {
    /// By name.
    pub named: BTreeSet<String>,
    /// Negated errno numbers that have no name here, too.
    pub errno: bool,
    /// Also what a callback returns.
    pub any: bool,
}

/// As "Returns" says, with what it refers to: "as rialto_x and rialto_y, but neither RIALTO_A nor RIALTO_B; RIALTO_C".
pub fn statuses(header: &str, name: &str) -> Statuses {
    let mut all = said(header, name);
    // Everywhere, say the conventions; for lengths, that is.
    all.named.insert("RIALTO_EINVAL".into());
    if parameters(header, name).contains(" size_t ") {
        all.named.insert("RIALTO_EMSGSIZE".into());
    }
    all
}

fn said(header: &str, name: &str) -> Statuses {
    let parts = parts(header, name);
    let text = &parts.iter().find(|part| part.0 == "Returns").expect("Returns").1;
    let mut all = Statuses {
        errno: text.contains("negated errno"),
        any: text.contains("` returned"),
        ..Statuses::default()
    };
    let mut except = BTreeSet::new();
    // In parentheses are reasons; only "nor" takes more away there.
    for clause in text.replace("(nor", "; but not").split([';', '.', '(', ')']) {
        let (given, taken) =
            clause.split_once(" but n").or(clause.split_once(" but for")).unwrap_or((clause, ""));
        except.extend(names(taken).map(str::to_owned));
        if let Some(others) =
            given.trim_start().strip_prefix("as ").or(given.split_once(" as ").map(|given| given.1))
        {
            for other in names(others).filter(|other| *other != name && other.starts_with("rialto_")) {
                let other = said(header, other);
                all.named.extend(other.named);
                all.errno |= other.errno;
                all.any |= other.any;
            }
        }
        all.named.extend(names(given).filter(|name| name.starts_with("RIALTO_")).map(str::to_owned));
    }
    let is_status = |name: &String| name.starts_with("RIALTO_E") || POSITIVE.contains(&name.as_str());
    all.named.retain(|name| is_status(name) && !except.contains(name));
    all
}

/// The C header.
pub fn include() -> PathBuf {
    static WRITTEN: OnceLock<PathBuf> = OnceLock::new();
    WRITTEN.get_or_init(write).clone()
}

fn write() -> PathBuf {
    let header = header();
    // Where there are compound literals; C++ programs do without.
    let mut text = String::from(
        "#ifndef __cplusplus\n#include <rialto.h>\n#include <stdio.h>\n#include <stdlib.h>\n\
         static inline int rialto_documented(const char *name, int status, const int *said, int errnos)\n{\n\
         \x20   for (int i = 0; said[i] != 4711; i++)\n\
         \x20       if (said[i] == status)\n            return status;\n\
         \x20   if (errnos && status < 0 && status > -4096)\n        return status;\n\
         \x20   fprintf(stderr, \"%s returned %d (%s): its comment does not say so\\n\", name, status, \
         rialto_strerror(status));\n    abort();\n}\n",
    );
    for name in functions() {
        let returns_int = header.lines().any(|line| line.starts_with(&format!("int {name}(")));
        let Statuses { named, errno, any } = if returns_int { statuses(&header, &name) } else { continue };
        if !any {
            let said = named.into_iter().collect::<Vec<_>>().join(", ");
            let errno = i32::from(errno);
            writeln!(
                text,
                "#define {name}(...) rialto_documented(\"{name}\", {name}(__VA_ARGS__), (const int[]){{{said}, 4711}}, {errno})"
            )
            .unwrap();
        }
    }
    text += "#endif\n";
    fs::create_dir_all(target()).expect("the target folder is writable");
    let path = target().join("documented.h");
    // Programs that run at the same time write the same.
    let fresh = target().join(format!("documented-{}.h", std::process::id()));
    fs::write(&fresh, text).expect("the target folder is writable");
    fs::rename(&fresh, &path).expect("the target folder is writable");
    path
}
