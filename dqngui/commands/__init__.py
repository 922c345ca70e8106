"""One module a command, each with `run(arguments) -> exit status`. Nothing heavy is imported before it is needed."""
