//! A rate limit for potential floods, such as lines printed by a library.

use std::time::Instant;

/// Maximum at once, and per second after that.
const BURST: f64 = 20.0;
const PER_SECOND: f64 = 2.0;

/// A token bucket that counts what it refused.
#[derive(Debug)]
pub struct RateLimit {
    tokens: f64,
    last: Option<Instant>,
    refused: u64,
}

impl Default for RateLimit {
    fn default() -> Self {
        RateLimit {
            tokens: BURST,
            last: None,
            refused: 0,
        }
    }
}

impl RateLimit {
    /// Whether one more is within the limit at `now`.
    pub fn allow(&mut self, now: Instant) -> bool {
        let passed = self.last.map_or(0.0, |last| {
            now.saturating_duration_since(last).as_secs_f64()
        });
        self.last = Some(now);
        self.tokens = (self.tokens + passed * PER_SECOND).min(BURST);
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        } else {
            self.refused += 1;
        }
        allowed
    }

    /// Number refused since the last call.
    pub fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_is_reduced_to_its_first_lines_and_the_rest_is_counted() {
        let (mut limit, now) = (RateLimit::default(), Instant::now());
        let allowed = (0..1000).filter(|_| limit.allow(now)).count();
        assert_eq!(
            (allowed, limit.take_refused(), limit.take_refused()),
            (BURST as usize, 980, 0)
        );
        assert!(limit.allow(now + Duration::from_secs(1)));
    }
}
