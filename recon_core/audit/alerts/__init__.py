"""Alerts about what is open in an audit log, each sent once (docs/alerts.md).

    entries ──▶ open_findings.py   what the newest run of each account or session has
            └─▶ sent_alerts.py     what was delivered to a target: RECON_ALERT entries
                     ▼
                throttle.py        news: new, grew, changed, still open, resolved
                     ▼
                message.py ──▶ delivery.py (apprise) ──▶ a RECON_ALERT entry

The log is the only memory: what was sent is in it, as firmly as what was found.
"""
