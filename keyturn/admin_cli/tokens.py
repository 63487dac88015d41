"""The administrator's access token: kept in the profile, renewed from files if the profile names any."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.profiles import Profile, ProfileStore
from keyturn.admin_cli.servers import Server

_EARLY_SECONDS: Final = 15.0


class ProfileTokens:
    """Tokens of a profile. ``store``: where the newest one is kept, if anywhere."""

    def __init__(
        self,
        profile: Profile,
        store: ProfileStore | None,
        server: Server,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._profile = profile
        self._store = store
        self._server = server
        self._now = now

    def current(self) -> str:
        """Return a token that has not expired. Raises CommandError."""
        token = self._profile.token
        if token is None or self._now() >= self._profile.token_expires_at - _EARLY_SECONDS:
            if not self.renew():
                raise CommandError("the sign-in has expired; run keyturn login", ExitCode.NOT_ALLOWED)
            token = self._profile.token
        assert token is not None  # noqa: S101 - renew has set it
        return token

    def renew(self) -> bool:
        """Sign in with the credential in the profile's files; False without any. Raises CommandError."""
        from keyturn.admin_cli.sign_in import credential_from_files, get_token  # cryptography takes a while

        credential = credential_from_files(self._profile)
        if credential is None:
            return False
        token = get_token(self._server, self._profile, credential, self._now)
        self._profile = self._profile.with_token(token.text, token.expires_at)
        if self._store is not None:
            with suppress(CommandError):  # the next command signs in by itself
                self._store.save(self._profile)
        return True
