"""The screens on which pairs are labelled, made of the parts that a review's screens are made of."""
