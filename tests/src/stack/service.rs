//! Our own services as child processes, which a test can end, kill and freeze.

use super::process::{last_lines, pid_line};
use super::{Stack, binary, repository};
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a state is looked at while it is waited for.
const POLL: Duration = Duration::from_millis(20);
/// How long [`Launch::run_to_end`] waits.
const RUN_LIMIT: Duration = Duration::from_mins(2);

/// What to start: the program, its arguments and its configuration. It can be started any number of times.
#[derive(Clone, Debug)]
pub struct Launch {
    program: String,
    arguments: Vec<String>,
    listen_key: &'static str,
    config: PathBuf,
    environment: Vec<(String, String)>,
    file_limit: Option<u32>,
}

impl Launch {
    /// The program `ingest`.
    pub fn ingest() -> Self {
        Self::new("ingest", &[], "COURIERFLOW__INGEST__LISTEN")
    }

    /// The program `processor` with a subcommand: `run`, `derive`, `sink`, `dashboard` or `migrate`.
    pub fn processor(subcommand: &str) -> Self {
        Self::new("processor", &[subcommand], "COURIERFLOW__PROCESSOR__LISTEN")
    }

    fn new(program: &str, arguments: &[&str], listen_key: &'static str) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            listen_key,
            config: repository().join("deploy/local/courierflow.toml"),
            environment: Vec::new(),
            file_limit: None,
        }
    }

    /// Another configuration file than the local one.
    #[must_use]
    pub fn config(mut self, path: impl Into<PathBuf>) -> Self {
        self.config = path.into();
        self
    }

    /// Overrides a key of the configuration (`COURIERFLOW__SECTION__KEY`), also one that the stack sets, or sets
    /// another environment variable.
    #[must_use]
    pub fn env(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.environment.push((variable.to_owned(), value.into()));
        self
    }

    /// A limit of file descriptors, soft and hard, instead of the developer's.
    #[must_use]
    pub fn file_limit(mut self, descriptors: u32) -> Self {
        self.file_limit = Some(descriptors);
        self
    }

    /// Another argument at the end of the command line.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Starts it on a port of its own, without waiting until it is ready. `name` is unique within the stack; it names
    /// the log, to which a service of the same name that was started before has written too.
    pub fn start(&self, name: &str, stack: &dyn Stack) -> anyhow::Result<Service> {
        let port = stack.reserve_port()?;
        let mut environment: Vec<(String, String)> = stack
            .configuration()
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        environment.push((self.listen_key.to_owned(), format!("127.0.0.1:{port}")));
        environment.extend(self.environment.iter().cloned());

        let mut arguments = self.arguments.clone();
        arguments.extend(["--config".to_owned(), self.config.display().to_string()]);

        let log = stack.dir().join("log").join(format!("{name}.log"));
        let pid_file = stack.dir().join("run").join(format!("{name}.pid"));
        for path in [&log, &pid_file] {
            let directory = path.parent().unwrap_or(path);
            fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
        }
        let spec = Spec {
            name: name.to_owned(),
            program: binary(&self.program)?,
            arguments,
            environment,
            file_limit: self.file_limit,
            port,
            log,
            pid_file,
        };
        let child = spec.spawn()?;
        Ok(Service { spec, child })
    }

    /// Runs it until it ends by itself, which must be a success; the error carries the end of its log.
    pub fn run_to_end(&self, name: &str, stack: &dyn Stack) -> anyhow::Result<()> {
        let mut service = self.start(name, stack)?;
        let status = service.wait(RUN_LIMIT)?;
        if !status.success() {
            bail!("{name} ended with {status}:\n{}", service.log_end());
        }
        Ok(())
    }
}

/// Everything that is needed to start the same process again.
#[derive(Debug)]
struct Spec {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    file_limit: Option<u32>,
    port: u16,
    log: PathBuf,
    pid_file: PathBuf,
}

