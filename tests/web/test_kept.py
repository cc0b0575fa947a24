"""Things are made once for their key, and the ones that nobody asks for make room."""

from functools import partial

from rmo.web.kept import Kept


def ask(kept: Kept, keys: str) -> tuple[list[str], str]:
    """Return what was found for each key, and the keys for which it had to be made."""
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return f"page {key}"

    return [kept.get(key, partial(make, key)) for key in keys], "".join(made)


def test_a_thing_is_made_once_for_its_key():
    assert ask(Kept(), "aba") == (["page a", "page b", "page a"], "ab")


def test_the_thing_not_asked_for_the_longest_makes_room():
    assert ask(Kept(most=2), "abacab")[1] == "abcb"


def test_what_fails_to_be_made_is_not_kept():
    kept = Kept()

    def fail() -> str:
        raise LookupError

    for make, expected in ((fail, "failed"), (lambda: "made", "made")):
        try:
            found = kept.get("page", make)
        except LookupError:
            found = "failed"
        assert found == expected
