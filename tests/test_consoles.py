"""Consoles and pipes that are not UTF-8: every text is printed with other signs, and JSON loses nothing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dqngui.__main__ import main
from dqngui.commands.console import in_ascii, make_printable
from dqngui.commands.experiments import chosen_experiment
from dqngui.commands.output import JsonLines, ProgressLine, table
from dqngui.commands.several import SeedResult, print_table
from dqngui.messages import EpisodeEnded, Evaluated, KnobChanged, Learned, Noted, Warned, decode_event, encode
from dqngui.runs.folder import create
from dqngui.texts import say
from dqngui.texts.english import ENGLISH

ENCODINGS = ["ascii", "latin-1", "cp437", "cp850", "cp1252", "cp932", "koi8-r", "utf-8"]


def printed(encoding: str, work: Callable[[], object]) -> str:
    """What a function prints on a console of this encoding."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    with redirect_stdout(stream), redirect_stderr(stream):
        make_printable()
        work()
    return raw.getvalue().decode(encoding)


in_every_encoding = pytest.mark.parametrize("encoding", ENCODINGS)


@in_every_encoding
def test_every_sentence_can_be_printed(encoding: str) -> None:
    every = [each if isinstance(each, str) else each.forms["other"] for each in ENGLISH.templates.values()]
    assert printed(encoding, lambda: print("\n".join(every))).count("\n") >= len(every)


@in_every_encoding
def test_the_list_of_runs_is_printed(encoding: str, tmp_path: Path) -> None:
    create(tmp_path, chosen_experiment("cartpole", None, []))
    text = printed(encoding, lambda: main(["runs", str(tmp_path)]))
    assert "95 % interval" in text.replace("\u00a0", " ")


@in_every_encoding
def test_the_table_after_several_seeds_is_printed(encoding: str) -> None:
    rows = [SeedResult(seed=seed, steps=300, reason="completed", test=None if seed else -1.5) for seed in (0, 1)]
    lines = printed(encoding, lambda: print_table(rows, json=False)).splitlines()
    assert lines[3].startswith("median")
    assert len({len(line) for line in lines[1:3]}) == 1, "the columns stay aligned"


@in_every_encoding
def test_the_progress_line_is_printed(encoding: str) -> None:
    line = ProgressLine(1_000)
    events = (
        EpisodeEnded(step=500, ret=-3.5, length=3, truncated=False, env=0, episode=0),
        Learned(step=500, updates=1, loss=0.5, epsilon=0.5, steps_per_second=100.0),
        Warned(step=500, text="ε → 0 “quickly” 中文 \udce4"),
        Noted(step=500, text=say("fork.change", path="net.memory", old="none", new="lstm")),
        Evaluated(step=600, mean=1.5, returns=(1.0, 2.0), lengths=(1, 2), best=True),
    )

    def work() -> None:
        for event in events:
            line.take(event)
        print(line.text(), file=sys.stderr)
        line.close()

    text = printed(encoding, work)
    assert "\\u4e2d" in text or "中" in text
    assert "600 / 1,000" in text


@in_every_encoding
def test_json_loses_nothing(encoding: str) -> None:
    texts = ["ε → 0 “quickly” – 95\u00a0%", "中文 🎉", "plain", 'quoted " and \\ and \n']
    events = [*(Warned(step=1, text=text) for text in texts), KnobChanged(step=1, field="l\udce4ufe", old=1, new=2)]
    lines = printed(encoding, lambda: [JsonLines().take(event) for event in events]).splitlines()
    read = list(map(json.loads, lines))
    assert [line["text"] for line in read[:4]] == texts
    assert read[4]["field"] == "l\udce4ufe"


@in_every_encoding
def test_json_of_the_list_of_runs_loses_nothing(encoding: str, tmp_path: Path) -> None:
    folder = tmp_path / "läufe → 中"
    create(folder, chosen_experiment("cartpole", None, []))
    text = printed(encoding, lambda: main(["runs", str(folder), "--json"]))
    assert Path(json.loads(text)["folder"]).parent == folder


@given(st.text())
@settings(max_examples=80, deadline=None)
def test_every_sign_has_another_in_ascii(text: str) -> None:
    assert "".join(map(in_ascii, text)).isascii()
    assert table([[text, "1"], ["a", "–"]])


def test_similar_signs_stand_for_those_that_are_missing() -> None:
    assert "".join(map(in_ascii, "–−→≥…ε é Å ß ² 中")) == "--->>=...epsilon e A \\xdf \\xb2 \\u4e2d"


def test_messages_keep_names_that_are_no_utf8() -> None:
    event = KnobChanged(step=1, field="l\udce4ufe", old=1.5, new=float("inf"))
    read = decode_event(encode(event))
    assert isinstance(read, KnobChanged)
    assert read.field == event.field
    with pytest.raises(msgspec.MsgspecError):
        decode_event(b'{"type":"KnobChanged","field":"l\\udce4ufe"')


def test_the_help_fits_a_real_console_in_ascii() -> None:
    done: Any = subprocess.run(
        [sys.executable, "-m", "dqngui", "--help"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    assert b"--quit-after" in done.stdout
