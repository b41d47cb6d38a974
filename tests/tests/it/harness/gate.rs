//! A way to ClickHouse that stops what it is told to stop.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use courierflow_tests::stack::Stack;

use super::tls::with_host;

/// How long one side is listened to before the other one has its turn.
const TURN: Duration = Duration::from_millis(5);

/// While it is shut, a connection that sends certain bytes is held at them, and dropped when it opens. Ends with the process.
pub(crate) struct Gate {
    pub(crate) url: String,
    is_open: Arc<AtomicBool>,
}

impl Gate {
    /// A shut one. `held` must be seen as it is in a compressed body: nothing like it may come before it.
    pub(crate) fn before_clickhouse(stack: &dyn Stack, held: &'static [u8]) -> Self {
        let target: u16 = stack.clickhouse_url().rsplit_once(':').unwrap().1.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_open = Arc::<AtomicBool>::default();
        let opened = Arc::clone(&is_open);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let opened = Arc::clone(&opened);
                // A connection that breaks is the client's to notice.
                thread::spawn(move || drop(pass_on(stream, (port, target), held, &opened)));
            }
        });
        Self {
            url: format!("http://127.0.0.1:{port}"),
            is_open,
        }
    }

    pub(crate) fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }
}

fn pass_on(mut inner: TcpStream, (port, target): (u16, u16), held: &[u8], is_open: &AtomicBool) -> Result<()> {
    let mut outer = TcpStream::connect(("127.0.0.1", target))?;
    inner.set_read_timeout(Some(TURN))?;
    outer.set_read_timeout(Some(TURN))?;
    let nothing = |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match inner.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                let sent = &buffer[..length];
                if sent.windows(held.len()).any(|window| window == held) && !is_open.load(Ordering::Acquire) {
                    while !is_open.load(Ordering::Acquire) {
                        thread::sleep(TURN);
                    }
                    return Ok(());
                }
                outer.write_all(&with_host(sent, port, target))?;
            }
            Err(error) if nothing(&error) => {}
            Err(error) => return Err(error),
        }
        match outer.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => inner.write_all(&buffer[..length])?,
            Err(error) if nothing(&error) => {}
            Err(error) => return Err(error),
        }
    }
}
