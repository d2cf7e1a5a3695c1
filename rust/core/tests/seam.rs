//! Every formula is compiled into its kernels. Without `#[inline(always)]` a kernel calls its formula instead: all
//! results stay right, and all is 20 to 60 times slower. Only the machine code shows the fault, so this test
//! disassembles a binary: the entry function of an instruction set must call nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// The functions that a kernel may call: panics, and fills and copies of memory.
const ALLOWED: [&str; 5] = ["panic", "unwrap_failed", "expect_failed", "memset", "memcpy"];
const ENTRIES: [&str; 3] = ["enter_avx512", "enter_avx2", "enter_portable"];

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Builds `examples/seam.rs` in release mode. It has a target folder of its own, so that it does not wait for a build
/// that runs this test.
fn binary() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("seam");
    run(Command::new(env!("CARGO"))
        .args(["rustc", "--release", "--example", "seam", "--package", env!("CARGO_PKG_NAME"), "--offline"])
        .args(["--config", "profile.release.strip=false"])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        // Makes calls of memset and of panics direct. An indirect call would not show the name of the function.
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
    // The last line that loaded an address: a function that is called often is called through a register.
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
