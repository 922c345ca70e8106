"""The playing agent: its process, episode, playhead and pictures. Computations over episodes are in `analysis`."""
