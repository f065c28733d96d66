"""Large tables of fills in columns: DuckDB adds, joins and sorts what is equal."""
