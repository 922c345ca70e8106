"""Trading: daily prices, an account kept to the cent, walk-forward splits, and a test that looks for leaks."""
