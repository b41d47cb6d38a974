//! The Debian package, made of the programs under test: it has the units, the configuration and the programs, and what is in it
//! is what stands in `deploy/`, except for accounts that take pushes of anybody.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use courierflow_ingest::config::Config as IngestConfig;
use courierflow_processor::config::Config as ProcessorConfig;
use courierflow_schemas::settings::load;
use courierflow_tests::stack::{binary, repository};
use courierflow_vendors::account::Unsigned;

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The package and its parts, taken apart.
struct Package {
    _dir: tempfile::TempDir,
    files: PathBuf,
    control: PathBuf,
    fields: String,
}

impl Package {
    fn build() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let mut build = Command::new(repository().join("deploy/debian/build.sh"));
        let programs = binary("ingest").unwrap().parent().unwrap().to_owned();
        run(build.arg(programs).arg(&out).env("COURIERFLOW_DEB_COMPRESSION", "none"));
        let is_package = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "deb");
        let deb = fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(is_package)
            .unwrap();
        let (files, control) = (dir.path().join("files"), dir.path().join("control"));
        run(Command::new("dpkg-deb").arg("--extract").args([&deb, &files]));
        run(Command::new("dpkg-deb").arg("--control").args([&deb, &control]));
        let fields = run(Command::new("dpkg-deb").arg("--field").arg(&deb));
        Self {
            _dir: dir,
            files,
            control,
            fields,
        }
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.files.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn mode(&self, path: &str) -> u32 {
        let file = self.files.join(path);
        fs::metadata(file)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
            .permissions()
            .mode()
            & 0o777
    }
}

fn source(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

fn check_config(program: &Path, config: &Path) -> Output {
    Command::new(program)
        .arg("check-config")
        .env("COURIERFLOW_CONFIG", config)
        .output()
        .unwrap()
}

#[test]
fn the_package_has_the_programs_units_and_configuration_of_deploy() {
    let package = Package::build();
    for (path, origin) in [
        (
            "usr/lib/systemd/system/courierflow-ingest.service",
            "deploy/systemd/courierflow-ingest.service",
        ),
        (
            "usr/lib/systemd/system/courierflow-processor.service",
            "deploy/systemd/courierflow-processor.service",
        ),
        ("usr/lib/sysusers.d/courierflow.conf", "deploy/systemd/sysusers.conf"),
        ("etc/courierflow/courierflow.toml", "deploy/debian/courierflow.toml"),
        ("usr/share/doc/courierflow/copyright", "LICENSE"),
    ] {
        assert_eq!(package.read(path), source(origin), "{path}");
        assert_eq!(package.mode(path), 0o644, "{path}");
    }
    assert_example_takes_no_unsigned_pushes(&package);
    for program in ["ingest", "processor"] {
        let path = format!("usr/bin/{program}");
        assert_eq!(package.mode(&path), 0o755);
        let version = |program: &Path| run(Command::new(program).arg("--version"));
        assert_eq!(version(&package.files.join(&path)), version(&binary(program).unwrap()));
        // The unit starts what is there, by a name without a folder.
        let unit = package.read(&format!("usr/lib/systemd/system/courierflow-{program}.service"));
        assert!(unit.contains(&format!("\nExecStart={program}")), "{unit}");
        let completed = package.read(&format!("usr/share/bash-completion/completions/{program}"));
        assert!(completed.contains("check-config"), "{completed}");
    }
    for script in ["postinst", "prerm", "postrm"] {
        let file = package.control.join(script);
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            source(&format!("deploy/debian/{script}"))
        );
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o755,
            "{script}"
        );
    }
    let conffiles = fs::read_to_string(package.control.join("conffiles")).unwrap();
    assert_eq!(conffiles, "/etc/courierflow/courierflow.toml\n");
    let version = format!("Version: {}", env!("CARGO_PKG_VERSION"));
    for field in [
        "Package: courierflow",
        &version,
        "Depends: libc6 ",
        "libssl3",
        "systemd | systemd-standalone-sysusers",
    ] {
        assert!(package.fields.contains(field), "{field} is not in\n{}", package.fields);
    }
}

/// The one that explains every key is that of the local stack, without the accounts that only trying out needs.
fn assert_example_takes_no_unsigned_pushes(package: &Package) {
    let path = "usr/share/doc/courierflow/examples/courierflow.toml";
    let local = source("deploy/local/courierflow.toml");
    let takes_all = |paragraph: &&str| paragraph.lines().any(|line| line.starts_with("unsigned = \"accept\""));
    let (open, expected): (Vec<&str>, Vec<&str>) = local.split("\n\n").partition(takes_all);
    assert_eq!(package.read(path), expected.join("\n\n"));
    assert_eq!(package.mode(path), 0o644);
    let accounts = |path: &Path| load::<IngestConfig>(path).unwrap().ingest.accounts;
    let in_package = accounts(&package.files.join(path));
    assert_eq!(
        in_package.len() + open.len(),
        accounts(&repository().join("deploy/local/courierflow.toml")).len()
    );
    for account in in_package {
        assert_eq!(
            account.unsigned,
            Unsigned::Reject,
            "{} of {}",
            account.name,
            account.vendor
        );
    }
}

#[test]
fn its_configuration_is_known_but_starts_nothing_before_somebody_has_filled_it_in() {
    let shipped = repository().join("deploy/debian/courierflow.toml");
    for (program, named) in [("ingest", "ingest.accounts"), ("processor", "derive.id_key_file")] {
        let output = check_config(&binary(program).unwrap(), &shipped);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(named), "{said}");
    }
    // With the examples taken as they are.
    let filled_in: Vec<_> = source("deploy/debian/courierflow.toml")
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(example) if !example.starts_with(' ') => example.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), filled_in.join("\n")).unwrap();
    let ingest: IngestConfig = load(file.path()).unwrap();
    assert_eq!(ingest.ingest.accounts.len(), 1);
    load::<ProcessorConfig>(file.path()).unwrap();
}
