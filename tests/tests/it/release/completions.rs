//! The scripts with which shells complete the services' command lines.

use std::io::Write as _;
use std::process::{Command, Stdio};

use courierflow_tests::stack::binary;

fn completions(program: &str, shell: &str) -> String {
    let mut command = Command::new(binary(program).unwrap());
    // Nothing has to be configured for it.
    let output = command
        .args(["--config", "/nowhere", "completions", shell])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `script` in bash.
fn bash(arguments: &[&str], script: &str) -> String {
    let mut bash = Command::new("bash");
    let bash = bash
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut bash = bash.spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_subcommands_and_options() {
    for (program, typed, expected) in [
        ("ingest", "che", "check-config"),
        ("ingest", "--conf", "--config"),
        ("processor", "dead", "dead-letters"),
        ("processor", "recon", "reconcile"),
    ] {
        let script = completions(program, "bash");
        bash(&["-n"], &script);
        let asked = format!(
            "{script}\nCOMP_WORDS=({program} {typed}) COMP_CWORD=1\n\
             _{program} {program} {typed} {program}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let replies = bash(&[], &asked);
        assert!(
            replies.lines().any(|reply| reply == expected),
            "{program} {typed}: {replies}"
        );
    }
}

#[test]
fn other_shells_have_their_scripts() {
    for program in ["ingest", "processor"] {
        for (shell, sign) in [
            ("zsh", "#compdef"),
            ("fish", "complete -c"),
            ("elvish", "edit:completion"),
            ("powershell", "Register-ArgumentCompleter"),
        ] {
            let script = completions(program, shell);
            assert!(
                script.contains(sign) && script.contains(program) && script.contains("check-config"),
                "{shell}: {script}"
            );
        }
    }
}
