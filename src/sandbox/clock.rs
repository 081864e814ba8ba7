//! The sandbox's time: the real one, a faster one, or one that jumps.
//! The only place of the sandbox that asks the system for the time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::options::ClockMode;

/// A moment of the sandbox's time: the time since 1970.
pub(super) type Moment = Duration;

/// A clock.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    mode: ClockMode,
    started: Instant,
    /// The sandbox's time when it was started, with all that was skipped since.
    base: Moment,
}

impl Clock {
    pub(super) fn new(mode: ClockMode) -> Self {
        Self {
            mode,
            started: Instant::now(),
            base: wall(),
        }
    }

    /// The sandbox's time.
    pub(super) fn now(&self) -> Moment {
        self.base
            .saturating_add(self.started.elapsed().saturating_mul(self.speed()))
    }

    /// Skips this much of the sandbox's time.
    pub(super) fn advance(&mut self, by: Duration) {
        self.base = self.base.saturating_add(by);
    }

    /// The real time until a moment.
    pub(super) fn until(&self, moment: Moment) -> Duration {
        moment.saturating_sub(self.now()) / self.speed()
    }

    /// Whether the clock goes to what is due when nothing runs.
    pub(super) fn jumps(&self) -> bool {
        self.mode == ClockMode::Jump
    }

    fn speed(&self) -> u32 {
        match self.mode {
            ClockMode::Real | ClockMode::Jump => 1,
            ClockMode::Scaled(factor) => factor.max(1),
        }
    }
}

/// The real time since 1970.
pub(super) fn wall() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Seconds since 1970 as the JSON protocols write them, to the millisecond.
pub(super) fn seconds(moment: Moment) -> f64 {
    (moment.as_secs_f64() * 1000.0).round() / 1000.0
}

/// `2026-01-15T12:00:00Z`, as the query protocol writes moments.
pub(super) fn iso(moment: Moment) -> String {
    let seconds = moment.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3600, of_day % 3600 / 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a number of days since 1970 (Howard Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Reads `20260115T120000Z`, as signatures write moments.
pub(super) fn parse_basic(text: &str) -> Option<Moment> {
    let digits = |from: usize, to: usize| -> Option<u64> {
        let part = text.get(from..to)?;
        part.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
        part.parse().ok()
    };
    let separators = text.get(8..9) == Some("T") && text.get(15..) == Some("Z");
    if !separators {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    let (hour, minute, second) = (digits(9, 11)?, digits(11, 13)?, digits(13, 15)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let (era, yoe) = (y / 400, y % 400);
    let mp = if month > 2 { month - 3 } else { month + 9 };
    let doy = (153 * mp + 2) / 5 + day - 1;
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    Some(Duration::from_secs(
        days * 86_400 + hour * 3600 + minute * 60 + second,
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_and_read() {
        let moment = parse_basic("20260115T120000Z").unwrap();
        assert_eq!(moment.as_secs(), 1_768_478_400);
        assert_eq!(iso(moment), "2026-01-15T12:00:00Z");
        assert_eq!(
            iso(parse_basic("20000229T000000Z").unwrap()),
            "2000-02-29T00:00:00Z"
        );
        assert_eq!(
            parse_basic("20000229T000000Z").unwrap().as_secs(),
            951_782_400
        );
        for text in [
            "",
            "2026",
            "20261301T000000Z",
            "20260115 120000Z",
            "2026011éT20000Z",
        ] {
            assert_eq!(parse_basic(text), None, "{text}");
        }
    }

    #[test]
    fn a_fast_clock_is_fast_and_any_clock_can_be_advanced() {
        let mut clock = Clock::new(ClockMode::Scaled(1000));
        let before = clock.now();
        std::thread::sleep(Duration::from_millis(5));
        assert!(clock.now().abs_diff(before) >= Duration::from_secs(5));
        clock.advance(Duration::from_hours(1));
        assert!(clock.now().abs_diff(before) >= Duration::from_hours(1));
        let due = clock.now() + Duration::from_secs(1000);
        assert!(clock.until(due) <= Duration::from_secs(1));
    }
}
