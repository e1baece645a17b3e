//! The Rust of the pages, compiled: each page is the documentation of a module here.
//!
//! The runner of the other snippets, `pages/run.py`, looks for the names of pages in this file.

#![allow(
    rustdoc::invalid_codeblock_attributes,
    reason = "titles of blocks are for the site"
)]

macro_rules! pages {
    ($($name:ident $page:literal)*) => {
        $(
            #[doc = include_str!(concat!("../../", $page))]
            mod $name {}
        )*
    };
}

pages! {
    readme "README.md"
    client "docs/client.md"
    library "docs/library.md"
    axum "docs/start/axum.md"
    entra_id "docs/providers/entra-id.md"
    from_jsonwebtoken "docs/migrate/jsonwebtoken.md"
    from_jwt_authorizer "docs/migrate/jwt-authorizer.md"
    swagger_ui "docs/how-to/swagger-ui.md"
    test_with_the_idp "docs/how-to/test-with-the-idp.md"
}
