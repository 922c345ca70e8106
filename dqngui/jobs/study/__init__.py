"""The study job: what many episodes show about an agent's attention and memory. Not one episode that is watched."""
