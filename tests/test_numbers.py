"""Numbers as texts: what is written can be read back, no text becomes another number, and one number has one text."""

from __future__ import annotations

import contextlib
import math
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dqngui import settings as all_settings
from dqngui.commands.arguments import UsageError
from dqngui.commands.arguments import parse as command_line
from dqngui.commands.several import seeds_of
from dqngui.config import ConfigError
from dqngui.gui.settings_form.scale import STOPS, Scale
from dqngui.jobs import breakpoints
from dqngui.jobs.knobs import Knobs
from dqngui.schema import Field
from dqngui.settings import experiment_from, parse_assignments, with_settings
from dqngui.texts import ReadableError, say, words
from dqngui.texts.numbers import editable, exact, measured, progress, short
from dqngui.texts.reading_numbers import parse

NUMBERS = [field for field in all_settings.experiment_fields() if field.kind in ("int", "float")]
MAGNITUDES = st.builds(
    lambda mantissa, power, sign: sign * float(f"{mantissa}e{power}"),
    st.decimals(1, 10, places=4).filter(lambda d: d < 10),
    st.integers(-300, 300),
    st.sampled_from([-1, 1]),
)


# -- writing and reading back -----------------------------------------------------------------------


@given(st.one_of(MAGNITUDES, st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)))
@example(0.00098)  # its mantissa rounds to 10
@example(9.8e-4)
@example(-9.99e-5)
@example(20_000.0)
@example(1500.5)
@example(0.0)
@settings(max_examples=150, deadline=None)
def test_every_number_is_read_back_as_it_was_written(value: float) -> None:
    assert parse(editable(value), whole=False) == value


@given(st.integers(-(2**62), 2**62))
@settings(max_examples=100, deadline=None)
def test_every_whole_number_is_read_back_as_it_was_written(value: int) -> None:
    text = editable(value)
    assert parse(text, whole=True) == value


@pytest.mark.parametrize("field", [f for f in NUMBERS if f.high is not None], ids=lambda f: f.path)
def test_every_place_of_every_slider_shows_the_number_that_is_applied(field: Field) -> None:
    scale = Scale.of(field)
    for position in (*range(0, STOPS, 11), STOPS):
        value = scale.value(position)
        assert parse(editable(value), field.type is int) == value
        assert type(value) is field.type


@pytest.mark.parametrize("field", NUMBERS, ids=lambda f: f.path)
def test_the_bounds_and_the_default_of_every_number_are_read_back(field: Field) -> None:
    for value in (field.low, field.high, field.default):
        if isinstance(value, (int, float)):
            kind = field.type(value)
            assert parse(editable(kind), field.type is int) == kind


# -- numbers of another language --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,001", 0.001), ("2,5", 2.5), ("1,5", 1.5), ("0,01", 0.01), ("0.001", 0.001), (",5", 0.5), (".5", 0.5),
        ("1e-3", 1e-3), ("1,5e-3", 1.5e-3), ("1E5", 1e5), ("2,5k", 2500.0), ("1.5M", 1.5e6), ("1.234", 1.234),
        ("1 000,5", 1000.5), ("1.000,5", 1000.5), ("1,000.5", 1000.5), ("1'000.5", 1000.5), ("1’000", 1000.0),
        ("1\u00a0000", 1000.0), ("1\u202f000", 1000.0), ("1,000,000", 1e6), ("1.000.000", 1e6), ("1_000", 1000.0),
        ("12345,678", 12345.678), ("0,125", 0.125), ("−5", -5.0), ("+0,5", 0.5), ("  0,5 ", 0.5), ("-0,001", -0.001),
    ],
)  # fmt: skip
def test_a_decimal_comma_or_point_is_read_where_only_one_number_is_possible(text: str, value: float) -> None:
    assert parse(text, whole=False) == value


@pytest.mark.parametrize("text", ["1,500", "10,000", "1.500", "100.000", "1,234", "1,500k", "-2,500", "1.000"])
def test_a_text_that_may_be_two_numbers_is_refused_and_both_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"may be .* or .*: write one of the two"):
        parse(text, whole=False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10,000", 10_000), ("10 000", 10_000), ("10'000", 10_000), ("1.000.000", 1_000_000), ("1,234,567", 1_234_567),
        ("9007199254740993", 2**53 + 1), ("30k", 30_000), ("1.5M", 1_500_000), ("2,5k", 2_500), ("1e5", 100_000),
        ("-5", -5),
    ],
)  # fmt: skip
def test_whole_numbers_are_read_as_people_write_them(text: str, value: int) -> None:
    assert parse(text, whole=True) == value


