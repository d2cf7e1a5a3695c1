//! Range checks for the numbers in options. Each returns its complaint as text.

use crate::error::short;

/// Refuses a number unless it is `allowed`; `range` names the allowed range in words.
pub(crate) fn within(name: &str, value: f64, allowed: bool, range: &str) -> Result<(), String> {
    if allowed {
        return Ok(());
    }
    Err(format!("{name} must be {range}, got {}", short(value)))
}

/// Refuses a number outside [0, 1).
pub(crate) fn fraction(name: &str, value: f64) -> Result<(), String> {
    within(name, value, (0.0..1.0).contains(&value), "at least 0 and less than 1")
}

/// Refuses a number unless it is finite and > 0.
pub(crate) fn positive(name: &str, value: f64) -> Result<(), String> {
    within(name, value, value.is_finite() && value > 0.0, "finite and greater than 0")
}

/// Refuses a number unless it is finite and ≥ 0.
pub(crate) fn not_negative(name: &str, value: f64) -> Result<(), String> {
    within(name, value, value.is_finite() && value >= 0.0, "finite and at least 0")
}
