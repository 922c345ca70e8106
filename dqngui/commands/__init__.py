"""The command line: one module for each command, with `run(arguments) -> exit status`. No training, no window."""
