//! `Reply<T>`: an output with a status and headers beside it.

use super::{HeaderValue, Headers, status};

/// An output with a status and headers beside it.
///
/// Return it from a function whose callers need more than the value: "created", "moved", an `etag`.
/// The generated stub gives them the value; a caller who wants the rest waits with
/// [`Pending::wait_reply`](crate::Pending::wait_reply).
///
/// ```
/// use guirpc::Reply;
///
/// let reply = Reply::with_status(201, "ada").header("etag", "5");
/// assert_eq!(reply.status(), 201);
/// assert_eq!(reply.headers().get("etag").and_then(|etag| etag.as_str()), Some("5"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<T> {
    status: u16,
    headers: Headers,
    value: T,
}

impl<T> Reply<T> {
    /// A reply of status 200.
    pub const fn new(value: T) -> Self {
        Reply { status: status::OK, headers: Headers::new(), value }
    }

    /// A reply of a status from 200 to 399; for 4xx and 5xx return a [`Fault`](crate::Fault) or an error instead.
    ///
    /// Any other status would make a success look like a failure, so it becomes 200.
    pub fn with_status(status: u16, value: T) -> Self {
        let status = if (200..400).contains(&status) { status } else { status::OK };
        Reply { status, headers: Headers::new(), value }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<HeaderValue>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// The status, from 200 to 399.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers that the function added.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }

    pub(crate) fn from_parts(status: u16, headers: Headers, value: T) -> Self {
        Reply { status, headers, value }
    }

    pub(crate) fn into_parts(self) -> (u16, Headers, T) {
        (self.status, self.headers, self.value)
    }
}
