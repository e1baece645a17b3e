//! A headless Chromium, driven from a test: what it does with our pages is what a person's browser
//! does.
//!
//! Fields, buttons and links are found by what they are called, so a page that a screen reader
//! cannot tell about fails its test. At the end no script may have failed, no policy of ours have
//! been broken, and nothing have been asked of another host.

use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// One page of a browser of its own. The browser ends when this is dropped.
pub(crate) struct Chromium {
    _child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// The folder of the scripts that drive it.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/chromium")
}

/// The browser's program; none, and said so, where it is not installed.
fn program() -> Option<OsString> {
    let program = std::env::var_os("PORTCULLIS_CHROMIUM");
    let installed = folder().join("node_modules/playwright-core").is_dir();
    if program.is_none() || !installed {
        crate::tally::skipped("Chromium is not installed; `cargo xtask test` does it");
    }
    program.filter(|_| installed)
}

/// What BROWSER can name: signs in as alice wherever it is sent, and agrees to what it is asked.
pub(crate) fn signing_in() -> Option<PathBuf> {
    program().map(|_| folder().join("sign-in.mjs"))
}

impl Chromium {
    /// Starts it; none where it is not installed.
    pub(crate) async fn start() -> Option<Self> {
        program()?;
        let mut command = Command::new("node");
        command
            .arg("drive.mjs")
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Self {
            _child: child,
            commands,
            answers,
        })
    }

    /// Goes to an address. Answers with the status.
    pub(crate) async fn open(&mut self, url: &str) -> u64 {
        self.ask(json!({ "do": "open", "url": url }))
            .await
            .as_u64()
            .unwrap()
    }

    /// Writes into the field of that label.
    pub(crate) async fn fill(&mut self, label: &str, value: &str) {
        self.ask(json!({ "do": "fill", "label": label, "value": value }))
            .await;
    }

    /// Writes into a field that somebody else's page left without a label.
    pub(crate) async fn write(&mut self, selector: &str, value: &str) {
        self.ask(json!({ "do": "write", "selector": selector, "value": value }))
            .await;
    }

    /// Chooses what is called so from the list of that label.
    pub(crate) async fn choose(&mut self, label: &str, value: &str) {
        self.ask(json!({ "do": "choose", "label": label, "value": value }))
            .await;
    }

    /// Presses the button of that name.
    pub(crate) async fn press(&mut self, name: &str) {
        self.ask(json!({ "do": "press", "name": name })).await;
    }

    /// Presses the button of that name, and goes on in the window that it opens.
    pub(crate) async fn press_for_window(&mut self, name: &str) {
        self.ask(json!({ "do": "popup", "name": name })).await;
    }

    /// Goes on in the first window.
    pub(crate) async fn first_window(&mut self) {
        self.ask(json!({ "do": "back" })).await;
    }

    /// The page as it is, into `target/screenshots`.
    pub(crate) async fn photograph(&mut self, name: &str) {
        let screenshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        let path = screenshots.join(format!("{name}.png"));
        self.ask(json!({ "do": "screenshot", "path": path }))
            .await;
    }

    /// Follows the link of that name.
    pub(crate) async fn follow(&mut self, name: &str) {
        self.ask(json!({ "do": "follow", "name": name })).await;
    }

    /// Presses a key, as `Tab`.
    pub(crate) async fn key(&mut self, name: &str) {
        self.ask(json!({ "do": "key", "name": name })).await;
    }

    /// What the element says that the keyboard is at.
    pub(crate) async fn focused(&mut self) -> String {
        self.text_of("focused").await
    }

    /// Waits until the page says this.
    pub(crate) async fn see(&mut self, text: &str) {
        self.ask(json!({ "do": "see", "text": text })).await;
    }

    /// Waits until the browser is at an address that begins so. Answers with the address.
    pub(crate) async fn at(&mut self, start: &str) -> String {
        let url = self.ask(json!({ "do": "at", "start": start })).await;
        url.as_str().unwrap().to_owned()
    }

    /// Where the browser is.
    pub(crate) async fn url(&mut self) -> String {
        self.text_of("url").await
    }

    /// All that the page says.
    pub(crate) async fn text(&mut self) -> String {
        self.text_of("text").await
    }

    /// What stands in the field of that label.
    pub(crate) async fn value(&mut self, label: &str) -> String {
        let value = self
            .ask(json!({ "do": "value", "label": label }))
            .await;
        value.as_str().unwrap().to_owned()
    }

    /// What was copied.
    pub(crate) async fn clipboard(&mut self) -> String {
        self.text_of("clipboard").await
    }

    /// The page in light and dark, wide and narrow, into `target/screenshots`; and what axe-core finds
    /// in each, which must be nothing. Nor may a page be wider than a telephone.
    pub(crate) async fn examine(&mut self, name: &str) {
        let screenshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        for (look, scheme, width) in [
            ("light", "light", 1_280),
            ("dark", "dark", 1_280),
            ("narrow", "light", 390),
            ("narrow-dark", "dark", 390),
        ] {
            self.ask(json!({ "do": "look", "scheme": scheme, "width": width }))
                .await;
            let path = screenshots.join(format!("{name}-{look}.png"));
            self.ask(json!({ "do": "screenshot", "path": path }))
                .await;
            let found = self.ask(json!({ "do": "accessibility" })).await;
            assert_eq!(found, json!([]), "{name}, {look}");
            assert_eq!(
                self.ask(json!({ "do": "overflows" })).await,
                false,
                "{name}, {look}"
            );
        }
        self.ask(json!({ "do": "look", "scheme": "light", "width": 1_280 }))
            .await;
    }

    /// Calls a function of the page's own script. Answers with what it returns.
    pub(crate) async fn call(&mut self, name: &str, args: Value) -> Value {
        self.ask(json!({ "do": "call", "name": name, "args": args }))
            .await
    }

    /// What went wrong since the start, or since the last time: for tests that want it to.
    pub(crate) async fn take_complaints(&mut self) -> Vec<String> {
        let complaints = self.ask(json!({ "do": "complaints" })).await;
        serde_json::from_value(complaints).unwrap()
    }

    /// Ends it. Nothing may have gone wrong on the way.
    pub(crate) async fn finish(mut self) {
        assert_eq!(self.ask(json!({ "do": "complaints" })).await, json!([]));
    }

    async fn text_of(&mut self, what: &str) -> String {
        self.ask(json!({ "do": what }))
            .await
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn ask(&mut self, command: Value) -> Value {
        self.commands
            .write_all(format!("{command}\n").as_bytes())
            .await
            .unwrap();
        let line = tokio::time::timeout(Duration::from_secs(60), self.answers.next_line());
        let line = line
            .await
            .expect("an answer within a minute")
            .unwrap()
            .expect("the browser to answer");
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert!(
            answer.get("error").is_none(),
            "{command}: {}",
            answer["error"].as_str().unwrap()
        );
        answer["answer"].take()
    }
}
