"""Optional libraries: if one is missing, the error names the command that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sync.core.errors import ConfigError
from sync.core.memory import is_exhausted


@contextmanager
def needed_for(purpose: str, *requirements: str) -> Iterator[None]:
    """Import optional libraries for `purpose` in this block; `requirements` are pip's names.

    Raises ConfigError if an import fails.
    """
    try:
        yield
    except ImportError as error:
        if is_exhausted(error):
            raise
        first = str(error).partition("\n")[0]
        missing = isinstance(error, ModuleNotFoundError)
        state = "is not installed" if missing else f"cannot be loaded ({first})"
    else:
        return
    import shlex

    command = shlex.join(("pip", "install", *requirements))
    raise ConfigError(f"{purpose} needs a library that {state}: {command}") from None
