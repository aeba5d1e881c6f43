//! The broker's URI, which an INI file has in parts.

use std::fmt::Display;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Sections;
use crate::config::sources::errors::invalid;
use crate::config::sources::layer::Layer;
use crate::config::{Setting, Side};
use crate::error::Error;

/// Makes the URI of the parts that are there.
pub(super) fn set(
    layer: &mut Layer,
    setting: &Setting,
    ini: &Sections,
    file: &dyn Display,
    side: Side,
) -> Result<(), Error> {
    let section = format!("{}.connection", side.section());
    let place = format!("[{section}] of {file}");
    let value = |key| ini.value(&section, key, file);
    let host = value("host")?.filter(|host| !host.is_empty());
    let port = value("port")?.filter(|port| !port.is_empty());
    let (user, password) = (value("user")?.filter(|user| !user.is_empty()), value("password")?);
    let vhost = match (value("vhost")?, value("virtual_host")?) {
        (Some(one), Some(other)) if one != other => {
            return Err(invalid(format!("`vhost` and `virtual_host` differ, and mean the same: {place}")));
        }
        (one, other) => one.or(other).filter(|vhost| !vhost.is_empty()),
    };
    if [&host, &port, &user, &password, &vhost].iter().all(|part| part.is_none()) {
        return Ok(());
    }
    let port = port.unwrap_or_else(|| "5672".to_owned());
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(invalid(format!("`port` is a whole number from 1 to 65535, not `{port}`: {place}")));
    }
    let uri = format!(
        "amqp://{}:{}@{}:{port}/{}",
        encoded(&user.unwrap_or_else(|| "guest".to_owned())),
        encoded(&password.unwrap_or_else(|| "guest".to_owned())),
        host.unwrap_or_else(|| "localhost".to_owned()),
        encoded(&vhost.unwrap_or_else(|| "/".to_owned())),
    );
    layer.set(setting, &uri, &place);
    Ok(())
}

/// The original puts the parts into the URI as they stand, so they may be percent-encoded already.
fn encoded(part: &str) -> String {
    let decoded = percent_decode_str(part).decode_utf8_lossy();
    utf8_percent_encode(&decoded, NON_ALPHANUMERIC).to_string()
}
