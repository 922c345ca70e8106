"""The Compare card: curves, figures and settings of runs in groups. Not how they are computed (`dqngui.comparison`)."""
