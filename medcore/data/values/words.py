"""The words that cells are written in: outcomes, nothing measured, ratings, severity, units, flags.

Every word is lower case and width-folded. The lists are this project's own,
gathered from exports of hospital systems in English and Chinese; a word that is
missing here costs a wrong first guess, which the person can overrule.
"""

from __future__ import annotations

import re

from medcore.data.quantities.units import OF_TIME
from medcore.data.scripts import in_both, pairs_in_both

POSITIVE_WORDS: tuple[str, ...] = in_both(
    (
        "1",
        "yes",
        "y",
        "true",
        "t",
        "ja",
        "oui",
        "positive",
        "pos",
        "+",
        "(+)",
        "died",
        "die",
        "verstorben",
        "gestorben",
        "décédé",
        "décédée",
        "fallecido",
        "fallecida",
        "умер",
        "dead",
        "death",
        "deceased",
        "expired",
        "malignant",
        "case",
        "disease",
        "diseased",
        "event",
        "present",
        "abnormal",
        "relapse",
        "recurrence",
        "recurrence-events",
        "readmitted",
        "<30",
        "sick",
        "ckd",
        "failure",
        "progression",
        "metastasis",
        "severe",
        "critical",
        "detected",
        "是",
        "有",
        "阳性",
        "死亡",
        "恶性",
        "患病",
        "复发",
        "转移",
        "异常",
        "真",
        "重症",
        "再入院",
        "病死",
    )
)
"""Words by which an outcome is said to have happened."""

NEGATIVE_WORDS: frozenset[str] = frozenset(
    in_both(
        [
            "0",
            "no",
            "n",
            "false",
            "f",
            "nein",
            "non",
            "negative",
            "neg",
            "-",
            "(-)",
            "alive",
            "lebend",
            "vivant",
            "vivo",
            "жив",
            "survived",
            "survive",
            "live",
            "living",
            "lived",
            "discharged",
            "benign",
            "control",
            "healthy",
            "absent",
            "normal",
            "none",
            "ckd-free",
            "否",
            "无",
            "阴性",
            "存活",
            "生存",
            "良性",
            "健康",
            "正常",
            "假",
            "好转",
            "治愈",
            "出院",
            "对照",
            "未复发",
        ]
    )
)
"""Words by which an outcome is said not to have happened."""

MISSING_WORDS: frozenset[str] = frozenset(
    in_both(
        [
            "?",
            "??",
            "na",
            "n/a",
            "#n/a",
            "#na",
            "<na>",
            "nan",
            "null",
            "#null!",
            "none",
            "nil",
            "nd",
            "n.d.",
            "\\n",
            "missing",
            "unknown",
            "unk",
            "unspecified",
            "undetermined",
            "unrecorded",
            "unmeasured",
            "#value!",
            "#div/0!",
            "#ref!",
            "#name?",
            "#num!",
            "未查",
            "未测",
            "未做",
            "未检",
            "未检测",
            "未记录",
            "未知",
            "不详",
            "不明",
            "缺失",
            "无数据",
            "空",
            "未填",
            "未采集",
            "不清楚",
            "待查",
            "暂无",
        ]
    )
) | {
    "not available",
    "not measured",
    "not recorded",
    "not done",
    "not known",
    "not tested",
    "unknown/invalid",
    "no data",
    *("k.a.", "k. a.", "n.b.", "keine angabe", "keine angaben", "unbekannt", "nicht bekannt", "nicht erhoben", "fehlt"),
    *("non renseigné", "non renseignée", "non disponible", "inconnu", "inconnue", "non fait", "manquant"),
    *("s/d", "sin dato", "sin datos", "desconocido", "desconocida", "no consta", "no disponible"),
    *("non disponibile", "sconosciuto", "sconosciuta", "non noto", "mancante"),
    *("não informado", "sem informação", "sem dados", "desconhecido", "desconhecida", "não disponível"),
    *("onbekend", "niet bekend", "ontbreekt", "ukendt", "ukjent", "okänd", "okänt", "brak danych", "nieznany"),
    *("нет данных", "н/д", "н.д.", "неизвестно", "нет сведений"),
}
"""Words that say nothing was recorded."""

AMBIGUOUS_MISSING: frozenset[str] = frozenset(
    ["-", "--", "---", ".", "/", "*", "x", "none", "nil", "未做", "not done", "na", "nd"]
)
"""Marks that say nothing was recorded, unless the column's other words give them a meaning."""

