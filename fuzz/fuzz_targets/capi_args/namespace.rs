//! Calls of namespaces.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_namespace_layout: Mostly(8) Mostly(8) Mostly(16) Out;
        rialto_namespace_create: View(Region) Name("namespace") Mostly(8) Mostly(8) Mostly(16) Patience New(Namespace);
        rialto_namespace_open: View(Region) Name("namespace") New(Namespace);
        rialto_namespace_open_as: View(Region) Name("namespace") Mostly(8) Mostly(8) Mostly(16) New(Namespace);
        rialto_namespace_open_or_create: View(Region) Name("namespace") Mostly(8) Mostly(8) Mostly(16) New(Namespace) => honest;
        rialto_namespace_capacity: View(Namespace) Out;
        rialto_namespace_max_name_bytes: View(Namespace) Out;
        rialto_namespace_max_string_bytes: View(Namespace) Out;
        rialto_namespace_len: View(Namespace) Out;
        rialto_namespace_is_empty: View(Namespace) Out;
        rialto_namespace_remove: View(Namespace) Attribute;
        rialto_namespace_contains: View(Namespace) Attribute Out;
        rialto_namespace_type_of: View(Namespace) Attribute Out;
        rialto_namespace_copy_names: View(Namespace) To Len Results Count Out;
        rialto_namespace_set_i64: View(Namespace) Attribute Number;
        rialto_namespace_set_u64: View(Namespace) Attribute Number;
        rialto_namespace_set_f64: View(Namespace) Attribute F64;
        rialto_namespace_set_bool: View(Namespace) Attribute Bool;
        rialto_namespace_set_bytes: View(Namespace) Attribute From Len;
        rialto_namespace_set_str: View(Namespace) Attribute String;
        rialto_namespace_get: View(Namespace) Attribute To Len Out;
        rialto_namespace_get_i64: View(Namespace) Attribute Out;
        rialto_namespace_get_u64: View(Namespace) Attribute Out;
        rialto_namespace_get_f64: View(Namespace) Attribute Out;
        rialto_namespace_get_bool: View(Namespace) Attribute Out;
        rialto_namespace_get_bytes: View(Namespace) Attribute To Len Out;
        rialto_namespace_get_str: View(Namespace) Attribute To Len Out;
        rialto_namespace_acquire: View(Namespace) Patience;
        rialto_namespace_release: View(Namespace);
        rialto_namespace_set_timeout: Change(Namespace) Patience;
        rialto_namespace_is_mine: View(Namespace) Out;
        rialto_namespace_is_locked: View(Namespace) Out;
        rialto_namespace_deaths: View(Namespace) Out;
    }
}
