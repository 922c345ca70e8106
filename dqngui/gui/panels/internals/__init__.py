"""Cards that look inside the agent step by step: Attention and Memory, and the faithfulness row under their maps."""
