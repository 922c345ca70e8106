"""The drawing kit: plots, maps, timelines, axes and colour bars. It draws arrays and imports no card.

Positions are computed in `layout`; a widget has the result as `drawn` and paints it.
"""
