"""Maps, curves and their axes: colours, labels, growth, clicks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.gui.charts.canvas import color_table
from dqngui.gui.charts.color_bar import ColorBar
from dqngui.gui.charts.heatmap import Heatmap
from dqngui.gui.charts.layout.axis import row_ticks, spread_labels
from dqngui.gui.charts.layout.color_range import GAP, TOP, indices
from dqngui.gui.charts.painted_text import FontLetters
from dqngui.gui.charts.time_map import TimeMap
from dqngui.gui.charts.timeline import extremes
from dqngui.gui.charts.trace import Series, Trace
from dqngui.gui.charts.value_ranges import ColorLimit, episode_span, rounded_up
from dqngui.gui.style import theme as themes


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def heatmap(
    qtbot: QtBot, maps: int = 4, rows: int = 2, columns: int = 2, size: tuple[int, int] = (430, 200)
) -> Heatmap:
    widget = Heatmap()
    qtbot.addWidget(widget)
    widget.resize(*size)
    names = ([f"{kind} {i}" for i in range(n)] for kind, n in (("head", maps), ("row", rows), ("column", columns)))
    widget.arrange(*names, ("query", "key"))
    widget.draw(np.linspace(0, 1, maps * rows * columns).reshape(maps, rows, columns))
    return widget


def timemap(
    qtbot: QtBot, values: np.ndarray, span: int, signed: bool = True, size: tuple[int, int] = (430, 200)
) -> TimeMap:
    widget = TimeMap()
    qtbot.addWidget(widget)
    widget.resize(*size)
    widget.arrange([f"unit {i + 1}" for i in range(values.shape[1])], "unit")
    widget.set_span(span)
    widget.draw(values, signed=signed, limits=(-1.0, 1.0) if signed else (0.0, 1.0), fresh=True)
    return widget


def shot(widget: object) -> QImage:
    return widget.grab().toImage()  # type: ignore[attr-defined, no-any-return]


def close(a: QColor, b: QColor, by: int = 3) -> bool:
    return max(abs(a.red() - b.red()), abs(a.green() - b.green()), abs(a.blue() - b.blue())) <= by


# -- colours and labels ---------------------------------------------------------------------------------


def test_values_become_places_in_the_table_and_gaps_have_their_own() -> None:
    values = np.array([-2.0, -1.0, 0.0, 1.0, 5.0, np.nan, np.inf])
    assert indices(values, -1.0, 1.0).tolist() == [0, 0, TOP // 2, TOP, TOP, GAP, TOP]
    assert indices(np.array([0.3]), 0.3, 0.3).tolist() == [0]


@pytest.mark.parametrize("name", ["dark", "light"])
def test_tables_begin_and_end_with_the_themes_colours(qapp: QApplication, name: str) -> None:
    theme = themes.apply(qapp, name)  # type: ignore[arg-type]
    table = color_table(signed=True)
    assert len(table) == 256
    for place, code in ((0, theme.diverging[0]), (TOP // 2, theme.diverging[1]), (TOP, theme.diverging[2])):
        assert close(QColor.fromRgb(table[place]), QColor(code))
    assert QColor.fromRgb(table[GAP]) == theme.color("surface")
    assert close(QColor.fromRgb(color_table(signed=False)[TOP]), QColor("#fde725"))


def test_labels_of_columns_neither_overlap_nor_leave_their_cells(qapp: QApplication) -> None:
    letters = FontLetters(themes.font(11))
    for names in (
        ["cart position", "pole angle"],
        [f"−{i}" for i in range(15, 0, -1)] + ["0"],
        [str(i) for i in range(99)],
    ):
        for room in (3.0, 10.0, 25.0, 30.0, 60.0, 200.0):
            shown = spread_labels(names, room, letters)
            assert shown[-1][0] == len(names) - 1
            ends = [
                (i * room + room / 2 - w / 2, i * room + room / 2 + w / 2)
                for i, w in ((i, letters.width(text)) for i, text in shown)
            ]
            assert all(left >= right for (_, right), (left, _) in itertools.pairwise(ends))


def test_labels_of_rows_are_decimated() -> None:
    assert row_ticks(4, 20.0, 14) == [0, 1, 2, 3]
    assert row_ticks(64, 3.0, 14) == [9, 19, 29, 39, 49, 59]  # 10, 20, … counted from 1
    assert row_ticks(16, 5.0, 14, back=True) == [0, 5, 10, 15]
    assert row_ticks(3, 1.0, 14) == [0]
    assert row_ticks(2, 10.5, 14) == [0, 1]  # a head of the attention at 1440×900, in Inspect
    assert row_ticks(64, 10.5, 14) == list(range(1, 64, 2))


# -- maps at one step --------------------------------------------------------------------------------------


def test_every_cell_has_its_colour_and_can_be_clicked(qtbot: QtBot) -> None:
    widget = heatmap(qtbot, 2, 3, 4, (600, 260))
    picture = shot(widget)
    table = color_table(signed=False)
    for index, place in enumerate(widget.drawn.places):
        for row in range(3):
            for column in range(4):
                at = QPoint(
                    round(place.left() + (column + 0.5) * place.width() / 4),
                    round(place.top() + (row + 0.5) * place.height() / 3),
                )
                expected = table[int(indices(widget.values[index, row, column], 0, 1))]
                assert picture.pixelColor(at) == QColor.fromRgb(expected)
                assert widget.cell(QPointF(at)) == (index, row, column)
                with qtbot.waitSignal(widget.clicked) as clicked:
                    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at)
                assert clicked.args == [index, row, column]
    assert widget.cell(QPointF(1, 1)) is None


@pytest.mark.parametrize("size", [(60, 30), (150, 80), (300, 110), (430, 150), (900, 600)])
@pytest.mark.parametrize(("maps", "rows", "columns"), [(1, 4, 2), (4, 2, 2), (8, 12, 12), (3, 5, 1), (1, 4, 16)])
def test_maps_stay_inside_and_apart(qtbot: QtBot, size: tuple[int, int], maps: int, rows: int, columns: int) -> None:
    widget = heatmap(qtbot, maps, rows, columns, size)
    assert not shot(widget).isNull()
    if size[0] >= 150:
        assert all(widget.rect().contains(place.toRect()) for place in widget.drawn.places)
    for i, one in enumerate(widget.drawn.places):
        assert not any(one.intersects(other) for other in widget.drawn.places[i + 1 :])


def test_a_gap_has_the_cards_colour(qtbot: QtBot) -> None:
    widget = heatmap(qtbot, 1, 1, 2)
    widget.draw(np.array([[[np.nan, 1.0]]]))
    place = widget.drawn.places[0]
    at = QPoint(round(place.left() + place.width() / 4), round(place.center().y()))
    assert shot(widget).pixelColor(at) == themes.current().color("surface")
    assert "nothing" in widget.words_at(0, 0, 0)


def test_maps_follow_the_theme(qapp: QApplication, qtbot: QtBot) -> None:
    widget = heatmap(qtbot)
    theme = themes.apply(qapp, "light")
    widget.restyle(theme)
    assert shot(widget).pixelColor(1, 1) == theme.color("surface")


# -- maps over time ------------------------------------------------------------------------------------------


def test_grown_in_parts_equals_drawn_at_once(qtbot: QtBot) -> None:
    values = np.random.default_rng(0).standard_normal((5_000, 7)).astype(np.float32)
    values[700:720] = np.nan
    for span in (5_000, 6_250):
        whole = timemap(qtbot, values, span)
        parts = timemap(qtbot, values[:1], span)
        for until in (3, 64, 65, 700, 701, 3_333, 5_000):
            parts.draw(values[:until], signed=True, limits=(-1.0, 1.0), fresh=False)
            shot(parts)
        assert shot(parts) == shot(whole)


def test_extremes_survive_where_steps_share_a_column(qtbot: QtBot) -> None:
    values = np.zeros((20_000, 3), np.float32)
    values[12_345, 1] = -1.0
    widget = timemap(qtbot, values, 20_000)
    place = widget.place
    picture = shot(widget)
    low = QColor(themes.current().diverging[0])
    row = round(place.center().y())
    xs = range(round(widget.x_of(12_345)) - 2, round(widget.x_of(12_345)) + 3)
    assert any(close(picture.pixelColor(x, row), low) for x in xs)
    assert widget.picture.columns <= place.width() + 4


def test_extremes_are_those_farthest_from_zero() -> None:
    values = np.array([[0.1, np.nan], [-0.5, 0.2], [0.3, np.nan]], np.float32)
    np.testing.assert_allclose(extremes(values, 3, signed=True), [[-0.5, 0.2]])
    np.testing.assert_allclose(extremes(values, 2, signed=False), [[0.1, 0.2], [0.3, np.nan]])


def test_more_rows_than_pixels_are_merged(qtbot: QtBot) -> None:
    values = np.zeros((50, 1_000), np.float32)
    values[:, 777] = 1.0
    widget = timemap(qtbot, values, 64, size=(300, 80))
    picture = shot(widget)
    x = round(widget.x_of(25))
    top, bottom = int(widget.place.top()), int(widget.place.bottom())
    assert any(close(picture.pixelColor(x, y), QColor(themes.current().diverging[2])) for y in range(top, bottom))


def test_another_order_moves_rows_and_what_is_under_the_mouse(qtbot: QtBot) -> None:
    values = np.tile(np.array([-1.0, 0.0, 1.0], np.float32), (64, 1))
    widget = timemap(qtbot, values, 64)
    y = widget.place.top() + 3
    assert widget.row_at(y) == 0
    widget.sort(np.array([2, 1, 0]))
    assert widget.row_at(y) == 2
    assert close(shot(widget).pixelColor(round(widget.x_of(30)), int(y)), QColor(themes.current().diverging[2]))
    assert widget.words_at(5, y) == "unit 3 · t 5 · 1.00"


def test_a_click_and_a_drag_name_the_step(qtbot: QtBot) -> None:
    widget = timemap(qtbot, np.zeros((100, 4), np.float32), 128)
    widget.show()
    with qtbot.waitSignal(widget.stepped) as stepped:
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(round(widget.x_of(40)), 50))
    assert abs(stepped.args[0] - 40) <= 1
    assert widget.step_at(widget.x_of(99)) == 99
    assert widget.step_at(widget.x_of(100)) is None  # not played yet
    assert widget.step_at(0) is None


class Watched(TimeMap):
    """Tells how wide each paint was, and whether the data were painted again."""

    widths: list[int]
    data = 0

    def paintEvent(self, event: QPaintEvent) -> None:
        self.widths.append(event.rect().width())
        super().paintEvent(event)

    def draw_data(self, painter: QPainter) -> None:
        self.data += 1
        super().draw_data(painter)


def test_a_moved_cursor_paints_two_strips_over_the_kept_picture(qtbot: QtBot) -> None:
    widget = Watched()
    widget.widths = []
    qtbot.addWidget(widget)
    widget.resize(430, 200)
    widget.arrange(["a", "b"], "unit")
    widget.draw(np.zeros((60, 2), np.float32), signed=True, limits=(-1.0, 1.0), fresh=True)
    widget.show()
    qtbot.waitUntil(lambda: widget.data > 0)
    widget.follow(3)
    QApplication.processEvents()
    before, widget.widths = widget.data, []
    widget.follow(5)
    qtbot.waitUntil(lambda: bool(widget.widths))
    assert widget.data == before
    assert max(widget.widths) < 40


def test_the_axis_grows_in_steps_and_fits_an_ended_episode() -> None:
    assert episode_span(0, False) == episode_span(64, False) == 64
    spans = [episode_span(n, False) for n in range(1, 20_000)]
    assert all(span >= n for n, span in enumerate(spans, 1))
    assert len(set(spans)) < 30
    assert episode_span(321, True) == 321


# -- curves, levels, colour bar -------------------------------------------------------------------------------


def test_a_trace_survives_gaps_single_points_and_long_episodes(qtbot: QtBot) -> None:
    widget = Trace()
    qtbot.addWidget(widget)
    widget.resize(300, 70)
    for n in (0, 1, 2, 100, 20_000):
        values = np.sin(np.arange(n) / 9).astype(np.float32)
        values[1::3] = np.nan
        widget.set_span(episode_span(n, False))
        widget.draw("unit 1", [Series("hidden", "series0", values)], (-1.0, 1.0))
        widget.follow(n)
        assert not shot(widget).isNull()


def test_no_level_of_a_trace_is_written_over_another(qtbot: QtBot) -> None:
    widget = Trace()
    qtbot.addWidget(widget)
    widget.resize(300, 120)
    for limits, labelled in (
        ((-1.0, 1.0), [-1.0, 0.0, 1.0]),
        ((-0.04, 32.0), [0.0, 32.0]),
        ((-32.0, 0.04), [-32.0, 0.0]),
        ((2.0, 3.0), [2.0, 3.0]),
        ((-3.0, 0.0), [-3.0, 0.0]),
    ):
        widget.draw("", [], limits)
        assert list(widget.drawn.written) == labelled


def test_a_trace_draws_its_curve(qtbot: QtBot) -> None:
    widget = Trace()
    qtbot.addWidget(widget)
    widget.resize(300, 120)
    widget.draw("", [Series("flat", "series1", np.full(64, 0.5, np.float32))], (0.0, 1.0))
    place, color = widget.place, themes.current().color("series1")
    column = [
        shot(widget).pixelColor(round(place.center().x()), y) for y in range(int(place.top()), int(place.bottom()))
    ]
    # Antialiasing may share the line between two rows of pixels.
    assert any(pixel.red() > 0.4 * color.red() and pixel.blue() < 60 for pixel in column)


def test_levels_are_round_and_depend_on_the_values_alone() -> None:
    assert [rounded_up(v) for v in (0.0, 0.03, 0.2, 0.21, 1.0, 7.0)] == [0.0, 0.05, 0.2, 0.5, 1.0, 10.0]
    values = np.random.default_rng(1).standard_normal((1_000, 8)) * np.linspace(0.1, 4, 1_000)[:, None]
    grown, at_once = ColorLimit(), ColorLimit()
    seen = [grown.take(values[:n]) for n in range(1, 1_001)]
    assert seen[-1] == at_once.take(values) == 10.0
    assert len(set(seen)) <= 8
    assert ColorLimit().take(np.zeros((5, 3))) == 1.0
    assert ColorLimit().take(np.full((5, 3), np.nan)) == 1.0


def test_the_colour_bar_names_its_ends(qtbot: QtBot) -> None:
    bar = ColorBar()
    qtbot.addWidget(bar)
    bar.set_levels(True, -0.5, 0.5)
    assert bar.accessibleName() == "Colours from −0.5 to 0.5"
    bar.resize(bar.sizeHint())
    picture = shot(bar)
    assert any(
        close(picture.pixelColor(x, bar.height() // 2), QColor(themes.current().diverging[0]), 20)
        for x in range(bar.width())
    )


def test_pictures_stand_in_full_rows(qtbot: QtBot) -> None:
    chart = Heatmap()
    qtbot.addWidget(chart)
    names = [str(place) for place in range(7)]
    for size in [(290, 130), (290, 200), (600, 130), (900, 300)]:
        chart.resize(*size)
        chart.arrange([f"head {n}" for n in range(1, 5)], names, names, ("row", "column"), pictures=True)
        assert 4 % chart.drawn.across == 0


def test_names_of_columns_never_touch(qtbot: QtBot) -> None:
    chart = Heatmap()
    qtbot.addWidget(chart)
    names = [*(f"cell {n // 7},{n % 7}" for n in range(49)), "direction", "mission"]
    for width in range(200, 700, 37):
        chart.resize(width, 130)
        chart.arrange([f"head {n}" for n in range(1, 5)], names, names, ("query", "key"))
        placed = [label.place for label in chart.drawn.column_labels]
        assert all(left.right() < right.left() for left, right in itertools.pairwise(placed))
        assert not placed or placed[-1].right() <= width


@pytest.mark.parametrize("size", [(340, 112), (420, 128), (420, 200)])
def test_names_of_columns_stand_in_two_lines_before_they_are_cut(qtbot: QtBot, size: tuple[int, int]) -> None:
    chart = Heatmap()
    qtbot.addWidget(chart)
    chart.resize(*size)
    names = ["cart position", "pole angle"]
    chart.arrange([f"head {n}" for n in range(1, 5)], names, names, ("query", "key"))
    texts = [label.text for label in chart.drawn.labels]
    assert not [text for text in texts if "…" in text]
    assert sorted(texts).count("position") in (0, chart.drawn.across)  # below each map of the last line, or in one line
    assert {label.text for label in chart.drawn.row_labels} == set(names)
    bottom = max(place.bottom() for place in chart.drawn.places)
    assert all(bottom < label.place.top() and label.place.bottom() <= size[1] for label in chart.drawn.column_labels)
    places = [label.place for label in chart.drawn.column_labels]
    assert not any(one.intersects(other) for one, other in itertools.combinations(places, 2))


def test_names_of_rows_matter_more_than_a_second_line_of_columns(qtbot: QtBot) -> None:
    chart = Heatmap()
    qtbot.addWidget(chart)
    chart.resize(340, 94)
    names = ["cart position", "pole angle"]
    chart.arrange([f"head {n}" for n in range(1, 5)], names, names, ("query", "key"))
    assert [label.text for label in chart.drawn.row_labels] == names * 2


def test_a_trace_says_less_where_its_caption_has_no_room(qtbot: QtBot) -> None:
    trace = Trace()
    qtbot.addWidget(trace)
    trace.brief_captions = (lambda t: "entropy 0.44 nats",)
    trace.draw(lambda t: "entropy 0.44 nats (63 % of the maximum, log 2)", [Series("", "series0", np.ones(3))], (0, 1))
    assert trace.legend(0, 600.0)[0][0].endswith("log 2)")
    assert trace.legend(0, 150.0)[0][0] == "entropy 0.44 nats"
