//! Calls of regions, their directory, members, and the clock.

use super::callee::{Entry, calls};

#[rustfmt::skip]
pub fn calls() -> Vec<Entry> {
    calls! {
        rialto_now_ns: Out;
        rialto_region_config_default: Out;
        rialto_region_layout: RegionConfig Out;
        rialto_region_init: New(Region) Memory MemoryBytes RegionConfig;
        rialto_region_attach: New(Region) Memory MemoryBytes;
        rialto_region_create_anonymous: New(Region) RegionBytes RegionConfig => honest;
        rialto_region_create_memfd: New(Region) RegionBytes RegionConfig => honest;
        rialto_region_attach_fd: New(Region) RegionFd => alone;
        rialto_region_create_named: New(Region) File RegionBytes RegionConfig => honest;
        rialto_region_attach_named: New(Region) File => alone;
        rialto_region_unlink_named: File;
        rialto_region_fd: View(Region) Out;
        rialto_region_base: View(Region) Out;
        rialto_region_size: View(Region) Out;
        rialto_region_member_count: View(Region) Out;
        rialto_region_recover: View(Region) Number OutOrNull;
        rialto_region_leave: View(Region);
        rialto_region_detach: End(Region);
        rialto_region_remove: View(Region) Removed => honest;
        rialto_region_remove_timeout: View(Region) Removed Patience;
        rialto_region_space: View(Region) Out;
        rialto_region_next_object: View(Region) InOut Out;
        rialto_region_join: View(Region) New(Member);
        rialto_member_id: View(Member) Out;
        rialto_member_leave: End(Member);
    }
}
