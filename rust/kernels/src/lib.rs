//! How chainrule computes: vectors, matrix products, elementwise formulas, aligned memory and the choice of the CPU's
//! instructions. What is computed (layers, losses, optimizers) comes in from outside as formulas that are written once,
//! safely, over [`Vector`] and compiled here for every [`Machine`].
//!
//! ```text
//! formula (safe, generic)  ─▶  door (safe, checks sizes)  ─▶  kernel (unsafe, generic)  ─▶  Machine::run  ─▶  one function per instruction set
//! ```
//!
//! The only crate with `unsafe`. Every door checks again whatever its kernel relies on; a failed check is a panic, and
//! a bug of the caller. Nothing here allocates but [`Buffer`].
//!
//! ```
//! use chainrule_kernels::{Map, Machine, Vector, elementwise};
//!
//! #[derive(Clone, Copy)]
//! struct Relu;
//! impl Map for Relu {
//!     #[inline(always)] // or the formula is not compiled for the target
//!     fn map<V: Vector>(self, z: V) -> V {
//!         z.max(z.like(0.0))
//!     }
//! }
//!
//! let mut a = [-1.0f32; 16];
//! a[3] = 2.0;
//! elementwise::map(Machine::best().unwrap(), &mut a, Relu);
//! assert_eq!((a[0], a[3]), (0.0, 2.0));
//! ```

mod check;
mod formula;
mod gather;
mod isa;
mod machine;
mod mask;
mod matrix;
mod memory;
mod real;
mod region;
mod update;
mod vector;

pub mod columns;
pub mod elementwise;
pub mod math;
pub mod narrow;
pub mod pool;
pub mod product;
pub mod rows;

pub use check::{squares, within};
pub use formula::{Identity, Map, Map2, Term, Update};
pub use gather::{Picks, Source, gather, gather_columns};
pub use machine::{Machine, UnknownIsa};
pub use mask::{dropout, mask};
pub use matrix::{Factor, Matrix, MatrixMut, padded, stride};
pub use memory::{Buffer, OutOfMemory};
pub use real::Real;
pub use vector::Vector;
