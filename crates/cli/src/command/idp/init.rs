//! `portcullis idp init`: a settings file of the development identity provider to begin with.

use crate::exit::{CommandError, Exit};
use crate::files;
use crate::output::print;
use portcullis_idp::STARTER;
use std::path::Path;

pub(super) fn run(path: &Path) -> Result<Exit, CommandError> {
    if path == Path::new("-") {
        print(STARTER)?;
        return Ok(Exit::Fine);
    }
    files::create(path, STARTER)?;
    let name = path.display();
    print(&format!(
        "{name} is written. Put your users and clients into it, then:\n\n      \
         portcullis idp --config {name}\n"
    ))?;
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use super::super::read_document;
    use super::*;

    #[test]
    fn the_starter_is_in_order_and_so_is_everything_that_it_shows() {
        let config = read_document(STARTER).unwrap();
        assert_eq!((config.users.len(), config.clients.len()), (2, 2));
    }
}
