"""Where songs come from: the built-in corpus, any folder of stems, and the mixtures made of them.

The modules are `corpus`, `folder`, `mixing` and `tasks`. They import nothing of sepbook but `audio`.

Taught on: book/data/corpus
"""
