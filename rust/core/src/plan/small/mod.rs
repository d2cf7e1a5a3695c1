//! Which networks are small, so that one kernel computes them, and what that kernel needs to know of them.

mod formulas;

use crate::Spec;
use crate::layer::Layer;
use crate::limits::Limits;
use crate::optimizer::{Fuses, Methods};
pub(crate) use formulas::Hidden;

/// What the kernels need to know of a small network.
#[derive(Clone, Debug)]
pub(crate) struct Small {
    pub(crate) hidden: Hidden,
    /// Whether there are dropout layers.
    pub(crate) drops: bool,
}

impl Small {
    /// How the network of `spec` is computed in one kernel, or why it cannot be.
    pub(crate) fn of(spec: &Spec, limits: &Limits) -> Result<Self, String> {
        let most = limits.units_of_small;
        if let Some((l, n)) = spec.units().into_iter().enumerate().find(|&(_, n)| n > most) {
            return Err(format!("{n} {}, more than {most}", if l == 0 { "inputs" } else { "units" }));
        }
        if spec.optimizer.fuses() == Fuses::Nowhere {
            return Err(format!("optimizer {}", spec.optimizer.name()));
        }
        let (mut dense, mut drops) = (Vec::new(), false);
        for (l, layer) in spec.layers.iter().enumerate() {
            match layer {
                Layer::Dense(layer) => dense.push(layer),
                // Drops the outputs of a hidden layer.
                Layer::Dropout(_) if l > 0 && matches!(spec.layers[l - 1], Layer::Dense(_)) => drops = true,
                other => return Err(format!("layer {} is {}", l + 1, other.type_name())),
            }
        }
        let Some(output) = dense.pop() else { return Err("no layers".into()) };
        if let Some(other) = dense.iter().find(|hidden| hidden.l2 != output.l2) {
            return Err(format!("l2 {} and {}", other.l2, output.l2));
        }
        // Penalties, dropout and RAdam came to small networks after the others. They must not change the bits of a loss by
        // it: with the rows in columns a loss may round otherwise.
        let came_later = output.l2 != 0.0 || drops || matches!(spec.optimizer.method, Methods::RAdam(_));
        let most = limits.outputs_in_columns * if came_later { 1 } else { 4 };
        if output.units > most {
            let with = if came_later { " with l2, dropout or radam" } else { "" };
            return Err(format!("{} outputs, more than {most}{with}", output.units));
        }
        if !matches!(Hidden::of(output.activation), Some(Hidden::Identity)) {
            return Err(format!("output activation {}", output.activation.name()));
        }
        let Some(first) = dense.first() else { return Ok(Small { hidden: Hidden::Identity, drops }) };
        if let Some(other) = dense.iter().find(|other| other.activation != first.activation) {
            return Err(format!("activations {} and {}", first.activation.name(), other.activation.name()));
        }
        match Hidden::of(first.activation) {
            Some(hidden) => Ok(Small { hidden, drops }),
            None => Err(format!("activation {}", first.activation.name())),
        }
    }
}
