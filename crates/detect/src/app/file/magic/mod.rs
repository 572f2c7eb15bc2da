//! What type of file it is, in the words of `libmagic` 5.45, for the types that rules ask for.
//!
//! Upon bytes: an archive of tapes, JSON, then signatures of programs, archives, documents, images, sound and pictures that move, then text: its language by
//! what stands at its beginning, its letters and how its lines end. What nobody knows is `data`.
//!
//! The bytes may be the beginning of the file alone. Words that tell more than the type (sizes, versions) are there where rules may look for
//! them; what only people read (dates within, names of authors) is left out.
//!
//! Not here: `libmagic`'s other thousand types.

mod archive;
mod document;
mod image;
mod json;
mod media;
mod program;
mod script;
mod text;
mod view;

use view::View;

/// Bytes of which the type is told; what follows them does not matter.
const LOOKED_AT_BYTES_MAX: usize = 1 << 20;

/// The type of the file that is, or begins with, `bytes`.
#[must_use]
pub(crate) fn describe(bytes: &[u8]) -> String {
    let view = View(&bytes[..bytes.len().min(LOOKED_AT_BYTES_MAX)]);
    match bytes.len() {
        0 => return "empty".to_owned(),
        1 => return "very short file (no magic)".to_owned(),
        _ => {}
    }
    let encoding = text::encoding(view);
    archive::tape(view)
        .or_else(|| encoding.and_then(|_| json::describe(view)))
        .or_else(|| binary(view))
        .or_else(|| encoding.map(|encoding| text::describe(view, encoding)))
        .unwrap_or_else(|| "data".to_owned())
}

/// Types that are told by bytes at fixed places.
fn binary(view: View<'_>) -> Option<String> {
    program::describe(view)
        .or_else(|| document::describe(view))
        .or_else(|| archive::describe(view))
        .or_else(|| image::describe(view))
        .or_else(|| media::describe(view))
}

#[cfg(test)]
mod tests;
