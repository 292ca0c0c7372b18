"""Lints of the reviewed content: what the rules, numbers, codes and words owe each other. `bonecds check` prints them."""
