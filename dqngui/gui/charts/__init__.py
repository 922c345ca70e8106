"""The drawing kit: plots, maps, timelines, axes and colour bars. It draws arrays and knows no card.

Where everything stands is computed in `layout`; widgets here keep it in `drawn` and paint it.
"""