NO_RESULT: frozenset[str] = (
    frozenset(
        in_both(
            [
                "待报",
                "待回报",
                "未回报",
                "未出",
                "未报",
                "未送",
                "未送检",
                "已取消",
                "拒绝",
                "拒查",
                "拒检",
                "溶血",
                "标本溶血",
                "脂血",
                "凝血",
                "标本凝固",
                "标本不足",
                "量不足",
                "见备注",
                "(空)",
                "测不出",
            ]
        )
    )
    | frozenset(
        [
            "pending",
            "refused",
            "declined",
            "cancelled",
            "canceled",
            "hemolyzed",
            "haemolyzed",
            "hemolysed",
            "haemolysed",
            "clotted",
            "lipemic",
            "qns",
            "insufficient",
            "invalid",
            "error",
            "err",
            "blank",
            "empty",
            "(blank)",
            "(empty)",
            "(null)",
            "tbd",
        ]
    )
    | {
        *(
            "not sent",
            "see comment",
            "see note",
            "sample hemolyzed",
            "insufficient sample",
            "quantity not sufficient",
            "no sample",
        ),
        *("no result", "test not performed", "not reported", "unable to obtain", "not applicable"),
    }
)
"""Words that stand among measurements for one that was not made, or whose result is not there; in categories they may be answers."""

NO_LETTER = re.compile(r"(?:[^\w+±<>]|_)+\Z")
"""Marks alone, such as — or #####, which among measurements say nothing."""

RATINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(in_both(words))
    for words in (
        ("-", "(-)", "neg", "neg.", "negative", "nil", "阴性", "未检出", "0"),
        ("±", "+-", "+/-", "-/+", "(±)", "trace", "tr", "tr.", "traces", "微量", "弱阳性", "可疑", "临界"),
        ("+", "(+)", "1+", "(1+)", "+1", "pos", "pos.", "positive", "阳性", "small"),
        ("++", "(++)", "2+", "(2+)", "+2", "moderate", "中阳性"),
        ("+++", "(+++)", "3+", "(3+)", "+3", "large", "强阳性"),
        ("++++", "(++++)", "4+", "(4+)", "+4"),
    )
)
"""What a strip or a stain shows, weakest first; words of one strength stand together."""

SEVERITY_WORDS: tuple[tuple[str, ...], ...] = pairs_in_both(
    (
        ("-", "±", "+", "++", "+++", "++++"),
        ("negative", "trace", "1+", "2+", "3+", "4+"),
        ("none", "absent", "no", "mild", "moderate", "severe", "very severe", "critical"),
        ("very low", "low", "norm", "normal", "medium", "high", "very high"),
        ("down", "steady", "up"),
        ("never", "rarely", "sometimes", "often", "always"),
        ("never", "former", "current"),
        ("poor", "fair", "good", "very good", "excellent"),
        ("i", "ii", "iii", "iv", "v"),
        ("stage 0", "stage i", "stage ii", "stage iii", "stage iv"),
        ("无", "轻", "轻度", "中", "中度", "重", "重度", "极重度", "危重"),
        ("低", "正常", "高"),
        ("差", "一般", "良", "良好", "优"),
        ("ⅰ", "ⅱ", "ⅲ", "ⅳ"),
        ("一级", "二级", "三级", "四级"),
        ("阴性", "弱阳性", "阳性", "强阳性"),
    )
)
"""Scales of words, lowest first."""

UNIT_SUFFIX = re.compile(
    rf"""(?ix) ^ (?:
      % | ‰ | ° | °?[cf] | ℃ | ℉ | [hl]
    | [€$£¥] | eur | usd | rmb | cny | 元
    | pack[-\ ]?(?:years?|yrs?) | pk[-\ ]?yrs? | py | ppd | packs?\ per\ day | 包年 | (?:log|lg)(?:10)? | 度
    | [cdm]?m[23²³] | (?:次|个)?\s*/\s*(?:min|分|分钟|h|小时|d|day|天|日|week|周|[cm]m[23³]|[µμmd]?l)
    | (?:x|×|\*)?\s*10\s*[\^*e]*\s*\d{{1,2}}\s*/\s*[µμmunpf]?l
    | (?:[kmµμunpfcd]?(?:g|mol|eq|iu|u|l|m)|mmhg|kpa|cmh2o|bpm|iu|(?:{"|".join(OF_TIME)})\.?
        |ms|cm|mm|kg|lbs?|in(?:ch(?:es)?)?|ft|oz|ounces?|pounds?|grams?|gms?|kilograms?|torr|hpa|mbar|mc[gl]|m?iu|k|cells?|copies|cc|kcal|kj|mosm|score|points?
        |tab(?:let)?s?|caps?(?:ules?)?|puffs?|drops?|packs?|units?|doses?
        |次|纳克|微克|毫克|克|千克|公斤|斤|毫米|厘米|米|微升|毫升|分升|升|个|人|支|包|片|粒
        |[毫微纳皮]?摩尔|国际单位|单位|毫米汞柱|千帕)
      (?:\s*[/.·]\s*[a-z0-9µμ%^().·*²³升毫微分千公斤克米]+){{0,3}}
    ) $
    """
)
"""What may follow a number in its cell: a unit."""
