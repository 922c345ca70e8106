"""What is computed from episodes: what-if comparisons, studies, breakpoints, orders, shares, components. Without widgets."""
