"""Where the embedded servers live: the account they run under, their home, their programs, their sockets.

As root we must drop to an account that may not be able to enter the clone, the data folder or the venv
(all of them can lie under /root). Then programs are copied to, and data is kept in, SYSTEM_DIR.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.embedded.errors import EmbeddedError
from hub.embedded.processes import Account, read_private, short_lock, write_private

SYSTEM_DIR = Path("/var/lib/ringside")
ACCOUNTS = ("postgres", "daemon", "nobody")  # in this order; nobody last, because others share it
SOCKET_PREFIX = "ringside-"
LONGEST_SOCKET_DIR = 107 - len("/.s.PGSQL.5432.lock") - 1


@dataclass(frozen=True, slots=True)
class Home:
    """The folder the servers own, and the account they run under (None: our own)."""

    path: Path
    account: Account | None


def prepare_home(state_dir: Path, *, durable: bool) -> Home:
    """Make, or find again, the servers' home of ``state_dir`` (always reachable as ``state_dir/servers``).

    Raises EmbeddedError when existing data can't be reached or belongs to somebody else.
    """
    is_root = os.geteuid() == 0
    try:
        state_dir.mkdir(mode=0o711 if is_root else 0o700, parents=True, exist_ok=True)
        with short_lock(state_dir / "servers.lock"):
            return _home_as_root(state_dir, durable) if is_root else _home_as_user(state_dir)
    except PermissionError as problem:
        raise EmbeddedError(f"Can't write to {state_dir} ({problem.strerror}). Give another folder with --data.") from problem


def _home_as_user(state_dir: Path) -> Home:
    link = state_dir / "servers"
    if link.is_symlink() and not os.access(link, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedError(f"The data in {link} was made by root. Run as root, or give another --data.")
    link.mkdir(mode=0o700, exist_ok=True)
    owner = link.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedError(f"The data in {link} belongs to {_name_of(owner)}. Run as that user, or give another --data.")
    return Home(link.resolve(), None)


def _home_as_root(state_dir: Path, durable: bool) -> Home:
    link = state_dir / "servers"
    if link.is_symlink() and not link.exists():
        raise EmbeddedError(
            f"The data of {state_dir} was kept in {link.readlink()}, which is gone. "
            f"Bring it back, or remove {link} to begin with an empty database."
        )
    if link.exists():
        path = link.resolve()
        account = _account_of(path) or pick_account()
        if not can_enter(path.parent, account):
            raise EmbeddedError(
                f"The account {account.name}, which runs the database, can't enter {path.parent}. "
                f"Allow it (chmod o+x on the folders above), or give another --data."
            )
        _give(path, account)
        return Home(path, account)
    account = pick_account()
    if can_enter(state_dir, account):
        link.mkdir(mode=0o700)
        os.chown(link, account.uid, account.gid)
        return Home(link.resolve(), account)
    clusters = system_dir() / "clusters"
    clusters.mkdir(exist_ok=True)
    clusters.chmod(0o711)
    # another start's sweep would take a home that is not linked yet for one whose folder is gone
    with short_lock(clusters / "sweep.lock"):
        _sweep_clusters(clusters)
        path = clusters / secrets.token_hex(8)
        # the note comes first, so that the sweep finds whatever a killed start leaves
        write_private(clusters / f"{path.name}.json", {"link": str(link.absolute()), "durable": durable})
        path.mkdir(mode=0o700)
        os.chown(path, account.uid, account.gid)
        link.symlink_to(path)
    return Home(path, account)


def _sweep_clusters(clusters: Path) -> None:
    """Remove the clusters of tests whose folder is gone. Durable ones stay: their disk may be unplugged."""
    for note in clusters.glob("*.json"):
        content, path = read_private(note), note.with_suffix("")
        link = Path(str(content.get("link", "")))
        if content.get("durable") is False and not (link.is_symlink() and link.resolve() == path):
            shutil.rmtree(path, ignore_errors=True)
            note.unlink(missing_ok=True)


def pick_account() -> Account:
    """The account the servers run under when we are root. Raises EmbeddedError when there is none."""
    for name in ACCOUNTS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            if entry.pw_uid != 0:
                return Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        "Postgres refuses to run as root, and this machine has none of the accounts "
        f"{', '.join(ACCOUNTS)}. Run as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def can_enter(path: Path, account: Account) -> bool:
    """Whether ``account`` may walk down to ``path``, by the permission bits of every folder on the way."""
    groups = set(os.getgrouplist(account.name, account.gid))
    folder = path.resolve()
    for step in (folder, *folder.parents):
        status = step.stat()
        if status.st_uid == account.uid:
            allowed = status.st_mode & 0o100
        elif status.st_gid in groups:
            allowed = status.st_mode & 0o010
        else:
            allowed = status.st_mode & 0o001
        if not allowed:
            return False
    return True


def system_dir() -> Path:
    """SYSTEM_DIR, made when it is missing. Raises EmbeddedError when that is impossible."""
    try:
        if not SYSTEM_DIR.is_dir():
            SYSTEM_DIR.mkdir(parents=True, exist_ok=True)
            SYSTEM_DIR.chmod(0o755)  # whatever our umask is
    except OSError as problem:
        raise EmbeddedError(
            f"As root the embedded servers need {SYSTEM_DIR}, which can't be made ({problem.strerror}). "
            "Run as an ordinary user, or set DATABASE_URL and REDIS_URL."
        ) from problem
    return SYSTEM_DIR


def shared_copy(name: str, parts: Sequence[tuple[Path, str]]) -> Path:
    """Copy programs to where every account can run them: SYSTEM_DIR/name, once, all or nothing.

    ``parts`` are (source, path below the copy). ``name`` carries the version. Returns the copy's folder.
    """
    target = system_dir() / name
    if target.is_dir():
        return target
    with short_lock(system_dir() / "copy.lock"):
        if target.is_dir():
            return target
        draft = system_dir() / f".{name}.new"
        shutil.rmtree(draft, ignore_errors=True)  # what a killed copy left
        for source, below in parts:
            place = draft / below
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, place, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
            else:
                shutil.copy2(source, place)
        for item in (draft, *draft.rglob("*")):
            if not item.is_symlink():
                executable = item.is_dir() or item.stat().st_mode & 0o100
                item.chmod(0o755 if executable else 0o644)
        draft.rename(target)
    return target


def make_socket_dir(account: Account | None) -> Path:
    """A new private folder with a path short enough for Unix sockets, that ``account`` can enter."""
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/dev/shm")):  # noqa: S108
        is_short = len(os.fsencode(base)) + len(SOCKET_PREFIX) + 9 <= LONGEST_SOCKET_DIR
        if not is_short or not os.access(base, os.W_OK | os.X_OK):
            continue
        if account is not None and not can_enter(Path(base), account):
            continue
        folder = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=base)).resolve()
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        return folder
    raise EmbeddedError("Found no folder for the servers' sockets: /tmp is not writable, or TMPDIR is too long.")


def remove_socket_dir(folder: Path) -> None:
    """Remove a folder that make_socket_dir made; anything else is left alone."""
    if folder.name.startswith(SOCKET_PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def _account_of(path: Path) -> Account | None:
    uid = path.stat().st_uid
    if uid == 0:
        return None
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # initdb and postgres insist on a passwd entry
        return None
    return Account(entry.pw_name, uid, entry.pw_gid)


def _give(path: Path, account: Account) -> None:
    """Make ``account`` the owner of everything below ``path`` (a folder copied by root belongs to root)."""
    if path.stat().st_uid == account.uid:
        return
    for item in (*path.rglob("*"), path):  # the folder last: it tells that all is done
        os.chown(item, account.uid, account.gid, follow_symlinks=False)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
