"""Keys of an account: the environment first, then a keyring where that is asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recon_core.snapshot import keys
from recon_core.snapshot.keys import credentials, service_of, variable_of
from recon_core.values.errors import ReconError

FIELDS = ("apiKey", "secret")
ENVIRONMENT = {"RECON_PAPER_API_KEY": " the-key ", "RECON_PAPER_SECRET": "the-secret"}


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Path]:
    """A keyring in a file, with the keys of an account; yields the file."""
    keyring = pytest.importorskip("keyring", reason="needs the extra keyring: make exchange")
    alternate = pytest.importorskip("keyrings.alt.file", reason="needs keyrings.alt: make exchange")
    backend = alternate.PlaintextKeyring()
    backend.file_path = str(tmp_path / "keys.cfg")
    former = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        for field in FIELDS:
            keyring.set_password(service_of("paper"), field, f"stored-{field}")
        yield tmp_path / "keys.cfg"
    finally:
        keyring.set_keyring(former)


@pytest.mark.parametrize(
    ("account", "field", "variable"),
    [
        ("paper", "apiKey", "RECON_PAPER_API_KEY"),
        ("main-2", "privateKey", "RECON_MAIN_2_PRIVATE_KEY"),
        ("a_b", "secret", "RECON_A_B_SECRET"),
    ],
)
def test_a_key_has_a_name_in_the_environment(account: str, field: str, variable: str) -> None:
    """RECON, the account, and what ccxt calls it, in capitals."""
    assert variable_of(account, field) == variable


def test_keys_are_those_of_the_environment() -> None:
    """Without the white space that a file of secrets may leave around them."""
    assert credentials(FIELDS, "paper", ENVIRONMENT) == {
        "apiKey": "the-key",
        "secret": "the-secret",
    }


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_key_that_is_missing_is_asked_for_as_a_read_only_one(value: str | None) -> None:
    """By the name of its variable."""
    given = ENVIRONMENT | {} if value is None else ENVIRONMENT | {"RECON_PAPER_SECRET": value}
    given = {
        name: each for name, each in given.items() if value is not None or "SECRET" not in name
    }
    with pytest.raises(ReconError, match=r"^RECON_PAPER_SECRET: is not set; .* read-only key of"):
        credentials(FIELDS, "paper", given)


def test_an_account_that_is_no_name_is_refused() -> None:
    """It is a part of names elsewhere."""
    with pytest.raises(ReconError, match=r"account: '\.\./paper'; expected letters"):
        credentials(FIELDS, "../paper", ENVIRONMENT)


def test_a_keyring_has_what_the_environment_lacks(stored: Path) -> None:
    """The environment wins, and the keyring is left alone where nobody asks for it."""
    assert stored.exists()
    assert credentials(FIELDS, "paper", {}, keyring=True) == {
        "apiKey": "stored-apiKey",
        "secret": "stored-secret",
    }
    some = {"RECON_PAPER_API_KEY": "mine"}
    assert credentials(FIELDS, "paper", some, keyring=True)["apiKey"] == "mine"
    with pytest.raises(ReconError, match="RECON_PAPER_API_KEY: is not set; expected"):
        credentials(FIELDS, "paper", {})


def test_a_key_that_no_place_has_names_both(stored: Path) -> None:
    """The variable, and the entry of the keyring."""
    assert stored.exists()
    text = (
        "RECON_MAIN_API_KEY: is not set, nor is there apiKey of recon/main in the keyring; expected"
    )
    with pytest.raises(ReconError, match=text):
        credentials(FIELDS, "main", {}, keyring=True)


def test_a_keyring_that_cannot_be_read_is_one_line(stored: Path) -> None:
    """A locked one, or a machine without any; never with what it holds."""
    stored.write_bytes(b"[recon_2Fpaper]\napikey = \xff\xff")
    with pytest.raises(ReconError, match=r"the keyring cannot be read: .*; expected one"):
        credentials(FIELDS, "paper", {}, keyring=True)
    keyring = pytest.importorskip("keyring")
    from keyring.backends.fail import Keyring

    keyring.set_keyring(Keyring())
    text = "cannot be read: NoKeyringError; .* or RECON_PAPER_API_KEY in the environment"
    with pytest.raises(ReconError, match=text):
        credentials(FIELDS, "paper", {}, keyring=True)


def test_without_keyring_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is asked for, also if the environment has all keys."""
    monkeypatch.setattr(keys, "find_spec", lambda _: None)
    with pytest.raises(ReconError, match=r"pip install 'pytest-recon\[keyring\]'"):
        credentials(FIELDS, "paper", ENVIRONMENT, keyring=True)
    assert credentials(FIELDS, "paper", ENVIRONMENT)["apiKey"] == "the-key"
