//! Where providers send logouts and security events to, from as written to as meant.

use super::door::{DoorSettings, door_address, door_tls, is_beyond_loopback};
use crate::config::ReceiversConfig;
use crate::request::path::NormalPath;
use portcullis_core::Faults;

/// Whose requests are decided about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deployment {
    /// Those that come to listeners.
    Gateway,
    /// Those of an application that decides inside itself.
    Application,
}

/// The path of the receivers, and whether the reverse proxy takes what is sent there.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverSettings {
    path: NormalPath,
    pub(crate) is_on_front: bool,
}

const DEFAULT_PATH: &str = "/.portcullis";

impl ReceiverSettings {
    /// The path of a receiver, by the part below their own.
    pub(crate) fn path_of(&self, tail: &str) -> String {
        format!("{}{tail}", self.path.as_str())
    }

    /// The part of a path below the receivers' own, if it is one of theirs.
    pub(crate) fn tail<'p>(&self, path: &'p str) -> Option<&'p str> {
        let tail = path.strip_prefix(self.path.as_str())?;
        tail.starts_with('/').then_some(tail)
    }
}

/// The receivers, and their own listener if they have one.
#[derive(Debug, Default)]
pub(super) struct ReceiverDoor {
    pub(super) settings: Option<ReceiverSettings>,
    pub(super) listener: Option<DoorSettings>,
}

/// What the rest of the settings says about receivers.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReceiverDemand {
    /// Whether anything is sent here.
    pub(super) is_wanted: bool,
    pub(super) has_proxy: bool,
    /// Whether an application has a router of its own for them.
    pub(super) is_elsewhere: bool,
}

impl ReceiverDemand {
    pub(super) fn of<E>(
        tokens: &Result<portcullis_resource_server::Settings, E>,
        has_proxy: bool,
        deployment: Deployment,
    ) -> Self {
        Self {
            // Where the tokens' settings have faults, nobody can tell, and they are told first.
            is_wanted: tokens
                .as_ref()
                .is_ok_and(|tokens| tokens.has_receivers()),
            has_proxy,
            is_elsewhere: matches!(deployment, Deployment::Application),
        }
    }

    /// The receivers as they are written, or as they are by default.
    pub(super) fn read(self, written: Option<&ReceiversConfig>, faults: &Faults) -> ReceiverDoor {
        if self.is_elsewhere || (written.is_none() && !self.is_wanted) {
            return ReceiverDoor::default();
        }
        let within = faults.at("receivers");
        if !self.is_wanted {
            within
                .expected(
                    "",
                    "an `[issuer.logout]`, or an `[[events]]` that is pushed",
                )
                .found_as("neither")
                .help("say what is received, or leave `[receivers]` out");
        }
        let default = ReceiversConfig::default();
        let written = written.unwrap_or(&default);
        // Without a front, nothing would ever hear of an event.
        if written.listen.is_none() && !self.has_proxy {
            within
                .expected("listen", "an address, as there is no reverse proxy")
                .found_nothing()
                .help("write `listen = \"127.0.0.1:8444\"`");
        }
        let path = path(written.path.as_deref().unwrap_or(DEFAULT_PATH), &within);
        let settings = path.map(|path| ReceiverSettings {
            path,
            is_on_front: written.listen.is_none(),
        });
        ReceiverDoor {
            settings,
            listener: listener(written, &within),
        }
    }
}

fn listener(written: &ReceiversConfig, faults: &Faults) -> Option<DoorSettings> {
    let text = written.listen.as_deref()?;
    let listen = door_address(text, faults);
    let within = faults.at("tls");
    let tls = written.tls.as_ref();
    let tls = tls.map(|tls| door_tls("receivers.tls", tls, &within));
    // The secret of a stream would cross the network in clear.
    if is_beyond_loopback(listen.as_ref()) && tls.is_none() && !written.danger_plain_http {
        let help = "add `[receivers.tls]`, listen on 127.0.0.1 or on a Unix socket, or write \
            `danger_plain_http = true`";
        faults
            .expected("listen", "a loopback address, as there is no TLS")
            .found(text)
            .given(&["tls", "danger_plain_http"])
            .help(help);
    }
    Some(DoorSettings {
        listen: listen?,
        tls,
    })
}

/// Compared as text with a path that was read strictly, so only one spelling can match.
fn path(text: &str, faults: &Faults) -> Option<NormalPath> {
    match NormalPath::parse(text) {
        Ok(path) if path.as_str() == text && !text.ends_with('/') => Some(path),
        _ => {
            faults
                .expected(
                    "path",
                    "a path of at least one segment, without a final slash",
                )
                .found(text)
                .help("write a path such as `/.portcullis`");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, wanted: bool, has_proxy: bool) -> Result<Option<ReceiverSettings>, String> {
        let written: ReceiversConfig = toml::from_str(text).unwrap();
        let faults = Faults::default();
        let demand = ReceiverDemand {
            is_wanted: wanted,
            has_proxy,
            is_elsewhere: false,
        };
        let door = demand.read(Some(&written), &faults);
        match faults.check() {
            Ok(()) => Ok(door.settings),
            Err(errors) => Err(errors.to_string()),
        }
    }

    #[test]
    fn only_paths_below_their_own_are_the_receivers() {
        let settings = read("", true, true).unwrap().unwrap();
        assert!(settings.is_on_front);
        assert_eq!(settings.tail("/.portcullis/logout"), Some("/logout"));
        for other in [
            "/.portcullis",
            "/.portcullisx/logout",
            "/logout",
            "/x/.portcullis/logout",
        ] {
            assert_eq!(settings.tail(other), None, "{other}");
        }
    }

    #[test]
    fn a_listener_of_their_own_is_held_to_the_rules_of_doors() {
        let own = read("listen = \"127.0.0.1:0\"", true, false)
            .unwrap()
            .unwrap();
        assert!(!own.is_on_front);
        for (text, wanted, has_proxy, told) in [
            ("", false, true, "`[issuer.logout]`"),
            ("", true, false, "receivers.listen"),
            ("listen = \"0.0.0.0:1\"", true, true, "a loopback address"),
            ("path = \"/\"", true, true, "receivers.path"),
            ("path = \"/a/\"", true, true, "receivers.path"),
            ("path = \"/a/../b\"", true, true, "receivers.path"),
        ] {
            let errors = read(text, wanted, has_proxy).unwrap_err();
            assert!(errors.contains(told), "{text}: {errors}");
        }
        assert!(
            read(
                "listen = \"0.0.0.0:1\"\ndanger_plain_http = true",
                true,
                true
            )
            .is_ok()
        );
    }
}
