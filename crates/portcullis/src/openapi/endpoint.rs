//! A function that axum calls for a request, and that describes itself by its signature.

use super::argument::DescribeArgument;
use super::operation::Operation;
use super::response::DescribeResponse;
use super::schemas::Schemas;
use axum::handler::Handler;

/// An async function that axum accepts as a handler, and whose arguments and result describe
/// themselves.
///
/// It is implemented for functions whose arguments implement [`DescribeArgument`], and whose
/// result implements [`DescribeResponse`]: up to eight arguments.
#[diagnostic::on_unimplemented(
    message = "this function cannot be described in an OpenAPI document",
    note = "it has to be a handler of axum; each argument must implement `DescribeArgument`, and \
            its result `DescribeResponse`, which `impl IntoResponse` does not: name the type"
)]
pub trait Endpoint<T, S>: Handler<T, S> {
    /// Describes the operation.
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

macro_rules! endpoint {
    ($($argument:ident),*) => {
        impl<F, Fut, R, S, M, $($argument,)*> Endpoint<(M, $($argument,)*), S> for F
        where
            F: FnOnce($($argument,)*) -> Fut + Handler<(M, $($argument,)*), S>,
            Fut: Future<Output = R>,
            R: DescribeResponse,
            $($argument: DescribeArgument,)*
        {
            fn describe(operation: &mut Operation, schemas: &mut Schemas) {
                $($argument::describe(operation, schemas);)*
                R::describe(operation, schemas);
            }
        }
    };
}

// A function without arguments has another marker in axum.
impl<F, Fut, R, S> Endpoint<((),), S> for F
where
    F: FnOnce() -> Fut + Handler<((),), S>,
    Fut: Future<Output = R>,
    R: DescribeResponse,
{
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        R::describe(operation, schemas);
    }
}

endpoint!(A1);
endpoint!(A1, A2);
endpoint!(A1, A2, A3);
endpoint!(A1, A2, A3, A4);
endpoint!(A1, A2, A3, A4, A5);
endpoint!(A1, A2, A3, A4, A5, A6);
endpoint!(A1, A2, A3, A4, A5, A6, A7);
endpoint!(A1, A2, A3, A4, A5, A6, A7, A8);

/// The name of a function, without its modules: `orders_api::routes::list_orders` is
/// `list_orders`. A closure has none.
pub(super) fn name_of<H>() -> Option<&'static str> {
    let path = std::any::type_name::<H>();
    let name = path.rsplit("::").next()?;
    let is_name = name
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || it == '_');
    is_name.then_some(name)
}
