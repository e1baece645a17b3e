//! How long files and functions are, how wide lines, and how dense the code. The code is formatted,
//! so a function ends at its own indentation.
//!
//! Short functions can be bought with width, and narrow ones with chains of closures: so all of it is
//! measured.

use crate::cargo::root;
use crate::source::{Source, is_test, rust_files, sources, without_tests};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;
/// Of what users get. `rustfmt` leaves literals, comments and the insides of macros alone.
const WIDEST_LINE: usize = 100;

/// Over all crates, in thousandths: characters for each line of a function, and closures for each
/// function, at most; lines of plain comment for each line of code, at least.
///
/// Each is where the code stands, and may only be tightened. The aim for characters is 24,500.
const DENSEST: u64 = 26_500;
const MOST_CLOSURES: u64 = 300;
const FEWEST_COMMENTS: u64 = 30;

pub(crate) fn check() -> Result<String, String> {
    let mut faults = Vec::new();
    let (mut files, mut functions) = measure_lengths(&mut faults)?;
    let sources = sources()?;
    for source in &sources {
        for (number, width) in wide_lines(&source.code) {
            let path = &source.path;
            faults.push(format!(
                "{path}:{number}: {width} characters, more than {WIDEST_LINE}"
            ));
        }
    }
    let density = Density::of(&sources);
    density.judge(&mut faults);
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    let count = (files.len(), functions.len());
    let (file, file_p90) = (tenth(&mut files, 5), tenth(&mut files, 9));
    let (function, function_p90) = (tenth(&mut functions, 5), tenth(&mut functions, 9));
    Ok(format!(
        "{} files: median {file}, p90 {file_p90}; {} functions: median {function}, p90 {function_p90}; {}",
        count.0,
        count.1,
        density.describe()
    ))
}

/// The lengths of all files and functions, in lines.
fn measure_lengths(faults: &mut Vec<String>) -> Result<(Vec<usize>, Vec<usize>), String> {
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    for folder in ["bindings", "crates", "xtask", "examples"] {
        for file in rust_files(&root().join(folder)) {
            let path = file.strip_prefix(root()).unwrap_or(&file);
            let path = path.display().to_string();
            if is_test(&path.replacen("examples/", "", 1)) {
                continue;
            }
            let text =
                std::fs::read_to_string(&file).map_err(|error| format!("{path}: {error}"))?;
            let code = without_tests(&text);
            let lines = code.lines().count();
            files.push(lines);
            if lines > LONGEST_FILE {
                faults.push(format!("{path}: {lines} lines, more than {LONGEST_FILE}"));
            }
            for Function { name, lines, .. } in functions_of(code) {
                functions.push(lines);
                if lines > LONGEST_FUNCTION {
                    faults.push(format!(
                        "{path}: `{name}` has {lines} lines, more than {LONGEST_FUNCTION}"
                    ));
                }
            }
        }
    }
    Ok((files, functions))
}

fn tenth(sizes: &mut [usize], tenth: usize) -> usize {
    sizes.sort_unstable();
    let index = sizes.len() * tenth / 10;
    sizes.get(index).copied().unwrap_or_default()
}

/// How dense the code is, and how much it explains: in thousandths.
struct Density {
    characters: u64,
    closures: u64,
    comments: u64,
}

impl Density {
    fn of(sources: &[Source]) -> Self {
        let (mut characters, mut lines, mut all_closures, mut functions) = (0, 0, 0, 0);
        let (mut comments, mut code) = (0, 0);
        for source in sources {
            for function in functions_of(&source.code) {
                functions += 1;
                // A comment makes code easier to read, so it does not count as dense.
                for line in function.lines_of_code(&source.code) {
                    lines += 1;
                    characters += line.chars().filter(|it| !it.is_whitespace()).count();
                }
                let bare: String = function.text(&source.bare).collect();
                all_closures += closures(&bare);
            }
            for line in source.code.lines() {
                let line = line.trim_start();
                let is_doc = line.starts_with("///") || line.starts_with("//!");
                comments += usize::from(line.starts_with("//") && !is_doc);
                code += usize::from(!line.is_empty() && !line.starts_with("//"));
            }
        }
        Self {
            characters: thousandths(characters, lines),
            closures: thousandths(all_closures, functions),
            comments: thousandths(comments, code),
        }
    }