impl Spec {
    fn spawn(&self) -> anyhow::Result<Child> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = match self.file_limit {
            // The shell becomes the program, so that the process is the same.
            Some(limit) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &limit.to_string()]);
                shell.arg(&self.program);
                shell
            }
            None => Command::new(&self.program),
        };
        command
            .args(&self.arguments)
            .current_dir(repository())
            .stdin(Stdio::null());
        command
            .stdout(log.try_clone().context("cannot share a log")?)
            .stderr(log);
        // A test means what it says, whatever the developer's shell has exported.
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().starts_with("COURIERFLOW_") {
                command.env_remove(variable);
            }
        }
        command.envs(self.environment.iter().map(|(variable, value)| (variable, value)));
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        if let Err(error) = self.write_pid_file(&child) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        Ok(child)
    }

    fn write_pid_file(&self, child: &Child) -> anyhow::Result<()> {
        fs::write(&self.pid_file, pid_line(child.id())?)
            .with_context(|| format!("cannot write {}", self.pid_file.display()))
    }
}

/// A running service. Dropping it kills it.
#[derive(Debug)]
pub struct Service {
    spec: Spec,
    child: Child,
}

impl Service {
    /// Its HTTP address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.spec.port)
    }

    /// The file that holds its standard output and standard error.
    pub fn log_path(&self) -> &Path {
        &self.spec.log
    }

    /// What it has logged so far.
    pub fn log(&self) -> anyhow::Result<String> {
        let bytes = fs::read(&self.spec.log).with_context(|| format!("cannot read {}", self.spec.log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether `GET /readyz` says 200 right now.
    pub fn is_ready(&self) -> bool {
        agent()
            .get(format!("{}/readyz", self.url()))
            .call()
            .is_ok_and(|response| response.status() == 200)
    }

    /// Waits until `GET /readyz` says 200; fails at once, with the end of the log, if the process ends meanwhile.
    pub fn wait_ready(&mut self, limit: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        while !self.is_ready() {
            if let Some(status) = self.try_wait()? {
                bail!(
                    "{} ended with {status} before it was ready:\n{}",
                    self.spec.name,
                    self.log_end()
                );
            }
            if start.elapsed() > limit {
                bail!("{} is not ready after {limit:?}:\n{}", self.spec.name, self.log_end());
            }
            sleep(POLL);
        }
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits for that.
    pub fn terminate(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait(limit)
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child
            .kill()
            .with_context(|| format!("cannot kill {}", self.spec.name))?;
        self.child
            .wait()
            .with_context(|| format!("cannot wait for {}", self.spec.name))?;
        Ok(())
    }

    /// Lets it hang (SIGSTOP): to Kafka it is a consumer that is silent but connected.
    pub fn freeze(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Ends [`Service::freeze`].
    pub fn thaw(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Starts it again as it was, on the same address, after it has ended.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if self.try_wait()?.is_none() {
            bail!("{} is still running", self.spec.name);
        }
        self.child = self.spec.spawn()?;
        Ok(())
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() > limit {
                bail!("{} has not ended after {limit:?}:\n{}", self.spec.name, self.log_end());
            }
            sleep(POLL);
        }
    }

    /// How it ended, if it has.
    pub fn try_wait(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot wait for {}", self.spec.name))
    }

    fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        // A child that was waited for has no pid any more that could be signalled safely.
        if let Some(status) = self.try_wait()? {
            bail!(
                "{} has already ended with {status}:\n{}",
                self.spec.name,
                self.log_end()
            );
        }
        kill_process(Pid::from_child(&self.child), signal).with_context(|| format!("cannot signal {}", self.spec.name))
    }

    /// The end of its log, for an error.
    pub fn log_end(&self) -> String {
        last_lines(&self.spec.log, 30)
    }
}

/// For questions to servers of this machine, which answer at once or not at all.
pub(super) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(2)))
        // A proxy of the environment is not meant for the loopback address.
        .proxy(None)
        .build()
        .new_agent()
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::error!(error = format!("{error:#}"), "a service under test was not ended");
            return;
        }
        // Gone with its directory if the stack was dropped first.
        let _ = fs::remove_file(&self.spec.pid_file);
    }
}
