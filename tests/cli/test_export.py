"""`repoledger export` and `repoledger import`: a ledger as a folder of text files."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute, values
from tests.support.ledger import value
from tests.support.process import repoledger, start_repoledger, write_config


@pytest.fixture(scope="session")
def exported_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of three repositories, and its export in `out`."""
    folder = tmp_path_factory.mktemp("exported")
    with Sandbox() as github:
        github.add_user("octo", token=TOKEN, scopes=("repo",))
        write_config(folder, github.url)
        for name in ("alpha", "beta"):
            github.add_repository("octo", name, description="a “text”\n\N{GRINNING FACE}")
        gone = github.add_repository("octo", "secret", description="to be hidden")
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
        github.make_private(gone)
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    assert repoledger("export", "out", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def exported(exported_once: Path, tmp_path: Path) -> Path:
    """A copy of that folder, of the test's own."""
    return shutil.copytree(exported_once, tmp_path / "exported")


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def other(folder: Path) -> dict[str, str]:
    """The variable that has commands use another database, without a ledger."""
    return {"REPOLEDGER_DATABASE__URL": f"sqlite:///{folder / 'other.db'}"}


def change(folder: Path, name: str) -> None:
    ledger = f"sqlite:///{folder / 'ledger.db'}"
    execute(ledger, f"UPDATE repositories SET size = 7 WHERE name = '{name}'")


def refused(folder: Path, *command: str, **variables: str) -> str:
    """Run a command that is refused in one sentence, and return that."""
    done = repoledger(*command, cwd=folder, **variables)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_an_export_is_a_sorted_file_a_table_and_a_second_one_writes_none(exported: Path) -> None:
    before = contents(exported / "out")
    assert "manifest.json" in before
    lines = before["repositories.ndjson"].decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == sorted(
        json.loads(line)["id"] for line in lines
    )
    assert all(b"\r" not in content for content in before.values())
    moments = {file.name: file.stat().st_mtime_ns for file in (exported / "out").iterdir()}
    again = repoledger("export", "out", "--json", cwd=exported)
    assert not any(each["written"] for each in json.loads(again.stdout))
    assert {f.name: f.stat().st_mtime_ns for f in (exported / "out").iterdir()} == moments
    assert repoledger("export", "elsewhere", cwd=exported).returncode == 0
    assert contents(exported / "elsewhere") == before


def test_an_import_brings_every_row_back_and_nothing_that_was_redacted(exported: Path) -> None:
    assert b"to be hidden" not in b"".join(contents(exported / "out").values())
    done = repoledger("import", "out", cwd=exported, **other(exported))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("every row is as it was exported.\n")
    there = f"sqlite:///{exported / 'other.db'}"
    assert repoledger("verify", "--against", there, cwd=exported).returncode == 0
    assert repoledger("export", "again", cwd=exported, **other(exported)).returncode == 0
    assert contents(exported / "again") == contents(exported / "out")


def test_only_the_lines_of_what_changed_differ(exported: Path) -> None:
    before = (exported / "out" / "repositories.ndjson").read_text().splitlines()
    execute(
        f"sqlite:///{exported / 'ledger.db'}",
        "UPDATE repositories SET size = 7 WHERE name = 'beta'",
    )
    done = repoledger("export", "out", "--json", cwd=exported)
    written = [each["table"] for each in json.loads(done.stdout) if each["written"]]
    assert written == ["repositories"]
    after = (exported / "out" / "repositories.ndjson").read_text().splitlines()
    (changed,) = set(after) - set(before)
    assert json.loads(changed)["size"] == 7


def test_a_folder_with_files_of_others_is_refused_with_their_names(exported: Path) -> None:
    for name in ("notes.txt", ".mine.partial"):
        (exported / "out" / name).touch()
    assert "not of an export: .mine.partial, notes.txt;" in refused(exported, "export", "out")
    mine = exported / "mine"
    mine.mkdir()
    (mine / "repositories.ndjson").write_text("{}\n")
    assert "repositories.ndjson" in refused(exported, "export", "mine")
    (mine / "manifest.json").write_text('{"name": "an app"}')
    assert "is not the manifest" in refused(exported, "export", "mine")
    assert contents(mine).keys() == {"repositories.ndjson", "manifest.json"}


def test_gits_files_may_be_there_and_what_a_killed_export_left_is_removed(exported: Path) -> None:
    before = contents(exported / "out")
    subprocess.run(["git", "init", "-q", exported / "out"], check=True)
    (exported / "out" / ".repositories.ndjson.partial").write_text('{"id":')
    assert repoledger("export", "out", cwd=exported).returncode == 0
    shutil.rmtree(exported / "out" / ".git")
    assert contents(exported / "out") == before


def test_a_disk_that_is_full_leaves_the_former_export_as_it_was(exported: Path) -> None:
    before = contents(exported / "out")
    longer = "UPDATE repositories SET description = printf('%.50000c', 'x')"
    execute(f"sqlite:///{exported / 'ledger.db'}", longer)
    running = start_repoledger("export", "out", cwd=exported)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (40_000, 40_000))
    _, error = running.communicate(timeout=60)
    assert running.returncode == 1
    assert error.startswith("error: out: the export cannot be written: File too large")
    assert contents(exported / "out") == before


