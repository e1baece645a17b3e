//! JSON with every misleading character escaped: besides those that JSON demands, the other control
//! characters, marks that change the direction of text, and characters without a glyph. The values
//! stay the same.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use std::io;

/// A record as one line of JSON, with the line break.
pub(super) fn line(record: &impl Serialize) -> Vec<u8> {
    let mut line = Vec::with_capacity(512);
    write(record, &mut line);
    line.push(b'\n');
    line
}

/// Writes a value as one line, without the line break.
fn write(value: &impl Serialize, line: &mut Vec<u8>) {
    // Strings and numbers cannot fail to serialize.
    _ = value.serialize(&mut Serializer::with_formatter(line, Plain));
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        // Almost all text is ASCII, and then costs one pass without a copy.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return out.write_all(text.as_bytes());
        }
        let mut buffer = [0; 4];
        for character in text.chars() {
            if is_plain(character) {
                out.write_all(character.encode_utf8(&mut buffer).as_bytes())?;
                continue;
            }
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~') || character.escape_debug().count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_terminals_or_editors_act_on_are_escaped_and_read_back() {
        for (text, written) in [
            ("a 'b' \"c\" \\ /", r#""a 'b' \"c\" \\ /""#),
            ("\r\n\t\u{0}\u{1b}[31m", r#""\r\n\t\u0000\u001b[31m""#),
            ("\u{7f}\u{9b}31m\u{85}", r#""\u007f\u009b31m\u0085""#),
            (
                "\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}",
                r#""\u202e\u2066\u200b\ufeff\u2028""#,
            ),
            ("\u{e0041}", r#""\udb40\udc41""#),
            ("\u{43f}\u{e9}\u{1f600}", "\"\u{43f}\u{e9}\u{1f600}\""),
        ] {
            let mut line = Vec::new();
            write(&text, &mut line);
            assert_eq!(std::str::from_utf8(&line).unwrap(), written);
            assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
        }
    }
}
