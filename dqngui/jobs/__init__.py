"""Jobs: generators that yield events and read commands from an inbox."""
