//! Where the broker is and who we are to it, from an AMQP URI.

use std::fmt;
use std::num::NonZeroU16;

use percent_encoding::percent_decode_str;
use url::Url;

#[cfg(feature = "tls")]
use crate::broker::tls;
use crate::error::{Error, ErrorKind};

/// A frozen broker is noticed after twice this time, so it is short; RabbitMQ's own default of 60 s is not.
const DEFAULT_HEARTBEAT: NonZeroU16 = NonZeroU16::new(10).unwrap();
const DEFAULT_PORT: u16 = 5672;

const DEFAULT_TLS_PORT: u16 = 5671;

/// A parsed AMQP URI: `amqp://user:password@host:port/vhost?heartbeat=10`, or `amqps://` for TLS.
///
/// Neither `Display` nor `Debug` shows the password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(in crate::broker) host: String,
    pub(in crate::broker) port: u16,
    pub(in crate::broker) user: String,
    pub(in crate::broker) password: String,
    pub(in crate::broker) vhost: String,
    /// In seconds.
    pub(in crate::broker) heartbeat: NonZeroU16,
    pub(in crate::broker) is_tls: bool,
    #[cfg(feature = "tls")]
    pub(in crate::broker) tls: tls::Settings,
}

/// What has to be said of most passwords that make a URI unreadable.
const ENCODED: &str = "in a user's name or password percent-encode what has a meaning in a URI: `/` as `%2f`, `?` as \
                       `%3f`, `#` as `%23`, `@` as `%40`, `[` as `%5b`, `%` as `%25`";

impl Address {
    /// Reads a URI as RabbitMQ specifies it; what is left out is `guest`, `guest`, `localhost`, the port and `/`.
    ///
    /// # Errors
    /// Says what is wrong with it, without repeating the password.
    pub(in crate::broker) fn parse(uri: &str) -> Result<Self, Error> {
        let url = Url::parse(uri).map_err(|error| {
            invalid(&if uri.contains('@') { format!("{error}; {ENCODED}") } else { error.to_string() })
        })?;
        let is_tls = match url.scheme() {
            "amqp" => false,
            "amqps" if cfg!(feature = "tls") => true,
            "amqps" => {
                let why = "`amqps` (TLS) needs the cargo feature `tls` of guirpc, which this program is built without";
                return Err(invalid(why));
            }
            _ => return Err(invalid("it does not begin with `amqp://`")),
        };
        if url.cannot_be_a_base() {
            return Err(invalid("it does not begin with `amqp://`"));
        }
        if url.path().contains('@') || url.query().is_some_and(|query| query.contains('@')) || url.fragment().is_some()
        {
            // Most likely the end of a password stands there, so nothing of it may be repeated.
            return Err(invalid(ENCODED));
        }
        let host = match url.host() {
            Some(url::Host::Ipv6(address)) => address.to_string(),
            Some(host) if !host.to_string().is_empty() => decoded(&host.to_string(), "host")?,
            _ => "localhost".to_owned(),
        };
        let mut address = Address {
            host,
            port: url.port().unwrap_or(if is_tls { DEFAULT_TLS_PORT } else { DEFAULT_PORT }),
            user: Some(url.username())
                .filter(|user| !user.is_empty())
                .map_or(Ok("guest".into()), |user| decoded(user, "user"))?,
            password: url.password().map_or(Ok("guest".into()), |password| decoded(password, "password"))?,
            vhost: vhost(&url)?,
            heartbeat: DEFAULT_HEARTBEAT,
            is_tls,
            #[cfg(feature = "tls")]
            tls: tls::Settings::default(),
        };
        for parameter in url.query().unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            address.set(name, &decoded(value, "value of a parameter")?)?;
        }
        #[cfg(feature = "tls")]
        address.tls.check_complete().map_err(|why| invalid(&why))?;
        Ok(address)
    }

    /// Sets a parameter of the query.
    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        if name == "heartbeat" {
            let heartbeat = value.parse();
            self.heartbeat = heartbeat.map_err(|_| invalid("`heartbeat` is a number of seconds from 1 to 65535"))?;
            return Ok(());
        }
        #[cfg(feature = "tls")]
        if self.is_tls {
            return self.tls.set(name, value).map_err(|why| invalid(&why));
        }
        let known = "the only one is `heartbeat` (in seconds)";
        Err(invalid(&format!("parameter `{name}` is unknown, for `amqp` {known}; those of TLS belong to `amqps`")))
    }
}

