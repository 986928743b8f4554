//! Scan: one page of the live rows of a span, raw or through a plan fragment. Touches the span's
//! part inside the range, as a read.

use super::overlay::Overlay;
use super::read::{self, Sight};
use crate::call::{Call, cut};
use crate::conflict::Outcome;
use crate::latches::Touch;
use base::api::scan::{ScanRequest, ScanResponse};
use base::codec::Blob;
use base::{FragmentRun, Key, KvResult, RangeDescriptor, RowFlow, Span};
use std::ops::ControlFlow;
use storage::mvcc;

/// What a row takes in a page besides its bytes.
const ROW_OVERHEAD: usize = 16;

pub(super) async fn run(call: &Call, request: ScanRequest) -> KvResult<ScanResponse> {
    let descriptor = call.descriptor()?;
    let part = cut(&descriptor, &request.span)?;
    let spans = [part];
    let look = |sight: &Sight<'_>| evaluate(call, sight, &request, &spans[0]);
    let (mut page, read_ts) = read::read(call, request.at, Touch::spans(&spans), look).await?;
    page.read_ts = read_ts;
    Ok(page)
}

fn evaluate(
    call: &Call,
    sight: &Sight<'_>,
    request: &ScanRequest,
    part: &Span,
) -> KvResult<Outcome<ScanResponse>> {
    let overlay = Overlay::of_span(sight, part, request.reverse)?;
    if !overlay.blocked.is_empty() {
        return Ok(Outcome::Blocked(overlay.blocked));
    }
    let mut page = Page::start(call, request)?;
    let span = match &overlay.end {
        Some(end) => Span::new(part.start.clone(), end.clone()),
        None => part.clone(),
    };
    let stop = walk(sight, &span, request.reverse, overlay, &mut page)?;
    let resume = match (stop, span.end < part.end) {
        (Some(last), _) => behind(&request.span, request.reverse, &last),
        (None, true) => Some(Span::new(span.end, request.span.end.clone())),
        (None, false) => beyond(&request.span, request.reverse, &sight.view.descriptor),
    };
    page.finish(resume).map(Outcome::Done)
}

/// Feeds the page row by row until it wants no more: then answers the last row's key.
fn walk(
    sight: &Sight<'_>,
    span: &Span,
    reverse: bool,
    overlay: Overlay,
    page: &mut Page,
) -> KvResult<Option<Key>> {
    let mut scan = mvcc::Scan::new(&sight.view.snapshot, span, sight.at, reverse);
    if overlay.rows.is_empty() {
        let mut result = Ok(None);
        let _ = scan.visit(&mut |key, value| match page.push(key, value) {
            Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
            Ok(ControlFlow::Break(())) => {
                result = Ok(Some(Key::copy_from(key)));
                ControlFlow::Break(())
            }
            Err(error) => {
                result = Err(error);
                ControlFlow::Break(())
            }
        })?;
        return result;
    }
    let mut merged = Merged { scan, stored: None, overlay: overlay.rows, reverse };
    merged.fetch()?;
    while let Some((key, value)) = merged.next()? {
        if page.push(&key, &value)?.is_break() {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Stored rows and the overlay's, in one order; the overlay's win.
struct Merged {
    scan: mvcc::Scan,
    stored: Option<(Key, Blob)>,
    overlay: std::collections::BTreeMap<Key, Option<Blob>>,
    reverse: bool,
}

impl Merged {
    fn fetch(&mut self) -> KvResult<()> {
        self.stored = self.scan.next()?.map(|(k, v)| (k, Blob(v.value.unwrap_or_default())));
        Ok(())
    }

    fn next(&mut self) -> KvResult<Option<(Key, Blob)>> {
        loop {
            let laid = match self.reverse {
                false => self.overlay.first_key_value(),
                true => self.overlay.last_key_value(),
            };
            let order = match (laid, &self.stored) {
                (None, None) => return Ok(None),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((laid, _)), Some((stored, _))) if self.reverse => stored.cmp(laid),
                (Some((laid, _)), Some((stored, _))) => laid.cmp(stored),
            };
            if order.is_gt() {
                let row = self.stored.take();
                self.fetch()?;
                return Ok(row);
            }
            if order.is_eq() {
                self.fetch()?;
            }
            let laid = match self.reverse {
                false => self.overlay.pop_first(),
                true => self.overlay.pop_last(),
            };
            if let Some((key, Some(value))) = laid {
                return Ok(Some((key, value)));
            }
        }
    }
}

/// A page under construction.
struct Page {
    sink: Sink,
    rows_read: u64,
    rows_max: u64,
    bytes: usize,
    bytes_max: usize,
    is_done: bool,
}

enum Sink {
    Rows(Vec<(Key, Blob)>),
    Fragment(Box<dyn FragmentRun>),
}

impl Page {
    fn start(call: &Call, request: &ScanRequest) -> KvResult<Page> {
        let unlimited = |limit: u64| if limit == 0 { u64::MAX } else { limit };
        let mut rows_max = unlimited(request.limit_rows);
        let sink = match &request.fragment {
            Some(fragment) => {
                rows_max = rows_max.min(call.config().fragment_rows_max);
                Sink::Fragment(call.replica.env.pushdown.start(fragment)?)
            }
            None => Sink::Rows(Vec::new()),
        };
        let bytes_max = usize::try_from(unlimited(request.limit_bytes)).unwrap_or(usize::MAX);
        let bytes_max = bytes_max.min(call.config().page_bytes_max);
        Ok(Page { sink, rows_read: 0, rows_max, bytes: 0, bytes_max, is_done: false })
    }

    /// Takes a row; breaks when the page is full.
    fn push(&mut self, key: &[u8], value: &[u8]) -> KvResult<ControlFlow<()>> {
        self.rows_read += 1;
        match &mut self.sink {
            Sink::Rows(rows) => {
                rows.push((Key::copy_from(key), bytes::Bytes::copy_from_slice(value).into()));
                self.bytes += key.len() + value.len() + ROW_OVERHEAD;
            }
            Sink::Fragment(run) => {
                self.is_done = run.push(key, value)? == RowFlow::Done;
                self.bytes = run.output_bytes();
            }
        }
        let is_full = self.rows_read >= self.rows_max || self.bytes >= self.bytes_max;
        Ok(if is_full || self.is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn finish(self, resume: Option<Span>) -> KvResult<ScanResponse> {
        let (rows, output) = match self.sink {
            Sink::Rows(rows) => (rows, None),
            Sink::Fragment(run) => (Vec::new(), Some(run.finish()?.into())),
        };
        Ok(ScanResponse {
            rows,
            output,
            resume,
            done: self.is_done,
            read_ts: base::Timestamp::ZERO,
            rows_read: self.rows_read,
        })
    }
}

/// What is unread behind the last row.
fn behind(span: &Span, reverse: bool, last: &Key) -> Option<Span> {
    let rest = match reverse {
        false => Span::new(last.after(), span.end.clone()),
        true => Span::new(span.start.clone(), last.clone()),
    };
    (!rest.is_empty()).then_some(rest)
}

/// What is unread once the range's part has been read.
fn beyond(span: &Span, reverse: bool, descriptor: &RangeDescriptor) -> Option<Span> {
    let range = &descriptor.span;
    let rest = match reverse {
        false => Span::new(range.end.clone().max(span.start.clone()), span.end.clone()),
        true => Span::new(span.start.clone(), range.start.clone().min(span.end.clone())),
    };
    (!rest.is_empty()).then_some(rest)
}
