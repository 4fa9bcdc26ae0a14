//! A recording is shown at its own pace.
//! In: the time stamps of its frames, and the clock. Out: when each frame is due.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "a test begins when it begins"))]

use std::time::{Duration, Instant};

/// A show that is behind by more is not hurried: the pace goes on from where it is. So does one that was paused.
const MOST_BEHIND: Duration = Duration::from_millis(100);

/// When the frames of a recording are due.
#[derive(Debug, Default)]
pub(in crate::app) struct Pace {
    /// A moment of the clock and of the recording that belong together.
    anchor: Option<(Instant, Duration)>,
}

impl Pace {
    /// When a frame is due; a moment that is past for one that is late.
    pub(in crate::app) fn due(&mut self, timestamp: Duration, now: Instant) -> Instant {
        let (start, first) = *self.anchor.get_or_insert((now, timestamp));
        let due = start + timestamp.saturating_sub(first);
        if now.saturating_duration_since(due) > MOST_BEHIND {
            self.anchor = Some((now, timestamp));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn frames_are_due_at_their_distance_from_the_first() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert_eq!(pace.due(ms(5_000), start), start);
        assert_eq!(pace.due(ms(5_040), start + ms(3)), start + ms(40));
        assert_eq!(pace.due(ms(5_080), start + ms(90)), start + ms(80));
        assert_eq!(pace.due(ms(5_120), start + ms(91)), start + ms(120));
    }

    #[test]
    fn after_a_pause_the_pace_goes_on_from_there() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.due(ms(0), start);
        let late = start + ms(60_000);
        assert!(pace.due(ms(40), late) < late);
        assert_eq!(pace.due(ms(80), late + ms(1)), late + ms(40));
    }
}
