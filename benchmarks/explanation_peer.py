"""What explainerdashboard says of the patients in a file; run by benchmarks/explanation.py in its own environment.

It is given the Keras network, as a user would give it, and in a second run the same
layers computed by numpy, which asks less of the machine than ``predict`` of Keras.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from explainerdashboard import ClassifierExplainer
from sklearn.base import BaseEstimator, ClassifierMixin


class Network(ClassifierMixin, BaseEstimator):
    """A network as scikit-learn wants it: ``risk`` maps a matrix to risks (n,)."""

    def __init__(self, risk=None):
        self.risk = risk
        self.classes_ = np.array([0, 1])

    def fit(self, x, y):  # noqa: ARG002 - nothing to learn
        """Keep the network as it is."""
        return self

    def predict_proba(self, x):
        """Predict, shape (n, 2)."""
        p = self.risk(np.asarray(x, np.float32)).astype(float)
        return np.column_stack([1 - p, p])

    def predict(self, x):
        """Predict the likelier class."""
        return self.predict_proba(x).argmax(axis=1)


def by_keras(path):
    """Return the risk of the Keras network in a file."""
    import keras

    model = keras.models.load_model(path)
    return lambda x: model.predict(x, batch_size=4096, verbose=0)[:, 0]


def by_numpy(layers):
    """Return the risk of dense layers with a rectifier between them and a sigmoid at the end."""

    def risk(x):
        h = x
        for place in range(0, len(layers), 2):
            h = np.maximum(h, 0) if place else h
            h = h @ layers[place] + layers[place + 1]
        return 1 / (1 + np.exp(-h[:, 0].astype(float)))

    return risk


def explained(risk, patients, background):
    """Return the seconds and contributions of every patient but the first, which warms up."""
    explainer = ClassifierExplainer(
        Network(risk),
        patients,
        pd.Series(np.arange(len(patients)) % 2),
        shap="kernel",
        X_background=background,
        model_output="probability",
    )
    seconds, contributions = [], []
    for place in range(len(patients)):
        start = time.perf_counter()
        frame = explainer.get_contrib_df(X_row=patients.iloc[[place]], pos_label=1)
        seconds.append(time.perf_counter() - start)
        contributions.append(frame.set_index("col")["contribution"].reindex(list(patients)).tolist())
    return {"seconds": seconds[1:], "contributions": contributions[1:]}


def main():
    """Print what was found, with the network as it is and by numpy."""
    warnings.filterwarnings("ignore")
    case = np.load(sys.argv[1])
    names = [f"x{i}" for i in range(case["patients"].shape[1])]
    patients, background = (pd.DataFrame(case[key], columns=names) for key in ("patients", "background"))
    layers = [case[f"layer_{i}"] for i in range(sum(key.startswith("layer") for key in case.files))]
    asked = {"Keras": by_keras(sys.argv[2]), "numpy": by_numpy(layers)}
    print(json.dumps({name: explained(risk, patients, background) for name, risk in asked.items()}))


if __name__ == "__main__":
    main()
