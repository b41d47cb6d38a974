//! TLS of the clients of ClickHouse and the schema registry: a private CA, and a certificate of our own where the server asks for
//! one. Kafka's is librdkafka's (`ssl.ca.location` and so on).

use std::fmt;
use std::path::Path;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::settings::{SettingsError, require};

/// What is in the files, checked.
#[derive(Clone)]
pub struct ClientTls {
    /// The certificates by which the server's is judged; empty: those of the system.
    roots: Vec<Certificate<'static>>,
    /// Our certificate with those that lead to its CA, and the text of its key.
    own: Option<Own>,
}

#[derive(Clone)]
struct Own {
    chain_pem: Vec<u8>,
    key_pem: Vec<u8>,
    /// Both, as the client of the registry takes them.
    parsed: ClientCert,
}

/// The key is a secret.
impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("roots", &self.roots.len())
            .field("has_own_certificate", &self.own.is_some())
            .finish()
    }
}

impl ClientTls {
    /// Reads the PEM files of a section (`ca_file`, `certificate_file`, `key_file`); `None` if it names none.
    pub fn read(
        section: &str,
        url: &str,
        ca_file: Option<&Path>,
        certificate_file: Option<&Path>,
        key_file: Option<&Path>,
    ) -> Result<Option<Self>, SettingsError> {
        let key = |name: &str| format!("{section}.{name}");
        let named = [
            ("ca_file", ca_file),
            ("certificate_file", certificate_file),
            ("key_file", key_file),
        ];
        let Some((first, _)) = named.iter().find(|(_, file)| file.is_some()) else {
            return Ok(None);
        };
        require(
            url.starts_with("https://"),
            &key(first),
            format!("is of no use: {section}.url does not begin with https://"),
        )?;
        let roots = match ca_file {
            Some(file) => certificates(&key("ca_file"), file, &read(&key("ca_file"), file)?)?,
            None => Vec::new(),
        };
        let own = match (certificate_file, key_file) {
            (None, None) => None,
            (Some(certificate), Some(key_file)) => Some(Own::read(
                &key("certificate_file"),
                certificate,
                &key("key_file"),
                key_file,
            )?),
            (Some(_), None) => {
                return Err(SettingsError::key(
                    key("key_file"),
                    "is missing beside certificate_file",
                ));
            }
            (None, Some(_)) => {
                return Err(SettingsError::key(
                    key("certificate_file"),
                    "is missing beside key_file",
                ));
            }
        };
        Ok(Some(Self { roots, own }))
    }

    /// For the client of the registry.
    pub(crate) fn config(tls: Option<&Self>) -> TlsConfig {
        let mut config = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier);
        if let Some(Self { roots, own }) = tls {
            if !roots.is_empty() {
                config = config.root_certs(RootCerts::new_with_certs(roots));
            }
            config = config.client_cert(own.as_ref().map(|own| own.parsed.clone()));
        }
        config.build()
    }

    /// The certificates by which the server's is judged, in DER; none: those of the system.
    pub fn roots(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.roots.iter().map(Certificate::der)
    }

    /// Our certificates and our key, in PEM (PKCS #8).
    pub fn own(&self) -> Option<(&[u8], &[u8])> {
        self.own
            .as_ref()
            .map(|own| (own.chain_pem.as_slice(), own.key_pem.as_slice()))
    }
}

impl Own {
    fn read(chain_key: &str, chain_file: &Path, key_key: &str, key_file: &Path) -> Result<Self, SettingsError> {
        let chain_pem = read(chain_key, chain_file)?;
        let chain = certificates(chain_key, chain_file, &chain_pem)?;
        let key_pem = read(key_key, key_file)?;
        let refused = |reason: &str| SettingsError::key(key_key, format!("{}: {reason}", key_file.display()));
        let key = PrivateKey::from_pem(&key_pem).map_err(|_| refused("there is no private key in it"))?;
        if !key_pem.starts_with(b"-----BEGIN PRIVATE KEY-----") {
            return Err(refused(
                "does not begin with BEGIN PRIVATE KEY; `openssl pkcs8 -topk8 -nodes -in FILE` makes such a key of others",
            ));
        }
        Ok(Self {
            chain_pem,
            key_pem,
            parsed: ClientCert::new_with_certs(&chain, key),
        })
    }
}

fn read(key: &str, file: &Path) -> Result<Vec<u8>, SettingsError> {
    std::fs::read(file).map_err(|error| SettingsError::key(key, format!("{}: {error}", file.display())))
}

fn certificates(key: &str, file: &Path, pem: &[u8]) -> Result<Vec<Certificate<'static>>, SettingsError> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(SettingsError::key(key, format!("{}: {error}", file.display()))),
        }
    }
    let reason = format!("{}: there is no certificate in it (PEM)", file.display());
    require(!certificates.is_empty(), key, reason)?;
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const PKCS8: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    const PKCS1: &str = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";

    /// The files' contents; `None` leaves the key away.
    fn read_all(
        url: &str,
        ca: Option<&str>,
        certificate: Option<&str>,
        key: Option<&str>,
    ) -> Result<Option<ClientTls>, String> {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: Option<&str>| {
            text.map(|text| {
                let path = directory.path().join(name);
                std::fs::write(&path, text).unwrap();
                path
            })
        };
        let (ca, certificate, key) = (write("ca", ca), write("crt", certificate), write("key", key));
        ClientTls::read("registry", url, ca.as_deref(), certificate.as_deref(), key.as_deref())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said_at_the_start() {
        let url = "https://registry";
        let both = format!("{CERTIFICATE}{CERTIFICATE}");
        let tls = read_all(url, Some(&both), Some(CERTIFICATE), Some(PKCS8))
            .unwrap()
            .unwrap();
        assert_eq!(tls.roots().len(), 2);
        assert!(tls.own().is_some());
        assert!(read_all("http://registry", None, None, None).unwrap().is_none());
        for (url, ca, certificate, key, expected) in [
            (
                "http://registry",
                Some(CERTIFICATE),
                None,
                None,
                "registry.ca_file: is of no use",
            ),
            (url, Some(""), None, None, "there is no certificate in it"),
            (url, Some(PKCS8), None, None, "there is no certificate in it"),
            (url, None, Some(CERTIFICATE), None, "registry.key_file: is missing"),
            (url, None, None, Some(PKCS8), "registry.certificate_file: is missing"),
            (
                url,
                None,
                Some(CERTIFICATE),
                Some(CERTIFICATE),
                "there is no private key in it",
            ),
            (url, None, Some(CERTIFICATE), Some(PKCS1), "openssl pkcs8"),
        ] {
            let said = read_all(url, ca, certificate, key).unwrap_err();
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains("AAAA"), "{said}");
        }
        let missing = ClientTls::read("registry", url, Some(Path::new("/nowhere/ca.pem")), None, None);
        assert!(
            missing
                .unwrap_err()
                .to_string()
                .contains("registry.ca_file: /nowhere/ca.pem: No such file")
        );
    }

    #[test]
    fn the_key_is_not_shown() {
        let tls = read_all("https://a", None, Some(CERTIFICATE), Some(PKCS8))
            .unwrap()
            .unwrap();
        assert_eq!(format!("{tls:?}"), "ClientTls { roots: 0, has_own_certificate: true }");
    }
}
