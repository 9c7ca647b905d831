"""Words that people type for a command, and the command that does it. No I/O here."""

from __future__ import annotations

_SYNC = "`repoledger backfill` syncs now, `repoledger daemon` on a schedule"
_LIST = "`repoledger repos` lists the repositories"
_CHANGES = "`repoledger changes` shows what changed"
_HISTORY = (
    "`repoledger history OWNER/NAME` shows a repository's counters, "
    "`repoledger repos --sort stars` compares repositories"
)
_SHOW = "`repoledger show NAME` shows all that is known of a repository"
_COMPARE = "`repoledger history A B` compares repositories, `repoledger history --total` sums them"
_SCHEMA = "`repoledger migrate` brings the ledger's schema up to date"
_SEARCH = "`repoledger repos --search TEXT` finds repositories"
_PAGES = "`repoledger repos NAME --web` opens a repository's page"
_EXPORT = (
    "`repoledger repos --output FILE.csv` exports (.json, .xlsx and others too); so does `query`"
)
_CONFIG = "`repoledger init` writes a configuration, `repoledger check` tests it"

_ELSEWHERE = {
    **dict.fromkeys(("info", "view", "describe", "about"), _SHOW),
    **dict.fromkeys(("compare", "total", "totals", "growth"), _COMPARE),
    **dict.fromkeys(("sync", "run", "pull", "fetch", "update", "refresh", "clone"), _SYNC),
    **dict.fromkeys(("list", "ls", "repo", "repositories"), _LIST),
    **dict.fromkeys(("stats", "stat", "statistics", "stars", "chart", "plot"), _HISTORY),
    **dict.fromkeys(("log", "logs", "diff", "events", "activity"), _CHANGES),
    **dict.fromkeys(("search", "find", "grep"), _SEARCH),
    **dict.fromkeys(("csv", "excel", "xlsx", "parquet"), _EXPORT),
    **dict.fromkeys(("dump", "save"), "`repoledger export DIR` writes the ledger as text files"),
    **dict.fromkeys(("restore", "load"), "`repoledger import DIR` reads what `export` wrote"),
    **dict.fromkeys(("summary", "report", "week"), "`repoledger digest` tells what happened"),
    **dict.fromkeys(("sql", "select"), "`repoledger query SQL` runs a statement"),
    **dict.fromkeys(("open", "browse", "web"), _PAGES),
    **dict.fromkeys(
        ("serve", "server", "start", "watch"),
        "`repoledger daemon` syncs on a schedule, and serves /livez, /readyz and /metrics",
    ),
    **dict.fromkeys(("config", "configure", "setup", "new"), _CONFIG),
    **dict.fromkeys(("upgrade", "schema"), _SCHEMA),
    **dict.fromkeys(("doctor", "test", "validate"), "`repoledger check` tests everything"),
    "auth": "`repoledger login` gets a token, `repoledger accounts` shows those that there are",
    **dict.fromkeys(("backup", "move"), "`repoledger copy --to URL` copies the ledger"),
}
_OPTIONS = {
    "-v": "`repoledger --version` tells the version, `--log-level debug` logs every request",
    "--verbose": "`--log-level debug` logs every request",
    "-q": "`--log-level error` logs failures alone",
    "--quiet": "`--log-level error` logs failures alone",
    "--debug": "`--log-level debug` logs every request",
    "-c": "`--config FILE` names the configuration",
}


def command_for(word: str) -> str | None:
    """Return a sentence about the command that does what `word` asks for; None if none is known."""
    return _ELSEWHERE.get(word.lower())


def option_for(word: str) -> str | None:
    """Return a sentence about the option that is meant by `word`; None if none is known."""
    return _OPTIONS.get(word)
