"""Learning: acting, replay, targets, exploration, the DQN update, evaluation."""
