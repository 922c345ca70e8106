"""What is said while an agent plays in the window, while a person drives, and while questions wait for an answer."""

from __future__ import annotations

from dqngui.texts.language import Plural

TEMPLATES: dict[str, str | Plural] = {
    "player.not_started": "the player could not start: {problem}",
    "player.ended": "the player's process ended",
    "player.starting": "Starting the player…",
    "player.starting_second": "Starting a second player…",
    "player.loading": "Loading the agent…",
    "player.seconds": "{what} {seconds:d} s",
    "player.no_weights": "Waiting for the first weights…",
    "player.beginning": "Beginning an episode…",
    "player.playing": "Playing the episode…",
    "player.playing_unchanged": "Playing the original episode…",
    "driver.coming": "Playing the episode up to this step…",
    "driver.ended": "Episode ended · press a key to try again · Esc hands back",
    "driver.paused": "Paused · press a key to continue · Esc hands back",
    "driver.by_key": "You are driving, one step per key · Esc hands back",
    "driver.driving": "You are driving · Esc hands back",
    "driver.not_legal": "{action} is not legal at this step · Esc hands back",
    "driver.nothing": "Without a key the episode waits.",
    "driver.idle": "Without a key: {action}.",
    "driver.agent_acts": "Without a key the agent acts.",
    "question.not_started": "it could not start: {problem}",
    "question.process_ended": "its process ended",
    "question.other_agent": "another agent plays now",
    "question.no_agent": "no agent plays",
    "question.playing": "Playing episodes…",
    "question.waiting": "Waiting for another question…",
    "lines.switch": "Lines of attention",
    "lines.tip": (
        "Lines of attention: from the agent's own entity to those that each head attends to, in the picture and in "
        "films"
    ),
    "lines.legend": "Heads of the lines of attention, and numbers of the step",
    "lines.meaning": (
        "A line's width and opacity show how much of its attention a head gives to an entity; a ring around the "
        "agent's own entity shows what the head keeps for it"
    ),
    "lines.head": "head {number}",
}
