"""What words mean for a guard: intents with their reasons, places and names of the site, and redaction.

`tokens.py` takes a text apart, `intents.py` reads which words speak for what, `lexicon.py` knows the site's
names, `meaning.py` weighs them, `classifier.py` asks a network where there is one, and `redact.py` takes out
what nobody may read.
"""
