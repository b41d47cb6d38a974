//! Embeds the built dashboard (`dashboard/dist/`): writes the table of its files that `src/dashboard/assets.rs` includes.
//! It does not build the dashboard, which needs npm and a package registry; `./dev` does that. `cargo build` alone must
//! work too: without the dashboard's files the program serves a page that says what is missing.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, process};

fn main() {
    println!("cargo::rerun-if-changed=dashboard/dist");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("dashboard/dist");
    let mut rows = String::new();
    for directory in ["", "assets"] {
        let Ok(files) = fs::read_dir(root.join(directory)) else {
            println!(
                "cargo::warning=without the page of the dashboard, which is not built: run `./dev dashboard`, or \
                 `npm ci && npm run build` in processor/dashboard, then build again"
            );
            break;
        };
        let mut names: Vec<_> = files
            .flatten()
            .filter_map(|file| file.file_name().into_string().ok())
            .collect();
        names.sort();
        for name in names.iter().filter(|name| names.contains(&format!("{name}.gz"))) {
            let path = root.join(directory).join(name);
            let url = if directory.is_empty() {
                format!("/{name}")
            } else {
                format!("/{directory}/{name}")
            };
            let plain = path.display();
            let _ = writeln!(
                rows,
                "Asset {{ path: {url:?}, plain: include_bytes!(\"{plain}\"), gzip: include_bytes!(\"{plain}.gz\") }},",
            );
        }
    }
    let out = Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("assets.rs");
    if let Err(error) = fs::write(&out, format!("&[\n{rows}]\n")) {
        println!("cargo::error=cannot write {}: {error}", out.display());
        process::exit(1);
    }
}
