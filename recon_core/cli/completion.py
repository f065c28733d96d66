"""`recon completion`: the script that teaches a shell the command's words."""

from typing import Final

import click
from click.shell_completion import get_completion_class

from recon_core.cli.app import CONTEXT

SHELLS: Final = ("bash", "zsh", "fish")


@click.command(
    context_settings=CONTEXT,
    short_help="Print the completion script of a shell.",
    epilog="""\b
Examples:
  eval "$(recon completion bash)"
  recon completion fish > ~/.config/fish/completions/recon.fish

The same script comes from _RECON_COMPLETE=bash_source recon.
""",
)
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes `recon` in SHELL: bash, zsh or fish."""
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101  # click brings the three along
    click.echo(script(ctx.find_root().command, {}, "recon", "_RECON_COMPLETE").source())
