"""A second verifier of Walwarden's evidence, written from the published formats alone.

It shares no code with the product, and nothing of it is a translation: where the two disagree, one of them is wrong.
"""
