"""What explainerdashboard says of the patients in a file; run by benchmarks/explanation.py in its own environment.

The network is computed by numpy, which is faster than ``predict`` of Keras for one
patient's rows, so the peer is not slowed down by the way it is asked.
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
    """Dense layers with a rectifier between them and a sigmoid at the end."""

    def __init__(self, layers=()):
        self.layers = layers
        self.classes_ = np.array([0, 1])

    def fit(self, x, y):  # noqa: ARG002 - nothing to learn
        """Keep the weights as they are."""
        return self

    def predict_proba(self, x):
        """Predict, shape (n, 2)."""
        h = np.asarray(x, np.float32)
        for place in range(0, len(self.layers), 2):
            h = np.maximum(h, 0) if place else h
            h = h @ self.layers[place] + self.layers[place + 1]
        p = 1 / (1 + np.exp(-h[:, 0].astype(float)))
        return np.column_stack([1 - p, p])

    def predict(self, x):
        """Predict the likelier class."""
        return self.predict_proba(x).argmax(axis=1)


def main():
    """Print the seconds and contributions of every patient but the first, which warms up."""
    warnings.filterwarnings("ignore")
    case = np.load(sys.argv[1])
    names = [f"x{i}" for i in range(case["patients"].shape[1])]
    patients, background = (pd.DataFrame(case[key], columns=names) for key in ("patients", "background"))
    model = Network([case[f"layer_{i}"] for i in range(sum(key.startswith("layer") for key in case.files))])
    y = pd.Series(np.arange(len(patients)) % 2)
    explainer = ClassifierExplainer(
        model, patients, y, shap="kernel", X_background=background, model_output="probability"
    )
    seconds, contributions = [], []
    for place in range(len(patients)):
        start = time.perf_counter()
        frame = explainer.get_contrib_df(X_row=patients.iloc[[place]], pos_label=1)
        seconds.append(time.perf_counter() - start)
        contributions.append(frame.set_index("col")["contribution"].reindex(names).tolist())
    print(json.dumps({"seconds": seconds[1:], "contributions": contributions[1:]}))


if __name__ == "__main__":
    main()
