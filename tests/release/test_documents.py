"""The documented commands print the published documents."""

from tests.release.documents import wrong_with_documents


def test_the_published_documents_are_what_their_commands_print() -> None:
    assert wrong_with_documents() == []
