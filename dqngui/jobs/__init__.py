"""Jobs: generators that yield events and read commands from an inbox. They know nothing of Qt, threads or processes."""
