"""Networks: encoder, attention over the tokens of a step, memory over the steps, head. Not how they are trained."""
