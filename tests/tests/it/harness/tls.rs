//! TLS in front of a server of the stack: a listener with certificates of its own making, which asks clients for theirs.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{ErrorCode, SslAcceptor, SslMethod, SslStream, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509Builder, X509NameBuilder};

/// How long one direction is waited for before the other has its turn.
const TURN: Duration = Duration::from_millis(1);

/// A private CA.
pub(crate) struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

/// A certificate of a CA, with its key.
pub(crate) struct Certified {
    certificate: X509,
    key: PKey<Private>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = key();
        let mut builder = builder(name, &key);
        let constraints = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(constraints).unwrap();
        let own_name = self::name(name);
        builder.set_issuer_name(&own_name.build()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            certificate: builder.build(),
            key,
        }
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    /// For 127.0.0.1, as a server or as a client.
    pub(crate) fn certify(&self, name: &str) -> Certified {
        let key = key();
        let mut builder = builder(name, &key);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        let address = SubjectAlternativeName::new()
            .ip("127.0.0.1")
            .build(&builder.x509v3_context(Some(&*self.certificate), None))
            .unwrap();
        builder.append_extension(address).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        Certified {
            certificate: builder.build(),
            key,
        }
    }
}

impl Certified {
    /// The certificate and the key.
    pub(crate) fn pem(&self) -> (Vec<u8>, Vec<u8>) {
        (
            self.certificate.to_pem().unwrap(),
            self.key.private_key_to_pem_pkcs8().unwrap(),
        )
    }
}

fn key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn name(name: &str) -> X509NameBuilder {
    let mut builder = X509NameBuilder::new().unwrap();
    builder.append_entry_by_text("CN", name).unwrap();
    builder
}

fn builder(subject: &str, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let number = BigNum::from_u32(fastrand::u32(1..)).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&number).unwrap();
    builder.set_subject_name(&name(subject).build()).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    builder
}

/// Listens with `server`'s certificate for clients with one of `clients`, and passes on to a server at 127.0.0.1. Ends with the
/// process. Returns the port.
pub(crate) fn listen(server: &Certified, clients: &Authority, target: u16) -> u16 {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&server.certificate).unwrap();
    acceptor.set_private_key(&server.key).unwrap();
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(clients.certificate.clone()).unwrap();
    acceptor.set_verify_cert_store(store.build()).unwrap();
    acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    let acceptor = Arc::new(acceptor.build());

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let acceptor = acceptor.clone();
            thread::spawn(move || {
                // Who cannot show a certificate is turned away here.
                let Ok(inner) = acceptor.accept(stream) else { return };
                // A connection that breaks is the client's to notice.
                drop(pass_on(inner, port, target));
            });
        }
    });
    port
}

fn pass_on(mut inner: SslStream<TcpStream>, port: u16, target: u16) -> Result<()> {
    let mut outer = TcpStream::connect(("127.0.0.1", target))?;
    inner.get_ref().set_read_timeout(Some(TURN))?;
    outer.set_read_timeout(Some(TURN))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match inner.ssl_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => outer.write_all(&with_host(&buffer[..length], port, target))?,
            Err(error) if error.code() == ErrorCode::WANT_READ => {}
            Err(_) => return Ok(()),
        }
        match outer.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => inner.write_all(&buffer[..length])?,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The local ClickHouse takes requests for its own address only.
pub(super) fn with_host(bytes: &[u8], port: u16, target: u16) -> Vec<u8> {
    let (ours, its) = (format!("127.0.0.1:{port}\r\n"), format!("127.0.0.1:{target}\r\n"));
    match bytes.windows(ours.len()).position(|window| window == ours.as_bytes()) {
        None => bytes.to_vec(),
        Some(at) => [&bytes[..at], its.as_bytes(), &bytes[at + ours.len()..]].concat(),
    }
}
