"""Files of what is shown, for example films and arrays of an episode. Not the files of a run."""
