"""The two sides in the words of a session's people."""

import pytest

from recon_core.reports.side_names import SideNames


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        ({}, ("ledger", "exchange")),
        ({"internal": "acme ledger", "external": "Binance"}, ("acme ledger", "Binance")),
        ({"external": "paper account"}, ("ledger", "paper account")),
        ({"internal": "acme", "external": "ACME"}, ("ledger", "exchange")),
        ({"internal": "exchange"}, ("ledger", "exchange")),
        ({"internal": "external", "external": "internal"}, ("ledger", "exchange")),
        ({"internal": "  two   words "}, ("two words", "exchange")),
        ({"internal": "\x1b[2J"}, ("\\x1b[2J", "exchange")),
        ({"internal": "x" * 300}, ("x" * 24, "exchange")),
    ],
)
def test_the_names_are_the_sources(sources: dict[str, str], names: tuple[str, str]) -> None:
    """The usual words where a source is absent, equal to the other, or a word of the engine."""
    made = SideNames.of_sources(sources)
    assert (made.internal, made.external) == names


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("the internal side lacks a fill", "the ledger lacks a fill"),
        ("the fills of the external side", "the fills of the exchange"),
        ("the session has no external side", "the session has no exchange"),
        (
            "the session has no internal and no external side",
            "the session has no ledger and no exchange",
        ),
        ("internal 1, external 2 (not listed)", "ledger 1, exchange 2 (not listed)"),
        ("internal: 1 opening + 2 trades", "ledger: 1 opening + 2 trades"),
        ("internal's rows and external agree", "ledger's rows and exchange agree"),
        ("fill internal-7 of order x/external", None),
        ("internal.cash.EUR: unknown key; expected 'internal'", None),
        ("a cash of the external side.", "a cash of the exchange."),
        ("the internals of externality", None),
    ],
)
def test_a_sentence_of_the_engine_has_the_names(sentence: str, said: str | None) -> None:
    """The words of the engine are replaced, and never a part of an id."""
    assert SideNames().said(sentence) == (said or sentence)


def test_a_proper_name_has_no_article() -> None:
    """A name of several small words has one, as `ledger` has."""
    names = SideNames("paper ledger", "Binance")
    said = names.said("the internal side is behind the external side")
    assert said == "the paper ledger is behind Binance"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my bot", "my bot lacks a fill of Binance"),
        ("the desk", "the desk lacks a fill of Binance"),
        ("thermal bot", "the thermal bot lacks a fill of Binance"),
    ],
)
def test_a_name_with_its_own_article_has_no_other(name: str, said: str) -> None:
    """`my bot`, and not `the my bot`."""
    sentence = "the internal side lacks a fill of the external side"
    assert SideNames(name, "Binance").said(sentence) == said


@pytest.mark.parametrize("sentence", ['[aliases] internal = { "XBT" = "BTC" }'])
def test_a_key_of_a_policy_stays(sentence: str) -> None:
    """What is copied into a policy is no sentence."""
    assert SideNames().said(sentence) == sentence


def test_long_names_give_way_beside_figures() -> None:
    """There the usual words are short enough for a line."""
    assert SideNames("acme ledger", "acme paper exchange").short == SideNames()
    assert SideNames("acme", "Binance").short == SideNames("acme", "Binance")
