//! Calls of lists.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_list_layout: Mostly(16) Mostly(16) Out;
        rialto_list_create: View(Region) Name("list") Mostly(16) Mostly(16) Patience New(List);
        rialto_list_open: View(Region) Name("list") New(List);
        rialto_list_open_as: View(Region) Name("list") Mostly(16) Mostly(16) New(List);
        rialto_list_open_or_create: View(Region) Name("list") Mostly(16) Mostly(16) New(List) => honest;
        rialto_list_capacity: View(List) Out;
        rialto_list_max_item_bytes: View(List) Out;
        rialto_list_len: View(List) Out;
        rialto_list_is_empty: View(List) Out;
        rialto_list_clear: View(List);
        rialto_list_append: View(List) From Len;
        rialto_list_extend: View(List) Messages Count;
        rialto_list_insert: View(List) Number From Len;
        rialto_list_set: View(List) Number From Len;
        rialto_list_get: View(List) Number To Len Out;
        rialto_list_copy_range: View(List) Number Number To Len Results Count Out;
        rialto_list_pop: View(List) Number To Len Out;
        rialto_list_pop_last: View(List) To Len Out;
        rialto_list_delete: View(List) Number;
        rialto_list_remove: View(List) From Len;
        rialto_list_index: View(List) From Len Out;
        rialto_list_index_in: View(List) Number Number From Len Out;
        rialto_list_contains: View(List) From Len Out;
        rialto_list_count: View(List) From Len Out;
        rialto_list_reverse: View(List);
        rialto_list_sort: View(List);
        rialto_list_sort_by: View(List) To Len Callback Context;
        rialto_list_for_each: View(List) To Len Callback Context;
        rialto_list_acquire: View(List) Patience;
        rialto_list_release: View(List);
        rialto_list_set_timeout: Change(List) Patience;
        rialto_list_is_mine: View(List) Out;
        rialto_list_is_locked: View(List) Out;
        rialto_list_deaths: View(List) Out;
    }
}
