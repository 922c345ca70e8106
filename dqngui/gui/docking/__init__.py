"""Where cards stand and when they draw: docks, arrangements, tabs, the painting budget. Not what a card shows."""
