//! How long files and functions are, and how wide lines. The code is formatted, so a function ends at its own
//! indentation.

use crate::cargo::root;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;
/// Of what users get. `rustfmt` leaves literals, comments and the insides of macros alone.
const WIDEST_LINE: usize = 100;

pub(crate) fn check() -> Result<String, String> {
    let (mut files, mut functions, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for file in ["crates", "xtask", "examples"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
    {
        let shown = file
            .strip_prefix(root())
            .unwrap_or(&file)
            .display()
            .to_string();
        if ["/tests/", "/benches/"]
            .iter()
            .any(|folder| shown.contains(folder))
            || shown.ends_with("tests.rs")
        {
            continue;
        }
        let code = std::fs::read_to_string(&file).map_err(|error| format!("{shown}: {error}"))?;
        let code = without_tests(&code);
        let lines = code.lines().count();
        files.push(lines);
        if lines > LONGEST_FILE {
            faults.push(format!("{shown}: {lines} lines, more than {LONGEST_FILE}"));
        }
        if shown.starts_with("crates/") {
            for (number, line) in wide_lines(code) {
                faults.push(format!(
                    "{shown}:{number}: {line} characters, more than {WIDEST_LINE}"
                ));
            }
        }
        for (name, lines) in functions_of(code) {
            functions.push(lines);
            if lines > LONGEST_FUNCTION {
                faults.push(format!(
                    "{shown}: `{name}` has {lines} lines, more than {LONGEST_FUNCTION}"
                ));
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    let at = |sizes: &mut Vec<usize>, tenth: usize| {
        sizes.sort_unstable();
        sizes
            .get(sizes.len() * tenth / 10)
            .copied()
            .unwrap_or_default()
    };
    let (file, function) = (at(&mut files, 5), at(&mut functions, 5));
    let (file_p90, function_p90) = (at(&mut files, 9), at(&mut functions, 9));
    Ok(format!(
        "{} files: median {file}, p90 {file_p90}; {} functions: median {function}, p90 {function_p90}",
        files.len(),
        functions.len()
    ))
}

/// Numbers and widths of the lines that are too wide.
fn wide_lines(code: &str) -> impl Iterator<Item = (usize, usize)> {
    let widths = code.lines().map(|line| line.chars().count());
    let numbered = widths.enumerate().map(|(index, width)| (index + 1, width));
    numbered.filter(|(_, width)| *width > WIDEST_LINE)
}

/// All Rust files under a folder.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir()
            && path
                .file_name()
                .is_some_and(|name| name != "node_modules" && name != "target")
        {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code before its inline tests, which stand at the end.
fn without_tests(code: &str) -> &str {
    code.split("\n#[cfg(test)]\nmod ").next().unwrap_or(code)
}

/// The functions and their lengths in lines, signature and closing brace included.
fn functions_of(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (number, line) in code.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match &open {
            None => open = function_name(line).map(|name| (number, " ".repeat(indent), name)),
            Some((start, spaces, name))
                if line == format!("{spaces}}}") || is_one_line(code, *start) =>
            {
                found.push((
                    name.clone(),
                    if is_one_line(code, *start) {
                        1
                    } else {
                        number - start + 1
                    },
                ));
                open = function_name(line).map(|name| (number, " ".repeat(indent), name));
            }
            Some(_) => {}
        }
    }
    found
}

fn is_one_line(code: &str, number: usize) -> bool {
    code.lines()
        .nth(number)
        .is_some_and(|line| line.ends_with('}') || line.ends_with(';'))
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        match word {
            "fn" => {
                let name: String = words
                    .next()?
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                return (!name.is_empty()).then_some(name);
            }
            "pub" | "const" | "async" | "unsafe" => {}
            word if word.starts_with("pub(") => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_measured_in_characters() {
        let code = format!("{}\n{}\n", "é".repeat(100), "x".repeat(101));
        assert_eq!(wide_lines(&code).collect::<Vec<_>>(), [(2, 101)]);
    }

    #[test]
    fn functions_are_measured_whole() {
        let code = "impl X {\n    pub(crate) async fn a(&self) {\n        if x {\n        }\n    }\n\n    fn b() -> u8;\n\n    fn c() {\n    }\n}\n";
        assert_eq!(
            functions_of(code),
            [
                ("a".to_owned(), 4),
                ("b".to_owned(), 1),
                ("c".to_owned(), 2)
            ]
        );
    }

    #[test]
    fn tests_do_not_count() {
        assert_eq!(
            without_tests("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"),
            "fn a() {}\n"
        );
    }
}
