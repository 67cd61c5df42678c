"""Short notes in English and Chinese, of no patient: made so that notes can be tried where none may be shown."""

from __future__ import annotations

import random

SEED = 17
N = 300
SIGNS = (
    (1.6, ("shortness of breath at rest", "low oxygen saturation"), ("静息时气促", "血氧饱和度降低")),
    (1.2, ("confusion since yesterday", "drowsiness"), ("意识模糊", "嗜睡")),
    (1.0, ("fever with chills for three days", "temperature above 39"), ("发热伴寒战", "体温超过39℃")),
    (0.9, ("low blood pressure", "pallor and sweating"), ("低血压", "面色苍白及出冷汗")),
    (0.7, ("chest pain on breathing in", "crackles at the left base"), ("吸气时胸痛", "左下肺湿啰音")),
    (0.5, ("vomiting after every drink", "dehydration"), ("进水即吐", "脱水貌")),
    (0.0, ("cough with yellow sputum", "sore throat"), ("咳嗽，咳黄痰", "咽痛")),
    (-0.6, ("walks without help and eats well", "better than yesterday"), ("可自行行走，饮食好", "较昨日好转")),
    (-0.8, ("asks for a certificate for work", "came for a prescription"), ("要求开具病假证明", "来院开药")),
)  # fmt: skip
"""How much a sign speaks for being admitted (log odds), and what it is called in English and in Chinese."""
WORDS = (("No ", ". ", "."), ("无", "，", "。"))
"""By language: a denial, what lies between signs, and the end."""


def made_notes() -> list[dict[str, str]]:
    """Make short notes in English and Chinese, of nobody: signs drawn by chance, said or denied, and an outcome that follows from them and the age."""
    draw = random.Random(SEED)
    rows = []
    for k in range(N):
        language = k % 2
        no, between, end = WORDS[language]
        age = draw.randint(18, 89)
        odds = (age - 60) / 25 - 1.4
        said = []
        for weight, *words in draw.sample(SIGNS, draw.randint(3, 5)):
            sign, denied = draw.choice(words[language]), weight > 0 and draw.random() < 0.4
            odds += 0.0 if denied else 1.5 * weight
            said.append(f"{no}{sign}" if denied else f"{sign[0].upper()}{sign[1:]}")
        admitted = draw.random() < 1 / (1 + 2.718281828**-odds)
        rows.append({"age": str(age), "note": between.join(said) + end, "admitted": "yes" if admitted else "no"})
    return rows
