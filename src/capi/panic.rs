//! What a panic does in a C library without std: it says where, and ends the process. There is no known one; all
//! that others' bytes and the caller's arguments can do ends in a status.

use core::{fmt::Write, panic::PanicInfo};

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let mut text = heapless::String::<256>::new();
    if let Some(place) = info.location() {
        // Too long a path is cut off, and that is all right.
        let _ = writeln!(text, "rialto: a bug of ours, {}:{}", place.file(), place.line());
    }
    // SAFETY: bytes that are there; `abort` takes nothing.
    unsafe {
        libc::write(2, text.as_ptr().cast(), text.len());
        libc::abort()
    }
}
