//! Time zones: names, POSIX specifications, the offset of a local time.

use super::abbreviations::{self, Abbreviation};
use super::calendar::EPOCH_DAYS;
use crate::TimeZone;
use chrono_tz::Tz;

/// Seconds between 1970 and 2000.
const EPOCH_SECONDS: i64 = EPOCH_DAYS * 86_400;

/// Finds an IANA zone, in any case.
pub(crate) fn named_zone(name: &str) -> Option<Tz> {
    name.parse::<Tz>().ok().or_else(|| {
        chrono_tz::TZ_VARIANTS.iter().find(|tz| tz.name().eq_ignore_ascii_case(name)).copied()
    })
}

/// `<abbrev>offset` or `ABCoffset`, where positive offsets lie west of Greenwich. Daylight rules
/// are not understood.
pub(crate) fn posix_zone(text: &str) -> Option<TimeZone> {
    let (abbreviation, offset) = match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?,
        None => text.split_at(text.find(|c: char| !c.is_ascii_alphabetic())?),
    };
    // The letters may be missing, but then the sign may not.
    if abbreviation.is_empty() && !text.starts_with(['+', '-']) {
        return None;
    }
    let (sign, digits) = match offset.strip_prefix('-') {
        Some(rest) => (1, rest),
        None => (-1, offset.strip_prefix('+').unwrap_or(offset)),
    };
    let mut parts = digits.split(':');
    let mut seconds = 0;
    for unit in [3600, 60, 1] {
        match parts.next() {
            Some(part) => seconds += part.parse::<u16>().ok().map(i32::from)? * unit,
            None if unit == 3600 => return None,
            None => break,
        }
    }
    if parts.next().is_some() || seconds > 167 * 3600 {
        return None;
    }
    Some(TimeZone::Fixed {
        seconds_east: sign * seconds,
        abbreviation: abbreviation.to_ascii_uppercase(),
    })
}

/// Seconds east of UTC for a local time in a zone with changes. In a gap PostgreSQL takes the
/// offset before it, in an overlap the one after.
pub(crate) fn local_offset(zone: &TimeZone, local_seconds: i64) -> i32 {
    let before = zone.seconds_east_at(local_seconds - 86_400);
    let after = zone.seconds_east_at(local_seconds + 86_400);
    if before == after {
        return before;
    }
    let holds = |offset: i32| zone.seconds_east_at(local_seconds - i64::from(offset)) == offset;
    match (holds(before), holds(after)) {
        (true, false) | (false, false) => before,
        (_, true) => after,
    }
}

/// UTC microseconds of a local time (both since 2000-01-01).
pub(crate) fn to_utc(local: i64, zone: &TimeZone) -> Option<i64> {
    let seconds = local.div_euclid(1_000_000) + EPOCH_SECONDS;
    local.checked_sub(i64::from(zone.seconds_east_local(seconds)) * 1_000_000)
}

/// Local microseconds of a UTC time (both since 2000-01-01).
pub(crate) fn to_local(utc: i64, zone: &TimeZone) -> Option<i64> {
    let seconds = utc.div_euclid(1_000_000) + EPOCH_SECONDS;
    utc.checked_add(i64::from(zone.seconds_east_at(seconds)) * 1_000_000)
}

/// Seconds east and abbreviation in force at a UTC time (microseconds since 2000-01-01).
pub(crate) fn offset_at(utc: i64, zone: &TimeZone) -> (i32, String) {
    zone.offset_at(utc.div_euclid(1_000_000) + EPOCH_SECONDS)
}

/// The zone that an abbreviation of the input grammar stands for.
pub(crate) fn abbreviated_zone(name: &str) -> Option<TimeZone> {
    let lower = name.to_ascii_lowercase();
    match abbreviations::find(&lower)? {
        Abbreviation::Fixed(seconds_east) => {
            Some(TimeZone::Fixed { seconds_east, abbreviation: name.to_ascii_uppercase() })
        }
        Abbreviation::Zone(zone) => named_zone(zone).map(TimeZone::Named),
    }
}

/// The zone of `AT TIME ZONE 'text'`: an abbreviation, a name or a POSIX specification.
pub fn zone_of_text(name: &str) -> Option<TimeZone> {
    abbreviated_zone(name)
        .or_else(|| named_zone(name).map(TimeZone::Named))
        .or_else(|| posix_zone(name))
}
