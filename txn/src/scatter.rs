//! Many keys to many ranges: cut by range, sent in parallel, cut again where ranges have changed.

use crate::client::Core;
use crate::patience::Patience;
use crate::router::Route;
use crate::sender::{Attempt, Failed, Sending, Sent};
use base::api::RangeOp;
use base::{Key, KvError, KvResult};
use futures::stream::{StreamExt, iter};
use std::sync::Arc;

/// Something that goes to the range of its key.
pub(crate) trait Routed: Clone + Send + Sync {
    fn key(&self) -> &Key;
    /// Rough size in a command.
    fn size(&self) -> usize;
}

impl Routed for Key {
    fn key(&self) -> &Key {
        self
    }
    fn size(&self) -> usize {
        self.len()
    }
}

/// By reference: a large transaction is not copied to be cut.
impl Routed for &base::api::Write {
    fn key(&self) -> &Key {
        &self.key
    }
    fn size(&self) -> usize {
        let value = match &self.op {
            base::api::WriteOp::Put(value) => value.len(),
            base::api::WriteOp::Delete | base::api::WriteOp::Check => 0,
        };
        self.key.len() + value + 16
    }
}

/// What became of all parts.
pub(crate) struct Scattered<T> {
    /// Parts that were answered.
    pub(crate) parts: Vec<(Vec<T>, Sent)>,
    /// The first final error; the parts above were answered all the same.
    pub(crate) error: Option<KvError>,
    /// True when a part without an answer may have taken effect.
    pub(crate) maybe_done: bool,
}

impl<T> Scattered<T> {
    /// All parts, or the error.
    pub(crate) fn complete(self) -> KvResult<Vec<(Vec<T>, Sent)>> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.parts),
        }
    }
}

impl Core {
    /// Cuts sorted items by range.
    pub(crate) async fn cut<T: Routed>(
        &self,
        items: Vec<T>,
    ) -> KvResult<Vec<(Arc<Route>, Vec<T>)>> {
        let mut groups: Vec<(Arc<Route>, Vec<T>)> = Vec::new();
        for item in items {
            if let Some((route, group)) = groups.last_mut()
                && route.descriptor.contains(item.key())
            {
                group.push(item);
                continue;
            }
            let route = self.router.lookup(item.key()).await?;
            groups.push((route, vec![item]));
        }
        Ok(groups)
    }

    /// Sends sorted items to their ranges, in commands of bounded size, and follows changes of
    /// bounds until every item has an answer or one has failed for good. The operation must be
    /// such that it can be sent twice.
    pub(crate) async fn scatter<T: Routed>(
        &self,
        items: Vec<T>,
        sending: Sending,
        make: impl Fn(&[T], Attempt) -> RangeOp + Sync,
    ) -> Scattered<T> {
        let mut all = Scattered { parts: Vec::new(), error: None, maybe_done: false };
        let mut pending = items;
        let mut patience = Patience::default();
        loop {
            let groups = match self.cut(std::mem::take(&mut pending)).await {
                Ok(groups) => self.chunk(groups),
                Err(error) => {
                    all.error = Some(error);
                    return all;
                }
            };
            for (part, result) in self.send_groups(groups, sending, &make).await {
                match result {
                    Ok(sent) => all.parts.push((part, sent)),
                    Err(Failed::Recut { maybe_done }) => {
                        all.maybe_done |= maybe_done;
                        pending.extend(part);
                    }
                    Err(Failed::Error { error, maybe_done }) => {
                        all.maybe_done |= maybe_done;
                        all.error.get_or_insert(error);
                    }
                }
            }
            if pending.is_empty() || all.error.is_some() {
                return all;
            }
            if let Err(error) = patience.recut(&self.env).await {
                all.error = Some(error);
                return all;
            }
        }
    }

    async fn send_groups<T: Routed>(
        &self,
        mut groups: Vec<(Arc<Route>, Vec<T>)>,
        sending: Sending,
        make: &(impl Fn(&[T], Attempt) -> RangeOp + Sync),
    ) -> Vec<(Vec<T>, Result<Sent, Failed>)> {
        if groups.len() == 1
            && let Some((route, part)) = groups.pop()
        {
            let result = self.send(route, sending, |attempt| make(&part, attempt)).await;
            return vec![(part, result)];
        }
        let sends = groups.into_iter().map(|(route, part)| async move {
            let result = self.send(route, sending, |attempt| make(&part, attempt)).await;
            (part, result)
        });
        iter(sends).buffered(self.env.config.parallelism).collect().await
    }

    /// Cuts groups that are too large for one command.
    fn chunk<T: Routed>(&self, groups: Vec<(Arc<Route>, Vec<T>)>) -> Vec<(Arc<Route>, Vec<T>)> {
        let limit = self.env.config.command_bytes_max;
        let mut chunks = Vec::with_capacity(groups.len());
        for (route, group) in groups {
            if group.iter().map(T::size).sum::<usize>() <= limit {
                chunks.push((route, group));
                continue;
            }
            let mut chunk = Vec::new();
            let mut bytes = 0;
            for item in group {
                if bytes + item.size() > limit && !chunk.is_empty() {
                    chunks.push((route.clone(), std::mem::take(&mut chunk)));
                    bytes = 0;
                }
                bytes += item.size();
                chunk.push(item);
            }
            chunks.push((route, chunk));
        }
        chunks
    }
}
