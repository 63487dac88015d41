"""The keys without which a backup's contents cannot be used, found while its rows pass by."""

from collections import Counter
from typing import Any, Final

import msgspec

from keyturn_credentials.backup.contents import Digests, Summary
from keyturn_credentials.backup.document import Rows, columns_of
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing

_KEY_TABLES: Final = frozenset(("realm_keys", "admin_keys"))
_secrets: Final = msgspec.json.Decoder(dict[str, dict[str, Any]])


class KeyNeeds:
    """Collects ids of keys. Its memory depends on the number of realms and keys, not of clients."""

    def __init__(self) -> None:
        self._realms: dict[str, str] = {}
        self._encryption: set[str] = set()
        self._digests: Counter[tuple[str, str]] = Counter()

    def note(self, rows: Rows) -> None:
        """Look at rows. Raises BackupError if a column is missing."""
        if rows.table.name == "realms":
            place, name = columns_of(rows.table, "id", "name")
            self._realms.update((str(row[place]), str(row[name])) for row in rows.values)
        elif rows.table.name in _KEY_TABLES:
            (place,) = columns_of(rows.table, "sealed_private_jwk")
            sealed = [row[place] for row in rows.values if row[place] is not None]
            self._encryption.update(KeyRing.key_id_of(str(value)) for value in sealed)
        elif rows.table.name == "clients":
            realm, place = columns_of(rows.table, "realm_id", "secrets")
            for row in rows.values:
                self._note_secrets(str(row[realm]), str(row[place]))

    def _note_secrets(self, realm_id: str, secrets: str) -> None:
        for stored in _secrets.decode(secrets).values():
            if stored["sealed"] is not None:
                self._encryption.add(KeyRing.key_id_of(str(stored["sealed"])))
            else:
                self._digests[realm_id, KeyRing.key_id_of(stored["digest"])] += 1

    def summary(self, rows: dict[str, int]) -> Summary:
        """Return the summary of a backup with these numbers of rows by table."""
        digests = (
            Digests(realm_id, self._realms.get(realm_id, realm_id), key, count)
            for (realm_id, key), count in sorted(self._digests.items())
        )
        # What has no key's id was altered: no key is missing for it, and the rest needs its backup.
        return Summary(rows, tuple(sorted(self._encryption - {""})), tuple(digests))


def missing_encryption_keys(summary: Summary, ring: KeyRing) -> list[str]:
    """Return ids of the encryption keys that the ring lacks."""
    return sorted(set(summary.encryption_keys) - set(ring.key_ids))


def unchecked_digests(summary: Summary, fleet: FleetRing) -> list[Digests]:
    """Return the digests whose keys the fleet keys do not include."""
    return [each for each in summary.digests if each.key not in fleet.find(each.realm_id).key_ids]
