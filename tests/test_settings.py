"""Settings come from the environment; a wrong one is named with a hint and stops the start."""

from __future__ import annotations

import dataclasses
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashboard import settings
from dashboard.settings import ROOT, SETTINGS, HostPort, Settings

KEY = "k" * 32


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return tmp_path / ".stopa"


def test_defaults_are_as_documented(instance: Path) -> None:
    loaded = settings.load({}, instance)
    assert loaded == Settings(
        database=f"sqlite:///{instance / 'stopa.db'}",
        secret_key=(instance / "secret_key").read_text(),
        base_url="http://127.0.0.1:8000",
        bind=HostPort("127.0.0.1", 8000),
        smtp_url="",
        mail_from="stopa@localhost",
        timezone="UTC",
        locale="en",
        trusted_proxies=0,
        webhook_allow=(),
        log_level="info",
    )


GOOD = [
    (
        "STOPA_DATABASE",
        "postgresql://stopa:s%40@db.example.com:5433/stopa",
        "postgresql://stopa:s%40@db.example.com:5433/stopa",
    ),
    *(
        ("STOPA_DATABASE", url, url)
        for url in (
            "postgresql:///stopa?host=/run/postgresql&port=5433&user=stopa",
            "postgresql://stopa@%2Frun%2Fpostgresql/stopa",
            "postgresql://one:5432,two:5433/stopa",
            "postgresql://db.example.com/?dbname=stopa&sslmode=verify-full",
        )
    ),
    ("STOPA_DATABASE", "sqlite:////tmp/stopa.db", "sqlite:////tmp/stopa.db"),
    ("STOPA_DATABASE", "sqlite:///.stopa/demo.db", f"sqlite:///{ROOT}/.stopa/demo.db"),
    ("STOPA_BASE_URL", "https://stopa.example.com/", "https://stopa.example.com"),
    ("STOPA_BIND", "[::1]:8080", HostPort("::1", 8080)),
    ("STOPA_BIND", " 0.0.0.0:80 ", HostPort("0.0.0.0", 80)),
    ("STOPA_SMTP_URL", "smtps://user:pass@mail.example.com", "smtps://user:pass@mail.example.com"),
    ("STOPA_MAIL_FROM", "Stopa <stopa@example.com>", "Stopa <stopa@example.com>"),
    ("STOPA_TIMEZONE", "Asia/Tokyo", "Asia/Tokyo"),
    ("STOPA_LOCALE", "ja", "ja"),
    ("STOPA_SITE_NAME", "Kontaktní centrum <Brno>", "Kontaktní centrum <Brno>"),
    ("STOPA_SITE_NAME", "", "Stopa"),
    ("STOPA_LOCALE", "", "en"),
    ("STOPA_SHIFT_HOURS", "24", 24),
    ("STOPA_CALL_END_HOURS", "1", 1),
    ("STOPA_IDLE_MINUTES", "5", 5),
    ("STOPA_TRUSTED_PROXIES", "2", 2),
    ("STOPA_LOG_LEVEL", "DEBUG", "debug"),
    ("STOPA_DISK_LOW_MB", "512", 512),
    ("STOPA_DISK_STOP_MB", "0", 0),
    ("STOPA_LOG_FORMAT", "JSON", "json"),
    ("STOPA_SLOW_REQUEST_MS", "250", 250),
    ("STOPA_SQLITE_SYNCHRONOUS", "Full", "full"),
    ("STOPA_AUDIT_SEALS", "/mnt/seals", Path("/mnt/seals")),
    (
        "STOPA_WEBHOOK_ALLOW",
        "10.0.0.5:8080, hooks.lan:443",
        (HostPort("10.0.0.5", 8080), HostPort("hooks.lan", 443)),
    ),
]


@pytest.mark.parametrize(("name", "given", "value"), GOOD)
def test_valid_value_is_read(name: str, given: str, value: object, instance: Path) -> None:
    loaded = settings.load({"STOPA_SECRET_KEY": KEY, name: given}, instance)
    assert getattr(loaded, name.removeprefix("STOPA_").lower()) == value


def test_lines_of_the_file_hold_where_the_environment_says_nothing(instance: Path, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f'STOPA_SECRET_KEY={KEY}\nSTOPA_LOCALE="cs"  # Czech\nSTOPA_TIMEZONE=Asia/Tokyo\n')
    found = settings.start({"STOPA_LOCALE": "ja"}, instance, [file])
    assert (found.secret_key, found.locale, found.timezone) == (KEY, "ja", "Asia/Tokyo")


