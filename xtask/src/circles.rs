//! No two files of a crate import each other, directly or round about.
//!
//! An import leads to the file that defines the name: a re-export is a signpost, not a place.

use crate::source::{Source, sources};
use std::collections::{BTreeMap, BTreeSet};

/// The files that each file takes names from, with one of the names.
type Imports = BTreeMap<String, BTreeMap<String, String>>;

pub(crate) fn check() -> Result<String, String> {
    let sources = sources()?;
    let mut crates: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in &sources {
        crates.entry(&source.crate_).or_default().push(source);
    }
    let mut faults = Vec::new();
    for files in crates.values() {
        let imports = imports(files);
        for circle in circles(&imports) {
            faults.push(describe(&circle, &imports));
        }
    }
    if faults.is_empty() {
        Ok(format!("{} files, and no circle of imports", sources.len()))
    } else {
        Err(faults.join("\n"))
    }
}

fn describe(circle: &BTreeSet<String>, imports: &Imports) -> String {
    let mut text = format!("a circle of {} files:", circle.len());
    for file in circle {
        for (other, name) in imports.get(file).into_iter().flatten() {
            if circle.contains(other) {
                text.push_str(&format!("\n    {file} takes `{name}` from {other}"));
            }
        }
    }
    text
}

/// The modules of a crate, and what each defines and passes on.
struct Modules<'s> {
    files: BTreeMap<Vec<String>, &'s Source>,
    definitions: BTreeMap<Vec<String>, BTreeSet<String>>,
    /// By module and name: the path that a `pub use` leads to.
    signposts: BTreeMap<(Vec<String>, String), Vec<String>>,
}

fn imports(files: &[&Source]) -> Imports {
    let mut modules = Modules {
        files: BTreeMap::new(),
        definitions: BTreeMap::new(),
        signposts: BTreeMap::new(),
    };
    for source in files {
        modules.files.insert(source.module.clone(), source);
        modules
            .definitions
            .insert(source.module.clone(), definitions(&source.bare));
    }
    let mut paths = BTreeMap::new();
    for source in files {
        let (uses, inline) = uses(&source.bare);
        for (is_public, path) in &uses {
            let Some(path) = absolute(path, &source.module, &modules) else {
                continue;
            };
            if let (true, Some(name)) = (is_public, path.last()) {
                let key = (source.module.clone(), name.clone());
                modules.signposts.insert(key, path.clone());
            }
        }
        paths.insert(source.path.clone(), (source, uses, inline));
    }
    let mut imports = Imports::new();
    for (file, (source, uses, inline)) in paths {
        let of_uses = uses.into_iter().filter(|(is_public, _)| !is_public);
        let all = of_uses.map(|(_, path)| path).chain(inline);
        for path in all {
            let Some(path) = absolute(&path, &source.module, &modules) else {
                continue;
            };
            if let Some((other, name)) = modules.definer(&path, 0)
                && other != file
            {
                let others = imports.entry(file.clone()).or_default();
                others.entry(other).or_insert(name);
            }
        }
    }
    imports
}

impl Modules<'_> {
    /// The file that defines what a path leads to, and the name there.
    fn definer(&self, path: &[String], depth: usize) -> Option<(String, String)> {
        let mut known = path.len();
        while !self.files.contains_key(path.get(..known)?) {
            known = known.checked_sub(1)?;
        }
        let module = path.get(..known)?;
        let name = path.get(known)?;
        let source = self.files.get(module)?;
        if self.definitions.get(module)?.contains(name) {
            return Some((source.path.clone(), name.clone()));
        }
        // A signpost may lead to the next one, but not for ever.
        let target = self.signposts.get(&(module.to_vec(), name.clone()))?;
        if depth > 8 || target == path {
            return None;
        }
        self.definer(target, depth + 1)
    }
}

