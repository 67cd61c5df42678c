import pytest

from medcore.errors import SettingsError
from medcore.models.contract.candidate import offered
from medcore.models.contract.settings import TrainSettings


def test_the_reference_network_is_the_published_one():
    settings = TrainSettings.seed_network()
    assert (settings.layers, settings.activation, settings.optimizer) == ((128, 64, 32), "relu", "adam")
    assert (settings.epochs, settings.batch_size, settings.validation_share) == (100, 32, 0.1)


@pytest.mark.parametrize("model", offered())
def test_settings_survive_a_round_trip(model):
    settings = TrainSettings.preset(model, seed=7, layers=[8, 4])
    assert TrainSettings.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("epochs", float("inf")),
        ("epochs", "many"),
        ("batch_size", 0),
        ("validation_share", 0.9),
        ("dropout", 1.0),
        ("seed", -1),
        ("activation", "softplus"),
        ("optimizer", "lion"),
        ("model", "oracle"),
        ("class_weight", "smote"),
        ("layers", ()),
        ("layers", (0,)),
        ("layers", (8193,)),
        ("layers", "64 thick"),
        ("depth", 3),
    ],
)
def test_a_setting_that_cannot_work_is_named(name, value):
    with pytest.raises(SettingsError, match="layers" if name == "layers" else name):
        TrainSettings.from_dict({name: value})
