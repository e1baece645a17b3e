//! What a profile of security demands of the gateway's own tables.

use crate::config::{Config, Tables};
use crate::decision::routes::{Access, Routes};
use portcullis_core::Faults;
use portcullis_resource_server::SecurityProfile;

/// What the document says about a profile, before its parts are taken.
pub(super) struct ProfileDemand {
    is_demanded: bool,
    /// Whether the settings say that clients come over TLS, whoever ends it.
    has_secure_origin: bool,
}

impl ProfileDemand {
    /// Reads it, and finds fault with listeners that are weaker.
    pub(super) fn of(config: &Config, has_proxy: bool, faults: &Faults) -> Self {
        let tokens = &config.resource_server;
        let name = tokens.security_profile.as_deref().unwrap_or_default();
        let origin = tokens.public_origin.as_deref().unwrap_or_default();
        let demand = Self {
            is_demanded: SecurityProfile::from_name(name).is_some(),
            has_secure_origin: origin.starts_with("https://"),
        };
        demand.check_listeners(&config.gateway, has_proxy, faults);
        demand
    }

    /// Clients come over TLS 1.2 or newer (FAPI 2.0, section 5.2.1).
    fn check_listeners(&self, tables: &Tables, has_proxy: bool, faults: &Faults) {
        if !self.is_demanded {
            return;
        }
        let gateway = tables.gateway.as_ref();
        let has_tls = gateway.is_some_and(|it| it.tls.is_some());
        if has_proxy && !has_tls && !self.has_secure_origin {
            faults
                .expected(
                    "gateway.tls",
                    "TLS towards clients (FAPI 2.0, section 5.2.1)",
                )
                .found_nothing()
                .given_elsewhere(&["public_origin"])
                .help(
                    "add `[gateway.tls]`; where something in front ends TLS, write \
                        `public_origin = \"https://...\"`",
                );
        }
        if gateway.is_some_and(|it| it.danger_plain_http) {
            faults
                .expected(
                    "gateway.danger_plain_http",
                    "TLS on every way (FAPI 2.0, section 5.2.1)",
                )
                .found(true)
                .help("leave it out: the safe value is the default");
        }
    }

    /// The scope is checked on every route that demands a token (FAPI 2.0, section 5.3.4).
    pub(super) fn check_routes(&self, routes: &mut Routes, faults: &Faults) {
        if !self.is_demanded {
            return;
        }
        for (index, (route, _)) in routes.with_patterns().enumerate() {
            let requirement = match &route.access {
                Access::Public => continue,
                Access::Optional(requirement) | Access::Required(requirement) => requirement,
            };
            if requirement.demands_scope() {
                continue;
            }
            faults
                .at(format!("route[{index}]"))
                .expected(
                    "require",
                    "a scope that every caller needs (FAPI 2.0, section 5.3.4)",
                )
                .found_as(requirement.to_string())
                .help("add `scope = \"...\"`, or write `access = \"public\"`");
        }
        // No scope is known for a path that no route names, so nobody gets there.
        routes.close_default();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use crate::config::Config;

    const ISSUER: &str = "security_profile = \"fapi2\"\n[[issuer]]\nurl = \"https://idp.example\"\n\
        audience = \"api\"\nintrospection = { tokens = \"all\", client_id = \"api\", \
        client_secret_file = \"SECRET\" }\n";

    fn places(top: &str, tables: &str) -> Vec<String> {
        let secret = std::env::temp_dir().join(format!("fapi2-{}", std::process::id()));
        std::fs::write(&secret, "a secret of many bytes, for a test").unwrap();
        let issuer = ISSUER.replace("SECRET", &secret.display().to_string());
        let text = format!("{top}\n{issuer}{tables}");
        match Config::from_toml(&text).and_then(Settings::try_from) {
            Ok(settings) => {
                let rows = settings.summary().into_iter().flat_map(|it| it.rows);
                let mut labels = rows.map(|row| row.label);
                assert!(labels.any(|label| label == "security profile fapi2"));
                Vec::new()
            }
            Err(errors) => errors.iter().map(|it| it.place().to_owned()).collect(),
        }
    }

    const GATEWAY: &str = "[gateway]\nupstream = \"http://127.0.0.1:9\"\n";
    const ORIGIN: &str = "public_origin = \"https://api.example\"";

    #[test]
    fn each_route_that_demands_a_token_demands_a_scope() {
        for (route, is_refused) in [
            ("require = { scope = \"a\" }", false),
            ("access = \"public\"", false),
            ("require = { scope = \"a\", role = \"b\" }", false),
            ("require = { role = \"b\" }", true),
            ("require = { bound = \"dpop\" }", true),
            (
                "require = { any = [{ scope = \"a\" }, { role = \"b\" }] }",
                true,
            ),
            ("access = \"optional\"", true),
        ] {
            let tables = format!("{GATEWAY}[[route]]\npath = \"/x\"\n{route}\n");
            let found = places(ORIGIN, &tables);
            let expected: &[&str] = if is_refused {
                &["route[0].require"]
            } else {
                &[]
            };
            assert_eq!(found, expected, "{route}");
        }
    }

    #[test]
    fn clients_come_over_tls() {
        assert_eq!(places("", GATEWAY), ["gateway.tls"]);
        assert_eq!(
            places("public_origin = \"http://a.example\"", GATEWAY).len(),
            2
        );
        let plain = format!("{GATEWAY}danger_plain_http = true\n");
        assert_eq!(places(ORIGIN, &plain), ["gateway.danger_plain_http"]);
    }
}
