//! The same job for Envoy and HAProxy: check the token, tell the upstream who calls, keep the token
//! back.

use crate::process::{Process, answers, free_address, portcullis};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::RsaPublicKeyComponents;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_idp::Idp;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A proxy that runs, and where.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

/// What all of them need: one core, one upstream, one issuer.
pub(crate) struct Site<'s> {
    pub(crate) core: usize,
    pub(crate) upstream: SocketAddr,
    pub(crate) idp: &'s Idp,
    pub(crate) folder: &'s Path,
}

impl Site<'_> {
    /// The gateway. The others write nothing down about a request, so neither does it.
    pub(crate) async fn portcullis(&self) -> Peer {
        self.gateway("portcullis", &portcullis(), "none").await
    }

    /// The same with its audit records, as it comes.
    pub(crate) async fn with_records(&self) -> Peer {
        self.gateway("and records", &portcullis(), "stdout")
            .await
    }

    /// Another build of the gateway, to see what a change does.
    pub(crate) async fn before(&self) -> Option<Peer> {
        let program = PathBuf::from(std::env::var_os("PORTCULLIS_BEFORE")?);
        Some(self.gateway("before", &program, "none").await)
    }

    async fn gateway(&self, name: &'static str, program: &Path, audit: &str) -> Peer {
        let (address, admin) = (free_address(), free_address());
        let text = format!(
            "remembered_tokens = 20000\n[log]\naudit = \"{audit}\"\n[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n\
             [gateway]\nlisten = \"{address}\"\nupstream = \"http://{}\"\n[gateway.admin]\nlisten = \"{admin}\"\n\
             [[route]]\npath = \"/public/**\"\naccess = \"public\"\n",
            self.idp.issuer(),
            self.idp.audience(),
            self.upstream
        );
        let file = self.written(&format!("{}.toml", name.replace(' ', "-")), &text);
        let process = self.start(name, program, &["serve", "--config", &file]);
        answers(&format!("http://{admin}/ready")).await;
        Peer {
            name,
            process,
            address,
        }
    }

    /// `jwt_authn` with its cache of tokens, and the key in its settings.
    pub(crate) async fn envoy(&self) -> Option<Peer> {
        let program = PathBuf::from(std::env::var_os("PORTCULLIS_ENVOY")?);
        let address = free_address();
        let text = include_str!("envoy.yaml")
            .replace("{issuer}", &self.idp.issuer().to_string())
            .replace("{audience}", self.idp.audience())
            .replace("{jwks}", &self.idp.jwks())
            .replace("{port}", &address.port().to_string())
            .replace("{upstream}", &self.upstream.port().to_string());
        let file = self.written("envoy.yaml", &text);
        let arguments = [
            "-c",
            &file,
            "--concurrency",
            "1",
            "--disable-hot-restart",
            "-l",
            "warn",
        ];
        let process = self.start("envoy", &program, &arguments);
        answers(&format!("http://{address}/public/a")).await;
        Some(Peer {
            name: "envoy",
            process,
            address,
        })
    }

    /// `jwt_verify`, with the claims compared by hand.
    pub(crate) async fn haproxy(&self) -> Option<Peer> {
        let program = PathBuf::from(std::env::var_os("PORTCULLIS_HAPROXY")?);
        let address = free_address();
        let key = self.written("key.pem", &pem(&self.idp.jwks()));
        let text = include_str!("haproxy.cfg")
            .replace("{issuer}", &self.idp.issuer().to_string())
            .replace("{audience}", self.idp.audience())
            .replace("{key}", &key)
            .replace("{address}", &address.to_string())
            .replace("{upstream}", &self.upstream.to_string());
        let file = self.written("haproxy.cfg", &text);
        let process = self.start("haproxy", &program, &["-db", "-f", &file]);
        answers(&format!("http://{address}/public/a")).await;
        Some(Peer {
            name: "haproxy",
            process,
            address,
        })
    }

    fn written(&self, name: &str, text: &str) -> String {
        let file = self.folder.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn start(&self, name: &str, program: &Path, arguments: &[&str]) -> Process {
        Process::start(
            program,
            arguments,
            Some(self.core),
            &self.folder.join(format!("{name}.txt")),
        )
    }
}

/// The first key of a set, as HAProxy reads it.
fn pem(jwks: &str) -> String {
    let set: serde_json::Value = serde_json::from_str(jwks).unwrap();
    let part = |name: &str| {
        URL_SAFE_NO_PAD
            .decode(set["keys"][0][name].as_str().unwrap())
            .unwrap()
    };
    let der: PublicKeyX509Der<'_> = RsaPublicKeyComponents {
        n: part("n"),
        e: part("e"),
    }
    .as_der()
    .unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    )
}
