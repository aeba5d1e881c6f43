//! Certificates of a private authority, made anew for each case: one for a server, one for a client.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// The server's is for `host`.
    pub(crate) fn new(host: &str) -> anyhow::Result<Self> {
        Certificates::changed(host, |_| {})
    }

    /// The server's is for `host`, and ends then.
    #[allow(dead_code, reason = "not every test that has certificates looks at their end")]
    pub(crate) fn until(host: &str, end: SystemTime) -> anyhow::Result<Self> {
        Certificates::changed(host, |params| params.not_after = end.into())
    }

    fn changed(host: &str, change: impl Fn(&mut CertificateParams)) -> anyhow::Result<Self> {
        let certificates = Certificates { folder: TempDir::with_prefix("guirpc-certificates-")? };
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of the tests");
        let key = KeyPair::generate()?;
        fs::write(certificates.file("authority.pem"), params.self_signed(&key)?.pem())?;
        let issuer = Issuer::new(params, key);
        for (name, host, usage) in [
            ("server", host, ExtendedKeyUsagePurpose::ServerAuth),
            ("client", "client", ExtendedKeyUsagePurpose::ClientAuth),
        ] {
            let mut params = CertificateParams::new([host.to_owned()])?;
            params.extended_key_usages = vec![usage];
            change(&mut params);
            let key = KeyPair::generate()?;
            fs::write(certificates.file(&format!("{name}.pem")), params.signed_by(&key, &issuer)?.pem())?;
            fs::write(certificates.file(&format!("{name}.key")), key.serialize_pem())?;
        }
        Ok(certificates)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Erlang's options for a server; with `verify`, its clients need a certificate.
    pub(crate) fn options(&self, verify: bool) -> String {
        let [authority, certificate, key] =
            ["authority.pem", "server.pem", "server.key"].map(|name| self.file(name).display().to_string());
        let clients = if verify { "verify_peer}, {fail_if_no_peer_cert, true" } else { "verify_none" };
        format!(
            "{{cacertfile, \"{authority}\"}}, {{certfile, \"{certificate}\"}}, {{keyfile, \"{key}\"}}, \
             {{verify, {clients}}}"
        )
    }

    /// The parameter by which a client trusts the authority.
    pub(crate) fn trust(&self) -> String {
        format!("cacertfile={}", self.authority())
    }

    /// The file with the certificate of the authority.
    pub(crate) fn authority(&self) -> String {
        self.file("authority.pem").display().to_string()
    }

    /// The parameters by which a client shows a certificate.
    pub(crate) fn identity(&self) -> String {
        format!("certfile={}&keyfile={}", self.file("client.pem").display(), self.file("client.key").display())
    }
}
