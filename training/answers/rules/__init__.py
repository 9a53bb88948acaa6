"""What can be verified in an answer without an opinion: how much, in which form, in which words."""