/// The names that a file defines at its top level, and inside its blocks.
fn definitions(bare: &str) -> BTreeSet<String> {
    const KEYWORDS: [&str; 9] = [
        "fn",
        "struct",
        "enum",
        "trait",
        "type",
        "const",
        "static",
        "union",
        "macro_rules!",
    ];
    let mut names = BTreeSet::new();
    let words: Vec<&str> = bare.split_whitespace().collect();
    for pair in words.windows(2) {
        if let [keyword, name] = pair
            && KEYWORDS.contains(keyword)
        {
            let name: String = name.chars().take_while(|it| is_word(*it)).collect();
            names.insert(name);
        }
    }
    names
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The names of a path such as `crate::verify::Check`.
type ModulePath = Vec<String>;

/// The paths of the `use` statements, with whether they are public, and the paths in the code.
fn uses(bare: &str) -> (Vec<(bool, ModulePath)>, Vec<ModulePath>) {
    let (mut uses, mut inline) = (Vec::new(), Vec::new());
    let mut code = String::new();
    for statement in bare.split_inclusive(';') {
        match use_tree(statement) {
            Some((before, is_public, tree)) => {
                code.push_str(before);
                let mut paths = Vec::new();
                expand(tree, &[], &mut paths);
                for path in paths {
                    uses.push((is_public, path));
                }
            }
            None => code.push_str(statement),
        }
    }
    for word in code.split(|it: char| !is_word(it) && it != ':') {
        if ["crate::", "super::", "self::"]
            .iter()
            .any(|it| word.starts_with(it))
        {
            inline.push(word.split("::").map(str::to_owned).collect());
        }
    }
    (uses, inline)
}

/// What stands before a `use`, whether it is public, and its tree.
fn use_tree(statement: &str) -> Option<(&str, bool, &str)> {
    let statement = statement.strip_suffix(';')?;
    let start = match statement.rfind("\nuse ") {
        Some(start) => start + 1,
        None if statement.starts_with("use ") => 0,
        None => statement.rfind(" use ").map(|start| start + 1)?,
    };
    let (before, tree) = statement.split_at_checked(start)?;
    let last = before.lines().last().unwrap_or_default().trim();
    if !last.is_empty() && !last.starts_with("pub") {
        return None;
    }
    Some((before, last.starts_with("pub"), tree.strip_prefix("use ")?))
}

fn expand(tree: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    if let Some((before, inside)) = tree.split_once('{') {
        let mut prefix = prefix.to_vec();
        prefix.extend(segments(before));
        let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
        for part in split_top_level(inside) {
            expand(part, &prefix, paths);
        }
        return;
    }
    let path = tree.split(" as ").next().unwrap_or(tree);
    let mut whole = prefix.to_vec();
    whole.extend(segments(path));
    if whole.last().is_some_and(|last| last == "self") {
        whole.pop();
    }
    if !whole.is_empty() {
        paths.push(whole);
    }
}

fn segments(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    for segment in path.split("::") {
        if !segment.trim().is_empty() {
            segments.push(segment.trim().to_owned());
        }
    }
    segments
}

fn split_top_level(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (index, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.extend(text.get(start..index));
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// A path from the crate's root; nothing for paths into other crates.
fn absolute(path: &[String], module: &[String], modules: &Modules<'_>) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let (_, parent) = module.split_last()?;
            let is_again = rest.first().is_some_and(|next| next == "super");
            if is_again {
                absolute(rest, parent, modules)
            } else {
                Some([parent, rest].concat())
            }
        }
        _ => {
            // A child module may be named without `self`.
            let child = [module, path.get(..1)?].concat();
            modules
                .files
                .contains_key(&child)
                .then(|| [module, path].concat())
        }
    }
}

/// The sets of files that reach each other, larger than one.
fn circles(imports: &Imports) -> Vec<BTreeSet<String>> {
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for file in imports.keys() {
        if circles.iter().any(|circle| circle.contains(file)) {
            continue;
        }
        let reached = reach(file, imports);
        let mut circle = BTreeSet::new();
        for other in &reached {
            if reach(other, imports).contains(file) {
                circle.insert(other.clone());
            }
        }
        if circle.len() > 1 {
            circles.push(circle);
        }
    }
    circles
}

/// Everything that a file takes names from, directly or round about.
fn reach(file: &str, imports: &Imports) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file.to_owned()];
    while let Some(next) = open.pop() {
        for other in imports.get(&next).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(other.clone()) {
                open.push(other.clone());
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::blank;

    fn source(path: &str, module: &[&str], code: &str) -> Source {
        Source {
            path: path.to_owned(),
            crate_: "a".to_owned(),
            module: module.iter().map(|it| (*it).to_owned()).collect(),
            code: code.to_owned(),
            bare: blank(code),
        }
    }

    fn found(files: &[Source]) -> Vec<usize> {
        let files: Vec<&Source> = files.iter().collect();
        circles(&imports(&files))
            .iter()
            .map(BTreeSet::len)
            .collect()
    }

    #[test]
    fn two_files_that_take_from_each_other_are_a_circle() {
        let one = source("one.rs", &["one"], "use crate::two::B;\npub struct A;\n");
        let two = source(
            "two.rs",
            &["two"],
            "pub struct B;\nfn f() -> crate::one::A {}\n",
        );
        assert_eq!(found(&[one, two]), [2]);
    }

    #[test]
    fn a_re_export_is_a_signpost_and_no_place() {
        let root = source("lib.rs", &[], "mod one;\nmod two;\npub use one::A;\n");
        let one = source("one.rs", &["one"], "pub struct A;\n");
        let two = source("two.rs", &["two"], "use crate::{A, one};\npub struct B;\n");
        assert_eq!(found(&[root, one, two]), Vec::<usize>::new());
    }

    #[test]
    fn a_circle_through_a_signpost_and_a_third_file_is_found() {
        let root = source("lib.rs", &[], "pub use one::{A};\nmod one;\n");
        let one = source(
            "one.rs",
            &["one"],
            "use super::three::{self, C};\npub struct A;\n",
        );
        let two = source("two.rs", &["two"], "use crate::A;\npub fn b() {}\n");
        let three = source(
            "three.rs",
            &["three"],
            "use super::two::b;\npub struct C;\n",
        );
        assert_eq!(found(&[root, one, two, three]), [3]);
    }
}
