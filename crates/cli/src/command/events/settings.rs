//! The settings of a receiver for a new stream: a table `[[events]]`, ready to be pasted.

use super::create::NewStream;
use crate::args::{ClientArguments, CreateArguments};
use portcullis_provider::shared_signals::{DeliveryMethod, StreamDelivery};
use serde_json::Value;
use std::path::Path;

/// The table, line by line.
pub(super) fn table(new: &NewStream) -> Vec<String> {
    let stream = &new.stream;
    let audience = match stream.audience.as_slice() {
        [only] => text(only),
        several => {
            let several: Vec<String> = several.iter().map(|it| text(it)).collect();
            format!("[{}]", several.join(", "))
        }
    };
    let mut lines = vec![
        "[[events]]".to_owned(),
        format!("name     = {}", text(&new.name)),
        format!("issuer   = {}", text(stream.issuer.as_str())),
        format!("audience = {audience}"),
    ];
    match (new.method, &stream.delivery) {
        (DeliveryMethod::Push, _) => lines.push("delivery = \"push\"".to_owned()),
        (DeliveryMethod::Poll, delivery) => {
            lines.push("delivery = \"poll\"".to_owned());
            if let StreamDelivery::Poll(url) = delivery {
                lines.push(format!("poll_url = {}", text(url.as_str())));
            }
        }
    }
    lines.extend(new.access_settings.iter().cloned());
    lines
}

/// What a push carries, and by what the transmitter is asked. `scope` is that of the client's
/// token.
pub(super) fn access(
    arguments: &CreateArguments,
    stream_id: &str,
    client_id: Option<&str>,
    scope: Option<&str>,
) -> Vec<String> {
    let transmitter = &arguments.transmitter;
    let mut lines = Vec::new();
    if let Some(file) = &arguments.authorization_header_file {
        lines.push(member("authorization_file", file));
    }
    if let Some(file) = &transmitter.authorization_file {
        // With a push, that name is for what the transmitter sends.
        if arguments.poll {
            lines.push(member("authorization_file", file));
            lines.push(format!("stream_id = {}", text(stream_id)));
        }
        return lines;
    }
    lines.push(format!("stream_id = {}", text(stream_id)));
    if let Some(id) = client_id {
        lines.push(format!("client_id = {}", text(id)));
    }
    lines.extend(credentials(&transmitter.client));
    // A poll changes the stream, so that the scope which reads streams is often not enough.
    if let Some(scope) = scope {
        lines.push(format!("scope = {}", text(scope)));
    }
    lines
}

/// As the client proved itself here.
fn credentials(client: &ClientArguments) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(key) = &client.client_key_file {
        lines.push("auth = \"private_key_jwt\"".to_owned());
        lines.push(member("private_key_file", key));
        if let Some(kid) = &client.client_key_id {
            lines.push(format!("key_id = {}", text(kid)));
        }
    }
    if let Some(file) = &client.client_certificate_file {
        if client.client_key_file.is_none() {
            lines.push("auth = \"tls_client_auth\"".to_owned());
        }
        lines.push(member("certificate_file", file));
    }
    if let Some(file) = &client.client_assertion_file {
        lines.push(member("client_assertion_file", file));
    }
    if client.client_secret_post {
        lines.push("auth = \"client_secret_post\"".to_owned());
    }
    if let Some(file) = &client.client_secret_file {
        lines.push(member("client_secret_file", file));
    } else if lines
        .iter()
        .all(|line| line.contains("client_secret_post"))
    {
        // The variable that the secret came from.
        lines.push("client_secret_env = \"OAUTH2_CLIENT_SECRET\"".to_owned());
    }
    lines
}

fn member(name: &str, file: &Path) -> String {
    format!("{name} = {}", text(&file.display().to_string()))
}

/// A text in TOML, where a basic string has the escapes of JSON.
fn text(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command, EventsAction};
    use clap::Parser as _;

    fn lines(more: &[&str]) -> Vec<String> {
        let line = ["portcullis", "events", "create"].iter().chain(more);
        let Command::Events(events) = Arguments::try_parse_from(line).unwrap().command else {
            panic!("another command")
        };
        match events.action {
            EventsAction::Create(arguments) => {
                access(&arguments, "s-1", Some("me"), Some("ssf.manage"))
            }
            _ => panic!("another action"),
        }
    }

    #[test]
    fn the_receiver_proves_itself_as_the_command_did() {
        let stream = "stream_id = \"s-1\"";
        let client = |line: &str| {
            let scope = "scope = \"ssf.manage\"";
            let lines = [stream, "client_id = \"me\"", line, scope];
            lines.map(str::to_owned).to_vec()
        };
        assert_eq!(
            lines(&["--poll"]),
            client("client_secret_env = \"OAUTH2_CLIENT_SECRET\"")
        );
        assert_eq!(
            lines(&["--poll", "--client-secret-file", "/a b"]),
            client("client_secret_file = \"/a b\"")
        );
        assert_eq!(
            lines(&["--poll", "--client-assertion-file", "/jwt"]),
            client("client_assertion_file = \"/jwt\"")
        );
        let key = lines(&[
            "--poll",
            "--client-key-file",
            "/key",
            "--client-key-id",
            "k",
        ]);
        let expected = ["private_key_jwt", "/key", "\"k\""];
        assert!(
            expected.iter().all(|it| key.join(" ").contains(it)),
            "{key:?}"
        );
        let certificate = lines(&["--poll", "--client-certificate-file", "/pem"]).join(" ");
        assert!(certificate.contains("tls_client_auth"), "{certificate}");
        let file = ["--poll", "--authorization-file", "/header"];
        assert_eq!(lines(&file), ["authorization_file = \"/header\"", stream]);
        let push = ["--push", "https://a", "--authorization-header-file", "/h"];
        let pushed = client("client_secret_env = \"OAUTH2_CLIENT_SECRET\"");
        let header = "authorization_file = \"/h\"".to_owned();
        assert_eq!(lines(&push), [&[header][..], &pushed].concat());
        let both = [&push[..], &["--authorization-file", "/header"]].concat();
        assert_eq!(lines(&both), ["authorization_file = \"/h\""]);
    }
}
