"""Protocol mappers as they are stored: shapes, sizes, names and ids."""

from typing import Any

import msgspec
import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_scope_changes import (
    with_changed_scope,
    with_new_scope,
    with_scope_mappers,
)
from keyturn_credentials.domain.client_scopes import scopes_of_realm
from keyturn_credentials.domain.imported_mappers import usable_mappers
from keyturn_credentials.domain.mapper_changes import adding, removing, replacing
from keyturn_credentials.domain.protocol_mappers import (
    MAX_CLIENT_BYTES,
    MAX_MAPPER_BYTES,
    MAX_MAPPERS,
    MAX_REALM_BYTES,
    mappers_in,
    normal,
    normal_mapper,
    shown,
)
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import (
    change_client,
    change_realm,
    describe_client,
    with_client_mappers,
)
from keyturn_credentials.errors import ConflictError, InvalidRequestError, NotFoundError

HARDCODED = "oidc-hardcoded-claim-mapper"
REALM = Realm("r", "acme")
CLIENT = Client(uuid="u", realm_id="r", client_id="orders")


def mapper(name: str = "tier", **members: Any) -> dict[str, Any]:
    config = {"claim.name": "tier", "claim.value": "gold", "access.token.claim": "true"}
    return {"name": name, "protocolMapper": HARDCODED, "config": config, **members}


def sized(name: str, size: int) -> dict[str, Any]:
    """Make a mapper that has this many bytes as it is stored."""
    made = normal_mapper(mapper(name))
    frame = len(msgspec.json.encode(made)) - len("gold")
    return {**made, "config": {**made["config"], "claim.value": "x" * (size - frame)}}


def test_a_mapper_is_stored_with_texts_and_without_what_is_empty() -> None:
    given = mapper(protocol=None, config={"a": True, "b": 5, "c": "", "d": None, "e": "x"}, consentText="x")
    assert normal_mapper(given) == {
        "name": "tier",
        "protocol": "openid-connect",
        "protocolMapper": HARDCODED,
        "consentRequired": False,
        "config": {"a": "true", "b": "5", "e": "x"},
    }
    assert normal_mapper(mapper(id="chosen"))["id"] == "chosen"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": ""},
        {"name": 5},
        {"name": "a\nb"},
        {"name": "x" * 256},
        {"protocolMapper": None},
        {"protocolMapper": ["x"]},
        {"protocol": 5},
        {"id": "x" * 65},
        {"id": "\0"},
        {"config": []},
        {"config": {"a": []}},
        {"config": {"a": 1.5}},
        {"config": {"a": "\0"}},
        {"config": {"a": "-----BEGIN PRIVATE KEY-----"}},
        {"unknown": 1},
    ],
    ids=str,
)
def test_what_is_no_mapper_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        normal_mapper(mapper(**wrong))


@pytest.mark.parametrize("wrong", ["x", {}, [1], [None]])
def test_mappers_are_an_array_of_objects(wrong: Any) -> None:
    with pytest.raises(InvalidRequestError, match="array of objects"):
        change_client(CLIENT, {"protocolMappers": wrong})
    with pytest.raises(InvalidRequestError, match="array of objects"):
        change_realm(REALM, {"clientScopes": [{"name": "s", "protocolMappers": wrong}]})


def test_names_are_unique_for_each_protocol() -> None:
    with pytest.raises(ConflictError, match="exists with same name"):
        normal([mapper(), mapper()])
    with pytest.raises(ConflictError):
        normal([mapper("a", id="1"), mapper("b", id="1")])
    assert len(normal([mapper(), mapper(protocol="saml")])) == 2


