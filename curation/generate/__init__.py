"""Instruction/response pairs out of a language model, grown from seeds; nothing paid twice, nothing lost."""
