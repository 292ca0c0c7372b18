"""The generated reference of `docs/reference/`: what a clinician can review without reading Python.

`book.py` holds what is written about; one module per kind of page makes Markdown of it; `files.py` compares the pages with
those on disk. Nothing here is a second list of rules: every page is made from the rules, the content and the vignettes.
"""
