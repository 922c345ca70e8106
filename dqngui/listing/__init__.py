"""The list of stored runs: read incrementally, named, searched, sorted and grouped; no Qt. Not one run's files."""
