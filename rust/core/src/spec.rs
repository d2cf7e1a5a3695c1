//! The description of a network: its sizes, layers, loss and optimizer, validated. The constructor takes it as JSON,
//! and model files hold the same JSON.

use crate::Error;
use crate::layer::Layer;
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// The type of every number in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// IEEE single precision.
    Float32,
    /// IEEE double precision.
    Float64,
}

/// The description of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Number of input features, ≥ 1.
    pub n_inputs: usize,
    /// The layers from input to output; the last one is dense.
    pub layers: Vec<Layer>,
    /// Loss of a row.
    pub loss: Loss,
    /// The update rule and its learning rate.
    pub optimizer: Optimizer,
    /// The type of every number.
    pub dtype: Dtype,
    /// Seed of all random numbers: initial weights, dropout masks and the order of rows.
    pub seed: u64,
    /// Largest thread count; no result depends on it.
    pub n_threads: Option<usize>,
}

impl Spec {
    /// Reads a spec from JSON and checks it. Decimals may be read as a neighbour of the double that they stand for. So a
    /// number may also be given by its bits, as a text of 16 hexadecimal digits: 0.1 is "0x3fb999999999999a".
    ///
    /// # Errors
    /// [`Error::Config`] with the first fault found.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let config = |error: serde_json::Error| Error::Config(format!("config: {error}"));
        let mut value = serde_json::from_str(json).map_err(config)?;
        read_bits(&mut value);
        let spec: Spec = serde_json::from_value(value).map_err(config)?;
        spec.check()?;
        Ok(spec)
    }

    /// The spec as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| unreachable!("a spec has only plain fields"))
    }

    /// Number of units before the first layer and after each one.
    pub(crate) fn units(&self) -> Vec<usize> {
        let mut units = vec![self.n_inputs];
        for layer in &self.layers {
            units.push(layer.n_out(units[units.len() - 1]));
        }
        units
    }

    /// Checks each part, and that the parts fit each other.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let config = |text: String| Err(Error::Config(text));
        if self.n_inputs == 0 {
            return config("layers must start with at least 1 input feature, got 0".into());
        }
        let units = self.units();
        for (l, layer) in self.layers.iter().enumerate() {
            if let Err(text) = layer.check(units[l]) {
                return config(format!("layer {} ({}): {text}", l + 1, layer.name()));
            }
        }
        let Some((last, units)) = self.layers.last().and_then(Layer::output) else {
            return config("layers must end with a dense layer".into());
        };
        if let Err(text) = self.loss.check() {
            return config(format!("loss {}: {text}", self.loss.name()));
        }
        if let Err(text) = self.loss.check_output(last, units) {
            return config(text);
        }
        if let Err(text) = self.optimizer.check() {
            return config(format!("optimizer {}: {text}", self.optimizer.name()));
        }
        if self.n_threads == Some(0) {
            return config("n_threads must be at least 1, got 0".into());
        }
        Ok(())
    }
}

/// Puts numbers in the place of texts that are the bits of one. (A parser that reads every decimal exactly is 24 kB of
/// the compressed library.)
fn read_bits(value: &mut Value) {
    match value {
        Value::String(text) => {
            let bits = text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
            if let Some(number) = bits.and_then(|bits| Number::from_f64(f64::from_bits(bits))) {
                *value = Value::Number(number);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(read_bits),
        Value::Object(values) => values.values_mut().for_each(read_bits),
        _ => {}
    }
}
