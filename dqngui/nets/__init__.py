"""Networks: encoder, attention over the tokens of a step, memory over steps, head."""
