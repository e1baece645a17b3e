//! The files of the machine: `portcullis config check` says what `portcullis serve` would.

use crate::folder::{Folder, joined};
use rcgen::{CertificateParams, KeyPair};

const ISSUER: &str = "[[issuer]]\nurl = \"https://idp.acme.dev\"\naudience = \"api\"\n";
const GATEWAY: &str = "[gateway]\nupstream = \"http://127.0.0.1:3000\"\nlisten = \"127.0.0.1:0\"\n";
const TLS: &str = "[gateway.tls]\ncertificate = \"gw.crt\"\nkey = \"gw.key\"\n";
const CHECK: [&str; 2] = ["config", "check"];

/// Settings with a certificate and its key, and the key of another one.
fn folder(name: &str, more: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("portcullis.toml", &format!("{ISSUER}{GATEWAY}{more}"));
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["gw.example".to_owned()]).unwrap();
    folder.write("gw.crt", &params.self_signed(&key).unwrap().pem());
    folder.write("gw.key", &key.serialize_pem());
    let other = KeyPair::generate().unwrap();
    folder.write("other.key", &other.serialize_pem());
    folder
}

/// What both say, without the breaks of its lines.
fn fault(folder: &Folder) -> String {
    let (is_fine, said) = folder.run(&CHECK, &[]);
    assert!(!is_fine, "{said}");
    let (is_fine, served) = folder.run(&["serve"], &[]);
    assert!(!is_fine, "{served}");
    // Only the command of CI can leave files out.
    let shared = said.split("    help: on a machine that lacks").next();
    assert_eq!(shared.unwrap().trim_end(), served.trim_end());
    let (is_fine, said_elsewhere) = folder.run(&["config", "check", "--without-files"], &[]);
    assert!(is_fine, "{said_elsewhere}");
    joined(&said)
}

#[test]
fn files_that_make_a_pair_are_in_order() {
    let log = "[log]\naudit = \"audit.log\"\n";
    let folder = folder("files-pair", &format!("{TLS}{log}"));
    let (is_fine, said) = folder.run(&CHECK, &[]);
    assert!(is_fine && !said.contains("WARNING"), "{said}");
    assert!(!folder.has("audit.log"), "a check creates nothing");
}

#[test]
fn a_file_that_cannot_be_used_is_a_fault_in_the_line_of_its_setting() {
    for (name, change, told) in [
        (
            "missing",
            ("gw.key", "nowhere.key"),
            [
                "portcullis.toml:9: gateway.tls.key: cannot use the PEM file `nowhere.key`: No \
                 such file",
                "help: write the path as this process sees it",
            ],
        ),
        (
            "mismatch",
            ("gw.key", "other.key"),
            [
                "portcullis.toml:9: gateway.tls.key: expected the key of the certificate \
                 `gw.crt`, found another key in the file `other.key`",
                "help: both files belong together",
            ],
        ),
        (
            "swapped",
            ("gw.crt", "other.key"),
            [
                "portcullis.toml:8: gateway.tls.certificate: expected a certificate, found a \
                 private key in the file `other.key`",
                "help: name the file with the certificate",
            ],
        ),
        (
            "no-key",
            ("gw.key", "gw.crt"),
            [
                "gateway.tls.key: expected a private key in PEM, found none in the file `gw.crt`",
                "help: convert DER",
            ],
        ),
    ] {
        let tls = TLS.replace(change.0, change.1);
        let folder = folder(&format!("files-{name}"), &tls);
        let said = fault(&folder);
        for piece in told {
            assert!(said.contains(piece), "{name}: {piece}\n{said}");
        }
        assert!(said.contains("`--without-files`"), "{said}");
        assert!(!said.contains("BEGIN"), "{said}");
    }
}

#[test]
fn a_certificate_of_version_1_is_the_certificates_fault() {
    let folder = folder("files-version", TLS);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["gw.example".to_owned()]).unwrap();
    let mut der = params.self_signed(&key).unwrap().der().to_vec();
    // Its member `version` says 3 (RFC 5280, section 4.1), by the number 2.
    let at = der.windows(5).position(|it| it == [0xa0, 3, 2, 1, 2]);
    der[at.unwrap() + 4] = 0;
    folder.write("gw.crt", &pem(&der));
    folder.write("gw.key", &key.serialize_pem());
    let said = fault(&folder);
    for piece in ["gateway.tls.certificate: ", "certificate of version 3"] {
        assert!(said.contains(piece), "{piece}\n{said}");
    }
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    let more = format!(
        "{}[[upstream]]\nname = \"a\"\nservers = [\"https://a.example\"]\nauthorities = \
         \"nowhere.pem\"\n[log]\naudit = \"nowhere/audit.log\"\naudit_subject = \
         \"hashed\"\naudit_key = \"nowhere.bin\"\n",
        TLS.replace("gw.crt", "nowhere.crt")
    );
    let folder = folder("files-all", &more);
    let said = fault(&folder);
    for piece in [
        "4 faults",
        "gateway.tls.certificate: ",
        "upstream[0].authorities: ",
        "log.audit: cannot use the file nowhere/audit.log: No such file",
        "help: create its folder",
        "log.audit_key: ",
    ] {
        assert!(said.contains(piece), "{piece}\n{said}");
    }
}

#[test]
fn a_folder_without_which_keys_are_not_saved_is_a_warning() {
    let folder = Folder::new("files-snapshot");
    let text = format!("{ISSUER}key_snapshot = \"nowhere/keys.json\"\n{GATEWAY}");
    folder.write("portcullis.toml", &text);
    let (is_fine, said) = folder.run(&CHECK, &[]);
    let told = "WARNING issuer[0].key_snapshot: keys cannot be saved to nowhere/keys.json";
    assert!(is_fine && joined(&said).contains(told), "{said}");
    let (_, said) = folder.run(&["config", "check", "--without-files"], &[]);
    assert!(!said.contains("WARNING"), "{said}");
}

#[test]
fn two_listeners_need_two_addresses() {
    let logout = "[issuer.logout]\nclients = [\"web\"]\n";
    for (name, listen, own, is_fault) in [
        ("same", "127.0.0.1:8443", "127.0.0.1:8443", true),
        ("any", "0.0.0.0:8443", "127.0.0.1:8443", true),
        ("ports", "127.0.0.1:8443", "127.0.0.1:8444", false),
        ("free", "127.0.0.1:0", "127.0.0.1:0", false),
        ("hosts", "127.0.0.1:8443", "127.0.0.2:8443", false),
    ] {
        let gateway = GATEWAY.replace("127.0.0.1:0", listen);
        let text = format!(
            "{ISSUER}{logout}{gateway}danger_plain_http = true\n[receivers]\nlisten = \"{own}\"\n"
        );
        let folder = Folder::new(&format!("files-listen-{name}"));
        folder.write("portcullis.toml", &text);
        let (is_fine, said) = folder.run(&CHECK, &[]);
        assert_eq!(is_fine, !is_fault, "{name}: {said}");
        let told = format!(
            "receivers.listen: expected an address of its own, found {own}, while \
             `gateway.listen` is {listen}"
        );
        assert_eq!(joined(&said).contains(&told), is_fault, "{name}: {said}");
    }
}
