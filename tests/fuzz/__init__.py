"""Damaged and hostile runs in bulk, given to the readers and to the command line: `make fuzz`."""
