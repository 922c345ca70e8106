"""From where on a map of weights counts as an explanation. Imports no torch: the window says which of these failed."""

from __future__ import annotations

MIN_DIFFERENCE = 0.1
"""A removal matters where it moves the action values by a tenth of their spread more than a random one does."""
MIN_CONCENTRATION = 0.2
"""A map claims something where its k greatest places are so concentrated. One that is nearly even, as random weights
give it, points nowhere: that its greatest place happens to be one that counts explains nothing."""
