//! A formula without `#[inline(always)]` is called instead of compiled into its kernel: nothing fails, all is 20 to 60
//! times slower. Only the binary shows it: the functions of the targets call nothing.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol, ObjectSymbolTable, RelocationTarget, SymbolKind};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// What a kernel may call: another kernel, the end of the program, and fills of memory.
const ALLOWED: [&str; 6] = ["isa::enter_", "panic", "unwrap_failed", "expect_failed", "memset", "memcpy"];
const ENTRIES: [&str; 3] = ["enter_avx512", "enter_avx2", "enter_portable"];

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
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
        // Addresses are those of the file: what a call or a slot of a table holds has a name.
        .args(["--", "-C", "relocation-model=static"]));
    folder.join("release/examples/seam")
}

/// The functions of a binary, and the names of what they call.
struct Binary<'a> {
    file: ElfFile64<'a>,
    /// Address, length and name of every function.
    functions: BTreeMap<u64, (u64, String)>,
    /// Names of what is only found when the program starts, by the slots that hold their addresses then.
    slots: BTreeMap<u64, String>,
}

impl<'a> Binary<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let file = ElfFile64::parse(bytes).unwrap();
        let demangled = |name: &str| format!("{:#}", rustc_demangle::demangle(name));
        let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
        let functions = functions.map(|symbol| (symbol.address(), (symbol.size(), demangled(symbol.name().unwrap()))));
        let names = file.dynamic_symbol_table().unwrap();
        let slots = file.dynamic_relocations().unwrap().filter_map(|(slot, relocation)| match relocation.target() {
            RelocationTarget::Symbol(index) => Some((slot, demangled(names.symbol_by_index(index).ok()?.name().ok()?))),
            _ => None,
        });
        Binary { functions: functions.collect(), slots: slots.collect(), file }
    }

    fn bytes(&self, address: u64, length: u64) -> Option<&'a [u8]> {
        self.file.sections().find_map(|section| section.data_range(address, length).ok().flatten())
    }

    /// What lies at an address: a function, or a jump to where a slot says.
    fn name(&self, address: u64) -> String {
        if let Some((_, name)) = self.functions.get(&address) {
            return name.clone();
        }
        let jump = self.bytes(address, 16).map(|bytes| decode(bytes, address).next().unwrap());
        match jump.filter(|jump| jump.mnemonic() == Mnemonic::Jmp && jump.is_ip_rel_memory_operand()) {
            Some(jump) => self.in_slot(jump.memory_displacement64()),
            None => format!("{address:#x}"),
        }
    }

    /// What the address that a slot holds belongs to.
    fn in_slot(&self, slot: u64) -> String {
        if let Some(name) = self.slots.get(&slot) {
            return name.clone();
        }
        let address = self.bytes(slot, 8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
        let function = address.and_then(|address| self.functions.get(&address));
        function.map_or_else(|| format!("what {slot:#x} holds"), |(_, name)| name.clone())
    }

    /// Names of all that a function calls, or ends with.
    fn calls(&self, address: u64, length: u64) -> Vec<String> {
        // A function that is called often is called through a register, where its address was loaded.
        let mut registers: BTreeMap<Register, String> = BTreeMap::new();
        let mut calls = Vec::new();
        for instruction in decode(self.bytes(address, length).unwrap(), address) {
            let slot = instruction.is_ip_rel_memory_operand().then(|| instruction.memory_displacement64());
            match (instruction.mnemonic(), instruction.op0_kind()) {
                // A jump to another function is the call that a function ends with.
                (Mnemonic::Call | Mnemonic::Jmp, OpKind::NearBranch64) => {
                    let target = instruction.near_branch_target();
                    if !(address..address + length).contains(&target) {
                        calls.push(self.name(target));
                    }
                }
                (Mnemonic::Call, kind) => calls.push(match (slot, kind) {
                    (Some(slot), _) => self.in_slot(slot),
                    (None, OpKind::Register) if registers.contains_key(&instruction.op0_register()) => {
                        registers[&instruction.op0_register()].clone()
                    }
                    _ => "a pointer".into(),
                }),
                (_, OpKind::Register) => {
                    if let Some(slot) = slot {
                        registers.insert(instruction.op0_register(), self.in_slot(slot));
                    }
                }
                _ => {}
            }
        }
        calls
    }
}

fn decode(bytes: &[u8], address: u64) -> impl Iterator<Item = Instruction> {
    Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).into_iter()
}

#[test]
#[ignore = "a build for release with link-time optimization: make test-long"]
fn kernels_call_nothing() {
    let path = binary();
    run(&mut Command::new(&path));
    let bytes = std::fs::read(&path).unwrap();
    let binary = Binary::read(&bytes);
    let mut calls = Vec::new();
    for entry in ENTRIES {
        let mut count = 0;
        for (&address, (length, name)) in &binary.functions {
            if name.contains(&format!("isa::{entry}")) {
                count += 1;
                let others = binary.calls(address, *length).into_iter();
                let others = others.filter(|call| !ALLOWED.iter().any(|allowed| call.contains(allowed)));
                calls.extend(others.map(|call| format!("{name}: {call}")));
            }
        }
        assert!(count >= 20, "{count} functions of {entry}: was the binary stripped?");
    }
    calls.sort();
    calls.dedup();
    assert!(calls.is_empty(), "a formula or a vector operation lacks #[inline(always)]:\n{}", calls.join("\n"));
}
