//! What dpkg runs when the package is installed and removed.
//!
//! A first installation starts nothing: the settings are an example until somebody has written them.

/// The user exists before its file does. An administrator's own owner of the settings is kept.
pub(crate) const AFTER_INSTALLATION: &str = r#"#!/bin/sh
set -e

settings=/etc/portcullis/portcullis.toml

if [ "$1" = configure ]; then
    systemd-sysusers portcullis.conf
    if [ -z "$2" ] && [ -e "$settings" ] && ! dpkg-statoverride --list "$settings" >/dev/null; then
        # They may hold secrets.
        chown root:portcullis "$settings"
        chmod 0640 "$settings"
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        # An update of a service that runs; after a first installation, nothing does.
        if [ -n "$2" ] && systemctl is-active --quiet portcullis.service; then
            deb-systemd-invoke restart portcullis.service
        fi
    fi
fi
"#;

pub(crate) const BEFORE_REMOVAL: &str = r#"#!/bin/sh
set -e

if [ "$1" = remove ]; then
    if [ -d /run/systemd/system ]; then
        deb-systemd-invoke stop portcullis.socket portcullis.service
    fi
    # The links of `systemctl enable`, which would point to nothing.
    if command -v systemctl >/dev/null; then
        systemctl --no-reload --quiet disable portcullis.socket portcullis.service || true
    fi
fi
"#;

/// The user stays while files may be its own: another user could get its number, and so its files.
/// Audit records and key snapshots are the operator's: no removal deletes them.
pub(crate) const AFTER_REMOVAL: &str = r#"#!/bin/sh
set -e

if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
if [ "$1" = purge ]; then
    left=
    for folder in /etc/portcullis /var/lib/portcullis /var/log/portcullis; do
        if [ -d "$folder" ]; then
            rmdir --ignore-fail-on-non-empty "$folder"
        fi
        if [ -e "$folder" ]; then
            left=yes
        fi
    done
    if [ -z "$left" ] && getent passwd portcullis >/dev/null; then
        userdel portcullis
    fi
fi
"#;
