"""The catalog: each module that can be chosen, with a summary, its options and where its code is. No module itself.

An entry names its object by string, so that reading the catalog imports neither torch nor Qt.
Adding a module means its own file and one entry here.
"""

from __future__ import annotations

from dqngui.catalog.attentions import ATTENTIONS
from dqngui.catalog.entry import AlgorithmEntry, Entry, load, load_target
from dqngui.catalog.memories import MEMORIES
from dqngui.catalog.tasks import TASKS
from dqngui.catalog.wrappers import WRAPPERS

__all__ = [
    "ALGORITHMS",
    "ATTENTIONS",
    "JOBS",
    "MEMORIES",
    "PANELS",
    "TASKS",
    "WRAPPERS",
    "AlgorithmEntry",
    "Entry",
    "load",
    "load_target",
]

ALGORITHMS = {
    "dqn": AlgorithmEntry(
        "Deep Q-learning: double, n-step, windows from replay",
        "dqngui.learning.off_policy:OffPolicy",
        network="dqngui.nets.network:QNetwork",
        label="DQN",
    ),
    "ppo": AlgorithmEntry(
        "Proximal policy optimisation: an actor and a critic that learn from the last steps of the present policy",
        "dqngui.learning.on_policy:OnPolicy",
        network="dqngui.nets.actor_critic:ActorCritic",
        label="PPO",
    ),
}

JOBS = {
    "train": Entry("Train an agent", "dqngui.jobs.train:train"),
    "test": Entry("Play a stored agent greedily and report its returns", "dqngui.jobs.test:test"),
    "play": Entry("Play an agent step by step, to be watched", "dqngui.jobs.play:play"),
    "trial": Entry("Try a task for a few steps", "dqngui.jobs.trial:trial"),
    "suit": Entry("Try a task and give the default agent for it", "dqngui.jobs.suit:suit"),
    "study": Entry("Answer questions about an agent from many of its episodes", "dqngui.jobs.study.server:study"),
}

PANELS = {
    "return": Entry("Episode returns and evaluations", "dqngui.gui.panels.curves.return_panel:ReturnPanel"),
    "learning": Entry("Loss, TD error, values, gradient", "dqngui.gui.panels.curves.learning_panel:LearningPanel"),
    "exploration": Entry("Exploration and speed", "dqngui.gui.panels.curves.exploration_panel:ExplorationPanel"),
    "over_training": Entry(
        "How attention changed from checkpoint to checkpoint",
        "dqngui.gui.panels.over_training.over_training_panel:OverTrainingPanel",
    ),
    "log": Entry(
        "Changes of live settings, evaluations and notices in words", "dqngui.gui.panels.log.log_panel:LogPanel"
    ),
    "agent": Entry("What the agent sees and values, and its player", "dqngui.gui.panels.agent.agent_panel:AgentPanel"),
    "attention": Entry("What each head attends to", "dqngui.gui.panels.internals.attention_panel:AttentionPanel"),
    "memory": Entry("Units of the memory over the episode", "dqngui.gui.panels.internals.memory_panel:MemoryPanel"),
    "runs": Entry("The stored runs, to open, resume and compare", "dqngui.gui.panels.runs.runs_panel:RunsPanel"),
    "compare": Entry(
        "Runs in groups: curves over seeds, final figures and the settings that differ",
        "dqngui.gui.panels.compare.compare_panel:ComparePanel",
    ),
    "queue": Entry(
        "The runs that wait to be trained, in their order", "dqngui.gui.panels.queue.queue_panel:QueuePanel"
    ),
    "probe": Entry("What can be read from the memory, step by step", "dqngui.gui.panels.probe.probe_panel:ProbePanel"),
    "whatif": Entry(
        "An episode with something changed, beside the original", "dqngui.gui.panels.whatif.whatif_panel:WhatIfPanel"
    ),
}
