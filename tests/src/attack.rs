//! Strangers who open connections, begin something on each of them and do not go on.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use courierflow_service::file_limit;

use crate::stack::Service;

/// How often an attacker looks for connections that were closed.
const PAUSE: Duration = Duration::from_secs(1);
/// Descriptors of this process that are not connections of the attacker.
const OTHER_FILES: usize = 256;

/// Connections on which something is begun and not gone on with; those that are closed are opened again until this is dropped.
#[derive(Debug)]
pub struct Attack {
    over: Arc<AtomicBool>,
    attacker: Option<JoinHandle<()>>,
}

impl Attack {
    /// Sends `sent` on each of so many connections; returns when all of them have been opened once. Fails if this process may not open
    /// as many.
    pub fn begin(service: &Service, connections: usize, sent: &'static str) -> io::Result<Self> {
        let possible = file_limit::connections_within("connections of the attacker", connections, OTHER_FILES)
            .map_err(io::Error::other)?;
        if possible < connections {
            return Err(io::Error::other(format!(
                "{connections} connections need more file descriptors"
            )));
        }
        let address = service.url().trim_start_matches("http://").to_owned();
        let mut held: Vec<Option<TcpStream>> = (0..connections).map(|_| connect(&address, sent)).collect();
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let attacker = std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                sleep(PAUSE);
                for stream in &mut held {
                    if stream.as_mut().is_none_or(is_closed) {
                        *stream = connect(&address, sent);
                    }
                }
            }
        });
        Ok(Self {
            over,
            attacker: Some(attacker),
        })
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(self.attacker.take().map(JoinHandle::join));
    }
}

/// One connection on which this was sent, or none while the system has no room in its queue. It does not block.
pub fn connect(address: &str, sent: &str) -> Option<TcpStream> {
    let address = address.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.write_all(sent.as_bytes()).ok()?;
    stream.set_nonblocking(true).ok()?;
    Some(stream)
}

fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 512]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}
