"""Keys: where they come from and to which hosts they may go. Never reads the project, never shows a key.

A pull request can change every file of a project, so neither the key nor the permission to send it
anywhere may come from there: only the environment and the user's own configuration count (DESIGN §6).
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rftplan.api.endpoint import Endpoint, parse_endpoint
from rftplan.api.profiles import Profile
from rftplan.errors import CredentialError

TRUSTED_HOSTS: Final = "RFTPLAN_TRUSTED_HOSTS"
KEY_FILE: Final = "RFTPLAN_KEY_FILE"
KEY_COMMAND: Final = "RFTPLAN_KEY_COMMAND"
JUDGE_KEY: Final = "RFTPLAN_JUDGE_KEY"

_HANDED_OUT: Final[set[str]] = set()

_MAX_KEY_BYTES: Final = 64 * 1024
_COMMAND_SECONDS: Final = 60.0


def find_key(profile: Profile, base_url: str, environ: Mapping[str, str], user_config_dir: Path | None) -> str:
    """The key for the service at `base_url`, looked for only after the host was found worthy of it.

    Looks into the profile's variable, the file of RFTPLAN_KEY_FILE, the output of RFTPLAN_KEY_COMMAND and
    `keys/<provider>` in the user's configuration, and takes the first. CredentialError if there is none or
    if it may not go there. Not for the service inside this process: nothing is sent there.
    """
    check_key_host(profile, base_url, environ)
    name = key_source(profile, environ, user_config_dir)
    if name is None:
        raise _no_key(profile)
    if name == KEY_COMMAND:
        return _key_of_command(environ[KEY_COMMAND].strip(), environ)
    if name == KEY_FILE:
        return _key_of_file(Path(environ[KEY_FILE].strip()), KEY_FILE)
    if name == profile.key_env:
        return _sound_key(environ[name].strip(), name)
    return _key_of_file(Path(name).absolute(), name)


def key_source(profile: Profile, environ: Mapping[str, str], user_config_dir: Path | None) -> str | None:
    """Where `find_key` takes the key from: a variable's name, or the path of the user's own key file. Reads no key."""
    for name in (profile.key_env, KEY_FILE, KEY_COMMAND):
        if name and environ.get(name, "").strip():
            return name
    kept = user_config_dir / "keys" / profile.type if user_config_dir else None
    return str(kept) if kept is not None and kept.is_file() else None


def check_key_host(profile: Profile, base_url: str, environ: Mapping[str, str]) -> None:
    """CredentialError unless a key may be sent to `base_url`: the provider's own, this machine, or trusted."""
    _check_host(parse_endpoint(base_url), environ, own=parse_endpoint(profile.base_url))


def exposed_key_file(profile: Profile, environ: Mapping[str, str], user_config_dir: Path | None) -> Path | None:
    """The file that `find_key` takes the key from, if other users of this machine may read it."""
    if profile.key_env and environ.get(profile.key_env, "").strip():
        return None
    if named := environ.get(KEY_FILE, "").strip():
        path = Path(named)
    elif user_config_dir and not environ.get(KEY_COMMAND, "").strip():
        path = user_config_dir / "keys" / profile.type
    else:
        return None
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    return path if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH) else None


def find_admin_key(profile: Profile, base_url: str, environ: Mapping[str, str]) -> str | None:
    """The admin key, under the same rules; None if there is none, for few commands need one."""
    name = profile.admin_key_env
    if name is None or not (key := environ.get(name, "").strip()):
        return None
    check_key_host(profile, base_url, environ)
    return _sound_key(key, name)


def check_judge_host(url: str, environ: Mapping[str, str]) -> None:
    """CredentialError unless the judge at `url` is on this machine or trusted: it gets prompts and a key."""
    _check_host(parse_endpoint(url), environ, own=None)


def find_judge_key(url: str, environ: Mapping[str, str]) -> str | None:
    """The judge's key from RFTPLAN_JUDGE_KEY, None if unset; CredentialError as in `check_judge_host`."""
    check_judge_host(url, environ)
    key = environ.get(JUDGE_KEY, "").strip()
    return _sound_key(key, JUDGE_KEY) if key else None


