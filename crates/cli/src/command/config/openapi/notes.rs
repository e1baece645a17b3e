//! What could not be carried over, and where.

use std::collections::HashMap;

/// Remarks for the reader, each with the operations or members that it is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// In the order in which they were found: that of the document.
    list: Vec<(String, Vec<String>)>,
    places: HashMap<String, usize>,
}

impl Notes {
    /// Adds a place to a remark. A remark is told once, however many places it has.
    pub(crate) fn add(&mut self, remark: impl Into<String>, place: &str) {
        let remark = remark.into();
        let index = match self.places.get(&remark) {
            Some(index) => *index,
            None => {
                self.places.insert(remark.clone(), self.list.len());
                self.list.push((remark, Vec::new()));
                self.list.len() - 1
            }
        };
        if let Some((_, places)) = self.list.get_mut(index)
            // Places come in the order of the document, so the same one comes twice in a row.
            && places.last().is_none_or(|last| last != place)
        {
            places.push(place.to_owned());
        }
    }

    /// The remarks, and the places of each.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &[String])> {
        let remarks = self.list.iter();
        remarks.map(|(remark, places)| (remark.as_str(), places.as_slice()))
    }
}
