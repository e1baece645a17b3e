//! The same on a real PostgreSQL, in a folder of its own.

use crate::rows::live;
use crate::setup::Setup;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server that listens on a socket in its folder only.
struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
}

impl Postgres {
    /// Starts one, if `PORTCULLIS_POSTGRES` names the folder of its programs.
    fn start() -> Option<Self> {
        let programs = PathBuf::from(std::env::var_os("PORTCULLIS_POSTGRES")?);
        let folder = std::env::temp_dir().join(format!("orders-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let server = Self { programs, folder };
        // It does not run as root.
        if is_root() {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(&server.folder)
                .status();
            assert!(owned.unwrap().success());
        }
        let data = server.folder.join("data");
        server.run(
            "initdb",
            &["--auth=trust", "--username=orders", "-D"],
            &data,
        );
        let socket = server.folder.display();
        let options = format!("-c listen_addresses= -c unix_socket_directories={socket}");
        server.run(
            "pg_ctl",
            &["-w", "-s", "-o", &options, "start", "-D"],
            &data,
        );
        Some(server)
    }

    fn run(&self, program: &str, arguments: &[&str], data: &Path) {
        let program = self.programs.join(program);
        let mut command = Command::new("runuser");
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(program);
        } else {
            command = Command::new(program);
        }
        command.args(arguments).arg(data).current_dir("/");
        let done = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(done.unwrap().success(), "{arguments:?}");
    }

    fn url(&self) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://orders@{folder}/postgres")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.run(
            "pg_ctl",
            &["-s", "-m", "immediate", "stop", "-D"],
            &self.folder.join("data"),
        );
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[tokio::test]
async fn orders_live_in_postgresql() {
    let Some(postgres) = Postgres::start() else {
        println!("skipped: orders on PostgreSQL: it is not installed; `cargo xtask test` does it");
        return;
    };
    let setup = Setup::on(&postgres.url()).await;
    live(&setup).await;
    // A second start finds its tables there.
    let again = Setup::on(&postgres.url()).await;
    assert!(again.application.store.is_ready().await);
    again.application.store.close().await;
    setup.application.store.close().await;
}
