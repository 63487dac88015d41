"""Sign-in of the prober: with a profile of ``keyturn login``, or with a client and a file."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from keyturn.admin_cli.api import AdminApi
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.profiles import Profile, ProfileStore, absolute
from keyturn.admin_cli.servers import check_server, connect
from keyturn.admin_cli.tokens import ProfileTokens

_MASTER: Final = "master"


@dataclass(frozen=True, slots=True)
class SignIn:
    """``server``: of a sign-in without a profile. ``admin_realm``: of the administrator, by default the
    canary's. ``profile``: by default, the one last signed in. ``forwarded_for``: address to tell servers that
    take the prober for a proxy."""

    server: str | None = None
    client_id: str | None = None
    admin_realm: str | None = None
    secret_file: Path | None = None
    key_file: Path | None = None
    profile: str | None = None
    ca_file: Path | None = None
    insecure_http: bool = False
    forwarded_for: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request. Raises CommandError."""
        if self.forwarded_for is None:
            return {}
        try:
            return {"X-Forwarded-For": str(ip_address(self.forwarded_for))}
        except ValueError:
            raise CommandError("--forwarded-for is an IP address", ExitCode.USAGE) from None

    def resolve(self, realm: str | None) -> tuple[Profile, ProfileStore | None]:
        """Return the profile to use, and its store if it is kept in one. Raises CommandError."""
        own = (self.client_id, self.admin_realm, self.secret_file, self.key_file)
        if self.server is None:
            if any(each is not None for each in own):
                raise CommandError(
                    "--client-id, --admin-realm, --secret-file and --key-file need --server", ExitCode.USAGE
                )
            store = ProfileStore.of(os.environ)
            return store.load(self.profile), store
        if self.profile is not None:
            raise CommandError("use one of --profile and --server", ExitCode.USAGE)
        if self.client_id is None or (self.secret_file is None) is (self.key_file is None):
            raise CommandError(
                "--server needs --client-id, and one of --secret-file and --key-file", ExitCode.USAGE
            )
        return self._profile(self.server, self.client_id, realm), None

    def _profile(self, server: str, client_id: str, realm: str | None) -> Profile:
        chosen = self.admin_realm or realm or _MASTER
        return Profile(
            name="probe",
            server=server,
            realm=chosen,
            client_id=client_id,
            default_realm=realm or chosen,
            secret_file=absolute(self.secret_file),
            key_file=absolute(self.key_file),
            ca_file=absolute(self.ca_file),
            insecure_http=self.insecure_http,
        )


def canary_realm(profile: Profile, realm: str | None) -> str:
    """Return the realm of the canary. Raises CommandError for realm ``master``, whose tokens no node
    issues."""
    chosen = realm or profile.default_realm
    if chosen == _MASTER:
        raise CommandError(
            "choose a realm for the canary with --realm, other than master: no node issues master's tokens",
            ExitCode.USAGE,
        )
    return chosen


def require_renewable(profile: Profile) -> None:
    """Raise CommandError for a profile whose token ends without another one."""
    if profile.secret_file is None and profile.key_file is None and profile.data_dir is None:
        raise CommandError(
            "the profile has no file to renew its token with: sign in with --secret-file or --key-file, or"
            " use --once",
            ExitCode.USAGE,
        )


@contextmanager
def opened_api(
    profile: Profile, store: ProfileStore | None, headers: Mapping[str, str]
) -> Iterator[AdminApi]:
    """Open the admin API. ``headers``: of every request. Raises CommandError."""
    url = check_server(profile.server, insecure_http=profile.insecure_http)
    server = connect(url, profile.ca_file, headers)
    try:
        yield AdminApi(server, ProfileTokens(profile, store, server))
    finally:
        server.close()
