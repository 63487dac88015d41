"""Vault's token: from a file, or by a login with AppRole or a service account."""

from typing import Final

import httpx

from keyturn.agent.sinks.delivery import SinkError
from keyturn.agent.sinks.http import header, read_credential, refusal
from keyturn.agent.sinks.settings import VaultSettings

_UNUSABLE: Final = "the response to the login has no token"


class VaultLogin:
    """Finds the token, and keeps that of a login until it is refused: a login may be limited to a number of
    times."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings
        self._kept: str | None = None

    async def token(self, http: httpx.AsyncClient) -> str:
        """Return the token. A file is read each time. Raises SinkError and errors of httpx."""
        if self._settings.token_file is not None:
            return header(self._settings.token_file)
        if self._kept is None:
            self._kept = await self._log_in(http)
        return self._kept

    def forget(self) -> None:
        """Log in anew next time."""
        self._kept = None

    async def _log_in(self, http: httpx.AsyncClient) -> str:
        mount, form = self._credentials()
        answer = await http.post(f"/v1/auth/{mount}/login", json=form)
        if answer.status_code != 200:
            raise refusal(answer, f"the login at {mount}")
        try:
            token = answer.json()["auth"]["client_token"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise SinkError(_UNUSABLE) from None
        if not (isinstance(token, str) and token and token.isascii() and token.isprintable()):
            raise SinkError(_UNUSABLE)
        return token

    def _credentials(self) -> tuple[str, dict[str, str]]:
        if (approle := self._settings.approle) is not None:
            form = {"role_id": approle.role_id}
            if approle.secret_id_file is not None:
                form["secret_id"] = read_credential(approle.secret_id_file)
            return approle.mount, form
        if (account := self._settings.kubernetes) is not None:
            return account.mount, {"role": account.role, "jwt": read_credential(account.token_file)}
        raise SinkError("set one of token_file, approle and kubernetes")
