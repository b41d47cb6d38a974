//! A connection of the load generators.

use std::net::SocketAddr;

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One keep-alive connection, as cheap as it gets.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(1024),
        })
    }

    /// The three digits of the status, when the whole answer is there.
    pub(super) async fn send(&mut self, request: &[u8]) -> anyhow::Result<[u8; 3]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "connection closed");
            if let Some(status) = whole_answer(&self.buffer) {
                return Ok(status);
            }
        }
    }
}

fn whole_answer(answer: &[u8]) -> Option<[u8; 3]> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(answer.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let complete = answer.len() >= head + 4 + length.parse::<usize>().ok()?;
    complete.then(|| answer.get(9..12)?.try_into().ok()).flatten()
}
