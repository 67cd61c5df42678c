"""The power goes at every step of writing: nothing is torn, what was kept is there, and the work can be done again."""

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from medcore.data.cohort import Cohort
from medcore.errors import NotFoundError
from medcore.models.contract.settings import TrainSettings
from medcore.safe_files import SCRATCH_PREFIX, sweep
from medcore.sealing import names_in
from medcore.settings import Settings
from medcore.studies import Store
from medcore.studies.database import forget_engines

ORIGINAL = b"as it was brought"
STEPS = ("fsync", "replace", "link", "unlink", "rmdir")
"""What puts something onto the disk, in its place, or away."""


def at(folder: Path) -> Settings:
    return Settings(
        data_dir=folder, database_url=f"sqlite:///{folder / 'medcore.db'}", storage_url=(folder / "files").as_uri()
    )


def keep(store: Store, name: str, cohort: Cohort) -> None:
    """Keep a study with its file, a checkpoint and the results of a run."""
    study = store.create_study("ann", name, cohort, original=ORIGINAL)
    run = store.create_run("ann", study.id, TrainSettings())
    attempt = store.begin_attempt("ann", run.id)
    (store.checkpoint_dir(run.id) / "state.json").write_bytes(b"half")
    with store.scratch_folder() as folder:
        (folder / "SHA256SUMS").write_bytes(b"sums")
        (folder / "results.json").write_bytes(b"{}")
        store.keep_result("ann", run.id, folder)
    store.finish_run("ann", run.id, "done", attempt=attempt, summary={})


def work(store: Store, cohort: Cohort, other: Cohort) -> None:
    """Keep one study, and remove another for good."""
    keep(store, "New", other)
    for study in store.list_studies("ann"):
        if study.name == "Old":
            store.purge_study("ann", study.id)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("before") / "data"


@pytest.fixture
def prepared(before: Path, cohort: Cohort) -> Path:
    """An installation with one study."""
    if not before.exists():
        keep(Store(at(before)), "Old", cohort)
    forget_engines()
    return before


def until_the_power_goes(step: int, do: Callable[[], None]) -> int:
    """Do something in a process that ends at its n-th step of writing, with half of what was not on the disk yet."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    done = 0

    def stopping(name: str) -> Callable[..., object]:
        usual = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            nonlocal done
            done += 1
            if done == step:
                if name == "fsync" and Path(f"/proc/self/fd/{args[0]}").is_file():
                    os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)  # type: ignore[arg-type]
                os._exit(9)
            return usual(*args, **kwargs)

        return call

    try:
        for name in STEPS:
            setattr(os, name, stopping(name))
        do()
    except BaseException:
        os._exit(1)
    os._exit(0)


def look_at(store: Store, cohort: Cohort, other: Cohort) -> list[str]:
    """Open everything that is there; return the names of the studies."""
    store.check()
    assert store.verify_trail().whole
    found = store.list_studies("ann")
    for study in found:
        whole = {"Old": cohort, "New": other}[study.name]
        assert store.load_cohort("ann", study.id).frame.equals(whole.frame)
        for run in store.list_runs("ann", study.id):
            if run.state == "done":
                assert (store.result_folder("ann", run.id) / "results.json").read_bytes() == b"{}"
            else:
                with contextlib.suppress(NotFoundError):
                    store.result_folder("ann", run.id)
    return sorted(study.name for study in found)


def test_a_power_cut_at_any_step_tears_nothing(
    prepared: Path, cohort: Cohort, other_cohort: Cohort, tmp_path: Path
) -> None:
    other = replace(other_cohort, frame=other_cohort.frame.iloc[:40].reset_index(drop=True))
    seen, step, code = set(), 0, 9
    while code == 9:
        step += 1
        settings = at(Path(shutil.copytree(prepared, tmp_path / str(step))))
        code = until_the_power_goes(step, lambda settings=settings: work(Store(settings), cohort, other))  # type: ignore[misc]
        store = Store(settings)
        names = look_at(store, cohort, other)
        seen.add(tuple(names))
        sweep(settings.data_dir, older_seconds=0)
        store.sweep_orphans(older_seconds=0)
        assert look_at(store, cohort, other) == names
        assert not list(settings.data_dir.rglob(f"{SCRATCH_PREFIX}*"))
        assert bool(names_in(Path(store.files.root))) == bool(names)
        work(store, cohort, other)
        assert "Old" not in look_at(store, cohort, other)
        forget_engines()
        shutil.rmtree(settings.data_dir)
    assert code == 0
    assert step > 15
    assert seen == {("Old",), ("New", "Old"), ("New",)}
