//! For the fuzz targets: what is handed out of any bytes.

use std::io::Read;

use super::super::handshake::Heard;
use super::super::login::Login;
use super::super::requests::Requests;
use super::super::written::{WrittenCounts, WrittenFrames};
use super::Sanitizer;

/// All that a reader gets who reads so many bytes at a time.
pub(in crate::broker) fn sanitized(bytes: &[u8], size: usize) -> Vec<u8> {
    let written = WrittenFrames::new(WrittenCounts::default());
    let mut sanitizer =
        Sanitizer::new(bytes, ("fuzz", Login::default()), Requests::default(), Heard::default(), written);
    let (mut all, mut buffer) = (Vec::new(), vec![0; size]);
    while let Ok(length @ 1..) = sanitizer.read(&mut buffer) {
        all.extend_from_slice(&buffer[..length]);
    }
    all
}
