//! Calls of dicts.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_dict_layout: Mostly(8) Mostly(16) Mostly(16) Out;
        rialto_dict_create: View(Region) Name("dict") Mostly(8) Mostly(16) Mostly(16) Patience New(Dict);
        rialto_dict_open: View(Region) Name("dict") New(Dict);
        rialto_dict_open_as: View(Region) Name("dict") Mostly(8) Mostly(16) Mostly(16) New(Dict);
        rialto_dict_open_or_create: View(Region) Name("dict") Mostly(8) Mostly(16) Mostly(16) New(Dict) => honest;
        rialto_dict_capacity: View(Dict) Out;
        rialto_dict_max_key_bytes: View(Dict) Out;
        rialto_dict_max_value_bytes: View(Dict) Out;
        rialto_dict_len: View(Dict) Out;
        rialto_dict_is_empty: View(Dict) Out;
        rialto_dict_clear: View(Dict);
        rialto_dict_contains: View(Dict) From Len Out;
        rialto_dict_get: View(Dict) From Len To Len Out;
        rialto_dict_get_or: View(Dict) From Len From Len To Len Out;
        rialto_dict_set: View(Dict) From Len From Len;
        rialto_dict_update: View(Dict) Pairs Count;
        rialto_dict_setdefault: View(Dict) From Len From Len To Len Out;
        rialto_dict_pop: View(Dict) From Len To Len Out;
        rialto_dict_popitem: View(Dict) To Len To Len Out;
        rialto_dict_remove: View(Dict) From Len;
        rialto_dict_copy_keys: View(Dict) To Len Results Count Out;
        rialto_dict_copy_items: View(Dict) To Len Results Count Out;
        rialto_dict_for_each: View(Dict) To Len To Len Callback Context;
        rialto_dict_acquire: View(Dict) Patience;
        rialto_dict_release: View(Dict);
        rialto_dict_set_timeout: Change(Dict) Patience;
        rialto_dict_is_mine: View(Dict) Out;
        rialto_dict_is_locked: View(Dict) Out;
        rialto_dict_deaths: View(Dict) Out;
    }
}
