//! `portcullis revoke` in a program that was built without Redis.

use crate::args::RevokeArguments;
use crate::exit::{CommandError, Exit};

pub(crate) async fn run(_: RevokeArguments) -> Result<Exit, CommandError> {
    let error = CommandError::could_not_run("this program was built without Redis");
    Err(error.help("take a build with the feature `redis` or `full`"))
}
