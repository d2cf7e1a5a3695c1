//! What a computation runs on: an instruction set, found once and carried as a value, and the thread count.

use crate::Real;
use crate::isa::{Isa, Kernel};
use crate::vector::Shape;
use std::fmt;
use std::sync::OnceLock;

/// The instruction set that a computation uses, and its largest thread count. A value exists only where the CPU has the
/// instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    isa: Isa,
    threads: u16,
}

impl Machine {
    /// The same instructions on up to `threads` threads (1 by default), for work that is worth it. No bit of any result
    /// depends on it.
    pub fn with_threads(self, threads: usize) -> Self {
        Machine { threads: threads.clamp(1, u16::MAX as usize) as u16, ..self }
    }

    /// The largest thread count.
    pub fn threads(self) -> usize {
        self.threads as usize
    }

    /// The best instruction set of this CPU, or the one that the environment variable `CHAINRULE_TARGET` names. Found
    /// once a process.
    ///
    /// # Errors
    /// [`UnknownIsa`] if the variable names no instruction set, or one that this CPU does not have.
    pub fn best() -> Result<Machine, UnknownIsa> {
        static BEST: OnceLock<Result<Machine, UnknownIsa>> = OnceLock::new();
        BEST.get_or_init(|| match std::env::var_os("CHAINRULE_TARGET") {
            None => Ok(Machine::available()[0]),
            Some(name) => {
                let name = name.to_string_lossy();
                Machine::named(&name).ok_or_else(|| UnknownIsa { name: name.into() })
            }
        })
        .clone()
    }

    /// The instruction sets of this CPU, best first; the last is always `portable`.
    pub fn available() -> Vec<Machine> {
        Machine::all_names().iter().filter_map(|name| Machine::named(name)).collect()
    }

    /// The names of all instruction sets, best first, whether this CPU has them or not.
    pub fn all_names() -> &'static [&'static str] {
        Isa::NAMES
    }

    /// The instruction set of that name, if this CPU has it.
    pub fn named(name: &str) -> Option<Machine> {
        Isa::named(name).map(|isa| Machine { isa, threads: 1 })
    }

    /// The name of its instruction set, one of [`all_names`](Machine::all_names).
    pub fn name(self) -> &'static str {
        self.isa.name()
    }

    /// The tiles that pay with its vectors.
    #[inline(always)]
    pub(crate) fn shape<T: Real>(self) -> Shape {
        self.isa.shape::<T>()
    }

    /// Does the work with its instructions, on one thread: one match and one call, about 2 ns.
    ///
    /// # Safety
    /// The kernel may access the memory that its fields point to. (The instruction set proves the CPU.)
    #[inline(always)]
    pub(crate) unsafe fn run<T: Real, K: Kernel<T>>(self, kernel: K) -> K::Out {
        // SAFETY: the caller's promise.
        unsafe { self.isa.run(kernel) }
    }
}

/// `CHAINRULE_TARGET` names an instruction set that is unknown or that this CPU does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownIsa {
    /// The name that was asked for.
    pub name: String,
}

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if Machine::all_names().contains(&self.name.as_str()) {
            write!(f, "CHAINRULE_TARGET is '{}', which this CPU cannot run; it can run", self.name)?;
        } else {
            write!(f, "CHAINRULE_TARGET is '{}', which is unknown; this CPU can run", self.name)?;
        }
        for (i, machine) in Machine::available().into_iter().enumerate() {
            write!(f, "{} {}", if i == 0 { "" } else { "," }, machine.name())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownIsa {}
