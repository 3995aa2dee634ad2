"""`flask service`: the files that it writes are those that systemd, logrotate and the proxies take."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from flask import Flask

from dashboard import MAX_BODY, listener
from dashboard.access import upload_pass
from dashboard.service.steps import PARTS
from dashboard.settings import ROOT, SETTINGS

Run = Callable[..., Result]
ALL = ("--name", "stopa.example.com", "--queue-log", "/var/log/asterisk/queue_log", "--source", "our pbx")
CURRENT = "/opt/stopa/current"
AS_USER = "runuser -u stopa --"
UNITS = "/etc/systemd/system/stopa-"


@pytest.fixture
def run(app: Flask) -> Run:
    def runner(*words: object) -> Result:
        return app.test_cli_runner().invoke(args=["service", *map(str, words)])

    return runner


def shown(run: Run, *words: object) -> dict[str, tuple[str, str]]:
    """Return mode with owner and text of each file that --dry-run prints, by path."""
    result = run("install", "--dry-run", *words)
    assert result.exit_code == 0, result.output
    found = {}
    for part in result.stdout.split("==> ")[1:]:
        head, text = part.split("\n", 1)
        path, rights = head.split(" ", 1)
        found[path] = (rights, text)
    return found


def unit(text: str) -> ConfigParser:
    """Parse a unit; a repeated name takes the last value."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser


# Words to install, a file, and what stands in it.
LINES = [
    ((), "/etc/stopa.env", ["STOPA_DATABASE=sqlite:////var/lib/stopa/stopa.db", "STOPA_BIND=127.0.0.1:8000"]),
    (ALL, "/etc/stopa.env", ["STOPA_BASE_URL=https://stopa.example.com", "STOPA_TRUSTED_PROXIES=1"]),
    (
        (*ALL, "--prefix", "/srv/stopa"),
        "/etc/logrotate.d/stopa",
        [
            "/var/log/asterisk/queue_log {",
            f"{AS_USER} /srv/stopa/current/bin/stopa import - --format queue_log --source 'our pbx' <\"$2\"",
        ],
    ),
    (
        ALL,
        "/etc/nginx/sites-available/stopa",
        [
            "server 127.0.0.1:8000;",
            "server_name stopa.example.com;",
            "ssl_certificate /etc/letsencrypt/live/stopa.example.com/fullchain.pem;",
            f"client_max_body_size {listener.BODY_MAX // 2**20}m;",
            f"client_max_body_size {(upload_pass.FILE_MAX + upload_pass.FORM) // 2**20}m;",
            f"location = {upload_pass.PATH} {{",
            f"client_body_timeout {listener.IDLE_S}s;",
            f"proxy_read_timeout {listener.REQUEST_S}s;",
            "proxy_set_header X-Forwarded-For $remote_addr;",
            "proxy_set_header X-Forwarded-Proto $scheme;",
        ],
    ),
    (
        (*ALL, "--certificate", "/etc/ssl/own.pem", "--key", "/etc/ssl/own.key"),
        "/etc/nginx/sites-available/stopa",
        ["ssl_certificate /etc/ssl/own.pem;", "ssl_certificate_key /etc/ssl/own.key;"],
    ),
    (
        (*ALL, "--proxy", "caddy"),
        "/etc/caddy/stopa.Caddyfile",
        ["stopa.example.com {", "reverse_proxy 127.0.0.1:8000 {", "max_size 16MiB", "max_size 201MiB"],
    ),
    ((), f"{UNITS}backup.timer", ["OnCalendar=*-*-* 01:30:00", "Persistent=true"]),
    (("--keep", "3"), f"{UNITS}backup.service", ["ReadWritePaths=-/var/lib/stopa", "Type=oneshot"]),
]


def test_dry_run_prints_every_file_with_what_the_options_say(run: Run, tmp_path: Path) -> None:
    for words, path, lines in LINES:
        text = {line.strip() for line in shown(run, *words)[path][1].splitlines()}
        assert {line for line in lines if line not in text} == set(), (words, path)
    plain, full = shown(run), shown(run, *ALL)
    assert [*full][: len(plain)] == [*plain], "without options there is neither a proxy nor a rotation"
    assert full.keys() - plain.keys() == {"/etc/logrotate.d/stopa", "/etc/nginx/sites-available/stopa"}
    assert {path for path, (rights, _text) in full.items() if rights != "0644 root:root"} == {
        "/etc/stopa.env"
    }
    assert full["/etc/stopa.env"][0] == "0640 root:stopa"
    assert "STOPA_SECRET_KEY=***" in full["/etc/stopa.env"][1], "a dry run shows no secret"
    assert listener.BODY_MAX > MAX_BODY, "a proxy lets through what Stopa refuses with a reason"


COMMANDS = {
    "web.service": f"{CURRENT}/.venv/bin/python -m dashboard.server --no-worker",
    "worker.service": f"{CURRENT}/bin/stopa worker",
    "backup.service": f"{CURRENT}/bin/stopa backup /var/lib/stopa/backups --check --keep 14",
}
HARDENED = {
    "User": "stopa",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "MemoryDenyWriteExecute": "yes",
    "UMask": "0077",
    "SystemCallFilter": "~@privileged @resources",
}


def test_units_run_as_the_user_of_the_service_and_may_do_little(run: Run) -> None:
    found = shown(run)
    for name, command in COMMANDS.items():
        section = unit(found[UNITS + name][1])["Service"]
        assert section["ExecStart"] == command
        assert {key: section[key] for key in HARDENED} == HARDENED, name
    for name in ("web.service", "worker.service", "backup.timer"):
        assert unit(found[UNITS + name][1])["Install"]["WantedBy"], "it starts with the machine"


