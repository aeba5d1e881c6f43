//! Why the broker does not do what a client asks, in AMQP's reply codes and RabbitMQ's words.

/// The class and the method that a refusal is about; zeros where it is about none.
pub(super) type MethodId = (u16, u16);

/// Code and text of `channel.close` or `connection.close`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) text: String,
}

/// The reply codes of AMQP 0-9-1, as far as this broker uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    ConnectionForced = 320,
    AccessRefused = 403,
    NotFound = 404,
    ResourceLocked = 405,
    PreconditionFailed = 406,
    FrameError = 501,
    CommandInvalid = 503,
    ChannelError = 504,
    UnexpectedFrame = 505,
    ResourceError = 506,
    NotAllowed = 530,
    NotImplemented = 540,
    InternalError = 541,
}

impl Code {
    /// What RabbitMQ's texts begin with.
    fn name(self) -> &'static str {
        match self {
            Code::ConnectionForced => "CONNECTION_FORCED",
            Code::AccessRefused => "ACCESS_REFUSED",
            Code::NotFound => "NOT_FOUND",
            Code::ResourceLocked => "RESOURCE_LOCKED",
            Code::PreconditionFailed => "PRECONDITION_FAILED",
            Code::FrameError => "FRAME_ERROR",
            Code::CommandInvalid => "COMMAND_INVALID",
            Code::ChannelError => "CHANNEL_ERROR",
            Code::UnexpectedFrame => "UNEXPECTED_FRAME",
            Code::ResourceError => "RESOURCE_ERROR",
            Code::NotAllowed => "NOT_ALLOWED",
            Code::NotImplemented => "NOT_IMPLEMENTED",
            Code::InternalError => "INTERNAL_ERROR",
        }
    }

    /// Whether it ends one channel only; all others end the connection.
    pub(super) fn is_soft(self) -> bool {
        matches!(self, Code::AccessRefused | Code::NotFound | Code::ResourceLocked | Code::PreconditionFailed)
    }
}

/// The longest text that fits into a short string, and how much of a longer one RabbitMQ keeps before three dots.
const LONGEST_TEXT: usize = 255;
const KEPT_TEXT: usize = 252;

impl Refusal {
    pub(super) fn new(code: Code, text: impl AsRef<str>) -> Self {
        let mut text = match text.as_ref() {
            "" => code.name().to_owned(),
            text => format!("{} - {text}", code.name()),
        };
        if text.len() > LONGEST_TEXT {
            text.truncate(text.floor_char_boundary(KEPT_TEXT));
            text.push_str("...");
        }
        Refusal { code, text }
    }

    pub(super) fn no_queue(name: &str) -> Self {
        Refusal::new(Code::NotFound, format!("no queue '{name}' in vhost '/'"))
    }

    pub(super) fn no_exchange(name: &str) -> Self {
        Refusal::new(Code::NotFound, format!("no exchange '{name}' in vhost '/'"))
    }

    pub(super) fn precondition(text: impl AsRef<str>) -> Self {
        Refusal::new(Code::PreconditionFailed, text)
    }

    /// A frame that is whole, but has no business here.
    pub(super) fn unexpected_frame(kind: u8, payload: &[u8]) -> Self {
        Refusal::new(Code::UnexpectedFrame, format!("type {kind}, all octets = {}", octets(payload)))
    }

    /// A method of the connection that has no business in its present state.
    pub(super) fn unexpected_method(state: &str) -> Self {
        Refusal::new(Code::ChannelError, format!("unexpected method in connection state {state}"))
    }

    /// A method that is not a client's to send.
    pub(super) fn unimplemented() -> Self {
        Refusal::new(Code::CommandInvalid, "unimplemented method")
    }

    pub(super) fn not_implemented(what: impl AsRef<str>) -> Self {
        Refusal::new(Code::NotImplemented, what)
    }
}

/// Bytes as Erlang writes them.
pub(super) fn octets(bytes: &[u8]) -> String {
    if !bytes.is_empty() && bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return format!("<<{:?}>>", String::from_utf8_lossy(bytes));
    }
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("<<{}>>", numbers.join(","))
}
