//! One connection of the sender: to its own replica, or to another one while that is dead.

use crate::sender::{Sending, Sent, Step};
use crate::wire::{Answer, Connection};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub(crate) struct Worker {
    sending: Arc<Sending>,
    home: usize,
    target: usize,
    connection: Option<Connection>,
    /// When its own replica is tried again.
    home_at: Instant,
    sent: Sent,
}

/// How often a replica that was dead is tried.
const RETURN: Duration = Duration::from_secs(1);

impl Worker {
    pub(crate) fn new(sending: &Arc<Sending>, number: usize) -> Self {
        let home = number % sending.plan.addresses.len();
        Self {
            sending: Arc::clone(sending),
            home,
            target: home,
            connection: None,
            home_at: Instant::now(),
            sent: Sent::default(),
        }
    }

    pub(crate) async fn run(mut self) -> Sent {
        loop {
            match self.sending.next_step() {
                Step::End => return self.sent,
                Step::Wait(rest) => tokio::time::sleep(rest).await,
                Step::Send(event) => self.send(event).await,
            }
        }
    }

    async fn send(&mut self, event: usize) {
        let wait = self.sending.due_in(event);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        self.connect().await;
        let requests = Arc::clone(&self.sending.plan.requests);
        let Some(connection) = &mut self.connection else {
            // No replica is there at all.
            self.sending
                .send_again(event, Duration::from_millis(100));
            return;
        };
        let began = Instant::now();
        match connection.ask(&requests[event]).await {
            Ok(answer) => self.note(event, began.elapsed(), &answer),
            Err(_) => {
                // It may have been taken: nobody can know, so it is sent again.
                self.connection = None;
                self.sent.unanswered += 1;
                self.sending.send_again(event, Duration::ZERO);
            }
        }
    }

    fn note(&mut self, event: usize, time: Duration, answer: &Answer) {
        *self.sent.statuses.entry(answer.status).or_default() += 1;
        match answer.status {
            202 => {
                self.sent.times.push(time);
                self.sending.note_taken(event);
            }
            503 | 429 => {
                let seconds = answer.retry_after.unwrap_or(1);
                self.sending
                    .send_again(event, Duration::from_secs(seconds));
            }
            // Nothing that is sent here deserves it.
            status => {
                let text = String::from_utf8_lossy(&answer.body);
                println!("{status} for an event: {text}");
                self.sending.is_refused.store(true, Ordering::Relaxed);
            }
        }
    }

    /// A connection: to its own replica, if that is there, or else to the next one.
    async fn connect(&mut self) {
        let now = Instant::now();
        if self.target != self.home && now >= self.home_at {
            self.home_at = now + RETURN;
            let home = self.sending.plan.addresses[self.home];
            if let Ok(connection) = Connection::open(home).await {
                (self.connection, self.target) = (Some(connection), self.home);
            }
        }
        let replicas = self.sending.plan.addresses.len();
        for _ in 0..replicas {
            if self.connection.is_some() {
                return;
            }
            let address = self.sending.plan.addresses[self.target];
            match Connection::open(address).await {
                Ok(connection) => self.connection = Some(connection),
                Err(_) => {
                    self.target = (self.target + 1) % replicas;
                    self.home_at = now + RETURN;
                }
            }
        }
    }
}
