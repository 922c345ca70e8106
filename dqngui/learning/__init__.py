"""Learning: acting, exploration, replay and rollouts, targets, the updates of DQN and PPO, evaluation."""
