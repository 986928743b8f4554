//! Scans: page by page through the ranges of a span, or a page of many ranges at once.

use crate::buffer::WriteBuffer;
use crate::client::Core;
use crate::merge::{merge, run_fragment};
use crate::meta_client::mismatch;
use crate::patience::Patience;
use crate::read::ReadPlan;
use crate::scan_types::{TxnScan, TxnScanPage};
use crate::sender::{Failed, Sending, Sent};
use crate::txn::Txn;
use base::api::scan::{ScanRequest, ScanResponse};
use base::api::{RangeOp, RangeResponse, ReadAt};
use base::{KvResult, NodeId, RangeId, Span};
use futures::stream::{StreamExt, iter};

/// Bytes of a page when the caller does not say.
const PAGE_BYTES: u64 = 4 << 20;

impl Txn {
    /// One page of a span, own buffered writes merged in. Loop while `resume` is set.
    pub async fn scan(&mut self, request: TxnScan) -> KvResult<TxnScanPage> {
        if request.span.is_empty() {
            return Ok(TxnScanPage { more: request.also, ..TxnScanPage::default() });
        }
        let page = if request.scatter && !request.reverse {
            self.scan_scattered(request).await?
        } else {
            self.scan_page(request).await?
        };
        for (range, node) in page.ranges.iter().zip(&page.nodes) {
            self.touched.add(*range, *node);
        }
        Ok(page)
    }

    /// The next page that is not empty, or the end.
    async fn scan_page(&mut self, mut request: TxnScan) -> KvResult<TxnScanPage> {
        let mut page = TxnScanPage::default();
        let mut patience = Patience::default();
        loop {
            let plan = self.plan_read(&request.span).await?;
            let scanner = self.scanner(plan);
            let part = match scanner.one_range(&request).await {
                Ok(part) => part,
                Err(Failed::Recut { .. }) => {
                    patience.recut(&self.core.env).await?;
                    continue;
                }
                Err(Failed::Error { error, .. }) => return Err(error),
            };
            let read = request_part(&request, part.resume.as_ref());
            if plan.at == ReadAt::Leader {
                if part.resume.as_ref().is_some_and(|resume| !part.sent.span.covers(resume)) {
                    // It was one range when the plan was made: start again with a snapshot.
                    self.draw_view().await?;
                    continue;
                }
                self.set_picked(part.read_ts, &part.sent, &read);
            }
            self.note_read(&read);
            let resume = part.add_to(&mut page);
            match resume {
                Some(rest) if page.rows.is_empty() && page.outputs.is_empty() => {
                    request.span = rest;
                }
                resume => {
                    page.resume = resume;
                    return Ok(page);
                }
            }
        }
    }

    /// A page of each of the first ranges that the spans overlap, all at once.
    async fn scan_scattered(&mut self, mut request: TxnScan) -> KvResult<TxnScanPage> {
        let mut spans = vec![std::mem::take(&mut request.span)];
        spans.append(&mut request.also);
        let start = spans.iter().map(|span| &span.start).min().cloned().unwrap_or_default();
        let end = spans.iter().map(|span| &span.end).max().cloned().unwrap_or_default();
        let plan = self.plan_read(&Span::new(start, end)).await?;
        if plan.at == ReadAt::Leader {
            // One range: there is nothing to scatter.
            request.span = spans.remove(0);
            let mut page = self.scan_page(request).await?;
            page.more = page.resume.take().into_iter().chain(spans).collect();
            return Ok(page);
        }
        let mut parts = Vec::new();
        for span in &spans {
            let routes = self.core.router.ranges(span).await?;
            parts.extend(routes.iter().map(|route| span.intersect(&route.descriptor.span)));
        }
        let parallelism = self.core.env.config.parallelism;
        let left = parts.split_off(parallelism.min(parts.len()));
        let requests: Vec<TxnScan> =
            parts.into_iter().map(|span| TxnScan { span, ..request.clone() }).collect();
        let scanner = self.scanner(plan);
        let reads = requests.into_iter().map(|request| scanner.one_page(request));
        let answers: Vec<_> = iter(reads).buffered(parallelism).collect().await;
        let mut page = TxnScanPage::default();
        for answer in answers {
            let (request, part) = answer?;
            self.note_read(&request_part(&request, part.resume.as_ref()));
            let rest = part.add_to(&mut page);
            page.more.extend(rest);
        }
        page.more.extend(left);
        Ok(page)
    }

    fn scanner(&self, plan: ReadPlan) -> Scanner<'_> {
        Scanner { core: &self.core, buffer: &self.buffer, sending: self.reading(), plan }
    }
}

/// Scans at one snapshot.
struct Scanner<'a> {
    core: &'a Core,
    buffer: &'a WriteBuffer,
    sending: Sending,
    plan: ReadPlan,
}

