//! The schema of a type, and its validator: built once, when the first request needs them.

use super::text::TextShapes;
use crate::schema;
use jsonschema::{PatternOptions, Validator};
use schemars::JsonSchema;
use serde_json::Value;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};

/// The schema of one type.
pub(super) struct TypeSchema {
    pub(super) document: Value,
    pub(super) shapes: TextShapes,
    // Good requests without text do not need it, and it costs more than the schema.
    validator: OnceLock<Option<Validator>>,
}

static SCHEMAS: LazyLock<RwLock<HashMap<TypeId, Arc<TypeSchema>>>> = LazyLock::new(RwLock::default);

impl TypeSchema {
    /// The schema of this type, from memory after the first time.
    pub(super) fn of<T: JsonSchema + 'static>() -> Arc<Self> {
        let id = TypeId::of::<T>();
        // A panic elsewhere leaves the map whole: each entry goes in at once.
        let schemas = SCHEMAS.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = schemas.get(&id) {
            return Arc::clone(schema);
        }
        drop(schemas);
        // Built outside the lock: the type's own code runs here, and may ask for other types.
        let schema = Arc::new(Self::new(schema::schema_of::<T>().to_value()));
        let mut schemas = SCHEMAS.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(schemas.entry(id).or_insert(schema))
    }

    fn new(document: Value) -> Self {
        Self {
            shapes: TextShapes::of(&document),
            document,
            validator: OnceLock::new(),
        }
    }

    /// The validator, or nothing if the schema is none that can be checked.
    pub(super) fn validator(&self) -> Option<&Validator> {
        let validator = self.validator.get_or_init(|| {
            jsonschema::options()
                .should_validate_formats(true)
                // Linear in the text: a pattern cannot be made to backtrack.
                .with_pattern_options(PatternOptions::regex())
                .build(&self.document)
                .ok()
        });
        validator.as_ref()
    }
}
