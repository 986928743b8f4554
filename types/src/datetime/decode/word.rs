//! Words: months, zones, `now`, `BC` and the like.

use super::{Decoded, Decoder, Meridian, Step, part};
use crate::TimeZone;
use crate::datetime::Problem;
use crate::datetime::calendar::civil_of;
use crate::datetime::tokens::{Field, Shape};
use crate::datetime::words::{DateWord, date_word};
use crate::datetime::zone::{abbreviated_zone, named_zone, posix_zone};

impl Decoder<'_> {
    /// Whether a word with punctuation names a zone though no date has been read yet.
    pub(super) fn is_zone(&self, text: &str) -> bool {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && self.has(part::TIME)
            && named_zone(text).is_some()
    }

    pub(super) fn zone_name(&mut self, text: &str) -> Step {
        let zone = match named_zone(text) {
            Some(zone) => TimeZone::Named(zone),
            None => posix_zone(text).ok_or_else(|| Problem::Zone(text.to_owned()))?,
        };
        self.zone = Some(zone);
        Ok(part::ZONE)
    }

    pub(super) fn word(
        &mut self,
        text: &str,
        next: Option<&Field>,
        last: bool,
        time_only: bool,
    ) -> Step {
        // An abbreviation of a zone goes before a word of the calendar.
        if (date_word(text).is_none() || matches!(text, "sat" | "z"))
            && let Some(zone) = abbreviated_zone(text).filter(|_| text != "sat")
        {
            self.zone = Some(zone);
            return Ok(part::ZONE);
        }
        let Some(word) = date_word(text) else {
            return match named_zone(text) {
                Some(zone) => {
                    self.zone = Some(TimeZone::Named(zone));
                    Ok(part::ZONE)
                }
                None => Err(Problem::Format),
            };
        };
        match word {
            DateWord::Ignored => Ok(0),
            DateWord::Now
            | DateWord::Today
            | DateWord::Tomorrow
            | DateWord::Yesterday
            | DateWord::AllBalls
            | DateWord::Epoch
            | DateWord::Infinity
            | DateWord::NegInfinity => self.named_moment(word, time_only),
            DateWord::Month(_) | DateWord::Weekday if time_only => Err(Problem::Format),
            DateWord::Month(month) => {
                // Already a month, from a number: then that number was the day.
                let added = if self.has(part::MONTH)
                    && !self.text_month
                    && !self.has(part::DAY)
                    && (1..=31).contains(&self.month)
                {
                    self.day = self.month;
                    part::DAY
                } else {
                    part::MONTH
                };
                self.text_month = true;
                self.month = month;
                Ok(added)
            }
            DateWord::Weekday => Ok(part::WEEKDAY),
            DateWord::Am => {
                self.meridian = Meridian::Am;
                Ok(part::MERIDIAN)
            }
            DateWord::Pm => {
                self.meridian = Meridian::Pm;
                Ok(part::MERIDIAN)
            }
            DateWord::Ad => Ok(part::ERA),
            DateWord::Bc => {
                self.before_christ = true;
                Ok(part::ERA)
            }
            DateWord::DaylightModifier => {
                if let Some(TimeZone::Fixed { seconds_east, .. }) = &mut self.zone {
                    *seconds_east += 3600;
                }
                Ok(part::DAYLIGHT)
            }
            DateWord::Unit(_) | DateWord::Julian => {
                self.prefix = Some(word);
                if last { Err(Problem::Format) } else { Ok(0) }
            }
            DateWord::IsoTime => self.iso_time(word, next, time_only),
        }
    }

    /// `t` between a date and a time.
    pub(super) fn iso_time(
        &mut self,
        word: DateWord,
        next: Option<&Field>,
        time_only: bool,
    ) -> Step {
        if !time_only && !self.has(part::DATE) {
            return Err(Problem::Format);
        }
        match next.map(|field| field.shape) {
            Some(Shape::Number | Shape::Time | Shape::Date) => {
                self.prefix = Some(word);
                Ok(0)
            }
            _ => Err(Problem::Format),
        }
    }

    pub(super) fn named_moment(&mut self, word: DateWord, time_only: bool) -> Step {
        let today = || {
            let local = crate::datetime::zone::to_local(
                self.settings.transaction_timestamp,
                &self.settings.time_zone,
            );
            local.unwrap_or(0).div_euclid(86_400_000_000)
        };
        match word {
            DateWord::Now => {
                self.special = Some(Decoded::Now);
                Ok(part::DATE | part::TIME | part::ZONE)
            }
            DateWord::Today | DateWord::Tomorrow | DateWord::Yesterday if !time_only => {
                let day = match word {
                    DateWord::Today => today(),
                    DateWord::Tomorrow => today() + 1,
                    _ => today() - 1,
                };
                self.set_date(civil_of(day));
                Ok(part::DATE)
            }
            DateWord::AllBalls => {
                self.zone = Some(TimeZone::UTC);
                Ok(part::TIME | part::ZONE)
            }
            DateWord::Epoch if !time_only => self.whole(Decoded::Epoch),
            DateWord::Infinity if !time_only => self.whole(Decoded::Infinity),
            DateWord::NegInfinity if !time_only => self.whole(Decoded::NegInfinity),
            _ => Err(Problem::Format),
        }
    }

    pub(super) fn whole(&mut self, moment: Decoded) -> Step {
        self.special = Some(moment);
        Ok(part::WHOLE)
    }
}
