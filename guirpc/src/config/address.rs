//! Where a program listens.

/// `HOST:PORT`, also of a port alone: nobody but this machine reaches that, unless somebody says otherwise.
pub(crate) fn listening_address(text: &str) -> Option<String> {
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    if is_port(text) {
        return Some(format!("127.0.0.1:{text}"));
    }
    let (host, port) = text.rsplit_once(':')?;
    let is_host = !host.is_empty() && (!host.contains(':') || host.starts_with('[') && host.ends_with(']'));
    (is_host && is_port(port)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_loopback() {
        assert_eq!(listening_address("9100").as_deref(), Some("127.0.0.1:9100"));
        for address in ["0.0.0.0:9100", "[::1]:0", "localhost:80"] {
            assert_eq!(listening_address(address).as_deref(), Some(address));
        }
        for none in ["", ":9100", "localhost", "::1:80", "a:b", "65536", "host:65536"] {
            assert_eq!(listening_address(none), None, "{none}");
        }
    }
}
