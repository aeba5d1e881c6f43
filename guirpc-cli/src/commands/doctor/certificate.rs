//! How long the broker's certificate is valid.

use std::time::{Duration, SystemTime};

use guirpc::__private_0_1::Exit;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::finding::Finding;

const CHECK: &str = "broker.certificate";
const DAY: u64 = 24 * 60 * 60;
/// Authorities that renew by themselves do so 30 days before the end.
const SOON: u64 = 30;
const VERY_SOON: u64 = 7;

/// Looks at a certificate in DER, which was valid when the connection was opened.
pub(super) fn examine(der: &[u8]) -> Finding {
    match Certificate::from_der(der) {
        Ok(certificate) => {
            judge(certificate.tbs_certificate().validity().not_after.to_system_time(), SystemTime::now())
        }
        Err(error) => Finding::skipped(CHECK, format!("the certificate cannot be read: {error}")),
    }
}

fn judge(end: SystemTime, now: SystemTime) -> Finding {
    let days = end.duration_since(now).unwrap_or(Duration::ZERO).as_secs() / DAY;
    let found = format!("the certificate ends on {}, in {days} days", humantime::format_rfc3339_seconds(end));
    let finding = match days {
        days if days > SOON => return Finding::ok(CHECK, found),
        days if days > VERY_SOON => Finding::warning(CHECK, found),
        _ => Finding::error(CHECK, Exit::Broker, found),
    };
    finding
        .means("from then on nobody connects to the broker; connections that are open stay")
        .advise("renew it, and have the broker read it: `rabbitmqctl eval 'ssl:clear_pem_cache().'`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Severity;

    #[test]
    fn the_end_comes_nearer() {
        let severity =
            |days| judge(SystemTime::UNIX_EPOCH + Duration::from_secs(days * DAY), SystemTime::UNIX_EPOCH).severity;
        assert_eq!(severity(90), Severity::Ok);
        assert_eq!(severity(30), Severity::Warning);
        assert_eq!(severity(7), Severity::Error(Exit::Broker));
        assert_eq!(severity(0), Severity::Error(Exit::Broker));
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        assert_eq!(examine(b"x").severity, Severity::Skipped);
    }
}
