"""The report: what is in the file, that nothing of a stranger's becomes HTML, and how an episode is packed."""

from __future__ import annotations

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from dqngui.__main__ import main
from dqngui.export.report.charts import Chart, Line, thinned
from dqngui.export.report.packing import packed_views, pictures, quantised
from dqngui.messages import EpisodeEnded, KnobChanged, Warned
from tests.comparison.made_runs import made_run, write_log

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&<!--"


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text inside scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.scripts and self.cdata_elem == "script":
            self.scripts[-1] += data


def report_of(*arguments: str | Path) -> str:
    out = Path(arguments[0]).parent / "report.html"
    assert main(["export", *map(str, arguments), "--to", "html", "--out", str(out)]) == 0
    return out.read_text("utf-8")


def data_in(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Elements(page).scripts[0])
    return found


def test_a_run_without_a_checkpoint_gives_a_report_without_an_episode(tmp_path: Path) -> None:
    changed = KnobChanged(step=150, field="learn.lr", old=1e-3, new=5e-4)
    folder = made_run(tmp_path, [1.0, 2.0, 4.0], extra=[changed], title="My run", net__memory="gru")
    (folder / "labels.json").write_text('{"title": "", "star": true, "tags": ["paper"], "note": "two\\nlines"}')
    page = report_of(folder)
    assert "★ My run" in page and "paper" in page and "two\nlines" in page
    assert "Learning rate 1e-3 → 5e-4" in page and "net.memory" in page
    assert "is shown without an episode" in page and data_in(page)["episodes"] == []
    assert "greedy evaluations, mean" in page and 'class="mark"' in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)  # nothing comes from a network


def test_a_run_at_step_0_and_numbers_that_are_not_finite(tmp_path: Path) -> None:
    folder = made_run(tmp_path, [])
    assert "has no episodes and no evaluations yet" in report_of(folder)
    values = [float("nan"), float("inf"), 1.0, 1e100]
    write_log(folder, [EpisodeEnded(step=step, ret=value, length=1) for step, value in enumerate(values)])
    page = report_of(folder)
    assert "rollout/return 2" in page and "nan" not in "".join(re.findall(r' d="([^"]*)"', page))


def test_nothing_of_a_hostile_run_becomes_html(tmp_path: Path) -> None:
    folder = made_run(tmp_path, [1.0], title=EVIL, env__id="CartPole-v1", extra=[Warned(step=1, text=EVIL)])
    (folder / "labels.json").write_text(json.dumps({"title": EVIL, "tags": [EVIL[:40], "b"], "note": EVIL}))
    other = made_run(tmp_path, [1.0], title=EVIL, net__memory="gru")
    for page in (report_of(folder), report_of(folder, other)):
        elements = Elements(page)
        tags = [tag for tag, _ in elements.found]
        assert tags.count("script") == 2 and "img" not in tags
        assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
        assert page.count("alert(1)") == page.count("script&gt;alert(1)") + page.count("onerror=alert(1)&gt;")
        assert data_in(page)["episodes"] == []


def test_the_report_of_a_strangers_run_imports_nothing_and_says_so(tmp_path: Path) -> None:
    folder = made_run(tmp_path, [1.0])
    settings = folder / "experiment.toml"
    settings.write_text(settings.read_text().replace('id = "CartPole-v1"', 'id = "stranger_module:Task-v0"'))
    page = report_of(folder)
    assert "is shown without an episode" in page and "stranger_module" in page and "--trust" in page
    assert main(["export", str(folder), "--to", "html", "--out", str(tmp_path / "t.html"), "--trust"]) == 0
    assert "--trust" not in (tmp_path / "t.html").read_text("utf-8")  # it is trusted, and has no weights


