//! How chainrule computes: vectors, matrix products, elementwise formulas, aligned memory, threads and the choice of
//! the CPU's instructions. Callers bring what is computed (layers, losses, optimizers) as formulas over [`Vector`]:
//! each is written once, in safe code, and compiled here for every instruction set.
//!
//! ```text
//! formula (safe, generic) ─▶ door (safe, checks sizes) ─▶ kernel (unsafe, generic) ─▶ a function per instruction set
//! ```
//!
//! Nearly all `unsafe` is in this crate. Every door checks whatever its kernel relies on; a check that fails is a bug
//! of the caller, and panics. Only [`Buffer`] and [`small::Small`] allocate.
//!
//! | word | meaning |
//! |---|---|
//! | lane | one number of a vector |
//! | line | 64 bytes of memory, a line of the CPU's cache: 16 `f32` or 8 `f64` |
//! | padding | the numbers between a row's last column and the end of its last line |
//! | chain | the additions that make one sum, each of which waits for the one before |
//! | tile | the sums that a product keeps in registers: some rows by some vectors |
//! | strip | a few vectors of columns, all rows high |
//!
//! ```
//! use chainrule_kernels::{Map, Machine, Vector, elementwise};
//!
//! #[derive(Clone, Copy)]
//! struct Relu;
//! impl Map for Relu {
//!     #[inline(always)] // otherwise the formula is not compiled into the kernels
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
mod cpu;
mod formula;
mod gather;
mod isa;
mod machine;
mod mask;
mod matrix;
mod memory;
mod normalize;
mod real;
mod region;
mod update;
mod vector;

pub mod columns;
pub mod elementwise;
pub mod math;
pub mod pool;
pub mod product;
pub mod rows;
pub mod small;

pub use check::{squares, within};
pub use formula::{Identity, Map, Map2, Term, Update};
pub use gather::{Picks, Source, gather, gather_columns};
pub use machine::{Machine, UnknownIsa};
pub use mask::{GOLDEN, dropout, mask, mix64};
pub use matrix::{Factor, Matrix, MatrixMut, padded, stride};
pub use memory::{Buffer, OutOfMemory};
pub use normalize::{normalize, normalize_back};
pub use real::Real;
pub use vector::Vector;
