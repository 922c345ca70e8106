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
from dqngui.jobs.breakpoints import name_of
from dqngui.jobs.knobs import Knobs
from dqngui.lab.analysis.breakpoints import OFFERED
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
TIPS = {"lab/analysis/quantities.py", "lab/playback/driving_keys.py"}
"""Modules with sentences that explain a control and do not say what happened."""


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


def made() -> Iterator[tuple[str, ast.Call, set[str]]]:
    """Every place where a text or a readable error is made: where, the call, and the keys that it chooses from."""
    for path, tree in sources():
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        inside = {id(call) for function in functions for call in makers(function)}
        yield from (
            (f"{path.relative_to(PACKAGE)}:{call.lineno}", call, keys_of(call.args[0], chosen))
            for chosen, calls in [
                *((choices(function), makers(function)) for function in functions),
                ({}, [call for call in makers(tree) if id(call) not in inside]),
            ]
            for call in calls
        )


def makers(tree: ast.AST) -> list[ast.Call]:
    """Calls that make a text or a readable error."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in MAKERS]


def choices(function: ast.FunctionDef) -> dict[str, set[str]]:
    """The strings that each variable of a function may hold, where they stand there."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, set()).update(keys_of(node.value, {}))
    return found


def keys_of(given: ast.expr, chosen: dict[str, set[str]]) -> set[str]:
    """The keys that stand in the call, or in the variable that it uses; none where it was given a finished Text."""
    if isinstance(given, ast.IfExp):
        return keys_of(given.body, chosen) | keys_of(given.orelse, chosen)
    if isinstance(given, ast.JoinedStr):
        return {ast.unparse(given)}
    if isinstance(given, ast.Constant):
        return {given.value}
    return chosen.get(given.id, set()) if isinstance(given, ast.Name) else set()


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
        (["event.evaluation_of_both", "event.confirmation_of_both", "event.test_of_both"], {"mean", "score"}),
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
