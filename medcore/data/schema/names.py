"""What a column's name says, in English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

from medcore.data.scripts import simplified

Topic = Literal[
    "date",
    "clock",
    "birth",
    "sex",
    "age",
    "nominal",
    "patient",
    "identifier",
    "site",
    "time",
    "sensitive",
    "outcome",
    "after",
    "coded",
    "coded_when_few",
    "counted",
]

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_TOPICS: Mapping[str, str] = {
    "date": r"\b(date|datetime|timestamp|dt|dob|day of|time)\b|date$|日期|时间$|_dt$|(?<!\d)date|day$",
    "clock": r"\b(time|clock|onset|hour)\b|时间$|时刻$|时点$",
    "birth": r"\b(birth|dob|born)\b|出生|生日",
    "sex": r"^(sex|gender|male|female|patient sex|性别)$|\b(sex|gender)\b|性别",
    "age": r"\bage\b|^age|年龄|岁",
    "nominal": r"\b(type|code|category|class|kind|source|disposition|location|race|ethnicity|ethnic|region|marital|status"
    r"|department|dept|ward|icd|drg|unit ?type|specialty|payer|insurance|blood type)\b|(type|source|location)$|类型|类别|编码|代码|方式|科室"
    r"|病区|民族|血型|婚姻|职业|来源|去向",
    "patient": r"\b(patient|subject|person|participant|mrn|pat|pt|case)\b ?(id|no|nr|nbr|num|number|key|code|identifier)?$"
    r"|^(patient|subject|person|participant|unique) ?p?(id|no|nr|nbr|num|number|key)$|^(pid|mrn|hn|uniquepid|subjid|usubjid|ptid|patid)$"
    r"|患者(编号|号|id|标识)|病人(编号|号|id)|住院号|病案号|病历号|门诊号|就诊卡|登记号|身份证",
    "identifier": r"\b(id|ids|uid|uuid|guid|identifier|no|nbr|number|key|index|serial|accession|record|row|sample|name)\b"
    r"|(?<=[a-z])id$|^(id|idx|index|name|no|sn)$|编号|序号|号码|住院号|病案号|病历号|标识|姓名|^id|流水号",
    "site": r"^(site|center|centre|hospital|clinic|institution|facility|study site|hosp|cohort|dataset|trust)( ?(id|no|nr|name|code|number))?$"
    r"|^(hospitalid|siteid|centerid|centreid|facilityid)$|^(医院|中心|分中心|研究中心|院区|机构|医疗机构|来源医院)(名称|编号|代码)?$",
    "time": r"\b(admission|admit|visit|encounter|enrol\w*|inclusion|index|exam\w*|sample|collection|record|diagnosis|study)\b.*\b(date|time|year|datetime|dt)\b"
    r"|^(date|year|datetime|re date|visit date)$|入院(日期|时间)|就诊(日期|时间)|检查(日期|时间)|采样(日期|时间)|登记(日期|时间)|年份|^日期$|手术日期",
    "sensitive": r"\b(age|sex|gender|race|ethnicity|ethnic|insurance|payer|language|religion|marital|education|income)\b"
    r"|^(sex|age|gender)|年龄|性别|民族|医保|婚姻|教育|职业|宗教",
    "outcome": r"\b(outcome|target|label|class|diagnosis|disease|death|died|dead|mortality|survival|survived|status|result|event|response"
    r"|readmit\w*|readmission|relapse|recurrence|progression|malignan\w*|classification|deceased|expired|prognosis|y|num)\b|(death|mortality|status|outcome)$"
    r"|结局|转归|死亡|预后|诊断|结果|出院方式|出院情况|是否|复发|转移|生存|存活|病死|恶性|分类|标签",
    "coded": r"\bicd( ?(o|9|10|11))?( ?cm)?( codes?)?$|^(diagnosis|dx|procedure|proc|snomed|loinc|atc|drg|ops|cpt)( ?codes?)?( ?\d+)? codes?$"
    r"|诊断编码|疾病编码|icd编码",
    "coded_when_few": r"^cp$|\b(chest ?pain|rest ?ecg|ecg|ekg|ecg at rest)\b|胸痛|心电图",
    "counted": r"\b(days?|hours?|weeks?|months?|years?|minutes?|count|counts|number of|n of|num of|volume|level|score|shocks|visits|episodes"
    r"|times|duration|length|dose|ratio|rate|percent|total|sum|mean|max|min|size|weight|depth|cd4|cd8|los)\b|天数|次数|数量|时长|剂量|容量|体积|评分",
    "after": r"discharge|death|died|mortality|expired|出院|死亡|随访|follow ?up|los\b|length of stay|住院天数",
}
_COMPILED = {topic: re.compile(pattern) for topic, pattern in _TOPICS.items()}


def spoken(name: str) -> str:
    """Write a name in lower-case words.

    >>> spoken("PatientID"), spoken("RE_DATE"), spoken("入院时间")
    ('patient id', 're date', '入院时间')
    """
    text = simplified(unicodedata.normalize("NFKC", name))
    text = _CAMEL.sub(" ", text).lower()
    return " ".join(re.split(r"[\s_\-./:,;()\[\]]+", text)).strip()


def folded(name: str) -> str:
    """Write a name as it is compared with that of another table.

    >>> folded("Patient ID") == folded("patient_id") == folded("PatientID") == "patientid"
    True
    """
    return spoken(name).replace(" ", "")


def names_patients(name: str) -> bool:
    """Say whether a column may name patients, by its name.

    >>> names_patients("MRN"), names_patients("record_id"), names_patients("chol")
    (True, True, False)
    """
    return says(name, "identifier") or says(name, "patient")


def may_share(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """Say whether two tables may be about the same patients: they have a column in common, or each has one that names them.

    >>> may_share(["Patient ID", "age"], ["patient_id"]), may_share(["MRN"], ["pid"]), may_share(["age"], ["hb"])
    (True, True, False)
    """
    ours, theirs = list(ours), list(theirs)
    same = {*map(folded, ours)} & {*map(folded, theirs)}
    return bool(same) or (any(map(names_patients, ours)) and any(map(names_patients, theirs)))


def says(name: str, topic: Topic) -> bool:
    """Say whether a name speaks of a topic.

    >>> says("patient_nbr", "patient"), says("hospitalid", "site"), says("性别", "sex"), says("chol", "sex")
    (True, True, True, False)
    """
    return bool(_COMPILED[topic].search(spoken(name)))
