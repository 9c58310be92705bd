//! The settings of the limits of calls, within bounds that keep what is remembered of them small.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// The most calls in a window that can be set.
const MOST_CALLS: u32 = 10_000;

/// The shortest and the longest window that can be set.
const WINDOWS: [Duration; 2] = [Duration::from_secs(1), Duration::from_hours(24)];

/// How much one connection may ask for, and all together.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most calls of a connection in any [`Limits::window`], 0 to 10,000; 0: no limit.
    #[serde(deserialize_with = "calls")]
    pub calls: u32,
    /// The span in which calls are counted, 1 second to 24 hours.
    #[serde(
        serialize_with = "humantime_serde::serialize",
        deserialize_with = "window"
    )]
    pub window: Duration,
    /// The most calls of a connection that are served at once, and the most of its generations
    /// under way; 0: no limit.
    pub in_flight: u32,
    /// The same for all connections together; 0: no limit.
    pub in_flight_all: u32,
}

impl Limits {
    pub(super) fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let warning = (self.in_flight_all == 0).then_some(
            "limits.in_flight_all is 0: nothing bounds the memory that many calls at once take.",
        );
        warning.into_iter()
    }
}

fn calls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let calls = u32::deserialize(deserializer)?;
    if calls <= MOST_CALLS {
        return Ok(calls);
    }
    Err(D::Error::custom(format!(
        "{calls} is not between 0 and {MOST_CALLS}"
    )))
}

fn window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let window: Duration = humantime_serde::deserialize(deserializer)?;
    let [shortest, longest] = WINDOWS;
    if (shortest..=longest).contains(&window) {
        return Ok(window);
    }
    Err(D::Error::custom(format!(
        "{} is not between {} and {}",
        humantime::format_duration(window),
        humantime::format_duration(shortest),
        humantime::format_duration(longest)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let read = |calls: u32, window: &str| {
            let text =
                format!("calls = {calls}\nwindow = \"{window}\"\nin_flight = 0\nin_flight_all = 1");
            toml::from_str::<Limits>(&text)
        };
        for (calls, window) in [(0, "1s"), (100, "60s"), (10_000, "24h")] {
            let limits = read(calls, window).unwrap();
            assert_eq!(limits.calls, calls);
            assert_eq!(limits.warnings().count(), 0);
        }
        for (calls, window) in [(10_001, "60s"), (100, "999ms"), (100, "25h"), (100, "0s")] {
            let problem = read(calls, window).unwrap_err().to_string();
            assert!(problem.contains("is not between"), "{problem}");
        }
    }

    #[test]
    fn no_bound_at_all_is_a_warning() {
        let text = "calls = 1\nwindow = \"1s\"\nin_flight = 1\nin_flight_all = 0";
        let limits: Limits = toml::from_str(text).unwrap();
        assert_eq!(limits.warnings().count(), 1);
    }
}
