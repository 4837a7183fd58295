"""Where songs come from: the built-in corpus, any folder of stems, and the mixtures made of them.

The modules are `corpus`, `folder`, `mixing` and `tasks`, and for the data of others `musdb`, `layouts` and `survey`.
They import nothing of sepbook but `audio`.

Taught on: book/data/corpus
"""
