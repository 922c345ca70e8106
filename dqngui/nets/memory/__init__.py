"""Memory modules over the steps of an episode; `contract` says what each offers. Not the replay."""
