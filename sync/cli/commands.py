"""What every command has: the global options, also behind its name, and no option twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sync.cli.settings import Settings


def global_options(**more: Any) -> list[click.Option]:
    """Return the options that stand before a command or behind it; `more` is for each."""
    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            help="Configuration file. Default: $REPOLEDGER_CONFIG, ./config.toml, or "
            "repoledger/config.toml in your configuration folder.",
            **more,
        ),
        click.Option(
            ["--log-format"],
            type=click.Choice(["auto", "console", "json"]),
            help="Format of log lines on stderr. Default: auto, which is console on a terminal, "
            "otherwise json.",
            **more,
        ),
        click.Option(
            ["--log-level"],
            type=click.Choice(["debug", "info", "warning", "error"]),
            help="Lowest level to log. Default: info; warning on a terminal.",
            **more,
        ),
    ]


_FIELDS = {"config": "config_path", "log_format": "log_format", "log_level": "log_level"}


class Command(click.Command):
    """A command with the global options, which refuses an option that is given twice."""

    @classmethod
    def of(cls, command: click.Command) -> click.Command:
        """Return `command` as one of this class; a group stays as it is."""
        return cls(
            name=command.name,
            context_settings=command.context_settings,
            callback=command.callback,
            params=[*command.params, *global_options(expose_value=False, callback=_take)],
            help=command.help,
            epilog=command.epilog,
            short_help=command.short_help,
            hidden=command.hidden,
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


def _take(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    """Put a global option that stands behind the command into the settings."""
    if value is None or option.name is None:
        return
    settings = settings_of(ctx)
    field = _FIELDS[option.name]
    if getattr(settings, field) is not None:
        raise click.UsageError(_twice(option), ctx)
    ctx.obj = replace(settings, **{field: value})


def settings_of(ctx: click.Context) -> Settings:
    """Return the global options; while a word is completed, no command has set them."""
    if isinstance(ctx.obj, Settings):
        return ctx.obj
    given = ctx.find_root().params
    return Settings(**{field: given.get(name) for name, field in _FIELDS.items()})


def refuse_repeated(command: click.Command, ctx: click.Context, args: Sequence[str]) -> None:
    """Raise UsageError if an option of one value is given twice; Click would keep the last."""
    if ctx.resilient_parsing:
        return
    _, _, order = command.make_parser(ctx).parse_args(args=list(args))
    for option, times in Counter(order).items():
        if times > 1 and isinstance(option, click.Option) and not _adds_up(option):
            raise click.UsageError(_twice(option), ctx)


def _adds_up(option: click.Option) -> bool:
    """Tell whether an option may be repeated: it has several values, or says the same again."""
    return option.multiple or option.count or (option.is_flag and not option.secondary_opts)


def _twice(option: click.Parameter) -> str:
    names = [max(option.opts, key=len), *option.secondary_opts]
    return f"{' or '.join(names)} was given twice; give it once."
