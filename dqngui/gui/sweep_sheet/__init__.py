"""The sheet that makes a sweep of the experiment."""
