//! How many threads a network computes with: n_threads, else CHAINRULE_NUM_THREADS, else OMP_NUM_THREADS, else the
//! processors that this process may use; and never more than those.

use crate::Error;
use chainrule_kernels::pool;
use std::ffi::OsString;
use std::num::NonZero;
use std::sync::OnceLock;
use std::thread::available_parallelism;

/// The variables, first to last.
const VARIABLES: [&str; 2] = ["CHAINRULE_NUM_THREADS", "OMP_NUM_THREADS"];

/// The number of threads for a network that asks for `n_threads`.
///
/// # Errors
/// [`Error::Config`] where a variable that is asked holds no number of threads.
pub(crate) fn resolve(n_threads: Option<usize>) -> Result<usize, Error> {
    // More threads than processors only wait for each other.
    let most = if pool::is_forced() { usize::MAX } else { processors() };
    let asked = match n_threads {
        Some(n) => Some(n),
        None => from_environment(|name| std::env::var_os(name))?,
    };
    Ok(asked.unwrap_or(processors()).min(most))
}

/// Processors that this process may use by affinity and quota, as they were at the first call.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| available_parallelism().map_or(1, NonZero::get))
}

/// What the first variable says that is set and not empty.
fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Result<Option<usize>, Error> {
    for name in VARIABLES {
        let Some(value) = get(name).filter(|value| !value.is_empty()) else { continue };
        let text = value.to_string_lossy();
        // OpenMP has a list, a number for each level of nested threads; the first is the outermost.
        let first = text.split(',').next().filter(|_| name.starts_with("OMP")).unwrap_or(&text);
        return match first.trim().parse() {
            Ok(n) if n > 0 => Ok(Some(n)),
            _ => Err(Error::Config(format!("{name} must be an integer of at least 1, got '{text}'"))),
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(chainrule: &str, omp: &str) -> Result<Option<usize>, Error> {
        from_environment(|name| Some(if name.starts_with("OMP") { omp } else { chainrule }.into()))
    }

    #[test]
    fn first_variable_that_is_set_counts() {
        assert_eq!(from_environment(|_| None).unwrap(), None);
        assert_eq!(ask("", "").unwrap(), None);
        assert_eq!(ask("3", "2").unwrap(), Some(3));
        assert_eq!(ask("", " 2 ").unwrap(), Some(2));
        assert_eq!(ask("", "4,2").unwrap(), Some(4));
        assert_eq!(ask("1", "many").unwrap(), Some(1));
    }

    #[test]
    fn numbers_that_are_none_are_refused_by_name() {
        for wrong in ["0", "-1", "two", "1.5", "1,2", "99999999999999999999"] {
            let error = ask(wrong, "2").unwrap_err().to_string();
            let expected = format!("CHAINRULE_NUM_THREADS must be an integer of at least 1, got '{wrong}'");
            assert!(error.contains(&expected), "{error}");
        }
        assert!(ask("", "0,2").unwrap_err().to_string().contains("OMP_NUM_THREADS must be"));
    }

    #[test]
    fn never_more_than_processors() {
        assert_eq!(resolve(Some(1)).unwrap(), 1);
        assert_eq!(resolve(Some(usize::MAX)).unwrap(), processors());
    }
}