def _check_host(target: Endpoint, environ: Mapping[str, str], *, own: Endpoint | None) -> None:
    if target.loopback:
        return
    if not (_is_own(target, own) or _is_trusted(target, environ)):
        raise CredentialError(
            f"a key may not be sent to {target.origin}",
            hint=f"if you trust this host, set {TRUSTED_HOSTS}={target.bracketed_host}; "
            "it is read from the environment only, never from the project",
        )
    if target.scheme != "https":
        raise CredentialError(
            f"a key may not be sent to {target.origin} without encryption",
            hint="use https; plain http is for this machine only",
        )


def _is_own(target: Endpoint, own: Endpoint | None) -> bool:
    return own is not None and target.origin == own.origin


def _is_trusted(target: Endpoint, environ: Mapping[str, str]) -> bool:
    entries = {entry.strip().lower().removesuffix(".") for entry in environ.get(TRUSTED_HOSTS, "").split(",")}
    host = target.bracketed_host
    return bool(entries & {host, f"{host}:{target.port}"})


def _key_of_file(path: Path, source: str) -> str:
    if not path.is_absolute():
        raise CredentialError(
            f"{source} must be an absolute path",
            hint="a relative one would be looked up in the project, where no key may come from",
        )
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_KEY_BYTES)
    except OSError as error:
        message = f"the key file {path} of {source} cannot be read: {error.strerror}"
        raise CredentialError(message, hint="check its path and its rights, or name another file") from error
    return _sound_key(_text(text, source), source)


def _key_of_command(command: str, environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            _words(command), stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS, env=dict(environ), check=False
        )
    except (OSError, ValueError) as error:
        raise CredentialError(f"the command of {KEY_COMMAND} cannot be run: {error}", hint=_NO_SHELL) from None
    except subprocess.TimeoutExpired:
        raise CredentialError(
            f"the command of {KEY_COMMAND} gave no key in {_COMMAND_SECONDS:g} s", hint=_BY_HAND
        ) from None
    if done.returncode != 0:
        raise CredentialError(f"the command of {KEY_COMMAND} ended with exit code {done.returncode}", hint=_BY_HAND)
    return _sound_key(_text(done.stdout[:_MAX_KEY_BYTES], KEY_COMMAND), KEY_COMMAND)


def _words(command: str) -> list[str]:
    words = shlex.split(command)
    program = Path(words[0])
    if not program.is_absolute() and program.name != words[0]:
        raise ValueError("its program must be an absolute path or a name on PATH")
    return words


def _text(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise _unsound(source) from None


def _sound_key(key: str, source: str) -> str:
    """`key` if it can stand in an HTTP header, where control and non-ASCII characters crash or smuggle."""
    if not key:
        raise CredentialError(f"the key of {source} is empty", hint=_ALONE if source != KEY_COMMAND else _PRINTS)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise _unsound(source)
    _HANDED_OUT.add(key)
    return key


def handed_out() -> frozenset[str]:
    """Every key that this process got hold of, so that what it says of a bug can be stripped of them."""
    return frozenset(_HANDED_OUT)


def _unsound(source: str) -> CredentialError:
    return CredentialError(
        f"the key of {source} holds characters that no key has (a blank, a line break, or not ASCII)",
        hint="copy the key again, alone and on one line" if source != KEY_COMMAND else _PRINTS,
    )


_NO_SHELL: Final = "it runs without a shell: name a program and its arguments, or write sh -c '...' around it"
_BY_HAND: Final = f"run it by hand: what it says on stderr is passed through; {_NO_SHELL}"
_PRINTS: Final = f"it has to print the key alone, on one line; {_NO_SHELL}"
_ALONE: Final = "put the key there, alone and on one line"


def _no_key(profile: Profile) -> CredentialError:
    return CredentialError(
        f"no key for provider {profile.type}: {profile.key_env} is not set",
        hint=f"set {profile.key_env}, or name a file in {KEY_FILE} or a command in {KEY_COMMAND}; "
        f"or keep it in ~/.config/rftplan/keys/{profile.type}",
    )
