"""What is computed from episodes: what-if comparisons, studies, breakpoints, orders, shares. Not how it is drawn."""
