//! What the kernels of small networks are compiled for. All variants are in one kernel, so the list is short.

use crate::activation::{Activation, LeakyRelu, Relu, Sigmoid, Tanh, TimesSlope, Value};
use chainrule_kernels::{Map, Map2, Vector};

/// The activation of all hidden layers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hidden {
    /// Or there are no hidden layers.
    Identity,
    Relu,
    LeakyRelu(LeakyRelu),
    Tanh,
    Sigmoid,
}

impl Hidden {
    /// That activation, if the kernels have it.
    pub(super) fn of(activation: Activation) -> Option<Self> {
        Some(match activation {
            Activation::Identity(_) => Hidden::Identity,
            Activation::Relu(_) => Hidden::Relu,
            Activation::LeakyRelu(leaky) => Hidden::LeakyRelu(leaky),
            Activation::Tanh(_) => Hidden::Tanh,
            Activation::Sigmoid(_) => Hidden::Sigmoid,
            _ => return None,
        })
    }

    /// What is done in registers, and what is left to a pass of its own.
    pub(crate) fn formulas(self) -> (InRegisters, Option<OwnPass>) {
        (InRegisters(self), matches!(self, Hidden::Tanh | Hidden::Sigmoid).then_some(OwnPass(self)))
    }
}

/// f(z) and d ⊙ f'(z) where they are a few instructions; else z and d.
#[derive(Clone, Copy)]
pub(crate) struct InRegisters(Hidden);

impl Map for InRegisters {
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        match self.0 {
            Hidden::Relu => Value(Relu {}).map(z),
            Hidden::LeakyRelu(leaky) => Value(leaky).map(z),
            Hidden::Identity | Hidden::Tanh | Hidden::Sigmoid => z,
        }
    }
}

impl Map2 for InRegisters {
    #[inline(always)]
    fn map<V: Vector>(self, d: V, a: V) -> V {
        match self.0 {
            Hidden::Relu => TimesSlope(Relu {}).map(d, a),
            Hidden::LeakyRelu(leaky) => TimesSlope(leaky).map(d, a),
            Hidden::Tanh => TimesSlope(Tanh {}).map(d, a),
            Hidden::Sigmoid => TimesSlope(Sigmoid {}).map(d, a),
            Hidden::Identity => d,
        }
    }
}

/// f(z) where it is more.
#[derive(Clone, Copy)]
pub(crate) struct OwnPass(Hidden);

impl Map for OwnPass {
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        match self.0 {
            Hidden::Tanh => Value(Tanh {}).map(z),
            Hidden::Sigmoid => Value(Sigmoid {}).map(z),
            Hidden::Identity | Hidden::Relu | Hidden::LeakyRelu(_) => z,
        }
    }
}