def test_a_client_has_a_bounded_number_of_mappers_of_a_bounded_size() -> None:
    many = [mapper(f"m{number}") for number in range(MAX_MAPPERS)]
    assert len(change_client(CLIENT, {"protocolMappers": many}).document["protocolMappers"]) == MAX_MAPPERS
    for act in (
        lambda: change_client(CLIENT, {"protocolMappers": [*many, mapper("more")]}),
        lambda: adding([{**normal_mapper(each), "id": each["name"]} for each in many], [mapper("more")]),
    ):
        with pytest.raises(InvalidRequestError, match=f"at most {MAX_MAPPERS} are allowed"):
            act()
    assert normal_mapper(sized("m", MAX_MAPPER_BYTES))
    with pytest.raises(InvalidRequestError, match=f"has {MAX_MAPPER_BYTES + 1} bytes"):
        normal_mapper(sized("m", MAX_MAPPER_BYTES + 1))


def test_all_mappers_of_a_client_have_a_bounded_size() -> None:
    large = [sized(f"m{number}", 8000) for number in range(8)]
    fitting = change_client(CLIENT, {"protocolMappers": large})
    with pytest.raises(InvalidRequestError, match=f"at most {MAX_CLIENT_BYTES}"):
        change_client(CLIENT, {"protocolMappers": [*large, sized("more", 8000)]})
    with pytest.raises(InvalidRequestError, match=f"at most {MAX_CLIENT_BYTES}"):
        with_client_mappers(fitting, [*mappers_in(fitting.document, "u"), sized("more", 8000)])


def test_all_mappers_of_a_realms_scopes_have_a_bounded_size() -> None:
    def scopes(count: int) -> dict[str, Any]:
        return {
            "clientScopes": [
                {"name": f"s{each}", "protocolMappers": [sized("m", 8000)]} for each in range(count)
            ]
        }

    fitting = change_realm(REALM, scopes(31))
    with pytest.raises(InvalidRequestError, match=f"at most {MAX_REALM_BYTES}"):
        change_realm(REALM, scopes(40))
    with pytest.raises(InvalidRequestError, match=f"at most {MAX_REALM_BYTES}"):
        with_new_scope(
            fitting, {"name": "more", "protocolMappers": [sized(f"m{each}", 8000) for each in range(3)]}
        )


def test_a_mapper_without_an_id_has_one_that_stays() -> None:
    stored = change_client(CLIENT, {"protocolMappers": [mapper()]})
    first, again = (describe_client(stored, REALM, show_secret=True, now=0.0) for _ in range(2))
    assert first["protocolMappers"] == again["protocolMappers"]
    assert first["protocolMappers"][0]["id"]
    assert describe_client(change_client(stored, first), REALM, show_secret=True, now=0.0) == first
    assert "protocolMappers" not in describe_client(CLIENT, REALM, show_secret=True, now=0.0)


def test_a_put_of_a_client_replaces_its_mappers_and_one_without_them_leaves_them() -> None:
    stored = change_client(CLIENT, {"protocolMappers": [mapper()]})
    assert (
        change_client(stored, {"name": "x"}).document["protocolMappers"] == stored.document["protocolMappers"]
    )
    assert change_client(stored, {"protocolMappers": []}).document["protocolMappers"] == []
    other = change_client(stored, {"protocolMappers": [mapper("other")]})
    assert [each["name"] for each in other.document["protocolMappers"]] == ["other"]


def test_mappers_are_added_replaced_and_removed_by_id() -> None:
    added = adding([], [mapper("a"), mapper("b", id="b")])
    first, second = added.after
    assert first["id"] != second["id"] == "b"
    changed = replacing(added.after, "b", {"name": "c", "protocolMapper": "own"})
    assert changed.after == [first, {
        "name": "c", "protocol": "openid-connect", "protocolMapper": "own",
        "consentRequired": False, "config": {}, "id": "b",
    }]  # fmt: skip
    assert removing(changed.after, "b").after == [first]
    with pytest.raises(NotFoundError, match="Model not found"):
        replacing(added.after, "x", mapper())
    with pytest.raises(NotFoundError, match="Model not found"):
        removing(added.after, "x")
    with pytest.raises(ConflictError):
        replacing(added.after, "b", mapper("a"))
    with pytest.raises(ConflictError):
        adding(added.after, [mapper("a")])
    with pytest.raises(InvalidRequestError, match="id"):
        replacing(added.after, "b", mapper("b", id="other"))


