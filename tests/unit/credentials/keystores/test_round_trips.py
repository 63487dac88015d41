"""Everything written is read back the same, and damage never changes what is read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn_credentials.keystores import (
    ArchivePasswords,
    CertificateEntry,
    KeyEntry,
    KeyPairKind,
    KeyStoreFormat,
    write_archive,
)
from keyturn_shared.keystores.entries import java_alias
from keyturn_shared.keystores.errors import (
    AliasAmbiguousError,
    KeyStoreError,
    WrongKeyPasswordError,
    WrongStorePasswordError,
)
from keyturn_shared.secret import Secret
from tests.testkit.key_material import (
    JKS,
    NOW,
    PKCS12,
    certificate,
    chain_of_three,
    import_archive,
    key_pair,
)

Entry = KeyEntry | CertificateEntry

# Half a surrogate pair cannot be encoded, and is refused.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=20)
ALIASES = st.lists(TEXTS, min_size=1, max_size=4, unique_by=java_alias).filter(
    # Some letters change in lower case, and their results change again.
    lambda aliases: len({java_alias(java_alias(alias)) for alias in aliases}) == len(aliases)
)
KINDS = st.sampled_from([KeyPairKind.P_256, KeyPairKind.ED25519, KeyPairKind.RSA_2048])


def passwords_for(archive_format: KeyStoreFormat) -> st.SearchStrategy[ArchivePasswords]:
    """Return passwords for a format: Java opens PKCS #12 with ASCII passwords only."""
    texts = TEXTS if archive_format is JKS else ASCII
    return st.builds(ArchivePasswords, store=st.builds(Secret, texts), key=st.builds(Secret, texts))


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    made: list[Entry] = []
    for alias in draw(ALIASES):
        kind = draw(KINDS)
        what = draw(st.sampled_from(["key", "key with chain", "certificate"]))
        if what == "key":
            made.append(KeyEntry(alias, key_pair(kind), (certificate(kind),)))
        elif what == "key with chain":
            made.append(KeyEntry(alias, key_pair(), chain_of_three()))
        else:
            made.append(CertificateEntry(alias, certificate(kind)))
    return made


@st.composite
def archives(draw: st.DrawFn) -> tuple[KeyStoreFormat, list[Entry], ArchivePasswords, bytes]:
    # PKCS #12 takes some tenths of a second each time.
    archive_format = draw(st.sampled_from([JKS, JKS, PKCS12]))
    written, passwords = draw(entries()), draw(passwords_for(archive_format))
    return archive_format, written, passwords, write_archive(archive_format, written, passwords, now=NOW)


@settings(max_examples=12, deadline=None)
@given(archives())
def test_every_entry_is_read_back_with_its_chain(
    made: tuple[KeyStoreFormat, list[Entry], ArchivePasswords, bytes],
) -> None:
    archive_format, written, passwords, data = made
    for entry in written:
        expected = entry.chain if isinstance(entry, KeyEntry) else (entry.certificate,)
        read = import_archive(archive_format, data, entry.alias, key=passwords.key, store=passwords.store)
        assert read.chain == expected
    if len(written) > 1:
        with pytest.raises(AliasAmbiguousError):
            import_archive(archive_format, data, key=passwords.key, store=passwords.store)


@settings(max_examples=12, deadline=None)
@given(archives(), st.data())
def test_no_other_password_opens_anything(
    made: tuple[KeyStoreFormat, list[Entry], ArchivePasswords, bytes], data: st.DataObject
) -> None:
    archive_format, written, passwords, archive = made
    assert passwords.store is not None
    assert passwords.key is not None
    right = passwords.store.reveal()
    other = Secret(data.draw(TEXTS.filter(lambda text: text != right)))
    with pytest.raises(WrongStorePasswordError):
        import_archive(archive_format, archive, written[0].alias, key=passwords.key, store=other)
    if (
        archive_format is JKS
        and isinstance(written[0], KeyEntry)
        and other.reveal() != passwords.key.reveal()
    ):
        with pytest.raises(WrongKeyPasswordError):
            import_archive(JKS, archive, written[0].alias, key=other, store=passwords.store)


@settings(max_examples=24, deadline=None)
@given(archives(), st.integers(min_value=0), st.integers(1, 255))
def test_a_damaged_archive_is_refused_or_means_the_same(
    made: tuple[KeyStoreFormat, list[Entry], ArchivePasswords, bytes], position: int, change: int
) -> None:
    archive_format, written, passwords, archive = made
    damaged = bytearray(archive)
    damaged[position % len(archive)] ^= change
    entry = written[0]
    expected = entry.chain if isinstance(entry, KeyEntry) else (entry.certificate,)
    try:
        read = import_archive(
            archive_format, bytes(damaged), entry.alias, key=passwords.key, store=passwords.store
        )
    except KeyStoreError:
        return
    assert read.chain == expected
