"""The views of an audit database: what is open, since when, whose it is and why.

A view follows a strategy from run to run, or each session of a suite, as `recon audit trend`
does. Only runs that were complete open or close a difference; those that were not, and are
newer, are in `recon_incomplete_runs`.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, text

_RUN_ORDER: Final = """
WITH suites AS (
    SELECT DISTINCT f.log_id, COALESCE(r.strategy_id, '') AS strategy_id
    FROM recon_runs r JOIN recon_files f ON f.file_id = r.file_id
    WHERE r.invocation_id IS NOT NULL
    GROUP BY f.log_id, r.strategy_id, r.invocation_id
    HAVING COUNT(*) > 1
)
SELECT l.name AS log, f.log_id, f.place, r.file_id, r.sequence, r.run_id, r.invocation_id,
    COALESCE(r.strategy_id, '') AS strategy_id, r.session_id,
    CASE WHEN s.log_id IS NULL THEN '' ELSE COALESCE(r.session_id, '') END AS series_session,
    r.time, r.verdict, r.critical, r.fail, r.warn, r.info, r.waived, r.total_diffs,
    CASE WHEN r.ran = r.comparisons AND r.ran > 0 AND r.problems = 0 AND c.sequence IS NOT NULL
        THEN 1 ELSE 0 END AS complete
FROM recon_runs r
JOIN recon_files f ON f.file_id = r.file_id
JOIN recon_logs l ON l.log_id = f.log_id
LEFT JOIN suites s
    ON s.log_id = f.log_id AND s.strategy_id = COALESCE(r.strategy_id, '')
LEFT JOIN recon_entries c
    ON c.file_id = r.file_id AND c.sequence = r.sequence + r.recorded_diffs + 1
    AND c.event_type = 'RECON_RUN_COMMITTED'
"""

_COMPLETE_RUNS: Final = """
SELECT o.*, ROW_NUMBER() OVER (PARTITION BY log_id, strategy_id, series_session
        ORDER BY place, sequence) AS number,
    ROW_NUMBER() OVER (PARTITION BY log_id, strategy_id, series_session
        ORDER BY place DESC, sequence DESC) AS back
FROM recon_run_order o WHERE complete = 1
"""

_INCOMPLETE_RUNS: Final = """
SELECT o.log, o.strategy_id, o.session_id, o.run_id, o.time, o.verdict,
    o.critical, o.fail, o.warn, o.info, o.waived
FROM recon_run_order o
LEFT JOIN recon_complete_runs n
    ON n.log_id = o.log_id AND n.strategy_id = o.strategy_id
    AND n.series_session = o.series_session AND n.back = 1
WHERE o.complete = 0 AND (n.log_id IS NULL OR n.place < o.place
    OR (n.place = o.place AND n.sequence < o.sequence))
"""

_OPEN_DIFFERENCES: Final = """
WITH differing AS (
    SELECT DISTINCT n.log_id, n.strategy_id, n.series_session, n.number, d.identity
    FROM recon_complete_runs n
    JOIN recon_diffs d ON d.file_id = n.file_id AND d.run_id = n.run_id
), streaks AS (
    SELECT d.*, number - ROW_NUMBER() OVER (
        PARTITION BY log_id, strategy_id, series_session, identity ORDER BY number) AS streak
    FROM differing d
), ages AS (
    SELECT log_id, strategy_id, series_session, identity,
        MIN(number) AS first_number, MAX(number) AS last_number
    FROM streaks GROUP BY log_id, strategy_id, series_session, identity, streak
)
SELECT r.log, r.strategy_id, r.session_id, r.run_id, d.identity, d.severity, d.delta, d.unit,
    d.internal, d.external, d.description, f.time AS since, r.time AS latest,
    a.last_number - a.first_number + 1 AS runs, {days} AS days,
    d.owner, e.cause, e.verdict AS explanation, e.text AS explanation_text,
    d.file_id, d.sequence
FROM ages a
JOIN recon_complete_runs r
    ON r.log_id = a.log_id AND r.strategy_id = a.strategy_id
    AND r.series_session = a.series_session AND r.number = a.last_number AND r.back = 1
JOIN recon_complete_runs f
    ON f.log_id = a.log_id AND f.strategy_id = a.strategy_id
    AND f.series_session = a.series_session AND f.number = a.first_number
JOIN recon_diffs d
    ON d.file_id = r.file_id AND d.run_id = r.run_id AND d.identity = a.identity
LEFT JOIN recon_explanations e
    ON e.file_id = d.file_id AND e.sequence = d.sequence AND e.number = 0
"""

_BY_AGE: Final = """
SELECT log, CASE WHEN days < 1 THEN 'under 1 day' WHEN days < 7 THEN '1 to 6 days'
    WHEN days < 30 THEN '7 to 29 days' ELSE '30 days and more' END AS age,
    severity, COUNT(*) AS differences, MIN(since) AS oldest
FROM recon_open_differences GROUP BY 1, 2, 3
"""

_BY_OWNER: Final = """
SELECT log, COALESCE(owner, '') AS owner, severity, COUNT(*) AS differences, MIN(since) AS oldest
FROM recon_open_differences GROUP BY 1, 2, 3
"""

_BY_CAUSE: Final = """
SELECT log, COALESCE(cause, '') AS cause, COALESCE(explanation, '') AS explanation, severity,
    COUNT(*) AS differences, MIN(since) AS oldest
FROM recon_open_differences GROUP BY 1, 2, 3, 4
"""

_TREND: Final = """
SELECT o.log, o.strategy_id, o.session_id, o.run_id, o.time, o.complete,
    o.critical, o.fail, o.warn, o.info, o.waived, o.total_diffs,
    ROW_NUMBER() OVER (PARTITION BY log_id, strategy_id, series_session
        ORDER BY place, sequence) AS number
FROM recon_run_order o
"""

VIEWS: Final[Mapping[str, str]] = {
    "recon_run_order": _RUN_ORDER,
    "recon_complete_runs": _COMPLETE_RUNS,
    "recon_incomplete_runs": _INCOMPLETE_RUNS,
    "recon_open_differences": _OPEN_DIFFERENCES,
    "recon_open_by_age": _BY_AGE,
    "recon_open_by_owner": _BY_OWNER,
    "recon_open_by_cause": _BY_CAUSE,
    "recon_trend": _TREND,
}
"""The query of each view by its name, in the order in which they are made."""

_DAYS: Final = {
    "sqlite": "(strftime('%s', r.time) - strftime('%s', f.time)) / 86400",
    "postgresql": "TRUNC(EXTRACT(EPOCH FROM r.time - f.time) / 86400)::bigint",
}


def create_views(connection: Connection) -> None:
    """Make the views; the tables are there."""
    days = _DAYS[connection.dialect.name]
    for name, query in VIEWS.items():
        # A colon would be a parameter of the driver.
        body = query.replace("{days}", days).replace("::", "\\:\\:")
        connection.execute(text(f"CREATE VIEW {name} AS {body}"))
