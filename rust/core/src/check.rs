//! The ranges that numbers of an option may lie in; what is wrong is told as text.

/// Refuses what is outside [0, 1).
pub(crate) fn fraction(name: &str, value: f64) -> Result<(), String> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(format!("{name} must be at least 0 and less than 1, got {value}"))
}

/// Refuses what is not finite and greater than zero.
pub(crate) fn positive(name: &str, value: f64) -> Result<(), String> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(format!("{name} must be finite and greater than 0, got {value}"))
}

/// Refuses what is not finite and at least zero.
pub(crate) fn not_negative(name: &str, value: f64) -> Result<(), String> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(format!("{name} must be finite and at least 0, got {value}"))
}
