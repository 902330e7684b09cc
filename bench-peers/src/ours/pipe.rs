//! `Pipe`, one way.

use super::{done, fresh_name, member, region, say};
use crate::pair::{Pair, Rx, Tx};
use rialto::{Connection, PipeConfig};

/// What a message takes besides itself.
const EXTRA: usize = 16;

/// The end that receives, and the one that sends.
pub struct Pipe(Connection<'static>, Connection<'static>);

impl<const N: usize> Pair<N> for Pipe {
    type Tx<'a> = &'a mut Connection<'static>;
    type Rx<'a> = &'a mut Connection<'static>;
    const BLOCKS: bool = true;

    fn new(depth: usize, _: bool) -> Result<Self, String> {
        let config = PipeConfig { duplex: false, ..PipeConfig::new(((N + EXTRA) * depth) as u32) };
        let pipe = region().create_pipe(&fresh_name(), &config).map_err(say)?.as_member(member());
        Ok(Pipe(pipe.connect(0).map_err(say)?, pipe.connect(1).map_err(say)?))
    }
    fn split<'a>(
        &'a mut self,
    ) -> (impl FnOnce() -> Self::Tx<'a> + Send, impl FnOnce() -> Self::Rx<'a> + Send) {
        (|| &mut self.1, || &mut self.0)
    }
}

impl<const N: usize> Tx<N> for &mut Connection<'static> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u8; N]) -> bool {
        done(Connection::try_send(self, message)).is_some()
    }
    #[inline(always)]
    fn send(&mut self, message: &[u8; N]) {
        Connection::send(self, message).unwrap();
    }
}

impl<const N: usize> Rx<N> for &mut Connection<'static> {
    #[inline(always)]
    fn try_recv(&mut self, into: &mut [u8; N]) -> bool {
        let Some(length) = done(Connection::try_recv(self, into)) else { return false };
        assert_eq!(length, N);
        true
    }
    #[inline(always)]
    fn recv(&mut self, into: &mut [u8; N]) {
        assert_eq!(Connection::recv(self, into).unwrap(), N);
    }
}
