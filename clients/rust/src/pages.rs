use futures_core::stream::BoxStream;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::error::Error;

/// Fetches the page of a token. The answer has the token of the next page.
pub(crate) fn pages<Thing: Send + 'static, Asking>(
    mut ask: impl FnMut(String) -> Asking + Send + 'static,
) -> BoxStream<'static, Result<Thing, Error>>
where
    Asking: Future<Output = Result<(Vec<Thing>, String), Error>> + Send + 'static,
{
    stream::try_unfold(Some(String::new()), move |token| {
        let asking = token.map(&mut ask);
        async {
            let Some(asking) = asking else {
                return Ok::<_, Error>(None);
            };
            let (things, next) = asking.await?;
            let things = stream::iter(things.into_iter().map(Ok));
            Ok(Some((things, Some(next).filter(|next| !next.is_empty()))))
        }
    })
    .try_flatten()
    .boxed()
}

#[cfg(test)]
mod tests;
