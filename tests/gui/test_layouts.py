"""What charts and bars draw, without a screen: places, labels, ticks and words for given data and a given size."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from letters import EvenLetters
from PySide6.QtCore import QPointF, QRectF, QSize

from dqngui.gui.charts.layout.axis import step_ticks, tick_spacing, two_digits, value_text
from dqngui.gui.charts.layout.color_bar import color_bar_drawn, wanted_width
from dqngui.gui.charts.layout.color_range import GAP, SHARES, TOP, ColorRange
from dqngui.gui.charts.layout.curves import CurveScale, curve_points
from dqngui.gui.charts.layout.head_grid import lay_out as lay_out_grid
from dqngui.gui.charts.layout.head_grid import step_grid_drawn, time_grid_drawn
from dqngui.gui.charts.layout.heatmap import HeatmapDrawn, HeatmapNames, with_values
from dqngui.gui.charts.layout.heatmap import lay_out as lay_out_heatmap
from dqngui.gui.charts.layout.path import Colouring
from dqngui.gui.charts.layout.path import lay_out as lay_out_path
from dqngui.gui.charts.layout.step_axis import StepScale
from dqngui.gui.charts.layout.text import first_that_fits, side_by_side
from dqngui.gui.charts.layout.time_map import MapTexts, TimeMapDrawn, map_labels, time_map_drawn
from dqngui.gui.panels.agent.action_rows import MOST_ROWS, Widths, lay_out_rows, lay_out_upright
from dqngui.gui.panels.agent.action_values import ActionValues, values_at
from dqngui.gui.panels.curves.return_drawn import MARKS, return_drawn
from dqngui.gui.panels.whatif.action_pairs import ActionPair, ActionPairs
from dqngui.gui.panels.whatif.action_pairs import lay_out as lay_out_pairs
from dqngui.gui.scene.frame_drawn import frame_drawn
from dqngui.gui.scene.observation_drawn import EpisodeExtent, Row, observation_drawn, row_columns
from dqngui.lab.analysis.overlay import NO_MARKS
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from dqngui.messages import EpisodeBegan, EpisodeEnded, Evaluated, Played, PlayerReady
from dqngui.texts.numbers import short

LETTERS = EvenLetters()
PURE = (
    *(f"charts.layout.{name}" for name in ("axis", "curves", "head_grid", "heatmap", "map_labels", "path", "text")),
    *(f"charts.layout.{name}" for name in ("cell_numbers", "color_bar", "color_range", "step_axis", "time_map")),
    "charts.value_ranges",
    "panels.agent.action_rows",
    "panels.agent.action_values",
    "panels.curves.return_drawn",
    "panels.whatif.action_pairs",
    "scene.frame_drawn",
)


def test_layouts_need_no_screen() -> None:
    imports = "; ".join(f"import dqngui.gui.{name}" for name in PURE)
    shown = "[name for name in ('PySide6.QtGui', 'PySide6.QtWidgets', 'pyqtgraph', 'torch') if name in sys.modules]"
    code = f"import sys; {imports}; print({shown})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- axes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("span", [1.0, 7.0, 64.0, 1000.0, 123_456.0])
@pytest.mark.parametrize("pixels", [60.0, 300.0, 1200.0])
def test_ticks_are_round_and_apart(span: float, pixels: float) -> None:
    every = tick_spacing(0.0, span, pixels, 60)
    digits = float(f"{every:.0e}".split("e")[0])
    assert digits in (1.0, 2.0, 5.0)
    assert every * pixels / span >= min(60.0, pixels / 2) * (1 - 1e-9)
    assert every * pixels / span <= 2.5 * max(60.0, pixels / 2)


def test_steps_have_whole_ticks() -> None:
    assert list(step_ticks(3, 1000.0)) == [0, 1, 2]
    assert list(step_ticks(64, 380.0)) == [0, 20, 40, 60]


def test_numbers_are_short_and_have_a_real_minus() -> None:
    assert [short(value) for value in (20_000, 1_500_000, 0.05, -0.5)] == ["20k", "1.5M", "0.05", "−0.5"]
    assert [two_digits(value) for value in (0.123, -1.0, float("nan"))] == ["0.12", "−1.00", "nothing"]
    assert [value_text(value) for value in (-0.001, 42.0, 123.45, 12_345.6, float("inf"))] == [
        "0.00", "42.00", "123.5", "12,346", "not finite",
    ]  # fmt: skip


def test_a_step_and_its_pixel_belong_together() -> None:
    scale = StepScale(QRectF(40, 10, 256, 80), 64)
    assert [scale.step_at(scale.x_of(t)) for t in range(64)] == list(range(64))
    labels = scale.labels(306.0, LETTERS, "step of the episode")
    assert [label.text for label in labels] == ["0", "20", "40", "60", "step of the episode"]
    assert labels[1].place.center().x() == pytest.approx(scale.x_of(20))
    assert scale.labels(306.0, LETTERS, None)[0].text == "step"


def test_marks_share_a_column_of_pixels() -> None:
    scale = StepScale(QRectF(0, 5, 100, 50), 1000)
    marks = scale.marks(np.array([0, 1, 2, 500, 2_000]))
    assert [mark.left() for mark in marks] == [-1.0, 49.0]
    assert {mark.top() for mark in marks} == {5.0}


def test_curves_keep_their_extremes_and_stay_near_the_place() -> None:
    scale = CurveScale(StepScale(QRectF(0, 0, 100, 100), 200), 0.0, 1.0)
    values = np.zeros(200, np.float32)
    values[50], values[51] = 1.0, 9.0
    x, y = curve_points(values, 2, scale)
    assert len(x) == 200 and y.min() == -1.0  # a value beyond the levels is one pixel beyond
    assert [round(scale.y_of(value)) for value in (0.0, 0.5, 1.0)] == [100, 50, 0]


def test_the_first_choice_that_fits_is_taken() -> None:
    long, brief = [("hidden 0.12", "series0"), ("cell 0.50", "series1")], [("hidden", "series0")]
    assert first_that_fits((long, brief), 200.0, LETTERS, 12.0) is long
    assert first_that_fits((long, brief), 100.0, LETTERS, 12.0) is brief
    assert first_that_fits((long, brief), 10.0, LETTERS, 12.0) is None
    first, second = side_by_side(long, 40.0, 300.0, 1.0, LETTERS, 12.0)
    assert (first.place.left(), second.place.left(), second.token) == (40.0, 118.0, "series1")


# -- maps --------------------------------------------------------------------------------------------


def heatmap(maps: int, size: tuple[float, float], chosen: int | None = None) -> HeatmapDrawn:
    titles = tuple(f"head {n + 1}" for n in range(maps))
    names = HeatmapNames(titles, ("position", "angle"), ("position", "angle"), ("query", "key"))
    return lay_out_heatmap(names, size, LETTERS, least_gutter=0.0, chosen=chosen)


def test_a_heatmap_names_its_maps_rows_columns_and_axes() -> None:
    drawn = heatmap(4, (430.0, 200.0), chosen=2)
    assert [label.text for label in drawn.titles] == ["head 1", "head 2", "head 3", "head 4"]
    assert [label.token for label in drawn.titles] == ["muted", "muted", "accent", "muted"]
    assert {label.text for label in drawn.row_labels} == {"position", "angle"}
    assert [label.text for label in drawn.axis_titles] == ["key", "query"]
    assert drawn.axis_titles[1].upright
    assert drawn.frame is not None and drawn.frame.contains(drawn.places[2].center()) and drawn.marker is None
    assert not any(one.intersects(other) for one, other in itertools.combinations(drawn.places, 2))


def test_a_cell_is_found_where_it_is_drawn() -> None:
    drawn = heatmap(2, (430.0, 200.0))
    for index, place in enumerate(drawn.places):
        for row, column in np.ndindex(2, 2):
            at = QPointF(
                place.left() + (column + 0.5) * place.width() / 2, place.top() + (row + 0.5) * place.height() / 2
            )
            assert drawn.cell(at) == (index, row, column)
    assert drawn.cell(QPointF(0, 0)) is None
    assert drawn.names.in_words("", 1, 0, 1, "0.42") == "head 2 · position · angle · 0.42"


def test_a_single_map_marks_its_chosen_row() -> None:
    drawn = heatmap(1, (300.0, 120.0), chosen=1)
    place = drawn.places[0]
    assert drawn.titles == () and drawn.frame is None
    assert drawn.marker == QPointF(place.left(), place.top() + 0.75 * place.height())
    assert heatmap(1, (300.0, 120.0), chosen=2).marker is None


def test_the_cells_of_a_heatmap_have_the_colours_of_their_values() -> None:
    values = np.array([[[0.0, 0.5], [np.nan, 2.0]]])
    drawn = with_values(heatmap(1, (300.0, 120.0)), values, SHARES, LETTERS, numbered=False)
    assert drawn.cells is not None and drawn.cells.tolist() == [[[0, TOP // 2], [GAP, TOP]]]
    assert drawn.colors.limits == (0.0, 1.0) and drawn.numbers == ()
    signed = ColorRange(True, -2.0, 2.0)
    drawn = with_values(heatmap(1, (300.0, 120.0)), values, signed, LETTERS, numbered=False)
    assert drawn.cells is not None and drawn.cells[0, 0, 0] == TOP // 2 and drawn.colors.signed
    assert with_values(drawn, values[:0], SHARES, LETTERS, numbered=True).numbers == ()
    assert with_values(heatmap(1, (300.0, 120.0)), values[:0], SHARES, LETTERS, numbered=True).cells is None


def test_the_numbers_of_a_single_map_stand_in_their_cells() -> None:
    values = np.array([[[0.0, 0.5], [-0.25, 1.0]]])
    drawn = with_values(heatmap(1, (300.0, 120.0)), values, SHARES, LETTERS, numbered=True)
    assert [number.text for number in drawn.numbers] == ["0.00", "0.50", "−0.25", "1.00"]
    assert [drawn.cell(number.place.center()) for number in drawn.numbers] == [(0, *cell) for cell in np.ndindex(2, 2)]
    assert [number.color_index for number in drawn.numbers] == [0, TOP // 2, 0, TOP]
    assert with_values(heatmap(1, (300.0, 45.0)), values, SHARES, LETTERS, numbered=True).numbers == ()
    several = with_values(heatmap(2, (300.0, 120.0)), values.repeat(2, axis=0), SHARES, LETTERS, numbered=True)
    assert several.numbers == () and several.cells is not None


def time_map(chosen: int | None = None, figure: str = "", width: float = 300.0, steps: int = 20) -> TimeMapDrawn:
    texts, place = MapTexts(("a", "b", "c"), "unit", "hidden", figure), QRectF(40, 17, width - 50, 90)
    values = np.arange(3.0 * steps, dtype=np.float32).reshape(steps, 3)
    labels, order = map_labels(texts, place, 120.0, LETTERS), np.array([2, 0, 1])
    colors = ColorRange(True, -9.0, 9.0)
    return time_map_drawn(texts, labels, place, 64, values, order, colors, chosen, LETTERS)


def test_a_map_over_steps_has_labels_values_and_a_marked_row() -> None:
    drawn = time_map(chosen=0, figure="0.42")
    assert [label.text for label in drawn.labels] == ["hidden", "a", "b", "c", "unit"]
    assert drawn.labels[-1].upright
    assert drawn.values.shape == (20, 3) and drawn.colors == ColorRange(True, -9.0, 9.0)
    assert drawn.marker == QPointF(40, 17 + 1.5 * 30)  # row 0 of the values is the second one from the top
    assert (
        drawn.figure is not None and drawn.figure.text == "0.42" and drawn.figure.place.right() == drawn.place.right()
    )
    assert time_map(figure="0.42", width=110.0).figure is None  # there is no room next to the caption
    assert time_map(chosen=3).marker is None and time_map().marker is None and time_map().figure is None


def test_a_colour_bar_stands_between_its_numbers() -> None:
    colors = ColorRange(True, -12.5, 12.5)
    size = float(wanted_width(colors, LETTERS)), 20.0
    drawn = color_bar_drawn(colors, size, LETTERS)
    low, high = drawn.labels
    assert (low.text, high.text) == ("−12.5", "12.5")
    assert low.place.right() < drawn.place.left() and drawn.place.right() < high.place.left()
    assert high.place.right() == size[0] and high.place.width() >= LETTERS.width(high.text)
    assert drawn.described == "Colours from −12.5 to 12.5" and drawn.colors == colors


def test_maps_of_one_step_are_coloured_only_if_there_is_one_for_each_head() -> None:
    grid = lay_out_grid(["layer 1", "layer 2"], ["head 1"], ("query", "key"), (300.0, 200.0), LETTERS)
    values = np.zeros((2, 1, 4, 5))
    drawn = step_grid_drawn(grid, values, 0.5)
    assert drawn.values is values and drawn.colors == ColorRange(False, 0.0, 0.5) and drawn.maps is grid
    assert step_grid_drawn(grid, values[:1], 0.5).values is None
    assert all(grid.pixels(layer, 0) == QRectF(grid.place(layer, 0).toRect()) for layer in range(2))


def test_maps_over_steps_are_filled_up_to_the_last_known_step() -> None:
    grid = lay_out_grid(["layer 1", "layer 2"], ["head 1", "head 2"], ("step", "lag"), (400.0, 200.0), LETTERS)
    values = [np.zeros((steps, 2, 8), np.float32) for steps in (16, 64)]
    drawn = time_grid_drawn(grid, values, 0.5, span=64)
    assert drawn.known(0, 1).width() == grid.pixels(0, 1).width() / 4
    assert drawn.known(1, 1) == grid.pixels(1, 1)
    assert drawn.cursor_x(1, 0) == grid.place(0, 1).left() + grid.place(0, 1).width() / 128
    assert drawn.colors.limits == (0.0, 0.5)
    assert time_grid_drawn(grid, values[:1], 0.5, span=64).values == ()


def test_the_maps_of_all_heads_fill_the_grid() -> None:
    names = [f"layer {n + 1}" for n in range(3)], [f"head {n + 1}" for n in range(12)]
    wide = lay_out_grid(*names, ("query", "key"), (1200.0, 300.0), LETTERS)
    assert [label.text for label in wide.layer_labels] == ["layer 1", "layer 2", "layer 3"]
    assert [label.text for label in wide.head_labels][:2] == ["head 1", "head 2"]
    assert wide.caption is not None and wide.caption.text == "query × key"
    for layer, head in np.ndindex(3, 12):
        assert wide.map_at(wide.place(layer, head).center()) == (layer, head)
    narrow = lay_out_grid(*names, ("query", "key"), (200.0, 300.0), LETTERS)
    assert [label.text for label in narrow.layer_labels] == ["1", "2", "3"]
    assert lay_out_grid(*names, ("query", "key"), (200.0, 30.0), LETTERS).caption is None


def test_a_path_has_its_ends_inside_and_a_legend() -> None:
    places = np.array([[0.0, 0.0], [1.0, 2.0]], np.float32)
    colouring = Colouring(("series0", "series1"), np.zeros(2, np.intp), ("left", "right"))
    drawn = lay_out_path(places, colouring, ("PC 1", "PC 2"), ((0.0, 1.0), (0.0, 2.0)), (300.0, 200.0), LETTERS)
    inner = drawn.place.adjusted(6, 6, -6, -6)
    assert drawn.pixels(places).tolist() == [[inner.left(), inner.bottom()], [inner.right(), inner.top()]]
    assert [label.text for label in drawn.labels] == ["left", "right", "PC 1", "PC 2"]
    assert [square.token for square in drawn.squares] == ["series0", "series1"]
    ramp = Colouring(tuple("abcd"), np.zeros(2, np.intp), ("step 0", "99"))
    drawn = lay_out_path(places, ramp, ("", ""), ((0.0, 1.0), (0.0, 2.0)), (300.0, 200.0), LETTERS)
    assert [square.token for square in drawn.squares] == list("abcd")
    nothing = lay_out_path(places[:0], ramp, ("", ""), ((0.0, 1.0), (0.0, 1.0)), (300.0, 200.0), LETTERS)
    assert nothing.labels == () and nothing.squares == ()


# -- actions -----------------------------------------------------------------------------------------


def played(q: list[list[float]], actions: list[int], epsilon: float = 0.0, **ready: object) -> PlayedEpisode:
    count = len(q[0])
    names = tuple(f"act {index}" for index in range(count))
    made = PlayerReady(step=0, environment="E", actions=names, **ready)  # type: ignore[arg-type]
    playing = PlayedEpisode(made, EpisodeBegan(step=0, number=1, seed=0, epsilon=epsilon), "here")
    steps = len(q)
    tensors = {
        "q": np.array(q, np.float32), "action": np.array(actions), "reward": np.ones(steps),
        "observation": np.zeros((steps, 0), np.float32),
    }  # fmt: skip
    playing.take(Played(step=0, number=1, first=0, tensors=tensors))
    return playing


def test_actions_of_a_step_in_words() -> None:
    playing = played([[1.0, 3.0], [1.0, 3.0]], [1, 0], epsilon=0.1)
    limits, keys = (0.0, 5.0), ("←", "→")
    best, random = (values_at(playing, t, "", limits, keys) for t in (0, 1))
    assert best.described == "act 1 taken, value 3.00"
    assert random.described == "act 0 taken at random, value 1.00" and random.actor == "chance"
    assert random.tip.endswith("A die marks an action taken at random instead of the best one. Bars from 0 to 5.")
    over = values_at(playing, 9, "", limits, keys)
    assert over.described == "" and over.values == random.values
    by_hand = values_at(playing, 1, "person", limits, keys)
    assert by_hand.described == "act 0 taken by hand, value 1.00"


@pytest.mark.parametrize(
    ("count", "width", "columns"), [(2, 300, 1), (8, 420, 2), (8, 300, 1), (12, 420, 2), (18, 600, 3)]
)
def test_rows_of_actions_stand_in_columns_and_never_overlap(count: int, width: int, columns: int) -> None:
    names, values = tuple(f"act {n}" for n in range(count)), tuple(float(n) for n in range(count))
    texts = tuple(f"{value:.2f}" for value in values)
    actions = ActionValues(names, values, texts, chosen=0, actor="chance", explores=True, limits=(0.0, 20.0))
    rows = lay_out_rows(actions, (width, 200), LETTERS, Widths.of(actions, LETTERS))
    assert len({row.ground.left() for row in rows}) == columns
    assert not any(one.ground.intersects(other.ground) for one, other in itertools.combinations(rows, 2))
    assert all(row.ground.contains(row.bar) or row.bar.width() == 1.0 for row in rows)
    assert [row.icon is not None for row in rows] == [index == 0 for index in range(count)]
    assert all(row.bar.width() == pytest.approx(max(row.ground.width() * n / 20, 1.0)) for n, row in enumerate(rows))


def test_many_actions_are_upright_bars() -> None:
    count = MOST_ROWS + 10
    values = tuple(np.linspace(-1, 1, count).tolist())
    actions = ActionValues(("a",) * count, values, ("0",) * count, limits=(-1.0, 1.0))
    bars = lay_out_upright(actions, (280, 64), LETTERS)
    assert bars.head.text == "ended" and len(bars.bars) == count
    assert all(bars.ground.contains(bar.center()) for bar in bars.bars)


def test_pairs_of_values_are_chosen_by_what_was_taken_and_then_by_how_far_they_are_apart() -> None:
    pairs = tuple(
        ActionPair(f"act {n}", (0.0, change), (n == 3, False)) for n, change in enumerate((0.1, 5.0, 0.2, 0.0, 2.0))
    )
    actions = ActionPairs(pairs, (0.0, 5.0))
    assert [pair.name for pair in actions.chosen_for(3)] == ["act 1", "act 3", "act 4"]
    assert pairs[1].texts == ("0.00", "5.00", "Δ +5.00") and pairs[3].texts == ("0.00", "0.00", "")
    rows = lay_out_pairs(actions, (300, 80), LETTERS)
    assert len(rows) == 3
    assert [[side.dot is not None for side in row.bars] for row in rows] == [[False, False], [True, False], [False] * 2]
    unknown = lay_out_pairs(ActionPairs((ActionPair("act", (1.0, None), (False, False)),)), (300, 80), LETTERS)
    assert unknown[0].bars[1].bar is None and unknown[0].labels[3].text == "–"


# -- pictures ----------------------------------------------------------------------------------------


def test_a_picture_stands_in_the_middle_with_its_aspect_ratio_and_rings() -> None:
    marks = np.array([[0.25, 0.5, 1.0], [0.5, 0.5, 0.01]])
    drawn = frame_drawn(QSize(420, 300), 2.0, QSize(200, 100), marks)
    assert drawn.place == QRectF(0, 45, 420, 210) and drawn.scaled_to == QSize(840, 420)
    assert drawn.ground == "surface"
    assert [(ring.middle, ring.opacity) for ring in drawn.rings] == [(QPointF(105, 150), 1.0)]  # a faint one has none
    tall = frame_drawn(QSize(420, 300), 1.0, QSize(100, 200), NO_MARKS)
    assert tall.place == QRectF(135, 0, 150, 300) and tall.rings == ()


def test_without_a_picture_the_whole_frame_is_filled() -> None:
    drawn = frame_drawn(QSize(420, 300), 1.0, None, np.array([[0.5, 0.5, 1.0]]))
    assert drawn.place == QRectF(0, 0, 420, 300) and drawn.scaled_to is None
    assert drawn.ground == "raised" and drawn.rings == ()


# -- observations and returns ------------------------------------------------------------------------


def test_an_observation_is_lines_with_bars_that_change_in_steps() -> None:
    made = PlayerReady(step=0, environment="E", features=("angle", "speed"), no_picture="E draws no pictures")
    playing = PlayedEpisode(made, EpisodeBegan(step=0, number=1, seed=1), "demo")
    seen = np.array([[0.5, -2.0], [0.25, 1.0]], np.float32)
    tensors = {"q": np.zeros((2, 2), np.float32), "action": np.zeros(2, np.int64), "reward": np.ones(2)}
    playing.take(Played(step=0, number=1, first=0, tensors=tensors | {"observation": seen}))
    drawn = observation_drawn(playing, 1, {}, None, EpisodeExtent(), caption="", alone=True)
    assert drawn.lines_of_text == ("E draws no pictures.",)
    assert [(row.name, row.number, row.share) for row in drawn.rows] == [("angle", "0.250", 0.5), ("speed", "1", 0.5)]
    assert [row.signed for row in drawn.rows] == [False, True]
    assert drawn.wanted_height is not None and not drawn.empty


def test_weights_leave_room_for_their_values() -> None:
    row = Row("position of the cart", 0.5, 0.7, 1.0, signed=False, weight=True)
    assert row.number == "70 %"
    wide, narrow = row_columns([row], 400, LETTERS), row_columns([row], 200, LETTERS)
    assert wide.value > 0 and narrow.value == 0
    assert narrow.name <= 200 * 2 // 5


def test_the_return_curve_is_a_function_of_history_span_and_width() -> None:
    events = [EpisodeEnded(step=10 * n, ret=float(n), length=10) for n in range(1, 101)]
    evaluated = [
        Evaluated(step=n, returns=(1.0,), lengths=(1,), mean=float(n % 7), best=n == 500) for n in range(1, 1001)
    ]
    history = History.of([*events, *evaluated])
    drawn = return_drawn(history, (0.0, 1000.0), 300, 10, episodes=True, mean=True, evaluations=True)
    assert len(drawn.dots[0]) == 100 and len(drawn.line[0]) == len(drawn.line[1])
    assert drawn.best is not None and drawn.best.step == 500 and drawn.best in drawn.evaluations
    assert len(drawn.evaluations) <= MARKS + 2
    assert drawn.ranges == ((1.0, 100.0), (0.0, 6.0))
    hidden = return_drawn(history, (0.0, 1000.0), 300, 10, episodes=False, mean=False, evaluations=False)
    assert not len(hidden.dots[0]) and not len(hidden.line[0]) and hidden.evaluations == ()
    assert hidden.best_in_words == "highest evaluation 3 at 500"
