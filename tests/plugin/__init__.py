"""A package, so that its tests import the builders of its conftest."""
