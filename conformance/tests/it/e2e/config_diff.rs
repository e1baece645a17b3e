//! `portcullis config diff`, as an operator runs it before a release.

use super::command::{portcullis, text};
use super::process::{Folder, free_port};

const ISSUER: &str = "[[issuer]]\nurl = \"https://idp.test\"\naudience = \"api\"\n";

fn file(folder: &Folder, name: &str, issuer: &str, routes: &str) -> String {
    let path = folder.0.join(name);
    let gateway = "[gateway]\nupstream = \"http://127.0.0.1:9\"\n";
    std::fs::write(&path, format!("{ISSUER}{issuer}{gateway}{routes}")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_is_opened_stands_first_and_a_file_equals_itself() {
    let folder = Folder::new("diff", free_port());
    let orders =
        |more: &str| format!("[[route]]\nname = \"orders\"\npath = \"/orders/**\"\n{more}\n");
    let pay = |seconds: u32| {
        format!("[[route]]\nname = \"pay\"\npath = \"/pay\"\nrequire = {{ max_age = {seconds} }}\n")
    };
    let scope = "require = { scope = \"orders:read\" }";
    let routes = format!("{}{}", pay(900), orders(scope));
    let old = file(&folder, "old.toml", "", &routes);
    let routes = format!("{}{}", pay(300), orders("access = \"public\""));
    let new = file(&folder, "new.toml", "max_lifetime = 60\n", &routes);
    let differs = portcullis(&["config", "diff", &old, &new], &[]);
    let page = text(&differs.stdout);
    assert_eq!(differs.status.code(), Some(1), "{page}");
    for told in [
        "  OPENED     any method /orders, any host",
        "old  scope `orders:read`, by orders",
        "new  public, by orders",
        "  tightened  any method /pay, any host",
        "  setting    issuer[0].max_lifetime",
        "1 opened, 1 tightened, 1 in other settings, 1 route unchanged",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(page.find("OPENED") < page.find("tightened"), "{page}");
    // The same routes in another order decide the same.
    let routes = format!("{}{}", orders(scope), pay(900));
    let moved = file(&folder, "moved.toml", "", &routes);
    for same in [&old, &moved] {
        let output = portcullis(&["config", "diff", &old, same], &[]);
        let page = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{page}");
        assert!(page.contains("3 routes unchanged"), "{page}");
    }
    // A fault in either file ends it before anything is shown: half a comparison misleads.
    let broken = file(&folder, "broken.toml", "", "[[route]]\npath = \"x\"\n");
    let output = portcullis(&["config", "diff", &old, &broken], &[]);
    let (page, fault) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), &*page), (Some(1), ""));
    assert!(fault.contains("broken.toml:"), "{fault}");
}
