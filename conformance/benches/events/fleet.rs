//! A set of gateways, each a process of the command with settings and listeners of its own.

use crate::process::{Process, Usage, folder, free_port};
use crate::wire::Connection;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What senders of events must carry.
pub(crate) const AUTHORIZATION: &str = "Bearer receiver-secret";

pub(crate) struct Fleet {
    program: PathBuf,
    folder: PathBuf,
    settings: String,
    pub(crate) replicas: Vec<Replica>,
}

pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    process: Option<Process>,
}

impl Fleet {
    /// Gateways whose addresses are known, and which do not run yet.
    pub(crate) fn plan(program: PathBuf, replicas: usize) -> Self {
        let folder = folder("events-gateways");
        std::fs::write(folder.join("authorization"), AUTHORIZATION).unwrap();
        let mut fleet = Self {
            program,
            folder,
            settings: String::new(),
            replicas: Vec::new(),
        };
        for _ in 0..replicas {
            fleet.add();
        }
        fleet
    }

    fn add(&mut self) {
        let address = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        self.replicas.push(Replica {
            address: address(),
            admin: address(),
            process: None,
        });
    }

    /// A file beside the settings.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    /// Starts all of them with these settings, before which nothing stands but their listeners.
    pub(crate) async fn start(&mut self, api: SocketAddr, settings: &str) {
        self.settings = format!("upstream = \"http://{api}\"\n{settings}");
        for number in 0..self.replicas.len() {
            self.start_one(number);
        }
        for number in 0..self.replicas.len() {
            self.wait_for(number).await;
        }
    }

    /// Starts one more, and waits until it can decide.
    pub(crate) async fn start_another(&mut self) -> usize {
        self.add();
        let number = self.replicas.len() - 1;
        self.start_one(number);
        self.wait_for(number).await;
        number
    }

    pub(crate) fn start_one(&mut self, number: usize) {
        let replica = &mut self.replicas[number];
        let text = format!(
            "[gateway.admin]\nlisten = \"{}\"\n[gateway]\nlisten = \"{}\"\n{}",
            replica.admin, replica.address, self.settings
        );
        let name = format!("gateway-{number}.toml");
        std::fs::write(self.folder.join(&name), text).unwrap();
        let arguments = ["serve", "--config", &name].map(str::to_owned);
        let log = format!("gateway-{number}.txt");
        let process = Process::start(&self.program, &arguments, &self.folder, &log);
        replica.process = Some(process);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, number: usize) {
        self.replicas[number].process = None;
    }

    /// Waits until a gateway has its keys, and has read the store.
    pub(crate) async fn wait_for(&self, number: usize) {
        let replica = &self.replicas[number];
        let ready = async {
            while replica.admin("/ready").await.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let log = self.folder.join(format!("gateway-{number}.txt"));
        if tokio::time::timeout(Duration::from_secs(60), ready)
            .await
            .is_err()
        {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            panic!("a gateway is not ready after a minute:\n{log}");
        }
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let replicas = self.replicas.iter();
        replicas.map(|replica| replica.address).collect()
    }

    /// How many revocations each of them holds.
    pub(crate) async fn entries(&self) -> Vec<usize> {
        let mut entries = Vec::new();
        for replica in &self.replicas {
            entries.push(replica.entries().await);
        }
        entries
    }

    pub(crate) fn usage(&self) -> Vec<Usage> {
        let processes = self.replicas.iter();
        let processes = processes.map(|replica| replica.process.as_ref());
        processes
            .map(|process| process.map(Process::usage).unwrap_or_default())
            .collect()
    }

    /// How many bytes of log and audit records they wrote.
    pub(crate) fn written(&self) -> u64 {
        let logs = (0..self.replicas.len()).map(|number| format!("gateway-{number}.txt"));
        let sizes = logs.filter_map(|name| self.folder.join(name).metadata().ok());
        sizes.map(|log| log.len()).sum()
    }
}

impl Replica {
    async fn entries(&self) -> usize {
        let metrics = self.admin("/metrics").await.unwrap_or_default();
        let mut lines = metrics.lines();
        let entries = lines.find_map(|line| line.strip_prefix("portcullis_denylist_entries "));
        entries
            .and_then(|number| number.parse::<f64>().ok())
            .map_or(0, |number| number as usize)
    }

    /// What the administrative listener answers with 200.
    async fn admin(&self, path: &str) -> Option<String> {
        let mut connection = Connection::open(self.admin).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\n\r\n");
        let answer = connection.ask(request.as_bytes()).await.ok()?;
        let is_well = answer.status == 200;
        is_well.then(|| String::from_utf8_lossy(&answer.body).into_owned())
    }
}

impl Drop for Fleet {
    /// The logs of a minute are hundreds of megabytes. Those of a failure stay.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.replicas.clear();
            _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
