//! Fields of forms, each with its label.

use crate::fault::flaw::Flaw;
use crate::token::kind::FlowToken;
use maud::{Markup, html};

/// A field for text, of one line or several.
pub(crate) struct TextField<'f> {
    name: &'f str,
    id: String,
    label: &'f str,
    value: &'f str,
    hint: &'f str,
    placeholder: String,
    lines: u8,
    is_required: bool,
}

impl<'f> TextField<'f> {
    pub(crate) fn new(name: &'f str, label: &'f str, value: &'f str) -> Self {
        Self {
            name,
            id: name.to_owned(),
            label,
            value,
            hint: "",
            placeholder: String::new(),
            lines: 1,
            is_required: false,
        }
    }

    /// Another id than the name, where a page has several forms.
    pub(crate) fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// What stands under the label.
    pub(crate) fn hint(mut self, hint: &'f str) -> Self {
        self.hint = hint;
        self
    }

    /// An example while the field is empty. It says that it is one, so that nobody takes it for a
    /// value.
    pub(crate) fn example(mut self, example: &str) -> Self {
        self.placeholder = format!("e.g. {example}");
        self
    }

    /// What counts while the field is empty.
    pub(crate) fn default(mut self, value: &str) -> Self {
        self.placeholder = format!("default: {value}");
        self
    }

    /// More lines than one.
    pub(crate) fn lines(mut self, lines: u8) -> Self {
        self.lines = lines;
        self
    }

    pub(crate) fn require(mut self) -> Self {
        self.is_required = true;
        self
    }

    pub(crate) fn show(&self) -> Markup {
        // Screen readers read the hint with the field.
        let hint_id = format!("{}-hint", self.id);
        let described = (!self.hint.is_empty()).then_some(&hint_id);
        let placeholder = (!self.placeholder.is_empty()).then_some(&self.placeholder);
        html! {
            div.field {
                label for=(self.id) { (self.label) }
                @if let Some(id) = described { p.hint id=(id) { (self.hint) } }
                @if self.lines > 1 {
                    textarea id=(self.id) name=(self.name) rows=(self.lines)
                        placeholder=[placeholder] autocomplete="off" autocapitalize="none"
                        spellcheck="false" aria-describedby=[described]
                        required[self.is_required] {
                        // A browser leaves out a first line break, and the value may begin so.
                        "\n" (self.value)
                    }
                } @else {
                    input id=(self.id) name=(self.name) value=(self.value)
                        placeholder=[placeholder] autocomplete="off" autocapitalize="none"
                        spellcheck="false" aria-describedby=[described]
                        required[self.is_required];
                }
            }
        }
    }
}

/// A list to choose from: values and their labels.
pub(crate) fn select<'n>(
    name: &str,
    label: &str,
    held: &str,
    options: impl Iterator<Item = (&'n str, &'n str)>,
) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, text) in options {
                    option value=(value) selected[value == held] { (text) }
                }
            }
        }
    }
}

/// The flaws that a kind of token can have, with a word for none of them in front.
pub(crate) fn flaw_options(
    sound: &'static str,
    kind: FlowToken,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let flaws = Flaw::all_for(kind).map(|it| (it.name, it.label));
    [("none", sound)].into_iter().chain(flaws)
}

/// The values of a field that has one a line.
pub(crate) fn lines(text: &str) -> Vec<String> {
    // Browsers end the lines of a form by CR and LF.
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// The values of a field that separates them by spaces or lines.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
