//! A folder of its own for a test, in which the command runs.

use std::path::PathBuf;
use std::process::Command;

pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portcullis-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path.join(file), text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path.join(file)).unwrap()
    }

    pub(crate) fn has(&self, file: &str) -> bool {
        self.path.join(file).exists()
    }

    pub(crate) fn remove(&self, file: &str) {
        std::fs::remove_file(self.path.join(file)).unwrap();
    }

    /// Whether the command succeeds with the settings of this folder, and what it says.
    pub(crate) fn run(&self, command: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
        let command = [command, &["--config", "portcullis.toml"]].concat();
        self.run_with(&command, variables)
    }

    /// The same, with these arguments and no others.
    pub(crate) fn run_plainly(&self, command: &[&str]) -> (bool, String) {
        self.run_with(command, &[])
    }

    /// With these arguments and variables, and no others.
    pub(crate) fn run_with(&self, command: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
        let (code, said) = self.status(command, variables);
        (code == 0, said)
    }

    /// The exit code, and what is said.
    pub(crate) fn status(&self, command: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let output = self.command(command, variables).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let code = output.status.code().unwrap();
        (code, String::from_utf8(said).unwrap())
    }

    /// The command, before it is started.
    pub(crate) fn command(&self, command: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut started = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        started
            .args(command)
            .current_dir(&self.path)
            .env_clear()
            .envs(variables.iter().copied());
        started
    }
}

/// What is said, without the breaks of its lines.
pub(crate) fn joined(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.path);
    }
}
