//! The decision of `portcullis-resource-server` for Python: the native half of `portcullis_auth`.
//!
//! It converts: a request of Python into headers, a decision into a token or an exception. It
//! verifies nothing by itself, and it knows no web framework.

mod admission;
mod background;
mod client;
mod corpus;
mod denial;
mod idp;
mod issued_token;
mod json;
mod log;
mod pending;
mod process;
mod receiver;
mod request;
mod requirement;
mod revocation;
mod server;
mod token;

use pyo3::pymodule;

/// The native half of `portcullis_auth`: import that instead.
#[pymodule]
mod _portcullis {
    #[pymodule_export]
    use crate::admission::Admission;
    #[pymodule_export]
    use crate::background::is_debug_build;
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::corpus::corpus_server;
    #[pymodule_export]
    use crate::idp::Idp;
    #[pymodule_export]
    use crate::issued_token::{IssuedToken, TokenResponse};
    #[pymodule_export]
    use crate::pending::count_waits;
    #[pymodule_export]
    use crate::requirement::{
        Requirement, acr, all_of, any_of, application, claim, group, max_age, not_, role, scope,
        user,
    };
    #[pymodule_export]
    use crate::server::Server;
    #[pymodule_export]
    use crate::token::Token;
    use portcullis_resource_server::TokenEnd;
    use portcullis_resource_server::config::VARIABLES;
    use pyo3::types::{PyModule, PyModuleMethods as _};
    use pyo3::{Bound, PyResult};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::log::install();
        module.add("_VARIABLES", VARIABLES)?;
        module.add("UNKNOWN_END", TokenEnd::Unknown.phrase())
    }
}
