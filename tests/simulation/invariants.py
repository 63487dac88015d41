"""Invariants (section numbers of ``docs/protocol.md``), checked at every step that could break them."""

from collections.abc import Callable, Collection
from typing import Final

from keyturn_shared.fleet.layout import Layout
from keyturn_shared.position import Position
from keyturn_shared.projection import ClientProjection, RealmProjection
from tests.simulation.access_tokens import REALM_NAME, HeldToken, is_good
from tests.simulation.clients import Credential, commit_id, realm_commit_id
from tests.simulation.database import Commit, Database
from tests.simulation.redis_model.commands import Effects
from tests.simulation.redis_model.server import RedisServer

_HEAD: Final = Layout().head.encode()
_EVENTS: Final = Layout().events.encode()


class ViolationError(Exception):
    """An invariant is violated. ``number`` as in the table of ``docs/protocol.md``."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, what)  # unchanged: the error travels between the processes of a search
        self.number = number
        self.what = what

    def __str__(self) -> str:
        return f"invariant {self.number}: {self.what}"


class Invariants:
    """Knows everything that happened, and what may be observed of it."""

    def __init__(
        self, database: Database, time: Callable[[], float], lease_seconds: float, *, intruded: bool = False
    ) -> None:
        """``intruded``: an attacker writes to Redis. Only invariants that must hold even then are checked."""
        self.violation: ViolationError | None = None
        self.checks = 0
        self.longest_barrier = 0.0
        self._opened_at = 0.0
        self._reunited_at = 0.0
        self._intruded = intruded
        self._database = database
        self._time = time
        self._lease_seconds = lease_seconds
        self._commits: dict[str, Commit] = {"": database.head}
        self._versions: dict[str, list[Commit]] = {}
        self._safe: list[tuple[float, Commit]] = []
        self._positions: dict[Position, str] = {}
        self._accepted: dict[tuple[str, str], str] = {}
        self._seen: dict[tuple[str, str], Commit] = {}
        self._lost: set[Commit] = set()
        self._head = database.head

    def committed(self, commit: Commit) -> None:
        self._commits[commit.id] = commit
        self._head = self._database.head
        for name in commit.changed:
            self._versions.setdefault(name, []).append(commit)

    def wait_succeeded(self, commit: Commit) -> None:
        """Note a successful wait: no later request is answered from an older state. For a change lost with a
        restored database nothing can be said."""
        if self._database.head.holds(commit):
            self._safe.append((self._time(), commit))

    def restored(self) -> None:
        """Note a restored database: promises about lost changes are void, even if a later backup brings them
        back."""
        head, each = self._database.head, self._head
        while each.sequence > head.sequence or not head.holds(each):
            self._lost.add(each)
            assert each.parent is not None, "the first of all is never lost"
            each = each.parent
        self._head = head
        self._seen = {key: version for key, version in self._seen.items() if head.holds(version)}
        self._safe = [(since, commit) for since, commit in self._safe if self._database.head.holds(commit)]

    def broken(self, number: int, what: str) -> None:
        """Note the first violation; the run ends with it."""
        if self.violation is None and (not self._intruded or number in _WHOEVER_WRITES):
            self.violation = ViolationError(number, what)

    # Contents of Redis ------------------------------------------------------------------------------------

    def wrote(self, server: RedisServer, effects: Effects) -> None:
        """Check the event log in Redis after a step that changed it."""
        if self._intruded or not any(
            arguments and arguments[0] in (_EVENTS, _HEAD) for _, arguments in effects
        ):
            return
        self.checks += 1
        if any(name == b"HSET" and arguments[1] == b"epoch" for name, arguments in effects):
            self._opened_at = self._time()
        head = server.data.hash(_HEAD, server.now_ms)
        entries = server.data.stream(_EVENTS, server.now_ms).entries
        if not head or not entries:
            return
        newest = Position(*entries[-1][0])
        if newest != Position(int(head[b"epoch"]), int(head[b"sequence"])):
            self.broken(
                1, f"the head is {head[b'epoch']!r}-{head[b'sequence']!r}, the stream ends at {newest}"
            )
            return
        event_id = head[b"event_id"].decode()
        if any(name == b"XADD" for name, _ in effects):
            self._check_entry(newest, event_id, entries)
        commit = self._commits[event_id]
        if self._database.head.holds(commit):
            self._check_projections(server, head, commit)

    def _check_entry(
        self, newest: Position, event_id: str, entries: list[tuple[tuple[int, int], list[bytes]]]
    ) -> None:
        known = self._positions.setdefault(newest, event_id)
        if known != event_id:
            self.broken(1, f"position {newest.stream_id} means two events: {known} and {event_id}")
        if self._commits[event_id].sequence != newest.sequence:
            self.broken(1, f"event {event_id} is at position {newest.stream_id}")
        if len(entries) > 1:
            former = Position(*entries[-2][0])
            if former.epoch == newest.epoch and newest.sequence != former.sequence + 1:
                self.broken(1, f"after {former.stream_id} comes {newest.stream_id}")

    def _check_projections(self, server: RedisServer, head: dict[bytes, bytes], commit: Commit) -> None:
        """Check that every projection is at least as new as the head; while an epoch is being filled, those
        that its events touched."""
        key = Layout().projections(int(head[b"epoch"])).encode()
        values = server.data.hash(key, server.now_ms)
        if b"complete" not in values:
            return  # lost together with its marker: no node takes a missing field for an absent client
        filling = head[b"sequence"] == head[b"base_sequence"]
        names = commit.states if head[b"complete"] == b"1" else () if filling else commit.changed
        for name in names:
            writer = commit.states[name]
            value = values.get(name.encode())
            if value is not None:
                fresh = int(value.partition(b":")[0]) >= writer.sequence
            else:
                fresh = self._was_absent_since(name, writer)
            if not fresh:
                self.broken(5, f"Redis is at {commit.sequence} with {name} older than {writer.sequence}")

    # Answers of nodes ------------------------------------------------------------------------------------

    def answered(
        self,
        node: str,
        position: Position,
        begun: float,
        credential: Credential,
        client: ClientProjection | None,
        *,
        accepted: bool,
        code: str,
        heard: float,
        jti: str = "",
    ) -> None:
        """Check an answer at the moment of its decision.

        ``client``: the state it read. ``begun``: when the request was sent. ``heard``: seconds, by the node's
        correct clock, since it sent the last renewal that was answered.
        """
        self.checks += 1
        name = credential.field
        who = f"{node} at {position.stream_id} answers {code} for {credential.client_id}"
        if heard >= self._lease_seconds:
            self.broken(4, f"{who}, {heard:.3f} s after it heard from the fleet")
        version = None if client is None else self._commits.get(commit_id(client))
        if client is not None and version is None:
            self.broken(8, f"{who}, from a state that the credentials service did not make")
            return
        good = version is not None and credential.is_accepted_by(version.client(name))
        if accepted and not good:
            self.broken(8 if self._intruded else 5, f"{who}: not what its own state says")
        if code in _REFUSES_CREDENTIAL and good:
            self.broken(5, f"{who}: it holds that very credential")
        for since, commit in self._safe:
            if since <= begun:
                self._require(3, who, version, commit, name)
        at = self._positions.get(position)
        if at is not None:
            self._require(5, who, version, self._commits[at], name)
        self._check_direction(node, name, version, who)
        if accepted and jti:
            former = self._accepted.setdefault((credential.client_id, jti), who)
            if former is not who:
                self.broken(6, f"{who}; this assertion was accepted before: {former}")

    def versions_of(self, client: ClientProjection, realm: RealmProjection) -> tuple[Commit, Commit] | None:
        """Return the changes that made these projections; None for forged ones."""
        of_client = self._commits.get(commit_id(client))
        of_realm = self._commits.get(realm_commit_id(realm))
        return None if of_client is None or of_realm is None else (of_client, of_realm)

    def token_answered(
        self,
        node: str,
        position: Position,
        begun: float,
        token: HeldToken,
        client: ClientProjection | None,
        realm: RealmProjection | None,
        *,
        code: str,
        heard: float,
        ending: Collection[str],
    ) -> None:
        """Check an answer about an access token, which reads a realm and a client, like ``answered``."""
        self.checks += 1
        who = f"{node} at {position.stream_id} answers {code} for a token of {token.client_id}"
        if heard >= self._lease_seconds:
            self.broken(4, f"{who}, {heard:.3f} s after it heard from the fleet")
        version = None if client is None else self._commits.get(commit_id(client))
        of_realm = None if realm is None else self._commits.get(realm_commit_id(realm))
        if of_realm is None or (client is not None and version is None):
            self.broken(8, f"{who}, from a state that the credentials service did not make")
            return
        good = is_good(token, version, of_realm, ending)
        if code == "token_accepted" and good is False:
            self.broken(5, f"{who}: by its own states it has ended")
        if code in _REFUSES_TOKEN and good:
            self.broken(5, f"{who}: by its own states it is good")
        for name, seen in ((token.field, version), (REALM_NAME, of_realm)):
            for since, commit in self._safe:
                if since <= begun:
                    self._require(3, who, seen, commit, name)
            at = self._positions.get(position)
            if at is not None:
                self._require(5, who, seen, self._commits[at], name)
            self._check_direction(node, name, seen, who)

    def reunited(self) -> None:
        """Note that a former primary is gone to which nodes may have been connected until now."""
        self._reunited_at = self._time()

    def refused_by_barrier(self) -> None:
        """Note that an assertion was refused as issued before replay memory was lost."""
        since = max(self._opened_at, self._reunited_at)
        self.longest_barrier = max(self.longest_barrier, self._time() - since)

    def _require(self, number: int, who: str, version: Commit | None, commit: Commit, name: str) -> None:
        writer = commit.states.get(name)
        if writer is None:
            return
        fresh = self._was_absent_since(name, writer) if version is None else version.holds(writer)
        if not fresh:
            what = "an absent client" if version is None else f"version {version.sequence}"
            self.broken(number, f"{who} from {what}, though {commit.sequence} needs {writer.sequence}")

    def _check_direction(self, node: str, name: str, version: Commit | None, who: str) -> None:
        former = self._seen.get((node, name))
        if version is None:
            return
        if former is not None and not version.holds(former):
            self.broken(2, f"{who} from version {version.sequence}, after {former.sequence}")
        if self._database.head.holds(version) and version not in self._lost:
            self._seen[node, name] = version

    def _was_absent_since(self, name: str, writer: Commit) -> bool:
        """Return whether the projection was ever absent at or after that version."""
        return any(
            version.changed[name] is None and version.holds(writer)
            for version in self._versions.get(name, ())
        )


_WHOEVER_WRITES: Final = frozenset({4, 8})
"""Invariants that hold even if an attacker writes to Redis: no answer without a lease, and none from anything
that the credentials service did not make."""

_REFUSES_TOKEN: Final = frozenset(
    {"token_ended", "token_revoked", "unknown_client", "client_disabled", "bad_signature", "unknown_kid"}
)
_REFUSES_CREDENTIAL: Final = frozenset(
    {"wrong_secret", "unknown_client", "client_disabled", "key_revoked", "bad_signature", "unknown_kid"}
)
