"""Patterns of subjects match within one segment, and never across tenants."""

import pytest

from keyturn_shared.oauth.subject_patterns import InvalidPatternError, check_pattern, matches

BRANCHES = "repo:octo-org/orders:ref:refs/heads/release-*"
REPOSITORIES = "repo:octo-org/*:ref:refs/heads/main"
ACCOUNTS = "system:serviceaccount:shop:worker-*-eu"
WORKLOADS = "spiffe://prod.example/ns/shop/sa/*"


@pytest.mark.parametrize(
    ("pattern", "subject"),
    [
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-1"),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-1.2_rc~3"),
        (REPOSITORIES, "repo:octo-org/orders:ref:refs/heads/main"),
        (ACCOUNTS, "system:serviceaccount:shop:worker-a-eu"),
        (ACCOUNTS, "system:serviceaccount:shop:worker--eu-eu"),
        (WORKLOADS, "spiffe://prod.example/ns/shop/sa/orders"),
        ("project_path:shop/*:ref_type:*:ref:main", "project_path:shop/orders:ref_type:branch:ref:main"),
    ],
)
def test_one_or_more_characters_of_a_segment_match(pattern: str, subject: str) -> None:
    check_pattern(pattern)
    assert matches(pattern, subject)


@pytest.mark.parametrize(
    ("pattern", "subject"),
    [
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-"),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-1/2"),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-1:2"),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-1%2F2"),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-1 "),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-1\n"),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-\uff11"),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-*"),
        (BRANCHES, "repo:octo-org/orders:ref:refs/heads/release-" + "1" * 256),
        (BRANCHES, "repo:octo-org/orders:ref:refs:heads/release-1"),
        (BRANCHES, "repo/octo-org/orders:ref:refs/heads/release-1"),
        (BRANCHES, "REPO:octo-org/orders:ref:refs/heads/release-1"),
        (BRANCHES, "x" * 3000),
        (REPOSITORIES, "repo:octo-org/..:ref:refs/heads/main"),
        (REPOSITORIES, "repo:octo-org/.:ref:refs/heads/main"),
        (REPOSITORIES, "repo:octo-org/:ref:refs/heads/main"),
        (REPOSITORIES, "repo:mallory/orders:ref:refs/heads/main"),
        (ACCOUNTS, "system:serviceaccount:shop:worker-eu"),
        (ACCOUNTS, "system:serviceaccount:shop:worker-a-eu-x"),
        (ACCOUNTS, "system:serviceaccount:evil:worker-a-eu"),
        (WORKLOADS, "spiffe://prod.example/ns/shop/sa/orders/x"),
        (WORKLOADS, "spiffe://prod.example.evil/ns/shop/sa/orders"),
        (WORKLOADS, ""),
        ("no pattern", "no pattern"),
        ("repo:*/x", "repo:octo-org/x"),
    ],
)
def test_nothing_else_matches(pattern: str, subject: str) -> None:
    assert not matches(pattern, subject)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "1 to 2048"),
        ("x" * 2049, "1 to 2048"),
        ("repo:a b/*", "without spaces"),
        ("repo:\u00e9/*", "ASCII"),
        ("repo:octo-org/orders", "must have a *"),
        ("repo:octo-org/*-*", "one *"),
        ("repo:octo-org/**", "one *"),
        ("*", "first 2"),
        ("repo:*", "first 2"),
        ("repo:*/orders:ref:refs/heads/main", "first 2"),
        ("re*:octo-org/x", "first 2"),
        ("system:serviceaccount:*:orders", "first 3"),
        ("system:serviceaccount:shop-*:orders", "first 3"),
        ("spiffe://*/ns/shop", "first 4"),
        ("spiffe://*.example/ns/shop", "first 4"),
    ],
)
def test_a_pattern_names_its_tenant(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidPatternError, match=reason.replace("*", r"\*")):
        check_pattern(pattern)
