"""Places of cards and times of drawing: docks, arrangements, tabs, painting budget. Not the content of cards."""
