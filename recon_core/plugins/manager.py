"""The plugin manager of the core, with the built-in formats and installed plugins."""

from inspect import isfunction

from pluggy import PluginManager

from recon_core.plugins.hookspecs import PROJECT, ReconHooks

MARKER = f"{PROJECT}_impl"


def extension_manager() -> PluginManager:
    """A manager with everything that is registered under the entry-point group `recon`.

    The project's own formats are such entry points too. One manager serves one
    command or one pytest run.
    """
    manager = PluginManager(PROJECT)
    manager.add_hookspecs(ReconHooks)
    manager.load_setuptools_entrypoints(PROJECT)
    return manager


def has_hooks(plugin: object) -> bool:
    """True if a module, such as a conftest, implements a hook of the core."""
    functions = (value for value in vars(plugin).values() if isfunction(value))
    return any(MARKER in vars(function) for function in functions)


def unmarked_hooks(plugin: object) -> list[str]:
    """The functions of a module that have a hook's name and are none, for lack of the marker."""
    functions = {name: value for name, value in vars(plugin).items() if isfunction(value)}
    return sorted(
        name
        for name, function in functions.items()
        if name in vars(ReconHooks) and MARKER not in vars(function)
    )