fn vhost(url: &Url) -> Result<String, Error> {
    match url.path().strip_prefix('/').unwrap_or_default() {
        "" => Ok("/".to_owned()),
        path if path.contains('/') => Err(invalid("a `/` inside the name of a virtual host is written `%2f`")),
        path => decoded(path, "virtual host"),
    }
}

fn decoded(text: &str, part: &str) -> Result<String, Error> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| invalid(&format!("the {part} is not UTF-8")))?;
    Ok(text.into_owned())
}

pub(in crate::broker) fn invalid(why: &str) -> Error {
    Error::new(
        ErrorKind::Configuration,
        format!("the broker's URI cannot be read: {why}; it looks like `amqp://user:password@host:5672/vhost`"),
    )
}

/// Without the password, and with everything else that tells two brokers apart.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let scheme = if self.is_tls { "amqps" } else { "amqp" };
        write!(f, "{scheme}://{}@{host}:{}/{}", self.user, self.port, self.vhost.replace('/', "%2f"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, shown: &str) {
        assert_eq!(Address::parse(uri).unwrap().to_string(), shown);
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        check("amqp://", "amqp://guest@localhost:5672/%2f");
        check("amqp://broker", "amqp://guest@broker:5672/%2f");
        check("amqp://broker/", "amqp://guest@broker:5672/%2f");
        check("amqp:///math", "amqp://guest@localhost:5672/math");
        check("amqp://[::1]:1/a%2fb", "amqp://guest@[::1]:1/a%2fb");
    }

    #[test]
    fn user_and_password_are_percent_decoded() {
        let address = Address::parse("amqp://ad%40a:p%2fss@h/v?heartbeat=3").unwrap();
        assert_eq!((address.user.as_str(), address.password.as_str()), ("ad@a", "p/ss"));
        assert_eq!(address.heartbeat.get(), 3);
    }

    #[track_caller]
    fn check_invalid(uri: &str, why: &str) {
        let error = Address::parse(uri).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn mistakes_are_named_without_the_password() {
        check_invalid("localhost:5672", "begin with `amqp://`");
        check_invalid("http://a:secret@h", "begin with `amqp://`");
        check_invalid("amqp://a:secret@h?verify=verify_peer", "belong to `amqps`");
        check_invalid("amqp://a:secret@h:99999", "port");
        check_invalid("amqp://a:secret@h/a/b", "%2f");
        check_invalid("amqp://a:secret@h?heartbeat=0", "1 to 65535");
        check_invalid("amqp://a:/secret@h", "%2f");
        check_invalid("amqp://a:x/secret@h", "percent-encode");
        check_invalid("amqp://a:secret@[h", "percent-encode");
        check_invalid("amqp://a:1#secret@h", "%23");
        check_invalid("amqp://a:?secret@h", "%3f");
        check_invalid("amqp://a:#secret@h", "%23");
        check_invalid("amqp://a:secret@h?frame_max=9", "`frame_max` is unknown");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn tls_needs_its_feature() {
        check_invalid("amqps://a:secret@h", "the cargo feature `tls`");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_has_a_port_and_parameters_of_its_own() {
        check("amqps://h", "amqps://guest@h:5671/%2f");
        check("amqps://h:1?cacertfile=/a+b%2c.pem&verify=verify_peer&heartbeat=3", "amqps://guest@h:1/%2f");
        check("amqps://h?certfile=/a&keyfile=/b&server_name_indication=rabbit", "amqps://guest@h:5671/%2f");
        check_invalid("amqps://a:secret@h?verify=verify_none", "cannot be turned off");
        check_invalid("amqps://a:secret@h?verify=peer", "`verify_peer`");
        check_invalid("amqps://a:secret@h?certfile=/a", "`keyfile`");
        check_invalid("amqps://a:secret@h?cacertfile=", "`cacertfile` names a file");
        check_invalid("amqps://a:secret@h?server_name_indication=a/b", "no name of a host");
        check_invalid("amqps://a:secret@h?depth=9", "`depth` is unknown");
    }

    #[test]
    fn the_password_is_never_shown() {
        let address = Address::parse("amqp://ada:secret@h").unwrap();
        assert!(!format!("{address} {address:?}").contains("secret"));
    }
}
