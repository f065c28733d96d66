"""Recorders of trading engines: one call writes a run as a session with two sides.

Each engine has a module with one function, `record_ENGINE`. The internal side is what the
strategy heard or the trades that it is judged by; the external side is what the engine's broker
states. An engine is imported when its function is called, and never by importing this package.

The functions are loaded on first use.
"""

from typing import TYPE_CHECKING

from recon_core.values.lazy import lazy_names

if TYPE_CHECKING:
    from recon_core.recorders.backtesting import record_backtesting
    from recon_core.recorders.backtrader import record_backtrader
    from recon_core.recorders.ccxt import record_ccxt
    from recon_core.recorders.freqtrade import record_freqtrade
    from recon_core.recorders.nautilus import record_nautilus
    from recon_core.recorders.vectorbt import record_vectorbt

_MODULE_OF = {
    "record_backtesting": "recon_core.recorders.backtesting",
    "record_backtrader": "recon_core.recorders.backtrader",
    "record_ccxt": "recon_core.recorders.ccxt",
    "record_freqtrade": "recon_core.recorders.freqtrade",
    "record_nautilus": "recon_core.recorders.nautilus",
    "record_vectorbt": "recon_core.recorders.vectorbt",
}

__all__ = [
    "record_backtesting",
    "record_backtrader",
    "record_ccxt",
    "record_freqtrade",
    "record_nautilus",
    "record_vectorbt",
]

__getattr__ = lazy_names(__name__, _MODULE_OF)
