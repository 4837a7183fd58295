"""Where songs come from: the built-in corpus, any folder of stems, and the mixtures made of them.

The modules are `corpus`, `folder`, `mixing` and `tasks`; for the data of others `musdb`, `layouts` and `survey`; for
soundscapes by Scaper `scaper` and `jams`. They import nothing of sepbook but `audio` and, for Scaper, `compat`.

Taught on: book/data/corpus
"""
