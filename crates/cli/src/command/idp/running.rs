//! What can be done to a development identity provider that runs: new keys, and faults.

use crate::exit::{Exit, Failure};
use crate::output::{QUIET, WARNING, print, styled};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::{Map, Value};

/// Takes a new signing key into use.
pub(super) async fn rotate(issuer: &str, overlap: bool, same_kid: bool) -> Result<Exit, Failure> {
    let url = below(issuer, "/dev/rotate")?;
    let form = [
        ("overlap", overlap.to_string()),
        ("same_kid", same_kid.to_string()),
    ];
    answer(Client::new().post(url.clone()).form(&form), &url).await?;
    let old = match (overlap, same_kid) {
        (true, _) => "the old key stays published",
        (false, true) => "it has the name of the old key, which is gone",
        (false, false) => "the old key is gone",
    };
    print(&format!("A new key signs from now on; {old}.\n"))?;
    Ok(Exit::Fine)
}

/// Throws a switch, if one is named, and shows how all stand.
pub(super) async fn fault(
    issuer: &str,
    switch: Option<&str>,
    position: Option<&str>,
) -> Result<Exit, Failure> {
    let url = below(issuer, "/dev/faults")?;
    let request = match (switch, position) {
        (None, _) => Client::new().get(url.clone()),
        (Some("reset"), None) => Client::new().post(url.clone()).form(&[("reset", "true")]),
        (Some(switch), Some(position)) => {
            Client::new().post(url.clone()).form(&[(switch, position)])
        }
        (Some(switch), None) => {
            let message =
                format!("`{switch}`, and what becomes of it? `none` makes it work; see `--help`");
            return Err(Failure::could_not_run(message));
        }
    };
    let positions = answer(request, &url).await?;
    let positions: Map<String, Value> = serde_json::from_str(&positions).map_err(|_| {
        Failure::new(
            Exit::Rejected,
            format!("{url} tells no faults: is it an older version?"),
        )
    })?;
    print(&table(&positions))?;
    Ok(Exit::Fine)
}

fn table(positions: &Map<String, Value>) -> String {
    let mut table = String::new();
    for (name, position) in positions {
        let position = position
            .as_str()
            .map_or_else(|| position.to_string(), str::to_owned);
        let works = ["none", "0", "{}"].contains(&position.as_str());
        let style = if works { QUIET } else { WARNING };
        table.push_str(&format!("{name:<21} {}\n", styled(style, &position)));
    }
    table
}

/// Whatever path the issuer has, this is at the root.
fn below(issuer: &str, path: &str) -> Result<Url, Failure> {
    let url = Url::parse(issuer).and_then(|issuer| issuer.join(path));
    url.map_err(|_| {
        Failure::could_not_run(format!("`{issuer}` is no URL: write `http://host:port`"))
    })
}

/// The content of a good answer.
async fn answer(request: RequestBuilder, url: &Url) -> Result<String, Failure> {
    let gone = |_| {
        Failure::new(
            Exit::Outage,
            format!("{url} does not answer: start it with `portcullis idp`"),
        )
    };
    let response = request.send().await.map_err(gone)?;
    let status = response.status();
    let content = response.text().await.map_err(gone)?;
    if status.is_success() {
        return Ok(content);
    }
    let told: Option<Value> = serde_json::from_str(&content).ok();
    let message = match told
        .as_ref()
        .and_then(|told| told.get("error_description")?.as_str())
    {
        Some(description) => description.to_owned(),
        None => format!("{url} answered {status}: is this a development identity provider?"),
    };
    Err(Failure::new(Exit::Rejected, message))
}
