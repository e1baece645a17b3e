//! Sign-ins that somebody tries on the console, step by step. In memory, bounded.

use crate::token::encoding::random_text;
use std::collections::VecDeque;
use std::time::Duration;

const MOST_TRIALS: usize = 20;

// An answer has 64 KiB at most, so all trials together keep some 50 MiB of them.
const MOST_STEPS: usize = 40;

/// The latest trials.
#[derive(Default)]
pub(crate) struct Trials(VecDeque<Trial>);

/// A sign-in, as far as it was tried.
#[derive(Clone, Default)]
pub(crate) struct Trial {
    pub(crate) id: String,
    pub(crate) at: u64,
    pub(crate) client: String,
    /// Who signs in; empty where somebody types it.
    pub(crate) user: String,
    pub(crate) grant: String,
    /// The proof of PKCE, unless it is left out.
    pub(crate) verifier: Option<String>,
    /// The parameters of the first request.
    pub(crate) first: Vec<(String, String)>,
    pub(crate) steps: Vec<TrialStep>,
}

/// A request of a trial, and its response.
#[derive(Clone)]
pub(crate) struct TrialStep {
    pub(crate) title: &'static str,
    pub(crate) request: TrialRequest,
    pub(crate) response: TrialResponse,
}

#[derive(Clone, Default)]
pub(crate) struct TrialRequest {
    /// The path, with the query of a GET.
    pub(crate) target: String,
    /// The form of a POST.
    pub(crate) form: Option<Vec<(String, String)>>,
    /// The id and the secret of HTTP Basic.
    pub(crate) basic: Option<(String, String)>,
    pub(crate) bearer: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct TrialResponse {
    /// None if there was no response in time.
    pub(crate) status: Option<u16>,
    pub(crate) location: Option<String>,
    /// Where the browser is sent, and with what, however that is done.
    pub(crate) back: Option<(String, Vec<(String, String)>)>,
    pub(crate) challenge: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: String,
    /// Why it refuses, where only a page says so.
    pub(crate) reason: Option<String>,
    pub(crate) took: Duration,
}

impl Trials {
    /// Keeps a trial, and answers with its name.
    pub(crate) fn add(&mut self, trial: Trial) -> String {
        // Random, so that a page of another site cannot guess the address of a form.
        let id = random_text(9);
        self.0.push_front(Trial {
            id: id.clone(),
            ..trial
        });
        // The oldest ones make room: nobody comes back to them.
        self.0.truncate(MOST_TRIALS);
        id
    }

    pub(crate) fn find(&self, id: &str) -> Option<Trial> {
        // Copied, so that no lock is held while a request is sent.
        self.0.iter().find(|trial| trial.id == id).cloned()
    }

    /// The latest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Trial> {
        self.0.iter()
    }

    pub(crate) fn add_steps(&mut self, id: &str, steps: Vec<TrialStep>) {
        if let Some(trial) = self.0.iter_mut().find(|trial| trial.id == id) {
            trial.steps.extend(steps);
            // A form that is sent again and again must not fill the memory.
            let surplus = trial.steps.len().saturating_sub(MOST_STEPS);
            trial.steps.drain(..surplus);
        }
    }
}
