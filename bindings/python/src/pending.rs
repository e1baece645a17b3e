//! A decision that has to wait, as a future of asyncio.
//!
//! The token or the exception is made on the thread of the loop, by `call_soon_threadsafe`.

use crate::background::Background;
use crate::denial;
use crate::token::Token;
use portcullis_core::token::AccessToken;
use portcullis_resource_server::DenialResponse;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyAnyMethods as _;
use pyo3::{Bound, IntoPyObjectExt as _, Py, PyAny, PyResult, Python, pyclass, pymethods};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use tokio::task::AbortHandle;

/// The token, or the answer to give instead.
pub(crate) type Answer = Result<AccessToken, DenialResponse>;

/// A decision under way.
pub(crate) type PendingDecision = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The token as Python has it, or the exception.
pub(crate) fn token(py: Python<'_>, answer: Answer) -> PyResult<Token> {
    answer
        .map(Token::from)
        .map_err(|response| denial::exception(py, response))
}

/// A future of the running loop that gets the answer. Cancelled, it ends the decision.
pub(crate) fn future<'py>(
    py: Python<'py>,
    background: Background,
    decision: PendingDecision,
) -> PyResult<Bound<'py, PyAny>> {
    static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let running_loop = RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?;
    let event_loop = running_loop.call0()?;
    let future = event_loop.call_method0("create_future")?;
    let (to_loop, to_future) = (event_loop.unbind(), future.clone().unbind());
    let deliveries = background.deliveries;
    let task = background.runtime.spawn(async move {
        let answer = decision.await;
        // The thread that receives it ends with the process only.
        _ = deliveries.send(Box::new(move |py| deliver(py, &to_loop, to_future, answer)));
    });
    let cancellation = Cancellation(task.abort_handle());
    future.call_method1("add_done_callback", (cancellation,))?;
    Ok(future)
}

fn deliver(py: Python<'_>, event_loop: &Py<PyAny>, future: Py<PyAny>, answer: Answer) {
    let answer = Mutex::new(Some(answer));
    let settlement = Settlement { future, answer };
    // A loop that was closed waits for nothing.
    _ = event_loop.call_method1(py, "call_soon_threadsafe", (settlement,));
}

/// Gives the answer to its future, on the thread of the loop.
#[pyclass(frozen)]
struct Settlement {
    future: Py<PyAny>,
    answer: Mutex<Option<Answer>>,
}

#[pymethods]
impl Settlement {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let future = self.future.bind(py);
        // It may have been cancelled in the meantime.
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        let Some(answer) = answer.take() else {
            return Ok(());
        };
        match token(py, answer) {
            Ok(token) => future.call_method1("set_result", (token,))?,
            Err(error) => {
                let exception = error.into_bound_py_any(py)?;
                future.call_method1("set_exception", (exception,))?
            }
        };
        Ok(())
    }
}

/// Ends the task of a future that is done: of one that was cancelled, it drops the decision.
#[pyclass(frozen)]
struct Cancellation(AbortHandle);

#[pymethods]
impl Cancellation {
    fn __call__(&self, _future: &Bound<'_, PyAny>) {
        self.0.abort();
    }
}
