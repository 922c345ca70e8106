"""Takes runs out of dqngui, one module for each format. Always from a run's folder, also while its log grows; no Qt."""
