"""Recording formats of the project, one module each.

A format of both sides is an extension of the core: it has the hooks `recon_anchor` and
`recon_read_session`, and a row of `[project.entry-points.recon]` in pyproject.toml. A format of
one side has `read_side`, and a row of `ONE_SIDED` in `recon_core.sessions.foreign`.
"""
