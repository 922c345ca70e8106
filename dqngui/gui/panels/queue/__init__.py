"""The Queue card: the runs that wait to be trained, their order and their progress."""
