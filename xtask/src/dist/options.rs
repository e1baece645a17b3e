//! What the command line of `cargo xtask dist` says.

use crate::cargo::root;
use std::path::PathBuf;

pub(crate) struct Options {
    /// A program that is packed in place of one that is built.
    pub(crate) binary: Option<PathBuf>,
    pub(crate) out: PathBuf,
    /// Only the wheels of the Python packages.
    pub(crate) wheels: bool,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            binary: None,
            out: root().join("target/dist"),
            wheels: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--binary" => options.binary = Some(path(argument, arguments.next())?),
                "--out" => options.out = path(argument, arguments.next())?,
                "wheels" => options.wheels = true,
                _ => return Err(format!("unexpected `{argument}`: see `cargo xtask help`")),
            }
        }
        Ok(options)
    }
}

fn path(option: &str, value: Option<&String>) -> Result<PathBuf, String> {
    value
        .map(PathBuf::from)
        .ok_or_else(|| format!("{option} needs a path after it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn a_program_can_be_named() {
        let options = parse("--binary /bin/true --out here").unwrap();
        assert_eq!(options.binary, Some(PathBuf::from("/bin/true")));
        assert_eq!(options.out, PathBuf::from("here"));
        assert!(!options.wheels && parse("wheels").unwrap().wheels);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(parse("--binary").is_err());
        assert!(parse("--fast").is_err());
    }
}
