//! An answer that may have to be waited for: polled once on the caller's thread, and then a future
//! of asyncio, or a blocking wait.
//!
//! The value or the exception is made on the thread of the loop, by `call_soon_threadsafe`.

use crate::background::{Background, background};
use pyo3::sync::PyOnceLock;
use pyo3::types::PyAnyMethods as _;
use pyo3::{
    Bound, IntoPyObjectExt as _, Py, PyAny, PyResult, Python, pyclass, pyfunction, pymethods,
};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// How long a blocking call waits before it looks for signals such as Ctrl-C.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(200);

/// The outcome of a task, as Python gets it.
pub(crate) trait Answer: Send + 'static {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>>;
}

/// A task under way.
pub(crate) type Pending<A> = Pin<Box<dyn Future<Output = A> + Send>>;

/// The answer if it is there at once, else a future of the running loop.
pub(crate) fn answer_or_future<A: Answer>(
    py: Python<'_>,
    mut pending: Pending<A>,
) -> PyResult<Bound<'_, PyAny>> {
    let background = background(py)?;
    match py.detach(|| poll(&background.runtime, &mut pending)) {
        Poll::Ready(answer) => answer.into_python(py),
        Poll::Pending => future(py, background, pending),
    }
}

/// The answer, waited for without the GIL. Signals interrupt it.
pub(crate) fn wait<A: Answer>(
    py: Python<'_>,
    mut pending: Pending<A>,
) -> PyResult<Bound<'_, PyAny>> {
    let runtime = background(py)?.runtime;
    loop {
        match py.detach(|| wait_a_little(&runtime, &mut pending)) {
            Some(answer) => return answer.into_python(py),
            None => py.check_signals()?,
        }
    }
}

/// Polls once. Most decisions are made by then: the token is known, or at least its key.
fn poll<A>(runtime: &Handle, pending: &mut Pending<A>) -> Poll<A> {
    // Fetches begin here, and need a runtime to run on.
    let _runtime = runtime.enter();
    // Nobody is woken: a task polls what is pending again.
    let mut context = Context::from_waker(Waker::noop());
    pending.as_mut().poll(&mut context)
}

fn wait_a_little<A>(runtime: &Handle, pending: &mut Pending<A>) -> Option<A> {
    runtime.block_on(async {
        let answer = tokio::time::timeout(SIGNAL_INTERVAL, pending.as_mut());
        answer.await.ok()
    })
}

/// A future of the running loop that gets the answer. Cancelled, it ends the task.
fn future<A: Answer>(
    py: Python<'_>,
    background: Background,
    pending: Pending<A>,
) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let running_loop = RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?;
    let event_loop = running_loop.call0()?;
    let future = event_loop.call_method0("create_future")?;
    let (to_loop, to_future) = (event_loop.unbind(), future.clone().unbind());
    let deliveries = background.deliveries;
    let wait = Wait::new();
    let task = background.runtime.spawn(async move {
        let answer = pending.await;
        drop(wait);
        let settlement = Settlement {
            future: to_future,
            answer: Mutex::new(Some(Box::new(|py| {
                answer.into_python(py).map(Bound::unbind)
            }))),
        };
        // The thread that receives it ends with the process only.
        _ = deliveries.send(Box::new(move |py| {
            // A loop that was closed waits for nothing.
            _ = to_loop.call_method1(py, "call_soon_threadsafe", (settlement,));
        }));
    });
    let cancellation = Cancellation(task.abort_handle());
    future.call_method1("add_done_callback", (cancellation,))?;
    Ok(future)
}

/// The answers that are waited for, in this process.
static WAITS: AtomicUsize = AtomicUsize::new(0);

/// One of them, until it is dropped.
struct Wait;

impl Wait {
    fn new() -> Self {
        WAITS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        WAITS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many answers are waited for. For tests.
#[pyfunction(name = "_count_waits")]
pub(crate) fn count_waits() -> usize {
    WAITS.load(Ordering::Relaxed)
}

/// Makes the value, or the exception.
type Conversion = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// Gives the answer to its future, on the thread of the loop.
#[pyclass(frozen)]
struct Settlement {
    future: Py<PyAny>,
    answer: Mutex<Option<Conversion>>,
}

#[pymethods]
impl Settlement {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let mut answer = self
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let future = self.future.bind(py);
        // It may have been cancelled in the meantime.
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        let Some(answer) = answer.take() else {
            return Ok(());
        };
        match answer(py) {
            Ok(value) => future.call_method1("set_result", (value,))?,
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
