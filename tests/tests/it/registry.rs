//! All services start while the registry is away; and a registry that asks who we are.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use courierflow_schemas::registry::Registry;
use courierflow_schemas::settings::RegistrySettings;
use courierflow_tests::stack::{self, Launch, Server, Stack};

use crate::harness::{PATIENCE, eventually, migrated, post, processor, ready, tables};

fn assert_arrives(stack: &dyn Stack, number: &str) {
    eventually("the shipment is in its table", || {
        let rows = tables::shipments_of(stack, number);
        match rows.first() {
            Some(row) if row.status == "PICKED_UP" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn services_start_with_the_ids_that_they_kept_when_the_registry_is_down() {
    let stack = migrated("registry-down");
    let mut ingest = ready(&Launch::ingest(), "ingest", &stack);
    let mut processor = ready(&processor("run", &stack), "processor", &stack);
    post::one_picked_up(&ingest.url(), "REGISTRYUP1");
    assert_arrives(&stack, "REGISTRYUP1");

    stack.stop(Server::Registry).unwrap();
    post::one_picked_up(&ingest.url(), "REGISTRYDOWN1");
    assert_arrives(&stack, "REGISTRYDOWN1");

    for service in [&mut ingest, &mut processor] {
        service.terminate(PATIENCE).unwrap();
        service.restart().unwrap();
        service.wait_ready(PATIENCE).unwrap();
    }
    post::one_picked_up(&ingest.url(), "REGISTRYDOWN2");
    assert_arrives(&stack, "REGISTRYDOWN2");
}

/// A registry that asks for a token: passes requests with the right one on to the registry at `target`, and answers others itself.
/// Ends with the process.
struct Guard {
    url: String,
    token: Arc<Mutex<String>>,
}

impl Guard {
    fn before(registry_url: &str) -> Self {
        let (target, path) = registry_url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/{path}", listener.local_addr().unwrap());
        let token = Arc::new(Mutex::new("first".to_owned()));
        let (target, right) = (target.to_owned(), Arc::clone(&token));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (target, right) = (target.clone(), right.lock().unwrap().clone());
                // A connection that breaks is the client's to notice.
                thread::spawn(move || drop(answer(stream, &target, &right)));
            }
        });
        Self { url, token }
    }

    fn takes(&self, token: &str) {
        token.clone_into(&mut self.token.lock().unwrap());
    }
}

fn answer(mut client: TcpStream, target: &str, right: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length, mut token) = (Vec::new(), 0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let (name, value) = line.trim_end().split_once(": ").unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" => value.clone_into(&mut token),
            _ => {}
        }
        if line.trim_end().is_empty() {
            break;
        }
        // One request a connection.
        if !name.eq_ignore_ascii_case("connection") {
            head.extend_from_slice(line.as_bytes());
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let refused = match token.strip_prefix("Bearer ") {
        Some(token) if token == right => None,
        Some("reader") => Some((
            "403 Forbidden",
            r#"{"error_code":40301,"message":"reader may not write"}"#,
        )),
        _ => Some(("401 Unauthorized", "<html>\n<body>Log in</body>\n</html>")),
    };
    if let Some((status, text)) = refused {
        let length = text.len();
        return write!(
            client,
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}"
        );
    }
    let mut registry = TcpStream::connect(target)?;
    registry.write_all(&head)?;
    registry.write_all(b"connection: close\r\n\r\n")?;
    registry.write_all(&body)?;
    std::io::copy(&mut registry, &mut client).map(drop)
}

#[test]
fn a_token_is_sent_and_read_again_and_what_is_refused_names_the_key() {
    let stack = stack::start_with("registry-token", &[Server::Registry]).unwrap();
    let guard = Guard::before(&stack.registry_url());
    let file = stack.dir().join("registry.token");
    let has = |token: &str| std::fs::write(&file, format!("{token}\n")).unwrap();
    let settings = |token_file: Option<PathBuf>| {
        let mut settings = RegistrySettings {
            url: guard.url.clone(),
            token_file,
            id_cache: stack.dir().join("ids.json"),
            ..RegistrySettings::default()
        };
        settings.complete().unwrap();
        settings
    };
    has("first");
    let registry = Registry::new(&settings(Some(file.clone())));
    assert_eq!(registry.migrate().unwrap().ids, registry.schema_ids().unwrap());

    let refusal = |registry: &Registry| {
        let said = registry.check().unwrap_err().to_string();
        assert!(!said.contains('\n'), "{said}");
        said
    };
    // Somebody has taken the token back; the next one is in the file, and the same client sends it.
    guard.takes("second");
    let said = refusal(&registry);
    for word in ["401", "registry.token_file", "Log in"] {
        assert!(said.contains(word), "{said}");
    }
    has("second");
    assert_eq!(registry.check().unwrap(), Vec::<String>::new());
    has("reader");
    let said = refusal(&registry);
    for word in ["403", "lacks a right", "reader may not write"] {
        assert!(said.contains(word), "{said}");
    }
    let said = refusal(&Registry::new(&settings(None)));
    assert!(said.contains("set registry.user"), "{said}");
}
