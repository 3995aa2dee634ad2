"""Installs Stopa in releases side by side, goes to a new one and back, and removes all but the data.

`PREFIX/current` links to the release in use, `PREFIX/previous` to the one before; `PREFIX/service.json` holds
the options and the backup that was made when the former took over.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from dashboard import settings
from dashboard.service import files, machine
from dashboard.service.files import BACKUPS, COMMAND, DATA, ENV, USER, File, Options, Proxy
from dashboard.service.machine import ServiceError, run
from dashboard.settings import ROOT, HostPort, Settings

PARTS = (
    *(".ci", "bin", "dashboard", "locale", "static", "templates", "wsgi.py", "pyproject.toml"),
    *("requirements.txt", "README.md", "CHANGELOG.md", "LICENSE"),
)
KILLED_S = 75
Say = Callable[[str], None]


@dataclass(frozen=True)
class Installed:
    """What `service.json` holds."""

    options: Options
    backup: str = ""  # made when the current release took over

    @classmethod
    def read(cls, prefix: Path) -> Installed:
        """Raises ServiceError where nothing is installed."""
        try:
            stored = json.loads((prefix / "service.json").read_text())
        except FileNotFoundError:
            raise ServiceError(
                f"No service is installed at {prefix}; `flask service install` does it."
            ) from None
        options = stored["options"]
        return cls(Options(**{**options, "proxy": Proxy(options["proxy"])}), stored["backup"])

    def save(self, prefix: Path) -> None:
        text = json.dumps(asdict(self), indent=1) + "\n"
        machine.write(File(prefix / "service.json", text), prefix / "service.json", owned=False)


class Place:
    """An installation at `prefix`, or, with `root`, its files below that folder.

    `given` are the settings of this command, from which a new installation takes address and secret key, so
    that a backup of a trial in this folder can be restored.
    """

    def __init__(self, given: Settings, prefix: Path, root: Path | None = None) -> None:
        self.given, self.prefix, self.live, self._root = given, prefix, root is None, root or Path("/")

    def at(self, path: Path) -> Path:
        return self._root / path.relative_to("/")

    def release(self, name: str) -> Path:
        """Return the folder of the release that `current` or `previous` links to."""
        link = self.at(self.prefix / name)
        if not link.exists():
            raise ServiceError(f"{link} does not exist.")
        return link.resolve()

    def settings(self) -> Settings:
        """Return the settings of the service: those of ENV, or those that a new one will have."""
        if self.live and ENV.exists():
            return settings.start({}, files=[ENV])
        return replace(self.given, database=f"sqlite:///{DATA}/stopa.db", audit_seals=None)

    def bind(self) -> HostPort:
        return settings.reachable(self.settings().bind)


def install(place: Place, options: Options, say: Say) -> None:
    """Install this version, or write the files of the one that is installed again with other options.

    An existing ENV stays. Raises ServiceError.
    """
    refuse_second_rotation(place, options)
    if place.live:
        machine.make_user(DATA)
        for folder in (DATA, BACKUPS):
            machine.own(folder)
    prefix = place.at(place.prefix)
    with suppress(ServiceError):
        for path in sorted(_paths(place, Installed.read(prefix).options) - _paths(place, options)):
            path.unlink(missing_ok=True)
    _write(place, options, say)
    if not (prefix / "current").exists():
        machine.link(prefix / "current", Path("releases") / copy_release(place, say).name)
        Installed(options).save(prefix)
    replace(Installed.read(prefix), options=options).save(prefix)
    machine.link(place.at(COMMAND), place.prefix / "current" / "bin" / "stopa")
    if place.live:
        say(run(COMMAND, "migrate", user=USER).strip())
        machine.start()
        machine.wait_until_ready(place.bind())


def _paths(place: Place, options: Options) -> set[Path]:
    """Return the files of an installation but ENV, with the link by which nginx reads its file."""
    paths = {file.path for file in files.planned(place.settings(), place.prefix, options)} - {ENV}
    if files.PROXY_FILES[Proxy.NGINX][1] in paths:
        paths.add(Path("/etc/nginx/sites-enabled/stopa"))
    return {place.at(path) for path in paths}


def _write(place: Place, options: Options, say: Say) -> None:
    chosen = place.settings()
    for file in files.planned(chosen, place.prefix, options):
        path = place.at(file.path)
        if file.path == ENV and path.exists():
            say(f"{path} stays as it is.")
            for line in _missing_lines(chosen, options) if place.live else ():
                say(f"  Set {line} there.")
            continue
        machine.write(file, path, place.live)
        say(f"{path}")


def _missing_lines(chosen: Settings, options: Options) -> list[str]:
    if not options.host:
        return []
    wanted = {"STOPA_BASE_URL": f"https://{options.host}", "STOPA_TRUSTED_PROXIES": "1"}
    found = {"STOPA_BASE_URL": chosen.base_url, "STOPA_TRUSTED_PROXIES": str(chosen.trusted_proxies)}
    return [f"{name}={value}" for name, value in wanted.items() if found[name] != value]


def refuse_second_rotation(place: Place, options: Options) -> None:
    """Raise ServiceError if another file of logrotate names the queue log: it would rotate neither."""
    folder = place.at(files.LOGROTATE)
    if not options.queue_log or not folder.is_dir():
        return
    for file in sorted(folder.iterdir()):
        words = file.read_text(errors="replace").split()
        if file.name != "stopa" and any(fnmatch(options.queue_log, word.strip("\"'{")) for word in words):
            raise ServiceError(
                f"{file} rotates {options.queue_log} already: remove it there, or import in its postrotate."
            )


def copy_release(place: Place, say: Say) -> Path:
    """Copy this version beside the others, with all that it needs to run, and return its folder.

    Everybody may read it and nobody but root may change it. Raises ServiceError and leaves nothing behind.
    """
    name = f"{settings.version()}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    release = place.at(place.prefix) / "releases" / name
    say(f"{release}")
    try:
        for part in PARTS:
            source = ROOT / part
            target = release / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.tmp"))
            else:
                shutil.copy2(source, target)
        (release / ".stopa").symlink_to(DATA)
        for each in (release.parent, release, *release.rglob("*")):
            if not each.is_symlink():
                each.chmod(0o755 if each.is_dir() or each.stat().st_mode & 0o100 else 0o644)
        if place.live:
            run(release / "bin" / "serve", "--prepare")
            python = release / ".venv" / "bin" / "python"
            run(python, "-m", "compileall", "-q", "dashboard", cwd=release)
            run(python, "-m", "flask", "--app", "wsgi", "version", cwd=release)  # makes what a start makes
    except BaseException:
        shutil.rmtree(release, ignore_errors=True)
        raise
    return release


def upgrade(place: Place, say: Say) -> None:
    """Take this version into use: stop, back up, migrate, start, check; go back by itself if that fails.

    This machine acknowledges nothing between backup and migration, so going back then loses nothing of it.
    """
    installed = Installed.read(place.prefix)
    old = place.release("current")
    if old == ROOT:
        raise ServiceError(f"{ROOT} is in use already. Run this in the folder of the new version.")
    new = copy_release(place, say)
    backup = BACKUPS / f"before-{new.name}.backup"
    say("Stopping.")
    machine.stop()
    try:
        run(old / "bin" / "stopa", "backup", backup, user=USER)
    except ServiceError:
        shutil.rmtree(new)
        machine.start()
        raise
    say(f"{backup}")
    machine.link(place.prefix / "current", Path("releases") / new.name)
    machine.link(place.prefix / "previous", Path("releases") / old.name)
    replace(installed, backup=str(backup)).save(place.prefix)
    try:
        say(run(new / "bin" / "stopa", "migrate", user=USER).strip())
        _write(place, installed.options, lambda _text: None)
        machine.start()
        machine.wait_until_ready(place.bind())
    except (ServiceError, OSError) as error:
        say(f"The new version does not work: {error}\nGoing back.")
        go_back(place, say)
        shutil.rmtree(new)
        raise ServiceError("The upgrade failed; the version before is in use again.") from error
    for each in (place.prefix / "releases").iterdir():
        if each not in (new, old):
            shutil.rmtree(each)
    for each in BACKUPS.glob("before-*.backup"):
        if each != backup:
            each.unlink()


def go_back(place: Place, say: Say) -> None:
    """Take the version before into use with the backup that was made of it.

    What came in since is kept in a backup of its own, which is named.
    """
    installed = Installed.read(place.prefix)
    new, old = place.release("current"), place.release("previous")
    if not installed.backup or not Path(installed.backup).exists():
        raise ServiceError(f"The backup {installed.backup or 'of the version before'} is missing.")
    machine.stop()
    since = BACKUPS / f"since-{new.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
    with suppress(ServiceError):  # a migration that failed has left the database as it was
        run(new / "bin" / "stopa", "backup", since, user=USER)
        say(f"What came in since the upgrade is in {since}.")
    _restore(old, installed.backup)
    machine.link(place.prefix / "current", Path("releases") / old.name)
    (place.prefix / "previous").unlink()
    replace(installed, backup="").save(place.prefix)
    python = old / ".venv" / "bin" / "python"
    install_again = ("service", "install", "--prefix", place.prefix)  # writes the files of that version
    run(python, "-m", "flask", "--app", "wsgi", *install_again, cwd=old)
    say(f"{old} is in use.")


def _restore(release: Path, backup: str) -> None:
    """Restore a backup once nobody uses the database: the mark of a killed worker is believed for a minute.

    Raises ServiceError while another machine uses it, whose events would be lost.
    """
    until = time.monotonic() + KILLED_S
    while True:
        try:
            run(release / "bin" / "stopa", "restore", backup, "--yes", user=USER)
        except ServiceError as error:
            if time.monotonic() > until:
                again = "Stop Stopa on the other machines, then: stopa service upgrade --back"
                raise ServiceError(f"{error}\nThe service is stopped. {again}") from None
            time.sleep(5)
        else:
            return


def uninstall(place: Place, say: Say) -> None:
    """Remove the units, files and releases; the data, the user and ENV stay."""
    options = Installed.read(place.at(place.prefix)).options
    if place.live:
        machine.systemctl("disable", "--now", *files.ENABLED)
    for path in (*_paths(place, options), place.at(COMMAND)):
        path.unlink(missing_ok=True)
    shutil.rmtree(place.at(place.prefix))
    if place.live:
        machine.systemctl("daemon-reload")
    say(f"Removed. {DATA} and {ENV} stay; to delete them too: rm -r {DATA} {ENV}; userdel {USER}")
