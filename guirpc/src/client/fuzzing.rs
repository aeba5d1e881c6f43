//! For the fuzz targets: what a caller makes of a reply.

use super::outcome::{decode, decode_json, decode_json_text, decode_service_info};
use crate::function::Function;
use crate::message::EncodedReply;

/// Decodes a reply in each way that there is.
pub fn outcome<F: Function>(reply: &EncodedReply) {
    let _ = decode::<F>(Some(reply)).map(drop);
    let _ = decode_json(Some(reply)).map(drop).map_err(|error| error.to_string());
    let _ = decode_json_text(Some(reply)).map(drop).map_err(|error| error.to_string());
    let _ = decode_service_info(Some(reply)).map(drop).map_err(|error| error.to_string());
}