    fn judge(&self, faults: &mut Vec<String>) {
        if self.characters > DENSEST || self.closures > MOST_CLOSURES {
            faults.push(format!(
                "too dense: {}; give the steps of a chain names",
                self.describe()
            ));
        }
        if self.comments < FEWEST_COMMENTS {
            faults.push(format!("too little is explained: {}", self.describe()));
        }
    }

    fn describe(&self) -> String {
        let decimal = |it: u64| format!("{}.{:03}", it / 1_000, it % 1_000);
        format!(
            "{} characters a line of a function, {} closures a function, {} comments a line of code",
            decimal(self.characters),
            decimal(self.closures),
            decimal(self.comments)
        )
    }
}

fn thousandths(part: usize, whole: usize) -> u64 {
    let thousandths = part.saturating_mul(1_000).checked_div(whole);
    u64::try_from(thousandths.unwrap_or_default()).unwrap_or(u64::MAX)
}

/// Closures in code whose literals are blank: bars after an opening, a comma, `=`, `move` or
/// `return`, where an operator cannot stand.
fn closures(bare: &str) -> usize {
    let mut count = 0;
    let mut rest = bare;
    while let Some(bar) = rest.find('|') {
        let (before, after) = rest.split_at_checked(bar).unwrap_or((rest, ""));
        let before = before.trim_end();
        let opens = ['(', ',', '='].iter().any(|it| before.ends_with(*it))
            || ["move", "return"]
                .iter()
                .any(|it| before.ends_with(it));
        let inside = after.strip_prefix('|').unwrap_or_default();
        let end = inside
            .split(['|', '\n'])
            .next()
            .unwrap_or_default()
            .len();
        let is_closure = opens && inside.get(end..).is_some_and(|it| it.starts_with('|'));
        count += usize::from(is_closure);
        rest = match is_closure {
            true => inside.get(end + 1..).unwrap_or_default(),
            false => inside,
        };
    }
    count
}

/// Numbers and widths of the lines that are too wide.
fn wide_lines(code: &str) -> impl Iterator<Item = (usize, usize)> {
    let widths = code.lines().map(|line| line.chars().count());
    let numbered = widths
        .enumerate()
        .map(|(index, width)| (index + 1, width));
    numbered.filter(|(_, width)| *width > WIDEST_LINE)
}

/// A function, from its signature to its closing brace.
struct Function {
    name: String,
    /// Its first line, from 0, and how many there are.
    start: usize,
    lines: usize,
}

impl Function {
    /// Its lines without those of comments.
    fn lines_of_code<'c>(&self, code: &'c str) -> impl Iterator<Item = &'c str> + use<'c> {
        let lines = code.lines().skip(self.start).take(self.lines);
        lines.filter(|line| !line.trim_start().starts_with("//"))
    }

    /// Its characters in the code, or in the code with blank literals.
    fn text<'c>(&self, code: &'c str) -> impl Iterator<Item = char> + use<'c> {
        let lines = code.split_inclusive('\n').skip(self.start);
        lines.take(self.lines).flat_map(str::chars)
    }
}

fn functions_of(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (number, line) in code.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match &open {
            None => open = function_name(line).map(|name| (number, " ".repeat(indent), name)),
            Some((start, spaces, name))
                if line == format!("{spaces}}}") || is_one_line(code, *start) =>
            {
                let lines = if is_one_line(code, *start) {
                    1
                } else {
                    number - start + 1
                };
                found.push(Function {
                    name: name.clone(),
                    start: *start,
                    lines,
                });
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
        let code = "impl X {\n    pub(crate) async fn a(&self) {\n        if x {\n        }\n    }\n\n    \
                    fn b() -> u8;\n\n    fn c() {\n    }\n}\n";
        let found: Vec<(String, usize)> = functions_of(code)
            .into_iter()
            .map(|function| (function.name, function.lines))
            .collect();
        let expected = [("a", 4), ("b", 1), ("c", 2)].map(|(name, lines)| (name.to_owned(), lines));
        assert_eq!(found, expected);
    }

    #[test]
    fn closures_are_counted_where_they_can_stand() {
        let code = "fn a() {\n    b(|x| x, move |y| y | 1);\n    let c = |z: u8| z || true;\n}\n";
        assert_eq!(closures(code), 3);
        assert_eq!(
            closures("match a {\n    1 | 2 => {}\n    _ if b || c => {}\n}\n"),
            0
        );
    }
}
