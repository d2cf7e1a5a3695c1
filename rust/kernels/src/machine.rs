//! What a computation runs on: instructions, found out once, carried as a value, entered through one function each; and
//! how many threads.

use crate::Real;
use crate::vector::{Raw, Shape};
use std::fmt;
use std::sync::OnceLock;

/// A piece of work, generic over the vector it is done with.
///
/// `run` must be `#[inline(always)]`: it is compiled inside the target's entry function.
pub(crate) trait Kernel<T: Real> {
    /// What it returns.
    type Out;
    /// Does the work.
    ///
    /// # Safety
    /// The CPU has the instructions of V, and the addresses in the kernel's fields are good for what it does.
    unsafe fn run<V: Raw<Scalar = T>>(self) -> Self::Out;
}

/// AVX-512 F, VL, DQ and BW are there: only `detect` makes one.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl Avx512 {
    fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma"))
        .then_some(Self(()))
    }
}

/// AVX2 and FMA are there: only `detect` makes one.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable,
}

/// The instructions that a computation uses, and the most threads. A value exists only where the CPU has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    isa: Isa,
    threads: u16,
}

impl Machine {
    fn of(isa: Isa) -> Self {
        Machine { isa, threads: 1 }
    }

    /// The same instructions on up to `threads` threads (1 where nothing else was said): on so many where the work is worth
    /// it. No bit of any result depends on it.
    pub fn with_threads(self, threads: usize) -> Self {
        Machine { threads: threads.clamp(1, u16::MAX as usize) as u16, ..self }
    }

    /// The most threads.
    pub fn threads(self) -> usize {
        self.threads as usize
    }

    /// The best target of this CPU, or the one that the environment variable `CHAINRULE_TARGET` names. Found once a
    /// process.
    ///
    /// # Errors
    /// [`UnknownIsa`] where the variable names no target, or one that this CPU cannot run.
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

    /// The targets that this CPU can run, best first; the last is always `portable`.
    pub fn available() -> Vec<Machine> {
        Machine::all_names().iter().filter_map(|name| Machine::named(name)).collect()
    }

    /// The names of all targets, best first, whether this CPU can run them or not.
    pub fn all_names() -> &'static [&'static str] {
        &["avx512", "avx2", "portable"]
    }

    /// The target of that name, where this CPU can run it.
    pub fn named(name: &str) -> Option<Machine> {
        match name {
            #[cfg(target_arch = "x86_64")]
            "avx512" => Avx512::detect().map(|token| Machine::of(Isa::Avx512(token))),
            #[cfg(target_arch = "x86_64")]
            "avx2" => Avx2::detect().map(|token| Machine::of(Isa::Avx2(token))),
            "portable" => Some(Machine::of(Isa::Portable)),
            _ => None,
        }
    }

    /// The target's name, one of [`all_names`](Machine::all_names).
    pub fn name(self) -> &'static str {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => "avx2",
            Isa::Portable => "portable",
        }
    }

    /// The tiles that pay on this target.
    #[inline(always)]
    pub(crate) fn shape<T: Real>(self) -> Shape {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => Shape::of::<T::Avx512>(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => Shape::of::<T::Avx2>(),
            Isa::Portable => Shape::of::<T::Portable>(),
        }
    }

    /// Does the work with this target's instructions: one match and one call, about 2 ns.
    ///
    /// # Safety
    /// The addresses in the kernel's fields are good for what it does. (That the CPU is, the target proves.)
    #[inline(always)]
    pub(crate) unsafe fn run<T: Real, K: Kernel<T>>(self, kernel: K) -> K::Out {
        // SAFETY: the token proves the CPU; the caller knows the addresses.
        unsafe {
            match self.isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512(Avx512(())) => enter_avx512(kernel),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2(Avx2(())) => enter_avx2(kernel),
                Isa::Portable => enter_portable(kernel),
            }
        }
    }
}

/// # Safety
/// As [`Kernel::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
#[inline(never)]
unsafe fn enter_avx512<T: Real, K: Kernel<T>>(kernel: K) -> K::Out {
    // SAFETY: the features above are those of the vector; the caller knows the addresses.
    unsafe { kernel.run::<T::Avx512>() }
}

/// # Safety
/// As [`Kernel::run`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
unsafe fn enter_avx2<T: Real, K: Kernel<T>>(kernel: K) -> K::Out {
    // SAFETY: the features above are those of the vector; the caller knows the addresses.
    unsafe { kernel.run::<T::Avx2>() }
}

/// # Safety
/// As [`Kernel::run`].
#[inline(never)]
unsafe fn enter_portable<T: Real, K: Kernel<T>>(kernel: K) -> K::Out {
    // SAFETY: every CPU will do; the caller knows the addresses.
    unsafe { kernel.run::<T::Portable>() }
}

/// `CHAINRULE_TARGET` names a target that is unknown or that this CPU cannot run.
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
