"""Attention modules over the tokens of one step; `contract` says what each offers. Not attention over past steps."""
