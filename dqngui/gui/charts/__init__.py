"""The drawing kit: plots, maps, timelines, axes and colour bars. It draws arrays and knows no card."""
