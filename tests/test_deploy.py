"""What runs repoledger elsewhere is right: image, Compose file, unit, manifests, docs/deploy.md.

No container engine, systemd or cluster is needed, so these tests cannot show that an engine builds
and starts the image, that systemd applies the unit, or that a cluster accepts the manifests.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sync import __version__, config
from tests.support.deployment import CHECKS_HEALTH, STARTS, joined, last, read
from tests.support.inside.cli import ExitCode, app
from tests.support.inside.daemon import HEARTBEAT
from tests.support.process import PROJECT

COMPOSE = PROJECT / "compose.yaml"
UNIT = PROJECT / "deploy" / "repoledger.service"
MANIFESTS = sorted((PROJECT / "deploy" / "kubernetes").glob("*.yaml"))
TEXT = PROJECT / "docs" / "deploy.md"
FILES = [PROJECT / "Dockerfile", COMPOSE, UNIT, *MANIFESTS, TEXT]


def unit(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", read(UNIT), re.MULTILINE)


def service() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read(COMPOSE))["services"]["repoledger"]
    return found


def manifests(kind: str) -> list[dict[str, Any]]:
    documents = [each for file in MANIFESTS for each in yaml.safe_load_all(read(file))]
    return [
        each["spec" if "spec" in each else "data"] for each in documents if each["kind"] == kind
    ]


def pods() -> list[dict[str, Any]]:
    (deployment,), (cron_job,) = manifests("Deployment"), manifests("CronJob")
    job = cron_job["jobTemplate"]["spec"]
    return [deployment["template"]["spec"], job["template"]["spec"]]


def containers() -> list[dict[str, Any]]:
    return [container for pod in pods() for container in pod["containers"]]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", read(TEXT), re.DOTALL)


def typed() -> list[str]:
    """Return every line that docs/deploy.md tells to type."""
    lines = [line for block in blocks("console") for line in joined(block)]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


def variables() -> list[dict[str, str]]:
    """Return the environments that configure the program without a file."""
    in_manifests = [{e["name"]: e["value"] for e in c.get("env", [])} for c in containers()]
    in_text = [dict(re.findall(r"--env (\w+)=(\S+)", line)) for line in typed()]
    found = [service()["environment"], *in_manifests, *in_text]
    return [environ for environ in found if any("__" in name for name in environ)]


def files() -> list[str]:
    """Return the configuration files that are shown."""
    return [manifests("ConfigMap")[0]["config.toml"], *blocks("toml")]


# Commands and configurations


def test_every_command_that_the_files_run_exists() -> None:
    used = [STARTS[1:], CHECKS_HEALTH[1:], *(container["args"] for container in containers())]
    program = r"^repoledger|/bin/repoledger|exec \S+ (?:-- )?repoledger|run .* repoledger:[\d.]+"
    lines = [*typed(), *unit("ExecStart"), *"".join(blocks("crontab")).splitlines()]
    used += [
        shlex.split(match[1])
        for line in lines
        if (match := re.search(rf"(?:{program}) ([^>]+)", line))
    ]
    for text in map(read, FILES):
        used += [shlex.split(words) for words in re.findall(r"`repoledger ([^`]+)`", text)]
    assert len(used) >= 16
    for words in used:  # what is wrong with them is found before the help is shown
        answer = CliRunner().invoke(app, [*words, "--help"])
        assert answer.exit_code == 0, (words, answer.output)


def test_every_configuration_that_is_shown_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = variables()
    assert len(shown) == 3
    loaded = [config.load(None, environ) for environ in shown]
    for text in files():
        Path("shown.toml").write_text(text, encoding="utf-8")
        loaded.append(config.load(Path("shown.toml"), {}))
    for each in loaded:
        assert each.accounts[0].token_file
        if each.database.url != "sqlite:///repoledger.db":  # in the working folder, /data
            assert each.database.url.startswith(("sqlite:////data/", "sqlite:////var/lib/"))


def test_every_variable_and_key_that_is_named_exists() -> None:
    known = {name for environ in variables() for name in environ} | {config.PATH_VARIABLE}
    for file in FILES:
        for name in set(re.findall(r"REPOLEDGER_\w+", read(file))) - known:
            section, _, key = name.removeprefix("REPOLEDGER_").lower().partition("__")
            assert key in config._SECTIONS[section].__struct_fields__
        for section, key in re.findall(r"`(\w+)\.(\w+)`", read(file)):
            if section in config._SECTIONS:
                assert key in config._SECTIONS[section].__struct_fields__


def test_the_token_is_where_each_configuration_looks_for_it() -> None:
    compose = service()
    assert compose["environment"]["REPOLEDGER_ACCOUNTS__0__TOKEN_FILE"] == (
        f"/run/secrets/{compose['secrets'][0]}"
    )
    (credential,) = unit("LoadCredential")
    of_service = f"/run/credentials/{UNIT.name}/{credential.partition(':')[0]}"
    mounts = [mount for container in containers() for mount in container["volumeMounts"]]
    (folder,) = {mount["mountPath"] for mount in mounts if mount["name"] == "secret"}
    (key,) = (
        line.split("generic repoledger --from-file=")[1] for line in typed() if "generic" in line
    )
    of_pod = f"{folder}/{key.partition('=')[0]}"
    assert [re.findall('token_file = "(.*)"', text) for text in files()] == [[of_pod], [of_service]]
    assert of_pod in containers()[1]["env"][-1]["value"]


# Agreement


def test_the_files_name_the_version_of_the_program() -> None:
    texts = "".join(map(read, FILES))
    assert set(re.findall(r"\brepoledger:(\d[\w.]*)", texts)) == {__version__}
    assert re.findall(r"image\.version=\"(.*)\"", texts) == [__version__]


def test_the_files_agree_on_the_port_the_user_and_the_volume() -> None:
    port, user, folder = last("EXPOSE"), last("USER"), last("VOLUME")
    assert config.sections.Http().listen.endswith(f":{port}")
    assert service()["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert containers()[0]["ports"] == [{"name": "http", "containerPort": int(port)}]
    assert [volume.split(":")[1] for volume in service()["volumes"]] == [folder]
    assert last("WORKDIR") == folder
    for pod, container in zip(pods(), containers(), strict=True):
        rights = pod["securityContext"]
        assert f"{rights['runAsUser']}:{rights['runAsGroup']}" == user
        assert rights["fsGroup"] == rights["runAsGroup"]
        assert container["volumeMounts"][0] == {"name": "data", "mountPath": folder}
    one, other = manifests("PersistentVolumeClaim")
    assert one == other


def test_a_retry_is_left_out_for_exit_codes_that_it_would_not_change() -> None:
    (rules,) = (job["jobTemplate"]["spec"]["podFailurePolicy"] for job in manifests("CronJob"))
    codes = rules["rules"][1]["onExitCodes"]["values"]
    assert codes == [ExitCode.WRONG_USE, ExitCode.PARTIAL, ExitCode.DEFERRED]
    assert unit("RestartPreventExitStatus") == [str(ExitCode.WRONG_USE.value)]


def test_the_watchdog_waits_for_more_than_two_heartbeats() -> None:
    assert int(unit("WatchdogSec")[0].removesuffix("s")) > 2 * HEARTBEAT


def test_every_file_that_the_text_names_exists() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", read(TEXT)):
        assert (TEXT.parent / target).exists(), target
    for path in re.findall(
        r"(?:deploy|docs)/[\w./]+\.(?:yaml|service|md)", "".join(map(read, FILES))
    ):
        assert (PROJECT / path).exists(), path


# The image


def test_the_dockerfile_passes_hadolint(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "--no-color", PROJECT / "Dockerfile"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
