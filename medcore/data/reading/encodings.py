"""Which encoding a text file is in: told by its first bytes, else by what its letters would be in each."""

from __future__ import annotations

import codecs
from contextlib import closing

from medcore.data.reading.text import BLOCK, HEAD, RawFile
from medcore.data.scripts import in_both

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(raw: RawFile) -> str:
    """Find a text file's encoding: a byte order mark, UTF-8, UTF-16, GB18030, Big5, EUC-KR, or a Western one.

    Runs of bytes above 127 come in pairs in Chinese text and mostly alone in
    Western text; that tells GB18030 from Latin-1, both of which accept nearly anything.
    Big5 and EUC-KR are told from it by which of their characters there are.
    """
    head = raw.head()
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if guess := _utf16_without_bom(head):
        return guess
    valid, foreign = _scan(raw)
    if valid:
        return "utf-8"
    return _legacy_encoding(foreign)


def _utf16_without_bom(head: bytes) -> str | None:
    sample = head[: len(head) // 2 * 2][:4096]
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0) / (len(sample) / 2), sample[1::2].count(0) / (len(sample) / 2)
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.05 else None


def _scan(raw: RawFile) -> tuple[bool, bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    valid, foreign = True, bytearray()
    with closing(raw.open()) as file:
        while block := file.read(BLOCK):
            if valid:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    valid = False
            if len(foreign) < HEAD and not block.isascii():
                foreign += b"\n".join(line for line in block.split(b"\n") if not line.isascii())[:HEAD]
    if valid:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            valid = False
    return valid, bytes(foreign)


def _legacy_encoding(foreign: bytes) -> str:
    repaired = foreign.decode("utf-8", "replace")
    n_bad = repaired.count("\ufffd")
    n_good = sum(1 for c in repaired if ord(c) > 127) - n_bad
    if n_good > 20 * n_bad:
        return "utf-8"
    runs = [len(run) for run in _high_runs(foreign)]
    paired = sum(n for n in runs if n % 2 == 0) / max(1, sum(runs))
    n_broken = foreign.decode("gb18030", "replace").count("\ufffd")
    big5 = _is_big5(foreign)
    if paired > 0.8 and n_broken * 50 <= sum(runs) and _common_hanzi(foreign) > 0.6:
        return _of_pairs(foreign, big5=big5)
    return "cp950" if big5 else _charset_normalizer(foreign)


def _of_pairs(foreign: bytes, *, big5: bool) -> str:
    """Tell apart what may all be pairs of bytes above 160: simplified and traditional Chinese, Korean, Japanese."""
    chinese = foreign.decode("gb18030", "replace")
    if big5 and _usual(foreign.decode("cp950", "replace"), _USUAL_FULL) > _usual(chinese, _USUAL):
        return "cp950"
    if sum(1 for c in chinese if "\u3041" <= c <= "\u30fa") > 0.05 * sum(1 for c in chinese if not c.isascii()):
        return "euc_jp"
    return "cp949" if _is_korean(foreign) else "gb18030"


def _usual(text: str, usual: frozenset[str]) -> float:
    """Return the share of common ones among a text's Chinese characters."""
    hanzi = [c for c in text if "\u4e00" <= c <= "\u9fff"]
    return sum(1 for c in hanzi if c in usual) / max(1, len(hanzi))


def _is_korean(foreign: bytes) -> bool:
    """Say whether byte pairs are Hangul (KS X 1001 rows 16–40), none a Hanja, and as Chinese would be rare characters."""
    try:
        others = [c for c in foreign.decode("cp949") if not c.isascii()]
    except UnicodeDecodeError:
        return False
    if any("\u4e00" <= c <= "\u9fff" for c in others):
        return False
    hangul = sum(1 for c in others if "\uac00" <= c <= "\ud7a3")
    usual = sum(1 for c in others if c in _USUAL_KOREAN)
    return (
        hangul > 0.8 * len(others)
        and usual > 0.15 * len(others)
        and _usual(foreign.decode("gb18030", "replace"), _USUAL) < 0.35
    )


def _is_big5(foreign: bytes) -> bool:
    """Say whether bytes are pairs of Big5 whose first bytes are of its common characters and marks (A1–C6).

    Half of the second bytes are ASCII letters; what then stands alone would be signs in a Western text
    that hardly any has before a letter, such as § and ¤.
    """
    text = foreign.decode("cp950", "replace")
    others = [c for c in text if not c.isascii()]
    if not others or text.count("\ufffd") * 50 > len(others):
        return False
    leads = [c.encode("cp950", "replace")[0] for c in others]
    common = sum(1 for lead in leads if 0xA1 <= lead <= 0xC6)
    unwestern = sum(1 for lead in leads if lead in _UNWESTERN)
    return common > 0.9 * len(others) and unwestern > 0.2 * len(others) and _usual(text, _USUAL_FULL) > 0.1


def _common_hanzi(foreign: bytes) -> float:
    """Return the share of byte pairs that are common Chinese characters or marks (GB 2312 rows 1–3 and 16–55)."""
    leads = [run[i] for run in _high_runs(foreign) if len(run) % 2 == 0 for i in range(0, len(run), 2)]
    return sum(1 for b in leads if 0xA1 <= b <= 0xA3 or 0xB0 <= b <= 0xD7) / max(1, len(leads))


def _high_runs(data: bytes) -> list[bytes]:
    return [run for run in data.translate(_HIGH_ONLY).split() if run]


_HIGH_ONLY = bytes(b if b > 127 else 32 for b in range(256))


def _alone(foreign: bytes) -> bool:
    """Say whether bytes above 127 mostly stand alone between letters, as in Western words and nowhere else."""
    runs = [len(run) for run in _high_runs(foreign)]
    return sum(1 for n in runs if n == 1) > 0.8 * len(runs)


def _charset_normalizer(foreign: bytes) -> str:
    from charset_normalizer import from_bytes

    candidates = ["cp1252", "latin_1", "gb18030", "big5", "shift_jis", "cp1251", "euc_kr", "cp1250", "cp1253", "cp1254"]
    best = from_bytes(foreign[: 64 << 10], cp_isolation=candidates).best()
    name = best.encoding if best is not None else "cp1252"
    if name == "cp1250" and sum(b in foreign for b in _EASTERN) > 1:
        return name
    if name in {"cp1252", "latin_1", "cp1250"} or _alone(foreign):
        return "latin-1" if any(b in foreign for b in b"\x81\x8d\x8f\x90\x9d") else "cp1252"
    return name


_USUAL = frozenset(
    "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些"
    "与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市男性别龄岁患病死亡否阳阴院号科室诊断治疗"
    "检查血压体温脉心率呼吸糖肝肾肺脑癌症史高低正常异住手术药物剂量度日期"
)
"""Characters that are common in any Chinese text, and in tables of patients."""
_USUAL_KOREAN = frozenset(
    "이다는을의가에고하지로서도기나사리대인자시해어그아정라보일한스과수여성별남예오니망명환진단혈압령병원질치료당뇨증상폐간심장"
)
"""Syllables that are common in any Korean text, and in tables of patients."""
_UNWESTERN = frozenset(b"\xa4\xa5\xa6\xa7\xa8\xa9\xab\xac\xad\xaf\xb4\xb6\xb8\xb9\xbb\xbc\xbd\xbe\xbf")
"""Signs of cp1252 that no word and no unit has."""
_EASTERN = b"\x8c\x8f\x9c\x9d\x9f\xa3\xa5\xaf\xb3\xb9\xbe\xbf"
"""Polish, Czech and Hungarian letters of cp1250 that are signs in cp1252; two of them tell the one from the other."""
_USUAL_FULL = frozenset(in_both(_USUAL))