def test_install_below_a_folder_writes_files_and_a_release_and_keeps_settings(
    run: Run, tmp_path: Path
) -> None:
    mask = os.umask(0o077)
    result = run("install", "--root", tmp_path, *ALL)
    os.umask(mask)
    assert result.exit_code == 0, result.output
    env, opt = tmp_path / "etc/stopa.env", tmp_path / "opt/stopa"
    assert stat.S_IMODE(env.stat().st_mode) == 0o640
    assert f"STOPA_SECRET_KEY={'0' * 32}\n" in env.read_text(), "the key of this folder goes along"
    release = (opt / "current").resolve()
    assert (release / "dashboard/service/steps.py").read_text() == (
        ROOT / "dashboard/service/steps.py"
    ).read_text()
    assert (release / ".stopa").readlink() == Path("/var/lib/stopa")
    assert os.access(release / "bin/stopa", os.X_OK)
    closed = [
        path
        for path in (opt, opt / "releases", *release.rglob("*"))
        if not path.is_symlink() and path.stat().st_mode & 0o044 != 0o044
    ]
    assert closed == [], "the user of the service may read everything"
    assert (tmp_path / "usr/local/bin/stopa").readlink() == Path(f"{CURRENT}/bin/stopa")

    env.write_text("STOPA_SITE_NAME=Kept\n")
    again = run("install", "--root", tmp_path, "--keep", "3")
    assert (again.exit_code, f"{env} stays as it is." in again.output) == (0, True)
    assert env.read_text() == "STOPA_SITE_NAME=Kept\n"
    assert (opt / "current").resolve() == release, "the release stays too"
    options = json.loads((opt / "service.json").read_text())["options"]
    assert (options["host"], options["keep"]) == ("stopa.example.com", 3), "options that are not given stay"
    assert "--keep 3" in (tmp_path / f"{UNITS[1:]}backup.service").read_text()
    fewer = run("install", "--root", tmp_path, "--proxy", "caddy", "--queue-log", "")
    assert fewer.exit_code == 0, fewer.output
    assert (tmp_path / "etc/caddy/stopa.Caddyfile").exists()
    gone = ("etc/nginx/sites-available/stopa", "etc/logrotate.d/stopa")
    assert [path for path in gone if (tmp_path / path).exists()] == [], "files that are no more planned go"


REFUSED = [
    (("--name", "Stopa.example.com"), 2, "not a host name in lower case"),
    (("--name", "a b; include /etc/shadow"), 2, "not a host name"),
    (("--queue-log", "queue_log"), 2, "not an absolute path"),
    (("--certificate", "/etc/ssl/a; b"), 2, "not an absolute path of letters"),
    (("--prefix", "/opt/my stopa"), 2, "not an absolute path of letters"),
    (("--source", "stopa"), 2, "Stopa's own events"),
    (("--keep", "0"), 2, "0 is not in the range"),
    (("--queue-log", "/var/log/asterisk/queue_log"), 1, "rotates /var/log/asterisk/queue_log already"),
]


def test_wrong_options_are_named_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    rotation = machine / "etc/logrotate.d/asterisk"
    rotation.parent.mkdir(parents=True)
    rotation.write_text("/var/log/asterisk/messages /var/log/asterisk/queue_* {\n weekly\n}\n")
    for words, status, said in REFUSED:
        result = run("install", "--root", machine, *words)
        assert (result.exit_code, said in result.stderr) == (status, True), (words, result.stderr)
    assert [path for path in machine.rglob("*") if path.is_file()] == [rotation]


def test_commands_say_where_nothing_is_installed(run: Run, tmp_path: Path) -> None:
    for words in (("status",), ("uninstall", "--yes"), ("upgrade",)):
        result = run(*words, "--prefix", tmp_path / "none")
        assert (result.exit_code, "none" in result.stderr or "root" in result.stderr) == (1, True), words


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_units_and_finds_them_little_exposed(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "machine"
    assert run("install", "--root", root).exit_code == 0
    python = root / CURRENT[1:] / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    for unit_name in ("web.service", "worker.service", "backup.service"):
        file = root / f"{UNITS[1:]}{unit_name}"
        offline = ["systemd-analyze", "security", "--offline=yes", "--threshold=15", "--no-pager", file]
        done = subprocess.run(offline, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    units = [f"stopa-{name}" for name in ("web.service", "worker.service", "backup.service", "backup.timer")]
    verify = ["systemd-analyze", "verify", f"--root={root}", "--man=no", *units]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "stopa-" in line and "target" not in line]
    assert ours == []


def test_the_container_runs_what_the_project_has_and_not_as_root() -> None:
    lines = (ROOT / ".ci/Containerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [(words[0], words[1]) for line in lines if len(words := line.split(None, 1)) == 2]
    copied = {name for step, rest in steps if step == "COPY" for name in rest.split()[:-1]}
    assert copied == {*PARTS}, "an installation and a container have the same parts"
    assert [rest for step, rest in steps if step in ("USER", "CMD")] == [
        "stopa",
        '[".venv/bin/python", "-m", "dashboard.server", "--no-worker"]',
    ]
    services = yaml.safe_load((ROOT / ".ci/compose.yaml").read_text())["services"]
    assert services.keys() == {"database", "web", "worker"}
    for name in ("web", "worker"):
        assert (services[name]["read_only"], services[name]["cap_drop"]) == (True, ["ALL"])
        known = {setting.name for setting in SETTINGS}
        assert services[name]["environment"].keys() - known == set(), "each is a setting"
