import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from medcore.errors import BundleError, MissingColumnsError
from medcore.models.bundle.bundle import flag_message, load_bundle, read_manifest, save_bundle
from medcore.models.bundle.files import SUMS, seal
from medcore.models.run.results import read_results, save_trained


@pytest.fixture(scope="module")
def folder(logistic, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("bundles") / "b"
    save_trained(logistic, place)
    return place


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_a_bundle_predicts_the_same_after_being_kept(ward, logistic, folder):
    frame = ward.cohort.frame
    np.testing.assert_array_equal(load_bundle(folder).predict(frame), logistic.bundle.predict(frame))


def test_risks_of_every_row_sum_to_one(ward, logistic):
    risk = logistic.bundle.predict(ward.cohort.frame)
    assert risk.shape == (ward.cohort.n_rows, 2)
    np.testing.assert_allclose(risk.sum(axis=1), 1.0, atol=1e-12)


def test_no_file_of_a_bundle_is_a_pickle(folder):
    names = {p.suffix for p in folder.rglob("*") if p.is_file()}
    assert names <= {".json", ".npy", ".npz", ".keras", ".skops", ".txt", ""}
    np.load(folder / "background.npy", allow_pickle=False)


def test_the_manifest_says_where_the_bundle_came_from(folder, ward):
    manifest = read_manifest(folder)
    assert manifest["data_sha256"] == ward.cohort.sha256
    assert manifest["settings"]["model"] == "logistic"
    assert manifest["versions"]["numpy"] == np.__version__
    assert manifest["background"]["n_rows"] <= 200
    assert 0 < manifest["cross_validated"]["auroc"]["value"] <= 1
    assert "not a medical device" in manifest["intended_use"]


@pytest.mark.parametrize("name", ["manifest.json", "parts/0/part.json", "background.npy", "results.npz"])
def test_a_changed_file_is_named(copy, name):
    raw = bytearray((copy / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (copy / name).write_bytes(bytes(raw))
    with pytest.raises(BundleError, match=name):
        load_bundle(copy)


def test_a_missing_file_is_named(copy):
    (copy / "background.npy").unlink()
    with pytest.raises(BundleError, match=r"background\.npy"):
        load_bundle(copy)


@pytest.mark.parametrize("path", ["/etc/hostname", "../outside.txt", "a\\b"])
def test_a_path_out_of_the_folder_is_refused(copy, path):
    sums = (copy / SUMS).read_text()
    (copy / SUMS).write_text(sums + "0" * 64 + "  " + path + "\n")
    with pytest.raises(BundleError, match=SUMS):
        load_bundle(copy)


def _manifest_with(folder, change):
    """Write a manifest as somebody would who can compute sums as well."""
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    seal(folder)


@pytest.mark.parametrize("name", ["note.txt", "parts/0/more.npy", "parts/9/part.json", ".hidden"])
def test_a_file_that_was_not_sealed_with_the_bundle_is_named(copy, name):
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("x")
    with pytest.raises(BundleError, match=f"{name}.*Take it out"):
        load_bundle(copy)


def test_what_a_file_manager_or_a_killed_training_left_is_no_matter(copy):
    (copy / ".DS_Store").write_text("x")
    (copy / ".new-1234").mkdir()
    (copy / ".new-1234" / "manifest.json").write_text("{")
    assert load_bundle(copy).classes


@pytest.mark.parametrize("name", ["background.npy", "parts", "extra"])
def test_a_symbolic_link_is_named_and_not_followed(copy, tmp_path, name):
    if (copy / name).exists():
        (copy / name).rename(tmp_path / "elsewhere")
    (copy / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=f"link {name}"):
        load_bundle(copy)


@pytest.mark.parametrize("place", ["../outside", "/etc", "parts/../../outside", "", 3, None])
def test_a_manifest_that_leads_out_of_the_folder_is_refused(copy, place):
    _manifest_with(copy, lambda m: m["parts"][0].update(folder=place))
    with pytest.raises(BundleError, match="outside itself"):
        load_bundle(copy)


@pytest.mark.parametrize("threshold", [-0.1, 1.5, 1e300, True, "0.5", None, [0.5]])
def test_a_threshold_that_is_no_risk_is_refused(copy, threshold):
    _manifest_with(copy, lambda m: m.update(threshold=threshold))
    with pytest.raises(BundleError, match="threshold"):
        load_bundle(copy)


@pytest.mark.parametrize("weight", [-1.0, 0.5, 2.0])
def test_weights_that_are_no_shares_are_refused(copy, weight):
    _manifest_with(copy, lambda m: m["parts"][0].update(weight=weight))
    with pytest.raises(BundleError, match="do not sum to 1"):
        load_bundle(copy)


def test_classes_that_are_one_are_refused(copy):
    _manifest_with(copy, lambda m: m.update(classes=["yes", "yes"]))
    with pytest.raises(BundleError, match="no two different classes"):
        load_bundle(copy)


def test_what_an_earlier_bundle_had_and_a_new_one_has_not_goes_with_it(copy, logistic):
    (copy / "old.npz").write_bytes(b"x")
    seal(copy)
    save_trained(logistic, copy)
    assert not (copy / "old.npz").exists()
    assert load_bundle(copy).classes


def test_a_folder_that_is_no_bundle_says_so(tmp_path):
    with pytest.raises(BundleError, match="not a bundle"):
        load_bundle(tmp_path)


def test_another_format_is_refused(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    seal(copy)
    with pytest.raises(BundleError, match="99"):
        load_bundle(copy)


def test_a_bundle_without_results_says_so(logistic, tmp_path):
    save_bundle(logistic.bundle, tmp_path / "alone")
    assert load_bundle(tmp_path / "alone").classes == logistic.bundle.classes
    with pytest.raises(BundleError, match="no results"):
        read_results(tmp_path / "alone")


def test_a_table_that_lacks_a_column_is_refused_by_name(ward, logistic):
    with pytest.raises(MissingColumnsError, match="age"):
        logistic.bundle.predict(ward.cohort.frame.drop(columns="age"))


def test_flags_name_what_to_be_careful_about(ward, logistic):
    frame = ward.cohort.frame.iloc[:3].copy()
    frame["age"] = ["119", None, "60"]
    frame["smoker"] = ["no", "yes", "pipe"]
    frame["pressure"] = "130"
    flags = logistic.bundle.flags(frame)
    assert flags == [("out_of_range:age",), ("imputed:age",), ("unseen_category:smoker",)]
    assert "age" in str(flag_message(flags[1][0]))


def test_results_are_read_back_whole(logistic, folder):
    results = read_results(folder)
    np.testing.assert_array_equal(results.training.risk, logistic.oof)
    np.testing.assert_array_equal(results.test.risk, logistic.test_risk)
    assert results.cross_validated.to_dict() == logistic.cross_validated.to_dict()
    assert results.names == tuple(c.name for c in logistic.candidates)
    assert [f.to_dict() for f in results.findings] == [f.to_dict() for f in logistic.results.findings]


def test_results_are_read_without_tensorflow(folder):
    import subprocess
    import sys

    code = f"import sys; from medcore.models.run.results import read_results; read_results({str(folder)!r}); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_bundle_of_format_1_predicts_and_flags_the_same(ward, logistic, copy):
    """As it was kept before kinds: one list of categories and ranges, and one of medians and scales for all columns."""
    manifest = json.loads((copy / "manifest.json").read_text())
    book = manifest["codebook"]
    encoders = book.pop("encoders")
    ranges = {side: [e.get(side) for e in encoders] for side in ("low", "high")}
    manifest["codebook"] = book | ranges | {"categories": [e.get("levels", []) for e in encoders]}
    (copy / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    path = copy / "parts/0/part.json"
    part = json.loads(path.read_text())
    maker, kinds = part["maker"], part["maker"]["kinds"]
    entries, scalers = maker.pop("entries"), maker.pop("scalers")
    numeric = [place for place, kind in enumerate(kinds) if kind == "numeric"]
    for name, values in scalers["numeric"].items():
        maker[name] = [0.0] * len(kinds)
        for place, value in zip(numeric, values, strict=True):
            maker[name][place] = value
    maker["levels"] = [[] if kind == "numeric" else entry for kind, entry in zip(kinds, entries, strict=True)]
    maker["varies"] = [bool(entry) for entry in entries]
    maker["n_categories"] = [len(levels) for levels in manifest["codebook"]["categories"]]
    path.write_text(json.dumps(part))
    seal(copy)
    frame, old = ward.cohort.frame, load_bundle(copy)
    np.testing.assert_array_equal(old.predict(frame), logistic.bundle.predict(frame))
    assert old.flags(frame) == logistic.bundle.flags(frame)
    assert old.codebook == logistic.bundle.codebook
