//! The instruction sets: the detection, the vectors and the entry function of each.
//!
//! A list at the end of this file generates all of it.

use crate::Real;
use crate::vector::{self, Raw, Shape};

/// A piece of work, generic over the vectors that do it.
///
/// `run` must be `#[inline(always)]`, so that it is compiled inside the entry function of each instruction set.
pub(crate) trait Kernel<T: Real> {
    /// What it returns.
    type Out;
    /// Does the work.
    ///
    /// # Safety
    /// The CPU has the instructions of V, and the kernel may access the memory that its fields point to.
    unsafe fn run<V: Raw<Scalar = T>>(self) -> Self::Out;
}

macro_rules! isas {
    ($($name:ident: $Isa:ident($f32:ident, $f64:ident), $enter:ident, $arch:tt $detected:ident $features:tt;)*) => {
        $(
            /// Proves that the CPU has these instructions: only `detect` makes one.
            #[cfg(target_arch = $arch)]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) struct $Isa(());

            #[cfg(target_arch = $arch)]
            isas!(@features $Isa, $enter, $detected $features);
        )*

        /// An instruction set that the CPU has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Isa {
            $(
                #[cfg(target_arch = $arch)]
                $Isa($Isa),
            )*
            Portable,
        }

        /// The vectors of a number type, one an instruction set.
        pub trait Lanes: Sized {
            $(
                #[doc = concat!("Those of `", stringify!($name), "`.")]
                #[cfg(target_arch = $arch)]
                type $Isa: Raw<Scalar = Self>;
            )*
            /// 16 bytes, any CPU.
            type Portable: Raw<Scalar = Self>;
        }

        impl Lanes for f32 {
            $(
                #[cfg(target_arch = $arch)]
                type $Isa = vector::$name::$f32;
            )*
            type Portable = vector::portable::F32x4;
        }

        impl Lanes for f64 {
            $(
                #[cfg(target_arch = $arch)]
                type $Isa = vector::$name::$f64;
            )*
            type Portable = vector::portable::F64x2;
        }

        impl Isa {
            /// The names of all instruction sets, best first, whether this CPU has them or not.
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($name),)* "portable"];

            /// The instruction set of that name, if this CPU has it.
            pub(crate) fn named(name: &str) -> Option<Isa> {
                match name {
                    $(
                        #[cfg(target_arch = $arch)]
                        stringify!($name) => $Isa::detect().map(Isa::$Isa),
                    )*
                    "portable" => Some(Isa::Portable),
                    _ => None,
                }
            }

            /// Its name, one of [`NAMES`](Isa::NAMES).
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(
                        #[cfg(target_arch = $arch)]
                        Isa::$Isa(_) => stringify!($name),
                    )*
                    Isa::Portable => "portable",
                }
            }

            /// The tiles that pay with its vectors.
            #[inline(always)]
            pub(crate) fn shape<T: Real>(self) -> Shape {
                match self {
                    $(
                        #[cfg(target_arch = $arch)]
                        Isa::$Isa(_) => Shape::of::<T::$Isa>(),
                    )*
                    Isa::Portable => Shape::of::<T::Portable>(),
                }
            }

            /// Does the work with these instructions: one match and one call, about 2 ns.
            ///
            /// # Safety
            /// The kernel may access the memory that its fields point to. (The token proves the CPU.)
            #[inline(always)]
            pub(crate) unsafe fn run<T: Real, K: Kernel<T>>(self, kernel: K) -> K::Out {
                // SAFETY: the token proves the CPU; the caller knows the addresses.
                unsafe {
                    match self {
                        $(
                            #[cfg(target_arch = $arch)]
                            Isa::$Isa($Isa(())) => $enter(kernel),
                        )*
                        Isa::Portable => enter_portable(kernel),
                    }
                }
            }
        }
    };

    // Detection and entry, from one list of features.
    (@features $Isa:ident, $enter:ident, $detected:ident [$($feature:tt),+]) => {
        impl $Isa {
            fn detect() -> Option<Self> {
                ($($detected!($feature))&&+).then_some(Self(()))
            }
        }

        /// # Safety
        /// As [`Kernel::run`].
        #[target_feature($(enable = $feature),+)]
        #[inline(never)]
        unsafe fn $enter<T: Real, K: Kernel<T>>(kernel: K) -> K::Out {
            // SAFETY: the features above are those of the vector; the caller knows the addresses.
            unsafe { kernel.run::<T::$Isa>() }
        }
    };
}

/// # Safety
/// As [`Kernel::run`].
#[inline(never)]
unsafe fn enter_portable<T: Real, K: Kernel<T>>(kernel: K) -> K::Out {
    // SAFETY: these vectors run on every CPU; the caller knows the addresses.
    unsafe { kernel.run::<T::Portable>() }
}

// Best first: name, token and vectors (a file of vector/), entry, and the CPU's features.
isas! {
    avx512: Avx512(F32x16, F64x8), enter_avx512,
        "x86_64" is_x86_feature_detected ["avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma"];
    avx2: Avx2(F32x8, F64x4), enter_avx2, "x86_64" is_x86_feature_detected ["avx2", "fma"];
}
