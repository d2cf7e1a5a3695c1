//! The thread count of a network: n_threads, else CHAINRULE_NUM_THREADS, else OMP_NUM_THREADS, else the number of
//! processors that this process may use. The last is also the upper limit.

use crate::Error;
use chainrule_kernels::pool;
use std::ffi::OsString;
use std::num::NonZero;
use std::sync::OnceLock;
use std::thread::available_parallelism;

/// The environment variables; the first that is set wins.
const VARIABLES: [&str; 2] = ["CHAINRULE_NUM_THREADS", "OMP_NUM_THREADS"];

/// The thread count of a network whose spec asks for `n_threads`.
///
/// # Errors
/// [`Error::Config`] if the variable that decides does not hold an integer of at least 1.
pub(crate) fn resolve(n_threads: Option<usize>) -> Result<usize, Error> {
    let most = most(pool::is_forced());
    let asked = match n_threads {
        Some(n) => Some(n),
        None => from_environment(|name| std::env::var_os(name))?,
    };
    Ok(asked.unwrap_or(processors()).min(most))
}

/// The most threads. More than processors would only wait for each other, but tests that force threads want them.
fn most(is_forced: bool) -> usize {
    if is_forced { usize::MAX } else { processors() }
}

/// The number of processors that affinity and quota leave this process; read once, at the first call.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| available_parallelism().map_or(1, NonZero::get))
}

/// The thread count in the first variable that is set and not empty.
fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Result<Option<usize>, Error> {
    for name in VARIABLES {
        let Some(value) = get(name).filter(|value| !value.is_empty()) else { continue };
        let text = value.to_string_lossy();
        // OMP_NUM_THREADS may be a list with a count for each level of nested threads; the outermost level comes first.
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
    fn first_variable_that_is_set_wins() {
        assert_eq!(from_environment(|_| None).unwrap(), None);
        assert_eq!(ask("", "").unwrap(), None);
        assert_eq!(ask("3", "2").unwrap(), Some(3));
        assert_eq!(ask("", " 2 ").unwrap(), Some(2));
        assert_eq!(ask("", "4,2").unwrap(), Some(4));
        assert_eq!(ask("1", "many").unwrap(), Some(1));
    }

    #[test]
    fn invalid_counts_are_refused_with_the_name_of_the_variable() {
        for wrong in ["0", "-1", "two", "1.5", "1,2", "99999999999999999999"] {
            let error = ask(wrong, "2").unwrap_err().to_string();
            let expected = format!("CHAINRULE_NUM_THREADS must be an integer of at least 1, got '{wrong}'");
            assert!(error.contains(&expected), "{error}");
        }
        assert!(ask("", "0,2").unwrap_err().to_string().contains("OMP_NUM_THREADS must be"));
    }

    #[test]
    fn count_is_at_most_the_processors() {
        assert_eq!(resolve(Some(1)).unwrap(), 1);
        // Not through `resolve`: another test may be forcing threads at this moment.
        assert_eq!((most(false), most(true)), (processors(), usize::MAX));
    }
}