def test_several_runs_are_compared_with_what_differs_first(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for memory, first in (("gru", 6.0), ("lstm", 1.0)):
        for seed in range(5):
            made_run(runs, [0.0, first + seed], seed=seed, net__memory=memory)
    page = report_of(runs)
    assert "Comparison of 10 runs" in page and "10 runs in 2 groups" in page
    assert "GRU (5 runs)" in page and "LSTM (5 runs)" in page and 'class="band s0"' in page
    assert page.index("net.memory") < page.index("env.id")


def test_an_episode_with_film_and_maps_is_in_the_file(tmaze_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert main(["export", str(tmaze_run), "--to", "html", "--out", str(out)]) == 0
    (episode,) = data_in(out.read_text("utf-8"))["episodes"]
    steps = episode["length"]
    assert steps == 6 == len(episode["taken"]) == len(episode["q"]) and episode["actions"] == ["up", "down"]
    assert len(episode["order"]) == steps + 1 and len(episode["images"]) == len(set(episode["order"]))
    assert base64.b64decode(episode["images"][0])[:4] in (b"RIFF", b"\xff\xd8\xff\xe0")
    views = {view["title"]: view for view in episode["views"]}
    hidden = views["hidden state"]
    levels = zlib.decompress(base64.b64decode(hidden["packed"]))
    assert (
        hidden["over_time"] and hidden["signed"] and len(levels) == steps * len(hidden["columns"]) and 0 not in levels
    )


# -- packing ------------------------------------------------------------------------------------------


def test_values_come_back_within_half_a_level() -> None:
    generator = np.random.default_rng(0)
    signed = generator.normal(size=(20, 8))
    levels, largest = quantised(signed, signed=True)
    back = (levels.astype(float) - 128) / 127 * largest
    assert np.abs(back - signed).max() <= largest / 127 / 2 + 1e-12 and levels.min() >= 1
    shares = generator.random((20, 8))
    levels, largest = quantised(shares / 50, signed=False)  # a share among many is small, and must not become black
    assert np.abs((levels.astype(float) - 1) / 254 * largest - shares / 50).max() <= largest / 254 / 2 + 1e-12
    assert quantised(np.array([np.nan, np.inf, 0.0]), signed=True)[0].tolist() == [0, 0, 128]


def test_views_that_are_too_large_keep_every_second_step_or_fewer() -> None:
    noise = np.random.default_rng(0).integers(1, 256, (64, 40, 40), dtype=np.uint8)
    small = np.ones((64, 4), np.uint8)
    found = packed_views({"noise": noise, "small": small}, 30_000)
    assert found["small"][1] == 1 and found["noise"][1] == 4
    assert sum(len(data) for data, _ in found.values()) <= 30_000
    assert zlib.decompress(found["noise"][0]) == noise[::4].tobytes()


def test_equal_pictures_are_kept_once_and_pictures_get_smaller_until_they_fit() -> None:
    first, second = np.zeros((60, 80, 3), np.uint8), np.full((60, 80, 3), 200, np.uint8)
    _, images, order = pictures([first, second, first, second], 100_000)
    assert len(images) == 2 and order == [0, 1, 0, 1]
    noise = np.random.default_rng(0).integers(0, 256, (6, 120, 160, 3), dtype=np.uint8)
    all_of_them = sum(map(len, pictures(list(noise), 10_000_000)[1]))
    _, images, _ = pictures(list(noise), all_of_them // 3)
    assert len(images) == 6 and sum(map(len, images)) <= all_of_them // 3
    assert pictures(list(noise), 10) == ("", [], [])


def test_a_chart_keeps_peaks_gaps_and_marks() -> None:
    x = np.arange(100_000.0)
    y = np.zeros(100_000)
    y[77_777] = 5.0
    assert thinned(x, y)[1].max() == 5.0 and len(thinned(x, y)[0]) <= 600
    gap = np.array([1.0, np.nan, 2.0])
    svg = Chart("Loss", "steps", [Line(np.arange(3.0), gap, "it")], [(1.0, "<b>")]).svg()
    assert svg.count("M") >= 2 and "&lt;b&gt;" in svg and 'aria-label="Loss. it: 1 → 2"' in svg
    assert Chart("Loss", "steps", [Line(np.arange(3.0), np.full(3, np.nan))]).svg() == ""
    assert "<svg" in Chart("Loss", "steps", [Line(np.zeros(1), np.zeros(1))]).svg()
