//! The token as it was handed in: an argument, a file or standard input.

mod command_line;
mod extraction;
mod response;

pub(crate) use command_line::PastedRequest;
pub(crate) use extraction::SourceForm;

use crate::exit::CommandError;
use extraction::Extraction;
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

/// A token, and where it was found.
#[derive(Debug)]
pub(crate) struct TokenInput {
    pub(crate) token: String,
    pub(crate) place: InputPlace,
    /// What the token was taken out of.
    pub(crate) form: SourceForm,
    /// What was left out, or looks odd.
    pub(crate) notes: Vec<String>,
    /// What stood beside it.
    pub(crate) beside: PastedRequest,
}

/// Where a token was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InputPlace {
    Argument,
    File(PathBuf),
    StandardInput,
}

impl TokenInput {
    /// The token of the argument, the file, or standard input; `-` is standard input.
    ///
    /// # Errors
    ///
    /// An input that cannot be read, is too large, or holds something else than a token.
    pub(crate) fn read(
        argument: Option<String>,
        file: Option<&Path>,
    ) -> Result<Self, CommandError> {
        let (text, place) = match (argument, file) {
            (Some(text), _) if text != "-" => (text, InputPlace::Argument),
            (_, Some(file)) if file != Path::new("-") => {
                let opened = std::fs::File::open(file);
                let text = opened.map_err(|error| CommandError::in_file(file, error))?;
                let text = read_text(text).map_err(|fault| CommandError::in_file(file, fault))?;
                (text, InputPlace::File(file.to_owned()))
            }
            _ => (standard_input()?, InputPlace::StandardInput),
        };
        if text.trim_start_matches('\u{feff}').trim().is_empty() {
            let message = match &place {
                InputPlace::File(file) => format!("{}: {EMPTY}", file.display()),
                InputPlace::Argument => format!("the argument: {EMPTY}"),
                InputPlace::StandardInput => format!("standard input: {EMPTY}"),
            };
            return Err(CommandError::could_not_run(message).help(
                "an unset variable, or a request for the token that failed, leaves it empty",
            ));
        }
        let Extraction {
            token,
            form,
            notes,
            beside,
        } = Extraction::of(&text)?;
        Ok(Self {
            token,
            place,
            form,
            notes,
            beside,
        })
    }
}

/// The token alone: see [`TokenInput::read`].
///
/// # Errors
///
/// As there.
pub(crate) fn read_token(
    argument: Option<String>,
    file: Option<&Path>,
) -> Result<String, CommandError> {
    Ok(TokenInput::read(argument, file)?.token)
}

fn standard_input() -> Result<String, CommandError> {
    let stdin = std::io::stdin();
    let is_terminal = stdin.is_terminal();
    if is_terminal {
        // Without this, the command seems to hang.
        anstream::eprintln!("Paste the token, then press Enter and Ctrl-D.");
    }
    let text = read_text(stdin).map_err(CommandError::could_not_run)?;
    let longest = text.lines().map(str::len).max().unwrap_or_default();
    if is_terminal && TERMINAL_LIMITS.contains(&longest) {
        let message = format!("the terminal cut the line after {longest} characters");
        let help = "put the token into a file and use --file, or pipe it in";
        return Err(CommandError::could_not_run(message).help(help));
    }
    Ok(text)
}

/// The text of an input, in UTF-8 or, as PowerShell redirects it, in UTF-16.
fn read_text(input: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    // Bounded: a wrong pipe must not fill the memory.
    let mut input = input.take(LARGEST + 1);
    input
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!(
            "expected a token of at most {LARGEST} bytes, found more"
        ));
    }
    let text = match bytes.strip_prefix(b"\xff\xfe") {
        Some(units) => {
            let units = units.chunks_exact(2);
            let units: Vec<u16> = units
                .map(|unit| match unit {
                    &[low, high] => u16::from_le_bytes([low, high]),
                    _ => 0,
                })
                .collect();
            String::from_utf16(&units).ok()
        }
        None => String::from_utf8(bytes).ok(),
    };
    text.ok_or_else(|| "expected text in UTF-8, found other bytes".to_owned())
}

const EMPTY: &str = "expected a token, found nothing";

/// The largest input, in bytes.
const LARGEST: u64 = 1_000_000;

/// The lengths at which terminals cut a line that is typed or pasted: of macOS, and of Linux.
const TERMINAL_LIMITS: [usize; 4] = [1_023, 1_024, 4_095, 4_096];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_input_is_no_token_to_judge() {
        for text in ["", " \n", "\u{feff}\r\n"] {
            let read = TokenInput::read(Some(text.to_owned()), None);
            let error = read.map(|input| input.token).unwrap_err();
            assert!(error.message().contains("found nothing"), "{text:?}");
            assert_eq!(error.exit(), crate::exit::Exit::CouldNotRun);
        }
    }

    #[test]
    fn bytes_are_text_in_either_encoding_and_bounded() {
        assert_eq!(read_text(&b"ab"[..]).unwrap(), "ab");
        assert_eq!(read_text(&b"\xff\xfea\0b\0"[..]).unwrap(), "ab");
        for (bytes, expected) in [
            (vec![0xc3, 0x28], "expected text in UTF-8"),
            (vec![b'a'; 1_000_001], "at most 1000000 bytes"),
        ] {
            let fault = read_text(&*bytes).unwrap_err();
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
