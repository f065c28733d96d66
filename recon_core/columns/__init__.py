"""Large tables in columns: DuckDB adds, joins and sorts what is equal."""
