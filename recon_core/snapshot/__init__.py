"""The external side of a live or paper account, asked from its exchange through ccxt.

    keys.py        the keys of an account, from the environment or a keyring
    exchange.py    the exchange of ccxt with exact numbers, its settings
    asking.py      one query: tries, waiting, pages to the end, the faults of answers
    queries.py     which queries there are, and what their rows must state
    recording.py   all queries of an account, at one time
    writing.py     the files of a snapshot and their manifest

`recon_core.sessions.formats.ccxt` reads the files, and refuses to be green for what the
manifest says is not covered.
"""
