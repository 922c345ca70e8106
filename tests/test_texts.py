"""Texts that a person reads: every key has a sentence, every sentence is used, and every argument fits."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dqngui.config import ConfigError, Experiment
from dqngui.jobs.breakpoints import name_of
from dqngui.lab.analysis.breakpoints import OFFERED
from dqngui.settings import with_settings
from dqngui.texts import Text, reason_of, say, speak, words
from dqngui.texts.english import ENGLISH
from dqngui.texts.language import Plural
from tests.texts_in_code import CATALOG, PACKAGE, fields, made, sources, templates

TIPS = {"lab/analysis/quantities.py", "lab/playback/driving_keys.py"}
"""Modules with sentences that explain a control and do not say what happened."""


# -- the catalog and the code -----------------------------------------------------------------------


def test_every_key_that_the_code_uses_has_a_sentence() -> None:
    unknown = {where: keys - CATALOG.keys() for where, _, keys in made() if keys - CATALOG.keys()}
    assert unknown == {}


def test_every_sentence_is_used() -> None:
    constants = {
        node.value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(CATALOG.keys() - constants) == []


def test_each_place_gives_the_arguments_that_its_sentence_has() -> None:
    wrong = {}
    for where, call, keys in made():
        given = {keyword.arg for keyword in call.keywords}
        for key in keys:
            if given != fields(CATALOG[key]).keys():
                wrong[where] = (key, given, set(fields(CATALOG[key])))
    assert wrong == {}


@pytest.mark.parametrize(
    ("keys", "args"),
    [
        (["wrapper.no_key", "wrapper.no_member", "wrapper.no_entry"], {"entry", "known"}),
        (["event.evaluation", "event.confirmation", "event.test"], {"mean"}),
        (["event.evaluation_best", "event.confirmation_best", "event.test_best"], {"mean"}),
        (["event.evaluation_of_both", "event.confirmation_of_both", "event.test_of_both"], {"mean", "first", "score"}),
        (["place.token", "place.cell", "place.step"], set()),
        (["place.tokens", "place.cells", "place.steps"], {"count"}),
    ],
)
def test_sentences_that_one_place_chooses_from_have_the_same_arguments(keys: list[str], args: set[str]) -> None:
    assert [set(fields(CATALOG[key])) for key in keys] == [args] * len(keys)


def test_every_quantity_of_a_breakpoint_has_a_name() -> None:
    assert [quantity for quantity in OFFERED if not isinstance(name_of(quantity), Text)] == []


def test_below_the_window_whole_sentences_come_from_the_catalog() -> None:
    found = []
    for path, tree in sources():
        where = path.relative_to(PACKAGE)
        if where.parts[0] not in ("lab", "hosts", "jobs", "runs", "messages") or where.as_posix() in TIPS:
            continue
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found += [
            f"{where}:{node.lineno}: {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
            if len(node.value.split()) >= 3 and node.value.endswith((".", "…", "!", "?"))
        ]
    assert found == []


def test_every_sentence_formats() -> None:
    assert [key for key in CATALOG if not _formats(key)] == []


def _formats(key: str) -> bool:
    """Whether a sentence has good arguments, and a text for one thing and for several."""
    entry = CATALOG[key]
    args = {name: 3 if spec else name for name, spec in fields(entry).items()}
    good = all(not name.startswith("_") for name in args)
    if isinstance(entry, Plural):
        good &= "other" in entry.forms and set(entry.forms) <= {"one", "other"}
        good &= entry.by in fields(entry) and len({frozenset(fields(form)) for form in entry.forms.values()}) == 1
    for template in templates(entry):
        good &= template.strip() == template != "" and bool(template.format(**args))
    for count in (1, 3):
        text = words(say(key, **{name: count if spec else args[name] for name, spec in fields(entry).items()}))
        good &= bool(text) and "{" not in text and key not in text
    return good


# -- from key to words ------------------------------------------------------------------------------


def test_arguments_may_be_lists_numbers_other_texts_and_errors() -> None:
    inner = ConfigError("setting.not_finite", path="learn.lr")
    assert (
        words(say("preset.wrong", source=Path("a.toml"), problem=inner)) == "a.toml: `learn.lr` must be a finite number"
    )
    assert words(say("setting.unknown", path="x", known=("a", "b"))) == "unknown setting `x`; there are: a, b"
    assert words(say("setting.unknown", path="x", known={"a": 1, "b": 2})) == "unknown setting `x`; there are: a, b"
    assert words(say("setting.unknown", path="x", known=[])) == "unknown setting `x`; there are: none"
    assert words(say("value.count", value=np.int64(41200))) == "41,200"
    assert words(say("value.number", value=np.float64(0.1))) == "0.1"
    assert words(say("value.number", value=math.nan)) == "nan"
    assert "1 running episode was" in words(say("train.not_repeated", environment="A-v0", count=1))
    assert "2 running episodes were" in words(say("train.not_repeated", environment="A-v0", count=2))


def test_a_text_comes_back_from_json_as_it_was() -> None:
    text = say("change.axes", name=say("choice.memory"), count=2**70, axes=("a", "b"), given=math.inf)
    back = msgspec.json.decode(msgspec.json.encode(text), type=Text)
    assert back == text and words(back) == words(text)


class Unshowable:
    """An object that raises an error whatever is asked of it."""

    def __str__(self) -> str:
        raise RuntimeError

    def __iter__(self) -> Iterator[object]:
        raise RuntimeError


def itself() -> list[object]:
    made: list[object] = []
    made.append(made)
    return made


ODD: list[Callable[[], object]] = [
    itself,
    Unshowable,
    object,
    lambda: np.array(3),
    lambda: np.array("x"),
    lambda: np.array(None, object),
    lambda: np.array([[1.5, math.nan], [0, 1]]),
    lambda: np.array([], np.float32),
    lambda: np.datetime64("2020-01-01"),
    lambda: np.bool_(True),
    lambda: np.str_("x"),
    lambda: np.float16("inf"),
    lambda: np.uint64(2**64 - 1),
    lambda: 10**5000,
    lambda: Fraction(10**400),
    lambda: Decimal("NaN"),
    lambda: 1j,
    lambda: {1: "a", (2, 3): "b"},
    lambda: [[1, [2, say("choice.memory")]], say("choice.memory"), None],
    lambda: (each for each in (1, [2])),
    lambda: MemoryError(),
    lambda: ConfigError("setting.none", path="x"),
    lambda: [AssertionError(), b"\xff"],
    lambda: "a name with \udcff in it",
    lambda: Path("a"),
    lambda: Role.FIRST,
]
"""Arguments that no sentence expects; made anew each time, since some can be used only once."""


class Role(StrEnum):
    FIRST = "first"


FLOATS = st.floats(allow_subnormal=False)  # training in this process may have set subnormal numbers to be flushed
SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), FLOATS, st.text(st.characters()), st.binary())
ARGUMENTS = st.one_of(
    st.recursive(
        SIMPLE,
        lambda inner: st.one_of(
            st.lists(inner), st.tuples(inner, inner), st.sets(SIMPLE), st.dictionaries(SIMPLE, inner)
        ),
        max_leaves=8,
    ),
    st.sampled_from(ODD).map(lambda make: make()),
    st.lists(st.sampled_from(ODD).map(lambda make: make())),
)


def check_text(text: Text) -> None:
    line = msgspec.json.encode(text)
    back = msgspec.json.decode(line, type=Text)
    assert msgspec.json.encode(back) == line and words(back) == words(text)
    words(text).encode()


@pytest.mark.parametrize("make", ODD, ids=range(len(ODD)))
def test_a_text_with_an_odd_argument_is_shown_and_comes_back(make: Callable[[], object]) -> None:
    check_text(say("run.none", run=make()))
    check_text(say("value.count", value=make()))
    check_text(say("value.number", value=[make(), [make()]]))
    check_text(say("train.not_repeated", environment=make(), count=make()))


@settings(max_examples=300, deadline=None)
@given(key=st.sampled_from([*CATALOG, "later.key"]), data=st.data())
def test_every_text_that_is_made_is_shown_and_comes_back(key: str, data: st.DataObject) -> None:
    names = fields(CATALOG[key]) if key in CATALOG else ["given"]
    check_text(say(key, **{name: data.draw(ARGUMENTS, name) for name in names}))


def test_an_odd_argument_keeps_what_can_be_shown_of_it() -> None:
    shown = say("value.number", value=[np.array(3), np.float32(0.5), np.bool_(True), [1, [2], say("choice.memory")]])
    assert shown.args["value"] == (3, 0.5, True, "1, [2], memory")
    assert say("run.none", run=np.array([[1, 2], [3, 4]])).args["run"] == ("[1 2]", "[3 4]")
    assert say("run.none", run=np.array(7)).args["run"] == 7
    assert say("run.none", run=b"ab").args["run"] == "b'ab'"
    assert say("run.none", run=Role.FIRST).args["run"] == "first"
    assert say("run.none", run="a\udcff").args["run"] == "a\\udcff"


def test_the_reason_of_an_error_is_never_empty() -> None:
    assert reason_of(AssertionError()) == "AssertionError"
    assert reason_of(ValueError(" \n")) == "ValueError"
    assert reason_of(ValueError("too large")) == "too large"
    assert reason_of(ConfigError("setting.none", path="x")) == say("setting.none", path="x")
    assert words(say("session.not_started", problem=MemoryError())) == "Training could not start: MemoryError"


def test_a_text_of_a_newer_version_shows_its_key_and_arguments() -> None:
    assert words(Text("later.key", {"step": 3, "names": ("a", "b")})) == "later.key (step: 3, names: a, b)"
    assert words(Text("value.count", {"number": 3})) == "value.count (number: 3)"
    assert words("a finished sentence") == "a finished sentence"


def test_an_error_says_its_sentence_and_keeps_its_key() -> None:
    with pytest.raises(ConfigError, match=r"^`learn\.lr`: expected `float` <= 1\.0$") as caught:
        with_settings(Experiment(), {"learn.lr": 2.0})
    assert caught.value.text.key == "setting.refused" and caught.value.text.args["path"] == "learn.lr"


def test_another_language_is_laid_over_by_its_catalog() -> None:
    german = replace(ENGLISH, templates={"run.none": "es gibt keinen Lauf `{run}`"}, listed=" und ".join)
    speak(german)
    try:
        assert words(say("run.none", run="a")) == "es gibt keinen Lauf `a`"
        assert str(ConfigError("checkpoint.none", folder="a")) == "`a` has no checkpoint yet"
        assert words(say("setting.unknown", path="x", known=("a", "b"))).endswith("a und b")
    finally:
        speak(ENGLISH)


@pytest.mark.parametrize(
    ("problem", "end"),
    [
        ("Something broke.", "broke. T"),
        ("Something broke", "broke. T"),
        ("Really?", "Really? T"),
        ("wait...", "wait... T"),
    ],
)
def test_a_sentence_as_an_argument_gives_no_second_stop(problem: str, end: str) -> None:
    assert end in words(say("window.error", problem=problem))
