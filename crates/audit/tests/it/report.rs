//! One report in two forms.

use super::issuer_cases::Provider;
use portcullis_audit::report::{AuditSubject, Report, Waiver, json, sarif};
use portcullis_audit::{SettingPlace, SettingsFile, Severity};
use portcullis_audit::{all, examine_issuer, examine_settings};
use serde_json::json;

/// Two findings in settings, and one rule that does not count.
fn report(fail_from: Severity) -> Report {
    let mut provider = Provider::sound();
    for (_, form) in &mut provider.forms {
        form.body["code_challenge_methods_supported"] = json!(["plain"]);
        form.body["grant_types_supported"] = json!(["password"]);
        form.body["backchannel_logout_supported"] = json!(false);
    }
    let place = SettingPlace {
        file: "my settings.toml".to_owned(),
        setting: "issuer[0].url".to_owned(),
        line: Some(3),
    };
    let observation = provider.observation();
    let subject = AuditSubject::issuer(
        &observation,
        Some(&place),
        examine_issuer(&observation, Some(&place)),
    );
    let waiver = Waiver {
        rule: "audit.pkce_s256_missing",
        setting: None,
        reason: "until May".to_owned(),
    };
    Report::new(vec![subject], Some(fail_from), vec![waiver])
}

#[test]
fn what_is_ignored_does_not_count() {
    assert!(!report(Severity::Error).fails());
    assert!(report(Severity::Warning).fails());
}

#[test]
fn programs_get_everything_that_is_ignored_too() {
    let document = json::document(&report(Severity::Warning));
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
    let document = sarif::document(&report(Severity::Error));
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

#[test]
fn a_rule_is_waived_for_a_reason() {
    let expected = Waiver {
        rule: "audit.pkce_missing",
        setting: None,
        reason: "said = in the manual".to_owned(),
    };
    assert_eq!(
        Waiver::parse("audit.pkce_missing= said = in the manual"),
        Ok(expected)
    );
    for text in [
        "audit.pkce_missing",
        "audit.pkce_missing= ",
        "audit.nothing=x",
        "audit.nothing:realm=x",
        // A reason for one says nothing of the next.
        "audit.ours_danger=x",
        "=x",
        "",
    ] {
        assert!(Waiver::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_report_fails_from_the_severity_that_is_named() {
    // One warning and one note count.
    let fails = [Severity::Error, Severity::Warning, Severity::Note].map(|it| report(it).fails());
    assert_eq!(fails, [false, true, true]);
    assert!(!Report::new(Vec::new(), None, Vec::new()).fails());
}

/// Code scanning refuses a log with the URL of a provider where it expects a file.
#[test]
fn sarif_names_a_provider_as_a_path() {
    let mut provider = Provider::sound();
    for (_, form) in &mut provider.forms {
        form.body["grant_types_supported"] = json!(["password"]);
    }
    let observation = provider.observation();
    let findings = examine_issuer(&observation, None);
    assert!(!findings.is_empty());
    let subject = AuditSubject::issuer(&observation, None, findings);
    let document = sarif::document(&Report::new(vec![subject], None, Vec::new()));
    for result in document["runs"][0]["results"].as_array().unwrap() {
        let location = &result["locations"][0];
        let file = &location["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(file, "idp.example");
        let name = &location["logicalLocations"][0]["fullyQualifiedName"];
        assert_eq!(name, "https://idp.example");
    }
}

#[test]
fn one_danger_is_waived_and_not_the_next() {
    let text = "realm = 'a'\n[[issuer]]\nurl = 'https://idp.example'\naudience = 'api'\ndanger_plain_http = true\n\
        [gateway]\nupstream = 'http://127.0.0.1:3000'\ndanger_plain_http = true\n";
    let file = SettingsFile::read("p.toml".as_ref(), text.to_owned(), |_| None).unwrap();
    let subject = AuditSubject::settings(&file, examine_settings(&file));
    let subject = subject.keep(|it| it.rule.id == "audit.ours_danger");
    let waiver = Waiver::parse("audit.ours_danger:issuer[0].danger_plain_http=a laboratory");
    let report = Report::new(
        vec![subject],
        Some(Severity::Warning),
        vec![waiver.unwrap()],
    );
    let counts = report.findings().map(|it| report.waiver(it).is_none());
    assert_eq!(counts.collect::<Vec<_>>(), [true, false]);
    assert!(report.fails());
}