def test_wrong_line_of_the_file_is_named(
    instance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("STOPA_LOCAL=cs\n")
    with pytest.raises(SystemExit):
        settings.start({"STOPA_SECRET_KEY": KEY}, instance, [tmp_path / ".env"])
    assert "STOPA_LOCAL: is not a known setting" in capsys.readouterr().err


def test_a_later_file_and_then_the_environment_win(instance: Path, tmp_path: Path) -> None:
    system, own = tmp_path / "stopa.env", tmp_path / ".env"
    system.write_text(f"STOPA_SECRET_KEY={KEY}\nSTOPA_LOCALE=cs\nSTOPA_TIMEZONE=Asia/Tokyo\n")
    own.write_text("STOPA_LOCALE=ja\nSTOPA_SITE_NAME=Brno\n")
    given = settings.given_values({"STOPA_SITE_NAME": "Praha"}, [system, own, tmp_path / "none"])
    assert {name: (one.value, Path(one.place).name) for name, one in given.items()} == {
        "STOPA_SECRET_KEY": (KEY, "stopa.env"),
        "STOPA_LOCALE": ("ja", ".env"),
        "STOPA_TIMEZONE": ("Asia/Tokyo", "stopa.env"),
        "STOPA_SITE_NAME": ("Praha", "environment"),
    }


def test_a_file_that_cannot_be_read_stops_the_start(
    instance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        settings.start({"STOPA_SECRET_KEY": KEY}, instance, [tmp_path])
    assert f"{tmp_path}: cannot be read" in capsys.readouterr().err


MASKED = [
    ("STOPA_DATABASE", "postgresql://stopa:s%40x@db:5433/stopa", "postgresql://stopa:***@db:5433/stopa"),
    ("STOPA_DATABASE", "postgresql:///s?password=pa/ss&host=/run", "postgresql:///s?password=***&host=/run"),
    ("STOPA_DATABASE", "sqlite:////var/lib/stopa.db", "sqlite:////var/lib/stopa.db"),
    ("STOPA_SMTP_URL", "smtp://me%40x:se:cret@mail.example.com", "smtp://me%40x:***@mail.example.com"),
    ("STOPA_SECRET_KEY", KEY, "***"),
    ("STOPA_METRICS", "0123456789abcdef", "***"),
    ("STOPA_METRICS", "loopback", "loopback"),
    ("STOPA_LOCALE", "cs", "cs"),
]


def test_secrets_are_hidden_where_settings_are_shown() -> None:
    masked = {setting.name: setting.masked for setting in SETTINGS}
    assert [(name, text, masked[name](text)) for name, text, _shown in MASKED] == MASKED


WRONG = [
    ("STOPA_DISK_LOW_MB", "0"),
    ("STOPA_AUDIT_SEALS", "seals"),
    ("STOPA_DATABASE", "mysql://root@localhost/stopa"),
    ("STOPA_DATABASE", "stopa.db"),
    ("STOPA_DATABASE", "sqlite:///:memory:"),
    ("STOPA_DATABASE", "sqlite:////no/such/folder/stopa.db"),
    ("STOPA_DATABASE", "postgresql://localhost"),
    ("STOPA_DATABASE", "postgresql://localhost:many/stopa"),
    ("STOPA_DATABASE", "postgresql://localhost:99999/stopa"),
    ("STOPA_DATABASE", "postgresql://localhost/stopa?hots=db"),
    ("STOPA_DATABASE", "sqlite:////tmp/stopa.db?mode=ro"),
    ("STOPA_SECRET_KEY", "short"),
    ("STOPA_BASE_URL", "stopa.example.com"),
    ("STOPA_BASE_URL", "ftp://stopa.example.com"),
    ("STOPA_BASE_URL", "https://stopa.example.com/?next=/"),
    ("STOPA_BIND", "8000"),
    ("STOPA_BIND", "127.0.0.1"),
    ("STOPA_BIND", "127.0.0.1:0"),
    ("STOPA_BIND", "127.0.0.1:65536"),
    ("STOPA_BIND", "http://127.0.0.1:8000"),
    ("STOPA_SMTP_URL", "mail.example.com:25"),
    ("STOPA_MAIL_FROM", "nobody"),
    ("STOPA_MAIL_FROM", "a@example.com\r\nBcc: b@example.com"),
    ("STOPA_TIMEZONE", "Praha"),
    ("STOPA_TIMEZONE", "../../etc/passwd"),
    ("STOPA_TIMEZONE", "localtime"),
    ("STOPA_LOCALE", "cz"),
    ("STOPA_SITE_NAME", "x" * 61),
    ("STOPA_SITE_NAME", "two\nlines"),
    ("STOPA_TRUSTED_PROXIES", "-1"),
    ("STOPA_TRUSTED_PROXIES", "one"),
    ("STOPA_TRUSTED_PROXIES", "11"),
    ("STOPA_SHIFT_HOURS", "0"),
    ("STOPA_SHIFT_HOURS", "25"),
    ("STOPA_CALL_END_HOURS", "1.5"),
    ("STOPA_IDLE_MINUTES", "4"),
    ("STOPA_WEBHOOK_ALLOW", "10.0.0.5"),
    ("STOPA_DATABSE", "postgresql://localhost/stopa"),
    ("STOPA_TIME_ZONE", "Europe/Prague"),
]


@pytest.mark.parametrize(("name", "given"), WRONG)
def test_invalid_setting_stops_the_start_with_name_and_hint(
    name: str, given: str, instance: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {name: given}
    problems = settings.read(environ, instance)[1]
    assert [problem.name for problem in problems] == [name]
    with pytest.raises(SystemExit) as ended:
        settings.start(environ, instance)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert name in said
    assert problems[0].hint in said
    assert not instance.exists(), "nothing is made before all settings are right"


def test_all_invalid_settings_are_reported_together(instance: Path) -> None:
    problems = settings.read({"STOPA_LOCALE": "cz", "STOPA_BIND": "x", "STOPA_TIMEZONE": "Mars"}, instance)[1]
    assert [problem.name for problem in problems] == ["STOPA_BIND", "STOPA_TIMEZONE", "STOPA_LOCALE"]


def test_examples_in_hints_are_valid(instance: Path) -> None:
    for setting in SETTINGS:
        for example in setting.hint.split(" or ") if "python3" not in setting.hint else []:
            given = example.split(" behind ")[0].replace("/var/lib/stopa/", f"{instance.parent}/")
            assert settings.read({setting.name: given.split(", ")[-1]}, instance)[1] == [], setting.name


def test_foreign_variables_are_ignored(instance: Path) -> None:
    assert (
        settings.read({"STOPA_SERVICE_HOST": "10.0.0.1", "STOPA_PORT": "tcp://10.0.0.1:80"}, instance)[1]
        == []
    )


def test_passwords_in_invalid_settings_are_not_printed(instance: Path) -> None:
    problems = settings.read(
        {
            "STOPA_DATABASE": "mysql://root:tajne@localhost/stopa",
            "STOPA_SMTP_URL": "http://user:tajne@localhost",
        },
        instance,
    )[1]
    assert len(problems) == 2
    assert "tajne" not in str(problems)


def test_secret_key_is_generated_once_with_mode_0600(instance: Path) -> None:
    first = settings.load({}, instance).secret_key
    assert len(first) == 64
    assert settings.load({}, instance).secret_key == first
    assert stat.S_IMODE((instance / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700


def test_concurrent_first_starts_use_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(settings.stored_secret, [tmp_path / "secret_key"] * 32))
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "secret_key"]


def test_truncated_stored_key_is_rejected(instance: Path) -> None:
    settings.load({}, instance)
    (instance / "secret_key").write_text("")
    with pytest.raises(settings.SettingsError, match="STOPA_SECRET_KEY"):
        settings.load({}, instance)


def test_no_instance_folder_is_needed_with_full_settings(tmp_path: Path) -> None:
    nowhere = tmp_path / "absent" / ".stopa"
    given = {"STOPA_DATABASE": "postgresql://localhost/stopa", "STOPA_SECRET_KEY": KEY}
    assert settings.read(given, nowhere)[1] == []
    assert settings.load(given, nowhere).secret_key == KEY
    assert [problem.name for problem in settings.read({}, nowhere)[1]] == ["STOPA_DATABASE"]


BASES = [
    ("0.0.0.0:9000", "", "http://127.0.0.1:9000", "stopa@localhost"),
    ("[::]:9000", "", "http://127.0.0.1:9000", "stopa@localhost"),
    ("[::1]:9000", "", "http://[::1]:9000", "stopa@localhost"),
    ("127.0.0.1:9000", "https://stopa.example.com", "https://stopa.example.com", "stopa@stopa.example.com"),
]


@pytest.mark.parametrize(("bind", "given", "base_url", "mail_from"), BASES)
def test_base_url_and_sender_defaults_follow_other_settings(
    bind: str, given: str, base_url: str, mail_from: str, instance: Path
) -> None:
    loaded = settings.load({"STOPA_BIND": bind, "STOPA_BASE_URL": given}, instance)
    assert (loaded.base_url, loaded.mail_from) == (base_url, mail_from)


def test_every_row_of_the_table_is_a_field_of_the_settings() -> None:
    assert {setting.field for setting in SETTINGS} == {field.name for field in dataclasses.fields(Settings)}


def test_the_readme_lists_every_setting_with_default_and_unit() -> None:
    rows = re.findall(
        r"^\| `(STOPA_\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "README.md").read_text(), re.M
    )
    assert rows == [(row.name, row.default, row.unit, row.help) for row in SETTINGS]