/// What one range answered, own changes merged in.
struct Part {
    sent: Sent,
    read_ts: base::Timestamp,
    rows: Vec<(base::Key, bytes::Bytes)>,
    output: Option<bytes::Bytes>,
    resume: Option<Span>,
    rows_read: u64,
}

impl Part {
    /// Adds itself to a page; answers what is left to read.
    fn add_to(self, page: &mut TxnScanPage) -> Option<Span> {
        page.rows.extend(self.rows);
        page.outputs.extend(self.output);
        page.rows_read += self.rows_read;
        touch(page, self.sent.range, self.sent.node);
        self.resume
    }
}

impl Scanner<'_> {
    /// [`Scanner::one_range`], again when ranges have been cut.
    async fn one_page(&self, request: TxnScan) -> KvResult<(TxnScan, Part)> {
        let mut patience = Patience::default();
        loop {
            match self.one_range(&request).await {
                Ok(part) => return Ok((request, part)),
                Err(Failed::Recut { .. }) => patience.recut(&self.core.env).await?,
                Err(Failed::Error { error, .. }) => return Err(error),
            }
        }
    }

    /// Reads one page of the range at the near end of the span.
    async fn one_range(&self, request: &TxnScan) -> Result<Part, Failed> {
        let fatal = |error| Failed::Error { error, maybe_done: false };
        let router = &self.core.router;
        let route = match request.reverse {
            false => router.lookup(&request.span.start).await,
            true => router.lookup_last(&request.span).await,
        }
        .map_err(fatal)?;
        let local = request.span.intersect(&route.descriptor.span);
        let is_merged = self.buffer.range(&local).next().is_some();
        let limit_bytes = if request.limit_bytes == 0 { PAGE_BYTES } else { request.limit_bytes };
        let fragment = request.fragment.clone().filter(|_| !is_merged);
        let sent = self
            .core
            .send(route, self.sending, |attempt| {
                RangeOp::Scan(ScanRequest {
                    span: request.span.clone(),
                    reverse: request.reverse,
                    at: self.plan.at(attempt),
                    limit_rows: request.limit_rows,
                    limit_bytes,
                    fragment: fragment.clone().map(Into::into),
                })
            })
            .await?;
        let (sent, response) = expect_scan(sent).map_err(fatal)?;
        self.finish(request, sent, response, is_merged).map_err(fatal)
    }

    /// Merges own changes in and runs the fragment here where the range could not.
    fn finish(
        &self,
        request: &TxnScan,
        sent: Sent,
        response: ScanResponse,
        is_merged: bool,
    ) -> KvResult<Part> {
        let rows = response.rows.into_iter().map(|(key, value)| (key, value.0)).collect();
        let mut part = Part {
            sent,
            read_ts: response.read_ts,
            rows,
            output: response.output.map(|output| output.0),
            resume: response.resume.filter(|rest| !rest.is_empty() && !response.done),
            rows_read: response.rows_read,
        };
        if !is_merged {
            return Ok(part);
        }
        let covered = request_part(request, part.resume.as_ref());
        let rows = std::mem::take(&mut part.rows);
        let own = self.buffer.range(&covered);
        part.rows =
            if request.reverse { merge(rows, own.rev(), true) } else { merge(rows, own, false) };
        self.cut_to_limit(request, &mut part);
        if let Some(fragment) = &request.fragment {
            let pushdown = &*self.core.env.pushdown;
            let rows = std::mem::take(&mut part.rows);
            let (output, is_done) = run_fragment(pushdown, fragment, &rows)?;
            part.output = Some(output);
            part.resume = part.resume.filter(|_| !is_done);
        }
        Ok(part)
    }

    /// Merging may have made more rows than were asked for: the rest is left for the next page.
    fn cut_to_limit(&self, request: &TxnScan, part: &mut Part) {
        let limit = request.limit_rows as usize;
        if limit == 0 || part.rows.len() <= limit {
            return;
        }
        part.rows.truncate(limit);
        let Some((last, _)) = part.rows.last() else { return };
        part.resume = Some(match request.reverse {
            false => Span::new(last.after(), request.span.end.clone()),
            true => Span::new(request.span.start.clone(), last.clone()),
        });
    }
}

/// The part of the request's span that was read, given what is left.
fn request_part(request: &TxnScan, resume: Option<&Span>) -> Span {
    let span = &request.span;
    match resume {
        None => span.clone(),
        Some(rest) if request.reverse => Span::new(rest.end.clone(), span.end.clone()),
        Some(rest) => Span::new(span.start.clone(), rest.start.clone()),
    }
}

fn touch(page: &mut TxnScanPage, range: RangeId, node: NodeId) {
    if !page.ranges.contains(&range) {
        page.ranges.push(range);
        page.nodes.push(node);
    }
}

fn expect_scan(sent: Sent) -> KvResult<(Sent, ScanResponse)> {
    match sent.response {
        RangeResponse::Scan(response) => {
            Ok((Sent { response: RangeResponse::Done, ..sent }, response))
        }
        _ => Err(mismatch("a scan")),
    }
}
