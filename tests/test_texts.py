"""Texts that a person reads: every key has a sentence, every sentence is used, arguments fit, old logs are shown."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter

import msgspec
import numpy as np
import pytest

import dqngui
from dqngui.config import ConfigError, Experiment
from dqngui.hosts import events_of
from dqngui.hosts.log_reader import LogReader
from dqngui.jobs.knobs import Knobs
from dqngui.messages import Event, Forked, KnobRefused, SetKnob, Warned, decode_event, encode
from dqngui.presets import read_experiment
from dqngui.runs.folder import create, read_events
from dqngui.settings import with_settings
from dqngui.texts import Text, say, speak, words
from dqngui.texts.english import ENGLISH
from dqngui.texts.language import Plural

CATALOG = ENGLISH.templates
MAKERS = {"say", "ConfigError", "UsageError"}
PACKAGE = Path(dqngui.__file__).parent


def templates(entry: str | Plural) -> list[str]:
    """All wordings of one entry."""
    return list(entry.forms.values()) if isinstance(entry, Plural) else [entry]


def fields(entry: str | Plural) -> dict[str, str]:
    """Names of an entry's arguments, with their formats."""
    parts = (part for template in templates(entry) for part in Formatter().parse(template))
    return {name: spec or "" for _, name, spec, _ in parts if name is not None}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if PACKAGE / "texts" not in path.parents:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def made() -> Iterator[tuple[str, ast.Call]]:
    """Every place where a text or a readable error is made, and where that is."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def key_of(call: ast.Call) -> str | None:
    """The key that stands in the call; None where it was given a variable or a finished Text."""
    first = call.args[0]
    if isinstance(first, ast.JoinedStr):
        return ast.unparse(first)
    return first.value if isinstance(first, ast.Constant) else None


# -- the catalog and the code -----------------------------------------------------------------------


def test_every_key_that_the_code_uses_has_a_sentence() -> None:
    unknown = {where: key for where, call in made() if (key := key_of(call)) is not None and key not in CATALOG}
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
    for where, call in made():
        key = key_of(call)
        given = {keyword.arg for keyword in call.keywords}
        if key is not None and given != fields(CATALOG[key]).keys():
            wrong[where] = (key, given, set(fields(CATALOG[key])))
    assert wrong == {}


def test_sentences_that_one_place_chooses_from_have_the_same_arguments() -> None:
    assert {frozenset(fields(CATALOG[f"wrapper.no_{kind}"])) for kind in ("key", "member", "entry")} == {
        frozenset({"entry", "known"})
    }


@pytest.mark.parametrize("key", CATALOG)
def test_every_sentence_formats(key: str) -> None:
    entry = CATALOG[key]
    args = {name: 3 if spec else name for name, spec in fields(entry).items()}
    if isinstance(entry, Plural):
        assert "other" in entry.forms and set(entry.forms) <= {"one", "other"}
        assert entry.by in fields(entry) and len({frozenset(fields(form)) for form in entry.forms.values()}) == 1
    for template in templates(entry):
        assert template.strip() == template != ""
        assert template.format(**args)
    for count in (1, 3):
        text = words(
            say(
                key,
                **{
                    name: count if spec else value
                    for (name, spec), value in zip(fields(entry).items(), args.values(), strict=True)
                },
            )
        )
        assert text and "{" not in text and key not in text
    assert all(not name.startswith("_") for name in args)


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


# -- the log ----------------------------------------------------------------------------------------

BEFORE = (
    b'{"type":"Warned","step":5,"text":"The disk is slow."}\n'
    b'{"type":"KnobRefused","step":6,"field":"learn.lr","value":2.0,"kept":0.001,"reason":"must be at most 1"}\n'
    b'{"type":"Forked","step":0,"parent":"p","changes":["learn.lr: 0.001 \xe2\x86\x92 0.0005"],"fresh":["replay"]}\n'
)


def shown(events: list[Event]) -> list[object]:
    return [event.changes_in_words if isinstance(event, Forked) else event.words for event in events]  # type: ignore[attr-defined]


def test_a_log_from_before_keys_is_read_and_shown(tmp_path: Path) -> None:
    folder = create(tmp_path, read_experiment("cartpole-positions"))
    (folder / "events.jsonl").write_bytes(BEFORE)
    expected = ["The disk is slow.", "must be at most 1", ("learn.lr: 0.001 → 0.0005",)]
    assert shown(list(read_events(folder))) == expected
    assert shown(list(events_of(LogReader(folder)))) == expected


def test_a_log_of_today_holds_keys_and_arguments() -> None:
    refused = Knobs(Experiment()).apply(SetKnob(field="net.width", value=3), 7)
    assert isinstance(refused, KnobRefused)
    line = encode(refused)
    assert b'"reason":{"key":"setting.not_live","args":{"path":"net.width"}}' in line
    again = decode_event(line)
    assert again == refused
    assert isinstance(again, KnobRefused) and again.words.startswith(
        "`net.width` cannot be changed while the run trains"
    )
    warned = decode_event(encode(Warned(step=1, text=say("play.other_device", device="cuda"))))
    assert isinstance(warned, Warned) and warned.words == "This machine has no cuda, so the agent plays on the CPU"
