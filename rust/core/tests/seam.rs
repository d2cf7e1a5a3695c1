//! A formula without `#[inline(always)]` is called instead of compiled into its kernel: nothing fails, all is 20 to 60
//! times slower. Only the binary shows it: the functions of the targets call nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// What a kernel may call: the end of the program, and fills of memory.
const ALLOWED: [&str; 5] = ["panic", "unwrap_failed", "expect_failed", "memset", "memcpy"];
const ENTRIES: [&str; 3] = ["enter_avx512", "enter_avx2", "enter_portable"];

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Builds `examples/seam.rs` as a release is built, in a target folder of its own so as not to wait for the build that
/// may be running this test.
fn binary() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("seam");
    run(Command::new(env!("CARGO"))
        .args(["rustc", "--release", "--example", "seam", "--package", env!("CARGO_PKG_NAME"), "--offline"])
        .args(["--config", "profile.release.strip=false"])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        // Calls of memset and of panics go straight to them, and not through a register or a table without their names.
        .args(["--", "-C", "relocation-model=static"]));
    folder.join("release/examples/seam")
}

#[cfg(target_arch = "x86_64")]
#[test]
fn kernels_call_nothing() {
    if Command::new("objdump").arg("--version").output().is_err() {
        println!("skipped: there is no objdump to take the binary apart with");
        return;
    }
    let binary = binary();
    run(&mut Command::new(&binary));
    let listing = run(Command::new("objdump").args(["--disassemble", "--no-show-raw-insn", "--demangle"]).arg(&binary));
    let (mut functions, mut calls) = (BTreeMap::new(), Vec::new());
    let mut entry = None;
    // The last function whose address was loaded: one that is called often is called through a register.
    let mut loaded = "";
    for line in listing.lines() {
        if line.ends_with(">:") {
            loaded = "";
            entry = ENTRIES.into_iter().find(|name| line.contains(&format!("isa::{name}")));
            *functions.entry(entry).or_insert(0) += 1;
        } else if line.contains("(%rip),%r") && line.contains('@') {
            loaded = line;
        } else if let Some(name) = entry
            && line.contains("call ")
        {
            let callee = if line.contains("call   *%r") { loaded } else { line };
            if !ALLOWED.iter().any(|allowed| callee.contains(allowed)) {
                calls.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    for name in ENTRIES {
        let count = functions.get(&Some(name)).copied().unwrap_or(0);
        assert!(count >= 20, "{count} functions of {name}: was the binary stripped?");
    }
    assert!(calls.is_empty(), "a formula or a vector operation lacks #[inline(always)]:\n{}", calls.join("\n"));
}
