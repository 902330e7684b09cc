//! All items at once: `map`.

use super::{Pool, Report, Start};
use crate::{error::Result, time::FOREVER};

impl<S: Start> Pool<'_, S> {
    /// Calls `function` for each item, `chunk` items in a task (see [`Pool::imap`]), and `each` with every item's index and
    /// report, in the items' order, as soon as it is there. Ends when all items are reported.
    ///
    /// Errors: as [`super::Imap::next_timeout`]; the items before were reported, the others are not done, or nobody hears of
    /// it.
    pub fn map<I>(
        &mut self,
        function: &str,
        items: I,
        chunk: usize,
        mut each: impl FnMut(usize, Report<&[u8]>),
    ) -> Result<()>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut imap = self.imap(function, items, chunk)?;
        let mut index = 0;
        while let Some(report) = imap.next_timeout(FOREVER)? {
            each(index, report);
            index += 1;
        }
        Ok(())
    }

    /// As [`Pool::map`], with all reports at the end.
    #[cfg(feature = "std")]
    pub fn map_to_vec<I>(
        &mut self,
        function: &str,
        items: I,
        chunk: usize,
    ) -> Result<std::vec::Vec<Report<std::vec::Vec<u8>>>>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        self.imap(function, items, chunk)?.collect()
    }
}
