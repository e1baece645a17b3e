//! One report in three forms.

use super::{Report, Subject, json, sarif, text};
use crate::args::{FailOn, Ignored};
use crate::audit::cases::Provider;
use crate::audit::{Place, all, of_issuer};
use serde_json::json;

/// Two findings in settings, and one rule that does not count.
fn report(fail_on: FailOn) -> Report {
    let mut provider = Provider::sound();
    for (_, form) in &mut provider.forms {
        form.body["code_challenge_methods_supported"] = json!(["plain"]);
        form.body["grant_types_supported"] = json!(["password"]);
        form.body["backchannel_logout_supported"] = json!(false);
    }
    let place = Place {
        file: "my settings.toml".to_owned(),
        setting: "issuer[0].url".to_owned(),
        line: Some(3),
    };
    let seen = provider.seen();
    let subject = Subject::of_issuer(&seen, Some(&place), of_issuer(&seen, Some(&place)));
    let ignored = Ignored {
        id: "audit.pkce_s256_missing",
        reason: "until May".to_owned(),
    };
    Report::new(vec![subject], fail_on, vec![ignored])
}

#[test]
fn what_is_ignored_does_not_count() {
    assert!(!report(FailOn::Error).fails());
    assert!(report(FailOn::Warning).fails());
}

#[test]
fn people_get_words_in_eighty_columns() {
    let page = text::page(&report(FailOn::Error), false);
    let plain = anstream::adapter::strip_str(&page).to_string();
    for told in [
        "Audit of https://idp.example",
        "  warning  the password grant is offered\n",
        "  settings my settings.toml:3: issuer[0].url\n",
        "found    `grant_types_supported` holds `password`\n",
        "see      RFC 9700, section 2.4 (audit.password_offered)\n",
        "  note     applications are not told",
        "  ignored  audit.pkce_s256_missing of https://idp.example: until May\n",
        "0 errors, 1 warning, 1 note: passes; --verbose",
        "TLS      idp.example:443: 1.3 and 1.2; the certificate ends in 60 days\n",
        "token    RS256, at+jwt, lives 10 min, ",
    ] {
        assert!(plain.contains(told), "{told}\n{plain}");
    }
    assert!(
        plain.lines().all(|line| line.chars().count() <= 80),
        "{plain}"
    );
    let full = text::page(&report(FailOn::Note), true);
    assert!(
        anstream::adapter::strip_str(&full)
            .to_string()
            .contains("cure     offer back-channel logout")
    );
    assert!(full.contains("fails"));
}

#[test]
fn programs_get_everything_that_is_ignored_too() {
    let document = json::document(&report(FailOn::Warning));
    assert_eq!(document["fails"], true);
    assert_eq!(
        document["counts"],
        json!({ "error": 0, "warning": 1, "note": 1 })
    );
    let findings = document["subjects"][0]["findings"].as_array().unwrap();
    let ignored = findings
        .iter()
        .find(|finding| finding["id"] == "audit.pkce_s256_missing")
        .unwrap();
    assert_eq!(
        (&ignored["ignored"], &ignored["severity"]),
        (&json!("until May"), &json!("error"))
    );
    assert_eq!(
        ignored["place"],
        json!({ "file": "my settings.toml", "setting": "issuer[0].url", "line": 3 })
    );
}

/// What code scanning goes by, of the many members that SARIF 2.1.0 allows.
#[test]
fn sarif_names_rules_results_and_places() {
    let document = sarif::document(&report(FailOn::Error));
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), all().count());
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[index]["id"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "my%20settings.toml");
        assert_eq!(physical["region"]["startLine"], 3);
        let suppressed = result["ruleId"] == "audit.pkce_s256_missing";
        let expected =
            suppressed.then(|| json!([{ "kind": "external", "justification": "until May" }]));
        assert_eq!(result.get("suppressions"), expected.as_ref());
    }
}
