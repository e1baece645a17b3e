//! What the gateway itself publishes to everybody: the keys of its assertions, and the metadata of
//! resources. Nothing is decided about it, and no route or upstream can stand in its place.

use super::cors::CorsMark;
use crate::generation::Generation;
use crate::request::target::Target;
use bytes::Bytes;
use http::{Method, Response};

/// The document that a request is for, if it is for one. Metadata is for every page, whatever the
/// rules for the API are, so its answer loses their mark.
pub(super) fn find_published(
    generation: &Generation,
    method: &Method,
    target: &Target,
    mark: &mut CorsMark<'_>,
) -> Option<Response<Bytes>> {
    let path = target.path.as_str();
    if let Some(assertions) = generation.identity.assertions()
        && let Some(keys) = assertions.published_keys(method, path)
    {
        return Some(keys);
    }
    let host = Some(target.host.authority());
    let document = generation.documents.answer(method, host, path)?;
    *mark = CorsMark::none();
    Some(document)
}
