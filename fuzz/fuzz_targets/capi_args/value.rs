//! Calls of values and arrays, also raw ones.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_value_create: View(Region) Name("value") Type From Len Patience New(Value);
        rialto_value_open: View(Region) Name("value") Type Size New(Value);
        rialto_value_load: View(Value) To Len;
        rialto_value_store: View(Value) From Len;
        rialto_value_swap: View(Value) From To Len;
        rialto_value_compare_exchange: View(Value) Expected From Len;
        rialto_value_fetch_add: View(Value) From ToOrNull Len;
        rialto_raw_value_create: View(Region) Name("raw_value") Type Size Out => honest;
        rialto_raw_value_open: View(Region) Name("raw_value") Type Size Out;
        rialto_value_acquire: View(Value) Patience;
        rialto_value_release: View(Value);
        rialto_value_set_timeout: Change(Value) Patience;
        rialto_value_is_mine: View(Value) Out;
        rialto_value_is_locked: View(Value) Out;
        rialto_value_deaths: View(Value) Out;
        rialto_array_create: View(Region) Name("array") Type Size Elements Initial Patience New(Array);
        rialto_array_open: View(Region) Name("array") Type Size New(Array);
        rialto_array_len: View(Array) Out;
        rialto_array_read: View(Array) Number Elements ToElements;
        rialto_array_write: View(Array) Number Elements FromElements;
        rialto_array_swap: View(Array) Number From To Len;
        rialto_array_compare_exchange: View(Array) Number Expected From Len;
        rialto_array_fetch_add: View(Array) Number From ToOrNull Len;
        rialto_array_edit: View(Array) Callback Context;
        rialto_array_edit_read: Edit Number To Len;
        rialto_array_edit_write: Edit Number From Len;
        rialto_raw_array_create: View(Region) Name("raw_array") Type Size Elements Out => honest;
        rialto_raw_array_open: View(Region) Name("raw_array") Type Size Out Out;
        rialto_array_acquire: View(Array) Patience;
        rialto_array_release: View(Array);
        rialto_array_set_timeout: Change(Array) Patience;
        rialto_array_is_mine: View(Array) Out;
        rialto_array_is_locked: View(Array) Out;
        rialto_array_deaths: View(Array) Out;
    }
}
