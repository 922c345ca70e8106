"""The documents name only what exists: commands, make targets, files and links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from dqngui.commands import arguments as known
from dqngui.commands.arguments import TrainArguments, parse
from dqngui.commands.experiments import chosen_experiment
from dqngui.presets import agent_names, preset_names

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "assets").glob("*/README.md"))
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.partition("#")[0].strip() for line in README.splitlines() if re.match(r"dqngui\b.*#", line)]
PRESETS = re.findall(
    r"`([\w-]+)`", re.sub(r"(?m)^(\| [^|]*\|).*", r"\1", README.split("| preset | task |")[1].split("\n\n")[0])
)
OWN_FOLDERS = ("dqngui", "tests", "configs", "assets")
IN_THE_WHEEL = "dqngui/_data"


def test_the_readme_shows_every_command_of_the_command_line() -> None:
    typed = [[*shlex.split(line), "gui"] for line in COMMANDS]
    shown = {name if (name := " ".join(each[1:3])) in known.COMMANDS else each[1] for each in typed}
    assert shown == set(known.COMMANDS)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_is_understood(line: str) -> None:
    _, arguments = parse(shlex.split(line)[1:])
    if isinstance(arguments, TrainArguments) and arguments.file in (None, *preset_names()):
        chosen_experiment(arguments.file, arguments.env, arguments.set, agent=arguments.agent)


def test_the_readme_names_every_agent_and_only_presets_that_exist() -> None:
    assert PRESETS and set(PRESETS) == set(preset_names()) - {"bench-cartpole"}
    assert all(f"`{name}`" in README for name in agent_names())


def test_the_architecture_names_every_folder_of_the_code() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [ROOT / "dqngui", ROOT / "dqngui" / "gui", ROOT / "dqngui" / "lab"]
    folders = [path.parent.name for room in rooms for path in room.glob("*/__init__.py")]
    assert [name for name in folders if f"`{name}`" not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_points_to_exists(document: str) -> None:
    """Make targets, files of this project in backticks, links and pictures."""
    text = (ROOT / document).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    files = [name for name in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if name.startswith(OWN_FOLDERS)]
    linked = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r'(?:src|srcset)="([^":]+)"', text)
    missing = [name for name in files if name != IN_THE_WHEEL and not (ROOT / name).exists()]
    missing += [name for name in linked if not (ROOT / document).parent.joinpath(name).exists()]
    assert missing == []
