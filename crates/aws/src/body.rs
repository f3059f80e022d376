//! The body of an answer that no service's client reads.

use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};

/// Why a body was not read.
pub(crate) enum Unread {
    /// The connection broke.
    Broken(String),
    /// It has more bytes than were allowed.
    TooLarge,
}

/// All of it, of no more than `most` bytes.
pub(crate) async fn whole(body: SdkBody, most: usize) -> Result<Vec<u8>, Unread> {
    let mut body = ByteStream::new(body);
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        bytes.extend_from_slice(&part.map_err(|why| Unread::Broken(why.to_string()))?);
        if bytes.len() > most {
            return Err(Unread::TooLarge);
        }
    }
    Ok(bytes)
}
