//! Lists as streams: one page is read when its first item is asked for, and the next when it is used up.

use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use walwarden_contract::ErrorCode;
use walwarden_contract::page::{MAX_LIMIT, PageQuery};

use crate::error::Error;

/// A page's items, and where the next page begins.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// A page that is as large as pages are.
pub(super) fn largest(cursor: Option<String>) -> PageQuery {
    PageQuery { limit: Some(MAX_LIMIT), cursor }
}

/// Every item that `read` finds from the first page on. The stream ends with the last page, or with the first error.
pub(super) fn items<T, F>(mut read: impl FnMut(Option<String>) -> F) -> impl Stream<Item = Result<T, Error>>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let pages = stream::try_unfold(Some(None), move |next: Option<Option<String>>| {
        let page = next.map(|cursor| (cursor.clone(), read(cursor)));
        async move {
            let Some((cursor, page)) = page else { return Ok(None) };
            let (items, next) = page.await?;
            if next.is_some() && next == cursor {
                let message = "The API answered with a page that leads back to itself.";
                return Err(Error::new(ErrorCode::UnexpectedResponse, message));
            }
            Ok(Some((stream::iter(items).map(Ok), next.map(Some))))
        }
    });
    pages.try_flatten()
}
