"""Computations on episodes: comparisons, studies, breakpoints, orders, attention shares. No drawing."""
