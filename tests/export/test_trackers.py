"""What the real packages read back of an export. They are installed by `make test-extras`."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from dqngui.export.exported_run import read_run
from dqngui.export.wandb_file import is_whole, messages
from dqngui.messages import CheckpointTest, EpisodeEnded, Evaluated, KnobChanged, encode
from dqngui.runs.folder import summary_of, write_summary
from tests.comparison.made_runs import made_run

pytestmark = pytest.mark.extras
MEANS = [(100, 1.0), (200, 2.0)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    test = CheckpointTest(mean=2.5, episodes=20, low=2.0, high=3.0)
    extra = [
        KnobChanged(step=200, field="learn.lr", old=1e-3, new=5e-4),
        EpisodeEnded(step=200, ret=7.0, length=3),
        EpisodeEnded(step=200, ret=7.0, length=3, env=1),
        EpisodeEnded(step=200, ret=math.nan, length=3, env=2),
    ]
    folder = made_run(tmp_path / "runs", [1.0, 2.0], extra=extra, title="My run", net__memory="gru")
    summary = summary_of(folder)
    assert summary is not None
    done = {"state": "finished", "step": 200, "seconds": 4.0, "best": 2.5, "tested": test}
    write_summary(folder, msgspec.structs.replace(summary, **done))
    (folder / "labels.json").write_text('{"title": "", "star": true, "tags": ["paper"], "note": "as planned"}')
    return folder


def exported(folder: Path, name: str, out: Path, **variables: str) -> None:
    """Export in a process of its own, as a user does; nothing of it may be left afterwards."""
    hidden = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "MLFLOW_"))}
    environment = {**hidden, "HOME": str(folder.parent), **variables}
    command = [sys.executable, "-P", "-m", "dqngui", "export", str(folder), "--to", name, "--out", str(out)]
    before = {process.pid for process in psutil.process_iter()}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=110, env=environment)
    assert ended.returncode == 0, ended.stderr
    left = [each.name() for each in psutil.process_iter() if each.pid not in before and "wandb" in each.name()]
    assert left == []


def test_tensorboard_reads_scalars_and_texts(folder: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    exported(folder, "tensorboard", tmp_path / "tb")
    read = accumulator.EventAccumulator(str(tmp_path / "tb" / folder.name), size_guidance={"scalars": 0, "tensors": 0})
    read.Reload()
    assert [(each.step, each.value) for each in read.Scalars("eval/mean")] == MEANS
    began = read_run(folder).began
    assert [each.wall_time for each in read.Scalars("time/seconds")] == [pytest.approx(began + s) for s in (2, 4)]
    assert [each.value for each in read.Scalars("final/tested/mean")] == [2.5]
    assert len(read.Scalars("rollout/return")) == 7
    (settings,) = read.Tensors("settings")
    assert b"net.memory | gru" in settings.tensor_proto.string_val[0]
    (change,) = read.Tensors("log/change")
    assert change.step == 200 and change.tensor_proto.string_val[0].startswith(b"Learning rate")
    assert read.SummaryMetadata("settings").plugin_data.plugin_name == "text"


def test_parquet_reads_back_with_settings(folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for _ in range(2):
        exported(folder, "parquet", tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet")
    rows = [row for row in table.to_pylist() if row["name"] == "eval/mean"]
    assert [(row["step"], row["value"]) for row in rows] == MEANS and {row["run"] for row in rows} == {folder.name}
    about = msgspec.json.decode(table.schema.metadata[b"dqngui"])[folder.name]
    assert about["settings"]["net.memory"] == "gru" and about["figures"]["tested/low"] == 2.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "t.parquet"]


def wandb_records(folder: Path) -> list[Any]:
    """All records of an offline run."""
    from wandb.proto import wandb_internal_pb2

    (file,) = folder.glob("*.wandb")
    assert file.read_bytes()[:4] == b":W&B"
    return [wandb_internal_pb2.Record.FromString(message) for message in messages(file)]


def test_wandb_reads_an_offline_run_and_exporting_again_replaces_it(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    for _ in range(2):
        exported(folder, "wandb", tmp_path / "wb")
    (offline,) = (tmp_path / "wb" / "wandb").glob("offline-run-*")
    records = wandb_records(offline)
    history = []
    for record in records:
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            history.append({each.key or "/".join(each.nested_key): each.value_json for each in items})
    assert [(int(row["step"]), float(row["eval/mean"])) for row in history if "eval/mean" in row] == MEANS
    returns = [row["rollout/return"] for row in history if "rollout/return" in row]
    assert returns.count("7") + returns.count("7.0") == 2 and len(returns) == 7
    (run,) = (record.run for record in records if record.WhichOneof("record_type") == "run")
    assert run.run_id == read_run(folder).id and run.display_name == "My run" and run.project == "dqngui"
    assert set(run.tags) == {"paper", "starred"} and run.notes == "as planned"
    config = {each.key: each.value_json for each in run.config.update}
    assert msgspec.json.decode(config["net"])["memory"] == "gru"
    summary = {
        each.key or "/".join(each.nested_key): each.value_json
        for record in records
        if record.WhichOneof("record_type") == "summary"
        for each in record.summary.update
    }
    assert float(summary["final/tested/mean"]) == 2.5
    assert list(offline.rglob("*ledger*"))


def test_a_cut_file_of_wandb_is_noticed(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    exported(folder, "wandb", tmp_path / "wb")
    (file,) = (tmp_path / "wb").rglob("*.wandb")
    data = file.read_bytes()
    assert is_whole(file, 7) and not is_whole(file, 1000)
    for length in (0, 7, 4096, len(data) - 1):
        file.write_bytes(data[:length])
        assert not is_whole(file, 1)


def test_wandb_without_a_login_says_so(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    command = [sys.executable, "-P", "-m", "dqngui", "export", str(folder), "--to", "wandb", "--online"]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=tmp_path,
        env={**environment, "HOME": str(tmp_path), "NETRC": str(tmp_path / "none")},
    )  # fmt: skip
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1 and "wandb login" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_mlflow_reads_a_run_and_only_what_is_new_is_added(folder: Path, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    exported(folder, "mlflow", tmp_path / "ml")
    exported(folder, "mlflow", tmp_path / "ml")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/ml/mlflow.db")
    experiment = client.get_experiment_by_name("dqngui").experiment_id
    (run,) = client.search_runs([experiment])
    key = run.info.run_id
    assert run.info.run_name == "My run" and run.info.status == "FINISHED"
    assert run.data.params["net.memory"] == "gru" and run.data.metrics["final/tested/mean"] == 2.5
    assert "as planned" in run.data.tags["mlflow.note.content"]
    assert "Learning rate" in run.data.tags["mlflow.note.content"] and run.data.tags["tag.paper"] == "yes"
    assert [(each.step, each.value) for each in client.get_metric_history(key, "eval/mean")] == MEANS
    assert len(client.get_metric_history(key, "rollout/return")) == 7
    with (folder / "events.jsonl").open("ab") as log:
        log.write(encode(Evaluated(step=300, returns=(3.0,), lengths=(1,), mean=3.0)) + b"\n")
    exported(folder, "mlflow", tmp_path / "ml")
    (same,) = client.search_runs([experiment])
    history = client.get_metric_history(key, "eval/mean")
    assert same.info.run_id == key and [(each.step, each.value) for each in history] == [*MEANS, (300, 3.0)]
    log_file = folder / "events.jsonl"  # resumed from an earlier state: the log is another one
    log_file.write_bytes(b"".join(log_file.read_bytes().splitlines(keepends=True)[:4]))
    exported(folder, "mlflow", tmp_path / "ml")
    (replaced,) = client.search_runs([experiment])
    history = client.get_metric_history(replaced.info.run_id, "eval/mean")
    assert replaced.info.run_id != key and [(each.step, each.value) for each in history] == MEANS[:1]
