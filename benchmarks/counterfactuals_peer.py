"""What dice-ml answers about the patients in a file; run by benchmarks/counterfactuals.py in its own environment.

The model stays with the parent process: rows go to it as bytes on standard output,
risks come back on standard input. The seconds spent waiting are told apart.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

os.environ["TQDM_DISABLE"] = "1"


class Asked:
    """The parent's model, as scikit-learn would have it."""

    classes_ = np.array([0, 1])

    def __init__(self, case, out):
        self.case, self.out, self.waited = case, out, 0.0

    def predict_proba(self, frame):
        """Predict, shape (n, 2)."""
        start = time.perf_counter()
        codes = np.ascontiguousarray(codes_of(self.case, frame))
        send(self.out, {"rows": len(codes)})
        self.out.write(codes.tobytes())
        self.out.flush()
        risk = np.frombuffer(sys.stdin.buffer.read(8 * len(codes)))
        self.waited += time.perf_counter() - start
        return np.column_stack([1 - risk, risk])

    def predict(self, frame):
        """Predict the likelier class."""
        return (self.predict_proba(frame)[:, 1] >= 0.5).astype(int)


def send(out, message):
    """Write one line of JSON."""
    out.write((json.dumps(message) + "\n").encode())
    out.flush()


def codes_of(case, frame):
    """Write a table of numbers and names as the parent's codes."""
    columns = []
    for name, names in zip(case["columns"], case["categories"], strict=True):
        if names:
            columns.append(frame[name].astype(str).map({n: i for i, n in enumerate(names)}).fillna(-1))
        else:
            columns.append(frame[name])
    return np.column_stack([np.asarray(c, dtype=np.float64) for c in columns])


def table_of(case, codes):
    """Write codes as dice-ml reads them: numbers, and names of categories."""
    columns = {}
    for place, (name, names) in enumerate(zip(case["columns"], case["categories"], strict=True)):
        values = np.asarray(codes)[:, place]
        columns[name] = [names[int(v)] for v in values] if names else values
    return pd.DataFrame(columns)


def main():
    """Answer for every patient but the first, which warms up; each method in turn."""
    warnings.filterwarnings("ignore")
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    import dice_ml

    case = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    train = table_of(case, case["training"])
    numeric = [c for c, names in zip(case["columns"], case["categories"], strict=True) if not names]
    train["outcome"] = case["outcome"]
    data = dice_ml.Data(dataframe=train, continuous_features=numeric, outcome_name="outcome")
    asked = Asked(case, out)
    model = dice_ml.Model(model=asked, backend="sklearn", model_type="classifier")
    patients = table_of(case, case["patients"])
    free = [c for c in case["columns"] if c not in case["locked"]]
    for method in ("random", "genetic", "kdtree"):
        explainer = dice_ml.Dice(data, model, method=method)
        seeded = {"random_seed": 0} if method == "random" else {}
        np.random.seed(0)
        for place in range(len(patients)):
            asked.waited, start, error = 0.0, time.perf_counter(), None
            try:
                found = explainer.generate_counterfactuals(
                    patients.iloc[[place]], total_CFs=case["n"], desired_class=0, features_to_vary=free, **seeded
                )
                one = found.cf_examples_list[0]
                table = one.final_cfs_df_sparse if one.final_cfs_df_sparse is not None else one.final_cfs_df
            except Exception as problem:
                # The peer's own errors are an answer: none found.
                table, error = None, repr(problem)[:200]
            seconds = time.perf_counter() - start
            answers = [] if table is None or not len(table) else codes_of(case, table).tolist()
            message = {"method": method, "patient": place, "seconds": seconds, "waited": asked.waited}
            send(out, message | {"answers": answers, "error": error})


if __name__ == "__main__":
    main()
