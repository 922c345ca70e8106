"""Background work and time: a thread that runs functions, how the closing window ends such work, clocks and timers."""
