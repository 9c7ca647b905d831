"""init: what it asks on a terminal, what it writes, and where a configuration is found."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.support.process import answered_at_terminal, repoledger

WHO, PLACE, VARIABLE, FILE = "token of yours sees", "Place (", "The variable", "The ledger's file"


def answered(folder: Path, answers: dict[str, str], *options: str) -> tuple[int, str]:
    code, shown = answered_at_terminal("init", *options, cwd=folder, columns=80, answers=answers)
    return code, shown.decode()


def config_in(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "config.toml").read_text())


def test_on_a_terminal_it_asks_who_which_token_and_which_file(tmp_path: Path) -> None:
    answers = {WHO: "\n", PLACE: "variable\n", VARIABLE: "MY_TOKEN\n", FILE: "mine.db\n"}
    code, shown = answered(tmp_path, answers)
    assert code == 0, shown
    assert "export MY_TOKEN=..." in shown
    written = config_in(tmp_path)
    assert written["accounts"] == [{"name": "me", "token_env": "MY_TOKEN"}]
    assert written["database"] == {"url": "sqlite:///mine.db"}


def test_a_user_s_public_repositories_need_no_token_and_no_question_about_it(
    tmp_path: Path,
) -> None:
    code, shown = answered(tmp_path, {WHO: "ada\n", FILE: "\n"})
    assert (code, "Where is the token" in shown, "export" in shown) == (0, False, False)
    assert config_in(tmp_path)["accounts"] == [{"name": "ada", "username": "ada"}]


def test_a_token_in_place_of_a_variable_is_refused_and_not_written(tmp_path: Path) -> None:
    pasted = f"{TOKEN}\n"
    answers = {WHO: "\n", PLACE: "variable\n", VARIABLE: pasted, "not a token itself": "T\n"}
    code, shown = answered(tmp_path, {**answers, FILE: "\n"})
    assert code == 0, shown.replace(TOKEN, "")
    assert TOKEN not in (tmp_path / "config.toml").read_text()


@pytest.mark.parametrize(("key", "at"), [("\x03", WHO), ("\x04", FILE)], ids=["Ctrl-C", "end"])
def test_nothing_is_left_if_it_is_interrupted_at_a_question(
    tmp_path: Path, key: str, at: str
) -> None:
    code, shown = answered(tmp_path, {WHO: "ada\n", at: key})
    assert code == 130, shown
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_or_with_yes_it_takes_options_and_defaults(tmp_path: Path) -> None:
    done = repoledger("init", cwd=tmp_path)
    lines = (tmp_path / "config.toml").read_text().splitlines()
    assert (done.returncode, len(lines) <= 20) == (0, True)
    assert "init --full" in lines[1]
    assert config_in(tmp_path)["accounts"] == [{"name": "me", "token_env": "GITHUB_TOKEN"}]
    (tmp_path / "config.toml").unlink()
    code, shown = answered(tmp_path, {}, "--yes", "--token", "gh", "--database", "/tmp/x y.db")
    assert (code, "export" in shown) == (0, False)
    assert config_in(tmp_path)["accounts"] == [{"name": "me", "token_command": "gh auth token"}]
    assert config_in(tmp_path)["database"] == {"url": "sqlite:////tmp/x y.db"}


REFUSED = {
    ("--username", "ada", "--token", "gh"): "--username reads without a token",
    ("--token", "login"): "--token login and --client-id go together",
    ("--full", "--username", "ada"): "--full writes every key",
    ("--username", "a b"): "username: must be",
    ("--database", "mysql://me:secret@host/x"): "no password belongs in a file",
    ("--token-env", TOKEN): "not a token itself",
}


@pytest.mark.parametrize("options", REFUSED, ids=lambda options: options[0])
def test_answers_that_make_no_valid_configuration_write_none(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = repoledger("init", *options, cwd=tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert REFUSED[options] in done.stderr


def test_the_whole_manual_is_written_if_asked_for_and_loads(tmp_path: Path) -> None:
    done = repoledger("init", "--full", "--config", "manual.toml", cwd=tmp_path)
    assert "export REPOLEDGER_CONFIG=" in done.stdout
    assert len((tmp_path / "manual.toml").read_text().splitlines()) > 150
    assert repoledger("accounts", "--offline", "--config", "manual.toml", cwd=tmp_path).stdout


def test_a_configuration_of_the_user_s_own_is_found_from_every_folder(tmp_path: Path) -> None:
    elsewhere, own = tmp_path / "elsewhere", tmp_path / "xdg"
    elsewhere.mkdir()
    missing = repoledger("repos", cwd=elsewhere, XDG_CONFIG_HOME=str(own))
    file = own / "repoledger" / "config.toml"
    assert missing.returncode == 2
    assert f"looked for config.toml and {file};" in missing.stderr
    named = ("init", "--config", str(file), "--username", "ada")
    made = repoledger(*named, cwd=elsewhere, XDG_CONFIG_HOME=str(own))
    assert (made.returncode, "REPOLEDGER_CONFIG" in made.stdout) == (0, False)
    assert repoledger("migrate", cwd=elsewhere, XDG_CONFIG_HOME=str(own)).returncode == 0
    assert (file.parent / "repoledger.db").exists()  # the ledger lies beside it
    (elsewhere / "config.toml").write_text("[[accounts")  # this folder's comes first
    assert repoledger("migrate", cwd=elsewhere, XDG_CONFIG_HOME=str(own)).returncode == 2
