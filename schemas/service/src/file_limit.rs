//! The limit of file descriptors (`ulimit -n`): every connection needs one, and a service that has none left can neither accept
//! nor reach its servers.

use courierflow_schemas::settings::SettingsError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// With fewer connections than this it is not worth while to start.
const FEWEST_CONNECTIONS: usize = 32;

/// Raises the limit as far as this process may, and says how many connections fit below it. `wanted` is the value of `key`;
/// `others` are the descriptors that the rest of the process may need at the same time. Fewer connections than wanted are a
/// warning; so few that nothing would work are an error that names the key.
pub fn connections_within(key: &str, wanted: usize, others: usize) -> Result<usize, SettingsError> {
    let limit = raised();
    let fit = fitting(limit, wanted, others).ok_or_else(|| {
        let needed = others + FEWEST_CONNECTIONS.min(wanted);
        let reason = format!("the limit of file descriptors (ulimit -n) is {limit}; at least {needed} are needed");
        SettingsError::key(key, reason)
    })?;
    if fit < wanted {
        tracing::warn!(
            key,
            wanted,
            connections = fit,
            file_descriptors = limit,
            "the limit of file descriptors (ulimit -n) allows fewer connections than configured"
        );
    }
    Ok(fit)
}

/// How many connections there can be, or nothing if those are too few.
fn fitting(limit: usize, wanted: usize, others: usize) -> Option<usize> {
    let fit = limit.saturating_sub(others).min(wanted);
    (fit >= FEWEST_CONNECTIONS.min(wanted)).then_some(fit)
}

/// The limit after the soft one was raised to the hard one, which needs no privilege.
fn raised() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let limit = Rlimit {
            current: maximum,
            maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of file descriptors was not raised");
        }
    }
    // No value stands for no limit.
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(current).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_connections_as_fit_beside_the_rest() {
        for (limit, wanted, others, expected) in [
            (20_000, 4096, 192, Some(4096)),
            (1024, 4096, 192, Some(832)),
            (224, 4096, 192, Some(32)),
            (223, 4096, 192, None),
            (100, 4096, 192, None),
            (202, 10, 192, Some(10)),
            (201, 10, 192, None),
            (usize::MAX, 1, 192, Some(1)),
        ] {
            assert_eq!(fitting(limit, wanted, others), expected, "{limit} {wanted} {others}");
        }
    }

    #[test]
    fn the_limit_is_raised_as_far_as_allowed() {
        // Where both are the same already, raising would show nothing.
        let maximum = getrlimit(Resource::Nofile).maximum;
        let lowered = Rlimit {
            current: Some(512),
            maximum,
        };
        setrlimit(Resource::Nofile, lowered).unwrap();
        raised();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }
}
