"""What can be played and touched: the stem player and the explorers.

Each is one ES module, ``render({model, el})``, with two hosts: a static page of the book (no kernel), and a
notebook (anywidget). Import them from their own modules::

    from sepbook.widgets.player import player
"""
