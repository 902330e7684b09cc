//! Configurations: mostly what is small and right, now and then anything.

use super::{frame::Frame, kind::Kind, machine::Machine};

/// A pointer to one.
pub fn draw(kind: Kind, (size, align): (usize, usize), m: &mut Machine, f: &mut Frame) -> u64 {
    let pick = |m: &mut Machine, among: &[u32]| m.input.pick(among);
    let mut words: Vec<u32> = match kind {
        Kind::RegionConfig => vec![pick(m, &[8, 16, 1]), pick(m, &[8, 32, 1]), pick(m, &[1, 20, 100])],
        // Slots, longest message, attempts, flags, kind, what a death does.
        Kind::QueueConfig => vec![
            pick(m, &[4, 4, 1, 2, 16]),
            pick(m, &[64, 64, 1, 8]),
            pick(m, &[3, 1, 30]),
            pick(m, &[0, 0, 1, 2, 3]),
            pick(m, &[0, 1]),
            pick(m, &[0, 0, 1, 2]),
        ],
        Kind::PipeConfig => vec![pick(m, &[128, 256, 1]), pick(m, &[64, 300, 8, 1]), pick(m, &[0, 1])],
        _ => vec![
            pick(m, &[4, 4, 1, 2]),
            pick(m, &[64, 64, 1, 8]),
            pick(m, &[3, 1, 14]),
            pick(m, &[0, 0, 1, 2]),
        ],
    };
    words.resize(size / 4, 0);
    if m.input.once_in(8) {
        let i = m.input.below(words.len());
        words[i] = m.input.nasty() as u32;
    }
    let at = f.scratch(size, align);
    // SAFETY: as large.
    unsafe { at.cast::<u32>().copy_from_nonoverlapping(words.as_ptr(), words.len()) };
    match m.input.below(48) {
        0 => {
            f.is_bad = true;
            0
        }
        1 => {
            f.is_bad = true;
            at.expose_provenance() as u64 + 1
        }
        _ => at.expose_provenance() as u64,
    }
}
