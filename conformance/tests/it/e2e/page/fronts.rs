//! The page calls nginx or Caddy, by the recipes of `deploy/`: they ask the gateway, and pass its
//! marks and its refusals on.

use super::direct::{spend_an_hour, visit_from_elsewhere};
use super::setup::PageSetup;
use crate::e2e::chromium::Chromium;
use crate::e2e::process::{Folder, Process};
use crate::e2e::recipes::setup::eventually;
use crate::e2e::recipes::{committed, installed};
use std::path::Path;
use std::process::Command;

/// A committed site with the places of this page in it.
fn placed(setup: &PageSetup, path: &str) -> String {
    let mut text = committed(path);
    for (written, meant) in [
        ("127.0.0.1:8080", setup.front.to_string()),
        ("http://:8080", format!("http://:{}", setup.front.port())),
        ("127.0.0.1:8081", setup.door.to_string()),
        ("127.0.0.1:8000", setup.api.to_string()),
    ] {
        text = text.replace(written, &meant);
    }
    text
}

async fn start(mut command: Command, setup: &PageSetup) -> Process {
    let process = Process::start(&mut command);
    let is_there = || std::net::TcpStream::connect(setup.front).is_ok();
    eventually("the program in front", is_there).await;
    process
}

/// nginx with the committed site, in the least surroundings that it wants.
fn nginx(program: &Path, folder: &Folder, setup: &PageSetup) -> Command {
    let place = folder.0.display();
    let site = folder.0.join("site.conf");
    std::fs::write(&site, placed(setup, "deploy/nginx/portcullis.conf")).unwrap();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {place}/{name};"))
        .concat();
    let text = format!(
        "daemon off; master_process off; pid {place}/pid; error_log {place}/error.log; events {{}}\n\
         http {{ access_log off; {temporary} include {}; }}",
        site.display()
    );
    let file = folder.0.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    command.arg("-p").arg(&folder.0).arg("-c").arg(file);
    command
}

/// Caddy with the committed site.
fn caddy(program: &Path, folder: &Folder, setup: &PageSetup) -> Command {
    let site = placed(setup, "deploy/caddy/Caddyfile");
    let file = folder.0.join("Caddyfile");
    let text = format!("{{\n\tadmin off\n\tpersist_config off\n}}\n{site}");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]);
    command.arg(file).env("HOME", &folder.0);
    command
}

/// The page of the front, and the same one of another origin.
async fn visit(setup: &PageSetup) {
    for is_foreign in [false, true] {
        let Some(mut browser) = Chromium::start().await else {
            return;
        };
        if is_foreign {
            visit_from_elsewhere(setup, &mut browser).await;
        } else {
            spend_an_hour(setup, &mut browser).await;
        }
        browser.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_behind_nginx_reads_every_answer() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let setup = PageSetup::behind("nginx").await;
    let folder = Folder::new("page-nginx", setup.port);
    let _nginx = start(nginx(&program, &folder, &setup), &setup).await;
    visit(&setup).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_behind_caddy_reads_every_answer() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "caddy") else {
        return;
    };
    let setup = PageSetup::behind("caddy").await;
    let folder = Folder::new("page-caddy", setup.port);
    let _caddy = start(caddy(&program, &folder, &setup), &setup).await;
    visit(&setup).await;
}
