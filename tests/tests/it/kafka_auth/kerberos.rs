//! SASL/GSSAPI with a Kerberos of MIT: a realm of its own, with a key distribution centre on the loopback address.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use courierflow_tests::stack::{LocalStack, Server, Stack};

use crate::harness::eventually;
use crate::harness::guarded::{Credentials, Guard, GuardedBroker, Refused, jaas};

const REALM: &str = "COURIERFLOW.TEST";
/// A service's principal has the host that clients know it by, and no address.
const BROKER: &str = "kafka/localhost";
const CLIENT: &str = "courierflow";
/// The broker's realm does not know it.
const STRANGER: &str = "stranger";

struct Realm {
    dir: PathBuf,
    centre: Option<Child>,
}

impl Drop for Realm {
    fn drop(&mut self) {
        if let Some(centre) = &mut self.centre {
            let _ = centre.kill();
            let _ = centre.wait();
        }
    }
}

impl Realm {
    fn start(dir: &Path, port: u16) -> Self {
        let mut realm = Self {
            dir: dir.to_owned(),
            centre: None,
        };
        fs::create_dir_all(dir).unwrap();
        fs::write(realm.client_file(), client_configuration(port)).unwrap();
        fs::write(realm.centre_file(), centre_configuration(dir, port)).unwrap();
        realm.run("kdb5_util", &["create", "-s", "-r", REALM, "-P", "master-password"]);
        let log = fs::File::create(dir.join("centre.log")).unwrap();
        let mut centre = realm.command("krb5kdc");
        // It stays in the foreground.
        centre.arg("-n").stdin(Stdio::null());
        centre.stdout(log.try_clone().unwrap()).stderr(log);
        realm.centre = Some(centre.spawn().unwrap());
        realm
    }

    fn client_file(&self) -> PathBuf {
        self.dir.join("krb5.conf")
    }

    fn centre_file(&self) -> PathBuf {
        self.dir.join("kdc.conf")
    }

    fn keytab(&self, principal: &str) -> PathBuf {
        self.dir.join(principal.replace('/', "-")).with_extension("keytab")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("KRB5_CONFIG", self.client_file());
        command.env("KRB5_KDC_PROFILE", self.centre_file());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.command(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {output:?}");
    }

    /// A principal whose keys are in a file.
    fn add(&self, principal: &str) {
        let keytab = self.keytab(principal).display().to_string();
        for query in [
            format!("addprinc -randkey {principal}"),
            format!("ktadd -k {keytab} {principal}"),
        ] {
            self.run("kadmin.local", &["-r", REALM, "-q", &query]);
        }
    }

    /// The keys of a principal that is there no more.
    fn forget(&self, principal: &str) {
        let query = format!("delprinc -force {principal}");
        self.run("kadmin.local", &["-r", REALM, "-q", &query]);
    }

    fn wait_until_it_answers(&self) {
        eventually("the key distribution centre answers", || {
            let keytab = self.keytab(CLIENT).display().to_string();
            let mut kinit = self.command("kinit");
            kinit.args(["-c", &self.tickets("probe"), "-k", "-t", &keytab, CLIENT]);
            let output = kinit.output().map_err(|error| error.to_string())?;
            if output.status.success() {
                Ok(())
            } else {
                Err(String::from_utf8_lossy(&output.stderr).into_owned())
            }
        });
    }

    fn tickets(&self, name: &str) -> String {
        format!("FILE:{}", self.dir.join(name).with_extension("tickets").display())
    }

    fn credentials(&self, principal: &str) -> Credentials {
        let (keytab, config) = (self.keytab(principal), self.client_file());
        Credentials::new([
            ("sasl.mechanism", "GSSAPI"),
            ("sasl.kerberos.service.name", "kafka"),
            ("sasl.kerberos.principal", principal),
            ("sasl.kerberos.keytab", &keytab.display().to_string()),
        ])
        .environment([
            ("KRB5_CONFIG", config.display().to_string().as_str()),
            ("KRB5CCNAME", &self.tickets(principal)),
        ])
    }

    fn guard(&self) -> Guard {
        let options = format!(
            " useKeyTab=true storeKey=true keyTab=\"{}\" principal=\"{BROKER}@{REALM}\"",
            self.keytab(BROKER).display()
        );
        Guard {
            mechanisms: "GSSAPI",
            host: "localhost",
            properties: format!(
                "{}sasl.kerberos.service.name=kafka\n",
                jaas("gssapi", "com.sun.security.auth.module.Krb5LoginModule", &options)
            ),
            jvm: format!("-Djava.security.krb5.conf={}", self.client_file().display()),
            source: None,
        }
    }
}

/// No name is looked up anywhere, and everything goes over TCP, of which the port is reserved.
fn client_configuration(port: u16) -> String {
    format!(
        "[libdefaults]\n\
         default_realm = {REALM}\n\
         dns_lookup_kdc = false\n\
         dns_lookup_realm = false\n\
         dns_canonicalize_hostname = false\n\
         rdns = false\n\
         udp_preference_limit = 1\n\
         [realms]\n\
         {REALM} = {{\n kdc = 127.0.0.1:{port}\n}}\n\
         [domain_realm]\n\
         localhost = {REALM}\n"
    )
}

fn centre_configuration(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        "[kdcdefaults]\n\
         kdc_listen = \"\"\n\
         kdc_tcp_listen = 127.0.0.1:{port}\n\
         [realms]\n\
         {REALM} = {{\n\
         database_name = {dir}/principals\n\
         key_stash_file = {dir}/stash\n\
         supported_enctypes = aes256-cts-hmac-sha1-96:normal\n\
         }}\n"
    )
}

fn start(name: &str) -> (Realm, GuardedBroker) {
    let mut realm = None;
    let broker = GuardedBroker::start(name, &Server::ALL, |stack: &LocalStack| {
        let running = Realm::start(&stack.dir().join("realm"), stack.reserve_port().unwrap());
        for principal in [BROKER, CLIENT, STRANGER] {
            running.add(principal);
        }
        running.forget(STRANGER);
        running.wait_until_it_answers();
        let guard = running.guard();
        realm = Some(running);
        guard
    });
    (realm.unwrap(), broker)
}

#[test]
#[ignore = "needs builds of the services with the feature kerberos, and a Kerberos: ./dev kafka-auth"]
fn tickets_of_a_realm_let_us_in() {
    let (realm, broker) = start("kafka-auth-kerberos");
    broker.assert_pushes_become_rows(&realm.credentials(CLIENT), || {});
    broker.assert_refuses(
        "stranger",
        &realm.credentials(STRANGER),
        &Refused {
            key: "kafka.properties.sasl.kerberos.principal",
            words: "GSSAPI",
        },
        &[],
    );
}