def test_the_address_of_a_mapper_shows_its_switches() -> None:
    """Switches that are not set are written out, as in Keycloak."""
    assert shown(normal_mapper(mapper()))["config"]["introspection.token.claim"] == "true"
    hidden = normal_mapper(mapper(config={"claim.name": "x", "access.token.claim": "false"}))
    assert shown(hidden)["config"]["introspection.token.claim"] == "false"
    resolving = normal_mapper({"name": "a", "protocolMapper": "oidc-audience-resolve-mapper"})
    assert shown(resolving)["config"] == {"access.token.claim": "true", "introspection.token.claim": "true"}
    role = normal_mapper(
        {"name": "a", "protocolMapper": "oidc-hardcoded-role-mapper", "config": {"role": "x"}}
    )
    assert shown(role)["config"] == {"role": "x"}


def test_built_in_scopes_have_keycloaks_mappers_until_they_are_given_others() -> None:
    def of(realm: Realm, name: str) -> list[str]:
        return [
            each["name"] for scope in scopes_of_realm(realm) if scope.name == name for each in scope.mappers
        ]

    assert of(REALM, "roles") == ["realm roles", "client roles", "audience resolve"]
    roles = next(scope for scope in scopes_of_realm(REALM) if scope.name == "roles")
    emptied = with_scope_mappers(REALM, roles.id, [])
    assert of(emptied, "roles") == []
    assert len(of(emptied, "profile")) == 14
    assert of(with_changed_scope(emptied, roles.id, {"description": "x"}), "roles") == []
    with_own = with_changed_scope(REALM, roles.id, {"protocolMappers": [mapper()]})
    assert of(with_own, "roles") == ["tier"]
    imported = change_realm(
        REALM, {"clientScopes": [{"name": "roles"}, {"name": "email", "protocol": "saml"}]}
    )
    assert of(imported, "roles") == ["realm roles", "client roles", "audience resolve"]
    assert of(imported, "email") == []


def test_a_scope_can_keep_what_an_earlier_build_stored_and_get_no_more_of_it() -> None:
    evil = normal_mapper(
        mapper(config={"claim.name": "iss", "claim.value": "x", "access.token.claim": "true"})
    )
    stored = Realm(
        "r", "acme", document={"clientScopes": [{"id": "s", "name": "s", "protocolMappers": [evil]}]}
    )
    other, _ = with_new_scope(stored, {"name": "other"})
    assert next(scope for scope in scopes_of_realm(other) if scope.name == "s").mappers
    for act in (
        lambda: with_new_scope(stored, {"name": "other", "protocolMappers": [evil]}),
        lambda: with_changed_scope(stored, "s", {"protocolMappers": [{**evil, "name": "new"}]}),
        lambda: change_client(CLIENT, {"protocolMappers": [evil]}),
    ):
        with pytest.raises(InvalidRequestError, match="must not set the claim iss"):
            act()


def test_an_import_leaves_out_what_would_be_refused_with_a_note_for_each_up_to_a_bound() -> None:
    evil = mapper("evil", config={"claim.name": "iss", "claim.value": "x", "access.token.claim": "true"})
    own = {"name": "own", "protocolMapper": "script-own.js"}
    people = {"name": "full name", "protocolMapper": "oidc-full-name-mapper"}
    client: dict[str, Any] = {"protocolMappers": [mapper(), evil, own, people, mapper(), 5]}
    notes = usable_mappers(client)
    assert [each["name"] for each in client["protocolMappers"]] == ["tier", "own", "full name"]
    assert len(notes) == 4
    assert "must not set the claim iss: it is left out" in notes[0]
    assert "script-own.js" in notes[-1]
    many: dict[str, Any] = {"protocolMappers": [{**own, "name": str(each)} for each in range(50)]}
    assert len(usable_mappers(many)) == 11
    broken: dict[str, Any] = {"protocolMappers": "x"}
    assert len(usable_mappers(broken)) == 1
    assert broken == {}
    assert usable_mappers({}) == []
