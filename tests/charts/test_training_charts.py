"""The live curves show what was reported, and no more points than a page can draw."""

from dataclasses import replace

from medcore.charts.drawing import theme
from medcore.charts.model import training
from medcore.models.contract.progress import Progress


def moments(n: int, *, stage: str = "folds", band: bool = True) -> list[Progress]:
    spread = {"val_loss_low": 0.4, "val_loss_high": 0.6, "val_auroc_low": 0.7, "val_auroc_high": 0.9} if band else {}
    return [
        Progress(
            stage=stage,
            model="network",
            epoch=e,
            n_epochs=n,
            loss=1 / e,
            val_loss=2 / e,
            auroc=0.8,
            val_auroc=0.75,
            **spread,
        )
        for e in range(1, n + 1)
    ]


def test_a_long_run_is_thinned_and_keeps_both_ends():
    curve = training.epochs_of(moments(12_345))
    assert len(curve) == training.MAX_POINTS
    assert (curve[0].epoch, curve[-1].epoch) == (1, 12_345)


def test_only_the_part_that_learned_last_is_drawn():
    curve = training.epochs_of(moments(30) + moments(10, stage="final"))
    assert {p.stage for p in curve} == {"final"}
    assert len(curve) == 10


def test_an_epoch_reported_twice_is_drawn_once():
    assert len(training.epochs_of(moments(5) + moments(5))) == 5


def test_loss_has_training_validation_and_band():
    figure = training.loss_curve(moments(20))
    assert [t.name for t in figure.data] == ["All networks", "Training patients", "Validation patients"]
    assert list(figure.data[1].y) == [1 / e for e in range(1, 21)]
    assert "0.050" in theme.alt_text(figure)


def test_the_loss_of_a_number_is_no_log_loss():
    learning = [replace(p, auroc=float("nan"), val_auroc=None) for p in moments(3)]
    assert training.has_auroc(moments(3)) and not training.has_auroc(learning)
    assert training.loss_curve(moments(3)).layout.yaxis.title.text == "Log loss"
    assert training.loss_curve(learning).layout.yaxis.title.text == "Loss"


def test_auroc_without_members_has_no_band():
    assert [t.name for t in training.auroc_curve(moments(3, band=False)).data] == [
        "Training patients",
        "Validation patients",
    ]


def test_before_the_first_epoch_the_curves_are_empty_and_say_so():
    start = [Progress(stage="preparing", model="network")]
    assert not training.loss_curve(start).data
    assert "0" in theme.alt_text(training.auroc_curve(start))
