//! The ranges that numbers of an option may lie in; what is wrong is told as text.

/// Refuses a number that is not `allowed`; `range` says what would be.
pub(crate) fn within(name: &str, value: f64, allowed: bool, range: &str) -> Result<(), String> {
    if allowed {
        return Ok(());
    }
    Err(format!("{name} must be {range}, got {value}"))
}

/// Refuses what is outside [0, 1).
pub(crate) fn fraction(name: &str, value: f64) -> Result<(), String> {
    within(name, value, (0.0..1.0).contains(&value), "at least 0 and less than 1")
}

/// Refuses what is not finite and greater than zero.
pub(crate) fn positive(name: &str, value: f64) -> Result<(), String> {
    within(name, value, value.is_finite() && value > 0.0, "finite and greater than 0")
}

/// Refuses what is not finite and at least zero.
pub(crate) fn not_negative(name: &str, value: f64) -> Result<(), String> {
    within(name, value, value.is_finite() && value >= 0.0, "finite and at least 0")
}
