"""Attentions over the tokens of one step; `contract` says what each of them is."""
