//! Functions of vectors: eˣ, the logistic sigmoid and tanh, for both number types.
//!
//! Branch-free, no tables, no approximate instructions. Error bounds stand in each file and are tested; the bits are
//! the same on every target with fused multiply-add. NaN gives NaN, infinities and huge arguments the limit.

mod exp;
mod sigmoid;
mod tanh;

pub(crate) use exp::Constants;
pub use exp::exp;
pub use sigmoid::sigmoid;
pub use tanh::tanh;

#[cfg(test)]
mod tests;
