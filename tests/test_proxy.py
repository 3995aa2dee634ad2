"""The files for nginx and Caddy: taken by them, and a real sign-in through TLS with the limits of Stopa."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import peewee
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dashboard import MAX_BODY
from dashboard.access import keys, upload_pass
from dashboard.models import AuditEntry
from dashboard.service import files
from dashboard.service.files import Options, Proxy
from dashboard.settings import HostPort, Settings
from tests import make
from tests.conftest import SECRET
from tests.postgres import free_port
from tests.test_start import SERVER, started, until

HOST = "stopa.example.com"
CLIENT, FORGED = "127.0.0.2", "6.6.6.6"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that signs itself; return its file and that of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def rendered(proxy: Proxy, bind: str, folder: Path) -> str:
    host, port = bind.split(":")
    cert, key = certificate(folder)
    options = Options(HOST, proxy, str(cert), str(key))
    planned = files.planned(Settings("", SECRET, bind=HostPort(host, int(port))), Path("/opt/stopa"), options)
    return next(file.text for file in planned if file.path == files.PROXY_FILES[proxy][1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def nginx(folder: Path, bind: str) -> Iterator[int]:
    """Run nginx with the file of the service, its ports replaced; yield the one of HTTPS."""
    plain, secure = free_port(), free_port()
    text = re.sub(r" *listen \[::\].*\n", "", rendered(Proxy.NGINX, bind, folder))
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{secure} ssl;")
    temporary = "".join(
        f"{name}_temp_path {folder};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"user root; daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} {text} }}\n"
    )
    command = ["nginx", "-c", str(config), "-p", str(folder), "-e", f"{folder}/error.log"]
    taken = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert taken.returncode == 0, taken.stderr
    process = subprocess.Popen(command)
    try:
        until(lambda: answers(secure))
        yield secure
    finally:
        process.terminate()
        process.wait(20)


class Browser:
    """Requests to the proxy from an address of its own, with the cookies that it sets."""

    def __init__(self, port: int, folder: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
        self._port, self.cookies = port, dict[str, str]()
        self.set: list[str] = []

    def ask(self, method: str, path: str, body: bytes = b"", **more: str) -> tuple[int, str]:
        connection = http.client.HTTPSConnection(HOST, self._port)
        plain = socket.create_connection(("127.0.0.1", self._port), 60, (CLIENT, 0))
        connection.sock = self._context.wrap_socket(plain, server_hostname=HOST)
        origin = f"https://{HOST}:{self._port}"
        headers = {"Host": f"{HOST}:{self._port}", "Referer": f"{origin}/sign-in", "X-Forwarded-For": FORGED}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(
            method, path, body or None, headers | {k.replace("_", "-"): v for k, v in more.items()}
        )
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            self.set.append(line)
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, text


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_sign_in_through_nginx_is_secure_and_known_by_the_address_of_the_client(
    db: peewee.Database, db_url: str, tmp_path: Path
) -> None:
    make.administrator("admin", "correct horse battery")
    key = keys.make("pbx", "pbx", "ingest")
    bind = f"127.0.0.1:{free_port()}"
    behind = {"STOPA_BASE_URL": f"https://{HOST}", "STOPA_TRUSTED_PROXIES": "1"}
    with started([*SERVER, "--no-worker"], db_url, bind, **behind), nginx(tmp_path, bind) as port:
        browser = Browser(port, tmp_path)
        page = browser.ask("GET", "/sign-in")[1]
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token is not None, page
        form = {"csrf_token": token[1], "login": "admin", "password": "correct horse battery"}
        kind = "application/x-www-form-urlencoded"
        assert browser.ask("POST", "/sign-in", urlencode(form).encode(), Content_Type=kind)[0] == 302
        assert browser.ask("GET", "/audit")[0] == 200
        cookies = [line for line in browser.set if not line.startswith("__Host-") or "Secure" not in line]
        assert (cookies, len(browser.set) > 1) == ([], True)
        entry = AuditEntry.select().where(AuditEntry.action == "auth.signed_in").get_or_none()
        assert entry is not None, [row.action for row in AuditEntry.select()]
        assert entry.ip == CLIENT, "a forged header is not believed"

        events = {"Authorization": f"Bearer {key}", "Content_Type": "application/json"}
        status, text = browser.ask("POST", "/api/v1/events", b" " * (MAX_BODY + 1), **events)
        assert (status, "nginx" in text) == (413, False), "Stopa itself says what its limit is"
        status, text = browser.ask("POST", "/api/v1/events", b" " * (17 * files.MIB), **events)
        assert (status, "nginx" in text) == (413, True)
        path = f"{upload_pass.PATH}?{urlencode({'pass': upload_pass.make(SECRET)})}"
        status, text = browser.ask("POST", path, b" " * (17 * files.MIB))
        assert (status, "nginx" in text) == (413, False), "it passes nginx; Stopa misses the form"


@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs caddy")
def test_caddy_takes_its_file(tmp_path: Path) -> None:
    config = tmp_path / "Caddyfile"
    config.write_text(rendered(Proxy.CADDY, "127.0.0.1:8000", tmp_path))
    for words in (("validate", "--adapter", "caddyfile", "--config"), ("fmt", "--diff")):
        done = subprocess.run(["caddy", *words, config], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
