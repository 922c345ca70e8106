"""What is computed from episodes: comparisons, studies, breakpoints, orders, shares. Not how it is drawn."""
