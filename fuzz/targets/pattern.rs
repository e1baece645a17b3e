//! A pattern for claims, and a value, a line each: a simple matcher finds the same, and no pattern
//! fits a name that is longer than the one it was written for.

use portcullis_core::verify::Pattern;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (written, value) = text.split_once('\n').unwrap_or((text, ""));
    let letters: Vec<char> = written.chars().collect();
    let Ok(pattern) = Pattern::parse(written) else {
        assert!(!is_pattern(&letters), "{written}");
        return;
    };
    assert!(is_pattern(&letters), "{written}");
    assert_eq!(pattern.as_str(), written);
    assert_eq!(Pattern::parse(&pattern.to_string()).as_ref(), Ok(&pattern));
    let held: Vec<char> = value.chars().collect();
    assert_eq!(
        pattern.fits(value),
        fits(&letters, &held),
        "{written} {value}"
    );
    // Something for each asterisk fits; nothing, and another beginning, do not.
    assert!(pattern.fits(&written.replace('*', "x")));
    assert!(!pattern.fits(&written.replace('*', "")));
    let (named, _) = written
        .split_once('*')
        .expect("a pattern has an asterisk");
    let name = named.trim_end_matches(['/', ':']);
    assert!(!pattern.fits(&format!(
        "{name}-evil{}",
        written[name.len()..].replace('*', "x")
    )));
    assert!(!pattern.fits(&format!("evil-{}", written.replace('*', "x"))) || named.is_empty());
    assert!(!pattern.fits(value) || value.starts_with(named));
}

fn is_delimiter(letter: Option<&char>) -> bool {
    matches!(letter, Some('/' | ':'))
}

/// Each asterisk stands behind a delimiter, and before one or the end; there is at least one.
fn is_pattern(letters: &[char]) -> bool {
    let mut stars = letters
        .iter()
        .enumerate()
        .filter(|(_, letter)| **letter == '*')
        .map(|(at, _)| at)
        .peekable();
    let is_placed = |at: usize| {
        let after = letters.get(at + 1);
        at > 0 && is_delimiter(letters.get(at - 1)) && (after.is_none() || is_delimiter(after))
    };
    stars.peek().is_some() && stars.all(is_placed)
}

/// Letter by letter. The last asterisk of all stands for the rest, another one for letters that are
/// no delimiters.
fn fits(pattern: &[char], mut value: &[char]) -> bool {
    for (at, letter) in pattern.iter().enumerate() {
        match letter {
            '*' if at + 1 == pattern.len() => return !value.is_empty(),
            '*' => {
                let length = value
                    .iter()
                    .take_while(|letter| !is_delimiter(Some(letter)))
                    .count();
                if length == 0 {
                    return false;
                }
                value = &value[length..];
            }
            letter => match value.split_first() {
                Some((first, rest)) if first == letter => value = rest,
                _ => return false,
            },
        }
    }
    value.is_empty()
}
