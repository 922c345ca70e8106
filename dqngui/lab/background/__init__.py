"""Background work: a thread that runs functions, and the contract by which the closing window ends such work."""