def test_a_place_where_no_folder_can_be_made_is_told(exported: Path) -> None:
    done = repoledger("export", "ledger.db/out", cwd=exported)
    assert (done.returncode, done.stdout) == (1, "")
    assert "ledger.db/out: the export cannot be written: Not a directory" in done.stderr


def test_a_ledger_with_rows_is_not_imported_over(exported: Path) -> None:
    assert "holds a ledger with rows already" in refused(exported, "import", "out")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("cut", "is cut: it has 2 of 3 rows"),
        ("half a line", "line 3: cannot be read"),
        ("changed", "is not as it was exported"),
        ("missing", "is missing"),
        ("no manifest", "holds no export"),
        ("newer format", "format 2 is newer than this program's 1"),
        ("newer schema", "schema 9999 is newer than this program's"),
    ],
)
def test_an_export_that_is_damaged_or_newer_is_refused_and_nothing_is_made(
    exported: Path, damage: str, told: str
) -> None:
    file, manifest = exported / "out" / "repositories.ndjson", exported / "out" / "manifest.json"
    lines = file.read_bytes().splitlines(keepends=True)
    match damage:
        case "cut":
            file.write_bytes(b"".join(lines[:-1]))
        case "half a line":
            file.write_bytes(b"".join(lines)[:-20] + b"\n")
        case "changed":
            file.write_bytes(b"".join(lines).replace(b"octo/beta", b"octo/data"))
        case "missing":
            file.unlink()
        case "no manifest":
            manifest.unlink()
        case "newer format":
            manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 2'))
        case "newer schema":
            content = json.loads(manifest.read_text())
            manifest.write_text(json.dumps({**content, "schema": "9999"}))
    assert told in refused(exported, "import", "out", **other(exported))
    assert not (exported / "other.db").exists()


def test_an_export_of_an_older_schema_is_migrated_when_it_is_imported(exported: Path) -> None:
    manifest = exported / "out" / "manifest.json"
    told = json.loads(manifest.read_text())
    filled = {name: each for name, each in told["tables"].items() if each["rows"]}
    manifest.write_text(json.dumps({**told, "schema": "0015", "tables": filled}))
    done = repoledger("import", "out", cwd=exported, **other(exported))
    assert done.returncode == 0, done.stderr
    assert value(exported / "other.db", "SELECT count(*) FROM repositories") == 3
    assert repoledger("migrate", "--check", cwd=exported, **other(exported)).returncode == 0


@pytest.mark.slow_on_servers
def test_each_kind_of_database_gives_the_same_export(exported: Path, database_url: str) -> None:
    there = {"REPOLEDGER_DATABASE__URL": database_url}
    assert repoledger("import", "out", cwd=exported, **there).returncode == 0
    assert repoledger("verify", "--against", database_url, cwd=exported).returncode == 0
    assert repoledger("export", "back", cwd=exported, **there).returncode == 0
    assert contents(exported / "back") == contents(exported / "out")
    ((newest,),) = values(database_url, "SELECT max(id) FROM sync_runs")
    assert newest == 2