@pytest.mark.parametrize(
    "text", ["100.000", "1.234", "2,5", "0,001", "1.5", "100.0", "5,", "1e-3", "12,34", "1,00,000"]
)
def test_what_is_no_whole_number_in_every_language_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text, whole=True)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "text",
    ["", " ", ".", ",", "many", "nan", "inf", "1 5", "1_5", "--5", "1e3,5", "10²", "½", "0x10", "1e9999", "1e-9999",
     "1e-320", "9" * 70, "5 %", "1,,5", "1.,5", "1e", "k", "1,2,3", "1.2.3", "1\n2", "\x00", "٣"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str, whole: bool) -> None:
    with pytest.raises(ValueError):
        parse(text, whole)


@given(
    digits=st.from_regex(r"[0-9]{1,9}", fullmatch=True), decimals=st.from_regex(r"[0-9]{0,6}", fullmatch=True),
    style=st.sampled_from([("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), ("’", ".")]),
    whole=st.booleans(),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_no_number_of_any_language_becomes_another_number(
    digits: str, decimals: str, style: tuple[str, str], whole: bool
) -> None:
    group, sign = style
    number = int(digits)
    head = f"{number:,}".replace(",", group) if group else str(number)
    text = head + (sign + decimals if decimals else "")
    if 1 <= number < 1000 and len(decimals) == 3 and sign == ("," if whole else "."):
        return  # 1.234, and 1,234 for whole numbers, are the program's own texts
    meant = float(f"{number}.{decimals or '0'}")
    try:
        value = parse(text, whole)
    except ValueError:
        return
    if value != meant:  # only 1.234 with a point for thousands is taken for what the program writes
        assert not whole and group == "." and not decimals and 1000 <= number < 1_000_000 and number % 10


@given(st.text(max_size=12))
@settings(max_examples=80, deadline=None)
def test_any_text_is_a_number_or_refused_with_a_sentence(text: str) -> None:
    for whole in (True, False):
        with contextlib.suppress(ReadableError):
            assert math.isfinite(parse(text, whole))


# -- texts ------------------------------------------------------------------------------------------


def test_settings_are_shown_exactly_and_as_short_as_possible() -> None:
    for value, text in (
        (10_000, "10,000"), (0.99, "0.99"), (1e-3, "1e-3"), (0.0, "0"), (2.3e-3, "2.3e-3"),
        (0.123456789, "0.123456789"),
        (9.8e-4, "9.8e-4"), (20_000.0, "20,000"), (1e6, "1e6"), (1500.5, "1,500.5"), (None, ""), (-0.5, "-0.5"),
    ):  # fmt: skip
        assert exact(value) == text
    assert editable(20_000.0) == "20,000.0", "in a field, 20,000 may also be meant as 20"


def test_measured_numbers_keep_their_digits_and_their_separators() -> None:
    for value, text in (
        (0.0997, "0.09970"), (0.1, "0.1000"), (348.9, "348.9"), (500.0, "500"), (20_000.0, "20,000"), (9_504, "9,504"),
        (12_345.6, "12,346"), (-2.5, "−2.500"), (1.3e-5, "1.300e-5"), (0.99996, "1.000"), (math.nan, "nan"),
        (math.inf, "∞"), (-0.0, "0"),
    ):  # fmt: skip
        assert measured(value) == text
    assert measured(0.12345, 3) == "0.123"


def test_axes_have_letters_for_round_numbers_only() -> None:
    assert [short(n) for n in (20_000, 1_500_000, 0.05, -0.5, 9_504, 1_500, 0)] == [
        "20k", "1.5M", "0.05", "−0.5", "9,504", "1.5k", "0",
    ]  # fmt: skip


def test_a_run_that_made_more_steps_than_asked_for_shows_those_that_it_made() -> None:
    assert progress(300, 500) == "300 / 500"
    assert progress(512, 500) == "512"


def test_numbers_in_sentences_are_written_like_all_others() -> None:
    assert words(say("value.schedule", start=1.0, end=20_000.0, steps=20_000)) == "1 to 20,000 over 20,000 steps"
    assert "0.09970" in words(say("shown.evaluated", mean=0.0997))


@given(st.floats(allow_subnormal=False), st.integers(1, 9))
@settings(max_examples=80, deadline=None)
def test_every_number_has_a_text(value: float, digits: int) -> None:
    assert measured(value, digits)
    assert short(value)
    assert exact(value)


# -- bounds hold in every thread --------------------------------------------------------------------


def in_a_thread_that_flushes(check: Callable[[], object]) -> object:
    """What a check gives in a thread that takes denormal numbers for 0, as the training thread does."""
    import torch

    def work() -> object:
        torch.set_flush_denormal(True)  # for this thread only
        return check()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def accepted(path: str, value: float) -> bool:
    try:
        all_settings.knob_value(path, value)
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("field", [f for f in all_settings.live_fields() if f.kind == "float"], ids=lambda f: f.path)
def test_bounds_of_live_settings_hold_in_the_training_thread(field: Field) -> None:
    tiny: float = struct.unpack("<d", struct.pack("<q", 1))[0]  # the smallest number of all
    for value in (
        0.0,
        -0.0,
        tiny,
        1e-320,
        -tiny,
        sys.float_info.min,
        -1e-9,
        field.high or 1.0,
        (field.high or 1) + 1e-9,
    ):
        here, there = accepted(field.path, value), in_a_thread_that_flushes(partial(accepted, field.path, value))
        if value not in (-tiny,):  # not below 0 where it counts as 0
            assert here == there, value
        if field.low_open and value <= sys.float_info.min:
            assert not there, value


def test_a_saved_state_with_a_value_that_is_now_out_of_bounds_can_be_read() -> None:
    knobs = Knobs(experiment_from({"learn": {"algorithm": "dqn"}}))
    saved = knobs.data()
    saved["learn"] |= {"tau": 0.0, "clip": 0.0}  # an earlier version took them in the training thread
    knobs.restore(saved)
    assert knobs.experiment.learn.tau == knobs.experiment.learn.clip == pytest.approx(0, abs=1e-20)
    again = Knobs(knobs.experiment)
    again.restore(knobs.data())
    assert again.experiment == knobs.experiment


# -- numbers as text in settings --------------------------------------------------------------------


def test_numbers_on_the_command_line_are_read_as_in_the_form() -> None:
    plain = experiment_from({})
    for text, value in (("0,001", 1e-3), ("2,5e-4", 2.5e-4), ("0.5", 0.5)):
        assert with_settings(plain, parse_assignments([f"learn.lr={text}"])).learn.lr == value
    for text, whole in (("30k", 30_000), ("10,000", 10_000), ("1_000", 1_000), ("1 000 000", 1_000_000)):
        assert with_settings(plain, parse_assignments([f"run.total_steps={text}"])).run.total_steps == whole


@pytest.mark.parametrize("text", ["0,001", "0.001", "1", "100.000"])
def test_a_number_as_text_in_a_file_is_refused_and_says_how_to_write_it(text: str) -> None:
    with pytest.raises(ConfigError, match=r"learn\.lr.*without quotes"):
        experiment_from({"learn": {"lr": text}})
    with pytest.raises(ConfigError, match=r"max_radius.*without quotes"):
        experiment_from({"net": {"memory": "lru", "memory_options": {"max_radius": text}}})


@pytest.mark.parametrize(
    "assignment", ["run.total_steps=100.000", "learn.grad_clip=1,500", "learn.lr=1 5", "run.total_steps=2,5"]
)
def test_an_unclear_number_on_the_command_line_is_refused_and_names_its_setting(assignment: str) -> None:
    with pytest.raises(ConfigError, match=assignment.split("=")[0]):
        with_settings(experiment_from({}), parse_assignments([assignment]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("3.0", 3.0), ("0,001", 0.001), ("1 000", 1000), ("30k", 30_000), ("1e5", 1e5), ("-2", -2),
        ("127.0.0.1", "127.0.0.1"), ("4x4", "4x4"), ('"1,5"', "1,5"), ("[1, 2]", [1, 2]), ("true", True),
    ],
)  # fmt: skip
def test_what_is_typed_for_an_argument_of_an_environment_is_a_number_or_a_text(text: str, value: Any) -> None:
    read = parse_assignments([f"env.kwargs.x={text}"])["env.kwargs.x"]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize("text", ["1,500", "1.500", "1,2,3", "1 5", "1,00,000"])
def test_what_looks_like_a_number_and_is_not_a_single_one_is_never_a_text(text: str) -> None:
    with pytest.raises(ConfigError, match=r"env\.kwargs\.x.* in quotes"):
        parse_assignments([f"env.kwargs.x={text}"])


@pytest.mark.parametrize("text", ["1e5", "100k", "100 000", "100,000"])
def test_each_whole_number_of_the_command_line_is_read_by_one_rule(text: str) -> None:
    _, arguments = command_line(["train", "--steps", text, "--seed", text, "--jobs", text])
    assert arguments.steps == arguments.seed == arguments.jobs == 100_000
    assert seeds_of("1 000-1e3") == [1000]
    assert parse_assignments([f"run.total_steps={text}"]) == {"run.total_steps": 100_000}


@pytest.mark.parametrize("option", ["--steps", "--seed", "--stop-at"])
def test_an_unclear_number_of_an_option_is_refused_and_names_it(option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} `1\\.500` may be 1\\.5 or 1500"):
        command_line(["train", option, "1.500"])
    assert command_line(["train", "--stop-at", "-1,5"])[1].stop_at == -1.5


def test_breakpoints_are_read_like_settings() -> None:
    assert breakpoints.parse("loss > 0,5").value == 0.5
    assert breakpoints.parse("return > 1e3").value == 1000
    with pytest.raises(ConfigError, match="1,500"):
        breakpoints.parse("return > 1,500")
