//! Asks a running service whether it is ready: for the health check of a container, which holds the program and nothing else to ask with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// `/readyz` answers from memory; a service that does not do so within this is not ready.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the service of this host that listens at `address`. The error is why it is not ready, in its own words if it answers.
pub fn ask(address: SocketAddr) -> Result<(), String> {
    let address = reachable(address);
    let (status, body) = get_readyz(address).map_err(|error| format!("{address}: {error}"))?;
    if status == 200 {
        return Ok(());
    }
    Err(body.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A service that listens everywhere is reached at the loopback address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Status and body of the answer.
fn get_readyz(address: SocketAddr) -> Result<(u16, String), ureq::Error> {
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        // One of the environment would not reach this host.
        .proxy(None)
        .build()
        .new_agent();
    let mut response = agent.get(format!("http://{address}/readyz")).call()?;
    Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one request, and says what it was.
    fn server(answer: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request[..length].to_vec()).unwrap()
        });
        (address, asked)
    }

    #[test]
    fn who_answers_200_is_ready() {
        let (address, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n");
        assert_eq!(ask(address), Ok(()));
        assert!(asked.join().unwrap().starts_with("GET /readyz HTTP/1.1\r\n"));
    }

    #[test]
    fn who_is_not_ready_says_why() {
        let (address, _) = server("HTTP/1.1 503 Service Unavailable\r\n\r\nkafka: away\nregistry: 200\n");
        assert_eq!(ask(address), Err("kafka: away registry: 200".to_owned()));
    }

    #[test]
    fn who_does_not_listen_is_not_ready() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(ask(address).unwrap_err().starts_with(&address.to_string()));
    }
}
